//! An XML document as a tree.

use bindery_xml::{Event, Options, Source, Tolerance};
use serde_json::Map;

use super::{
    Head, Protocol,
    tree::{Element, Leaf, Place, Tree},
};
use crate::{decode::languages, error::Result};

/// Reads a document into the tree.
///
/// # Errors
/// The first fault, with its place.
pub(super) fn read(document: &[u8], lenient: bool, tree: &mut Tree) -> Result<Head> {
    let tolerance =
        Tolerance::STRICT.with_doctype(true).with_subset(true).with_utf16_label(lenient);
    let options = Options::STRICT
        .with_tolerance(tolerance)
        .with_comments(true)
        .with_processing_instructions(true);
    let source = Source::with_options(document, &options);
    let protocol = protocol(&source);
    let name = protocol.name().map_or_else(String::new, |name| format!(", {name}"));
    tree.heading(&format!("XML{name}"));
    // An event borrows its reader, which cannot be asked for the place meanwhile: another one is.
    let (mut reader, mut places) = (source.reader(), source.reader());
    while let Some(event) = reader.next_event().map_err(|error| languages::xml(&error))? {
        places.next_event().map_err(|error| languages::xml(&error))?;
        let at = places.position();
        let place = Place { offset: at.offset, line: Some((at.line, at.column)) };
        put(&event, place, tree)?;
    }
    let mut members = Map::new();
    members.insert("form".to_owned(), "xml".into());
    Ok(Head { protocol, members })
}

/// The protocol of a document, as far as it can be read.
fn protocol(source: &Source<'_>) -> Protocol {
    let mut reader = source.reader();
    while let Ok(Some(event)) = reader.next_event() {
        if let Event::Start(start) = event {
            return Protocol::of(start.name().namespace(), start.name().local());
        }
    }
    Protocol::Other
}

fn put(event: &Event<'_>, place: Place, tree: &mut Tree) -> Result<()> {
    match event {
        Event::Start(start) => {
            let (name, namespace) = (start.name().local(), start.name().namespace());
            tree.open(place, Element { name, namespace, token: None })?;
            for attribute in start.attributes() {
                tree.leaf(place, Leaf::Attribute(attribute.name.qualified(), attribute.value))?;
            }
        }
        Event::End(_) => tree.close(),
        Event::Text(text) if text.trim().is_empty() => {}
        Event::Text(text) => tree.leaf(place, Leaf::Text("text", text))?,
        Event::Cdata(text) => tree.leaf(place, Leaf::Text("cdata", text))?,
        Event::Comment(text) => tree.leaf(place, Leaf::Text("comment", text))?,
        Event::ProcessingInstruction(instruction) => {
            let text = format!("{} {}", instruction.target, instruction.data);
            tree.leaf(place, Leaf::Text("instruction", &text))?;
        }
        Event::Doctype(doctype) => {
            let text = [Some(doctype.name), doctype.public_id, doctype.system_id];
            let text: Vec<&str> = text.into_iter().flatten().collect();
            tree.leaf(place, Leaf::Text("doctype", &text.join(" ")))?;
        }
        _ => {}
    }
    Ok(())
}
