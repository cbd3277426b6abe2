//! A WBXML document as a tree, with the documents that stand inside its opaque data.

use std::fmt::Write;

use bindery_wbxml::{
    AttributeStart, Event, Extension, ExtensionValue, Name, Options, PublicId, Reader,
};
use serde_json::{Map, Value, json};

use super::{
    Head, Protocol,
    tree::{Element, Leaf, Place, Tree},
};
use crate::{decode::languages, error::Result};

/// Documents inside each other: a device information stands in a message, and holds none itself.
const DOCUMENTS: usize = 2;

/// Reads a document into the tree.
///
/// # Errors
/// The first fault, with its offset.
pub(super) fn read(document: &[u8], options: &Options<'static>, tree: &mut Tree) -> Result<Head> {
    let reader = Reader::with_options(document, options).map_err(|e| languages::wbxml(&e))?;
    let head = head(&reader, tree);
    let mut walk = Walk { document, options, readers: vec![(reader, 0)], attribute: None };
    while walk.step(tree)? {}
    Ok(head)
}

fn head(reader: &Reader<'_>, tree: &mut Tree) -> Head {
    let prologue = reader.prologue();
    let language = reader.language();
    let public_id = match &prologue.public_id {
        PublicId::Number(number) => json!(number),
        PublicId::Text { text, .. } => json!(text),
        _ => Value::Null,
    };
    let name = language.map_or("unknown language", |language| language.id());
    let protocol = match language {
        Some(language) => Protocol::of("", language.root()),
        None => Protocol::Other,
    };
    tree.heading(&format!(
        "WBXML {}, {name}, public identifier {public_id}, {}, string table of {} bytes, body at {}",
        prologue.version,
        prologue.charset,
        prologue.string_table.len(),
        prologue.body,
    ));
    let Value::Object(members) = json!({
        "form": "wbxml",
        "version": prologue.version.to_string(),
        "language": language.map(bindery_wbxml::Language::id),
        "public_id": public_id,
        "charset": prologue.charset.name(),
        "string_table": prologue.string_table.len(),
        "body": prologue.body,
    }) else {
        return Head { protocol, members: Map::new() };
    };
    Head { protocol, members }
}

struct Walk<'a> {
    document: &'a [u8],
    options: &'a Options<'static>,
    /// The document and those inside it, each with the offset of its first byte.
    readers: Vec<(Reader<'a>, u64)>,
    attribute: Option<Attribute>,
}

/// An attribute or instruction whose value is still coming.
struct Attribute {
    place: Place,
    instruction: bool,
    name: String,
    value: String,
}

impl<'a> Walk<'a> {
    /// Reads one event; `false` at the end.
    fn step(&mut self, tree: &mut Tree) -> Result<bool> {
        let Some((reader, base)) = self.readers.last_mut() else { return Ok(false) };
        let Some(event) = reader.next() else {
            self.readers.pop();
            return Ok(true);
        };
        let event = event.map_err(|error| languages::wbxml(&error))?;
        let offset = base.saturating_add(reader.offset() as u64);
        let place = Place { offset, line: None };
        match event {
            Event::StartElement(start) => {
                let token = start.name.token();
                let namespace = token
                    .and_then(|(page, _)| reader.language()?.namespace(page))
                    .unwrap_or_default();
                let name = start.name.to_string();
                tree.open(place, Element { name: &name, namespace, token })?;
            }
            Event::EndElement(_) => tree.close(),
            Event::Attribute(start) => self.begin(place, false, &start, tree)?,
            Event::Instruction(start) => self.begin(place, true, &start, tree)?,
            Event::EndAttributes | Event::EndInstruction => self.end(tree)?,
            Event::AttributeValue(value) => match value.text {
                Some(text) => self.text(place, "text", text, tree)?,
                None => {
                    let text = format!("[{}:{:#04X}]", value.page, value.token);
                    self.text(place, "token", &text, tree)?;
                }
            },
            Event::Text(text) => self.text(place, "text", &text.value, tree)?,
            Event::Entity(character) => {
                self.text(place, "entity", character.encode_utf8(&mut [0; 4]), tree)?;
            }
            Event::Extension(extension) => {
                let text = extension_text(reader, &extension);
                self.text(place, "extension", &text, tree)?;
            }
            Event::Opaque(octets) => self.opaque(place, octets, tree)?,
            _ => {}
        }
        Ok(true)
    }

    fn begin(
        &mut self,
        place: Place,
        instruction: bool,
        start: &AttributeStart<'_>,
        tree: &mut Tree,
    ) -> Result<()> {
        self.end(tree)?;
        let (name, value) = (shown(&start.name), start.prefix.to_owned());
        self.attribute = Some(Attribute { place, instruction, name, value });
        Ok(())
    }

    fn end(&mut self, tree: &mut Tree) -> Result<()> {
        let Some(Attribute { place, instruction, name, value }) = self.attribute.take() else {
            return Ok(());
        };
        if instruction {
            return tree.leaf(place, Leaf::Text("instruction", &format!("{name} {value}")));
        }
        tree.leaf(place, Leaf::Attribute(&name, &value))
    }

    /// Text of the content, or a piece of an attribute's value.
    fn text(
        &mut self,
        place: Place,
        kind: &'static str,
        text: &str,
        tree: &mut Tree,
    ) -> Result<()> {
        if let Some(attribute) = &mut self.attribute {
            attribute.value.push_str(text);
            return Ok(());
        }
        tree.leaf(place, Leaf::Text(kind, text))
    }

    /// Opaque data: a document of its own, a piece of an attribute's value, or just octets.
    fn opaque(&mut self, place: Place, octets: &'a [u8], tree: &mut Tree) -> Result<()> {
        if let Some(attribute) = &mut self.attribute {
            // Writing to a String does not fail.
            let _ = write!(attribute.value, "[{}]", crate::output::hex(octets));
            return Ok(());
        }
        if self.readers.len() < DOCUMENTS
            && !tree.is_secret()
            && let Some(reader) = self.inside(octets)
        {
            let base = octets.as_ptr().addr().saturating_sub(self.document.as_ptr().addr());
            self.readers.push((reader, base as u64));
            return Ok(());
        }
        tree.leaf(place, Leaf::Opaque(octets))
    }

    /// The reader of a whole document in opaque data, if that is one of a known language.
    fn inside(&self, octets: &'a [u8]) -> Option<Reader<'a>> {
        let mut options = *self.options;
        options.language = None;
        let open =
            || Reader::with_options(octets, &options).ok().filter(|r| r.language().is_some());
        let whole = open()?.all(|event| event.is_ok());
        if whole { open() } else { None }
    }
}

fn shown(name: &Name<'_>) -> String {
    name.to_string()
}

fn extension_text(reader: &Reader<'_>, extension: &Extension<'_>) -> String {
    match &extension.value {
        ExtensionValue::Text(text) => format!("[{}: {text}]", extension.number),
        ExtensionValue::Number(number) => {
            let row = reader.language().and_then(|language| language.extension(*number));
            row.map_or_else(
                || format!("[{}: {number}]", extension.number),
                |row| row.name().to_owned(),
            )
        }
        _ => format!("[{}]", extension.number),
    }
}
