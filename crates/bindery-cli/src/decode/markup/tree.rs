//! The tree as it is printed: lines as they come for people, nested objects for tools.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::codes;
use crate::{
    error::Result,
    output::{Format, Output, clean, hex, write_stdout},
};

/// How much text is held back before it is written.
const BUFFER: usize = 1 << 16;

/// The octets of opaque data that a line shows.
const SHOWN: usize = 32;

/// Where a node stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Bytes before it.
    pub(super) offset: u64,
    /// Line and column of XML.
    pub(super) line: Option<(u64, u64)>,
}

/// An element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) name: &'a str,
    /// The namespace, if it is in one.
    pub(super) namespace: &'a str,
    /// Code page and token of WBXML.
    pub(super) token: Option<(u8, u8)>,
}

/// What an element holds beside elements.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaf<'a> {
    /// An attribute: name and value.
    Attribute(&'a str, &'a str),
    /// Text of a kind: text, cdata, comment, entity and so on.
    Text(&'static str, &'a str),
    /// Opaque data.
    Opaque(&'a [u8]),
}

/// The tree under construction. It is as deep as the reader's limit allows.
pub(super) struct Tree {
    table: bool,
    /// Nothing is written before the end.
    held: bool,
    show_secrets: bool,
    text: String,
    open: Vec<Open>,
    top: Vec<Value>,
    secret: bool,
}

struct Open {
    name: String,
    namespace: String,
    members: Map<String, Value>,
    items: Vec<Value>,
}

impl AsRef<str> for Open {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl Tree {
    pub(super) fn new(output: &Output) -> Self {
        let table = matches!(output.format, Format::Table);
        Self { held: false, ..Self::held(table, output.show_secrets) }
    }

    /// One that is kept and not written.
    pub(super) const fn held(table: bool, show_secrets: bool) -> Self {
        Self {
            table,
            held: true,
            show_secrets,
            text: String::new(),
            open: Vec::new(),
            top: Vec::new(),
            secret: false,
        }
    }

    /// A line about the whole document; for people only.
    pub(super) fn heading(&mut self, line: &str) {
        if self.table {
            self.text.push_str(&clean(line));
            self.text.push('\n');
        }
    }

    /// An element begins.
    pub(super) fn open(&mut self, place: Place, element: Element<'_>) -> Result<()> {
        let mut members = Map::new();
        if self.table {
            let mut label = element.name.to_owned();
            // Writing to a String does not fail.
            if let Some((page, token)) = element.token {
                let _ = write!(label, " ({page}:{token:#04X})");
            }
            let outer = self.open.last().map_or("", |outer| &outer.namespace);
            if outer != element.namespace {
                let _ = write!(label, " {{{}}}", element.namespace);
            }
            self.line(place, &label)?;
        } else {
            members = start(place, "element");
            members.insert("name".to_owned(), element.name.into());
            if !element.namespace.is_empty() {
                members.insert("namespace".to_owned(), element.namespace.into());
            }
            if let Some((page, token)) = element.token {
                members.insert("page".to_owned(), page.into());
                members.insert("token".to_owned(), token.into());
            }
        }
        self.open.push(Open {
            name: element.name.to_owned(),
            namespace: element.namespace.to_owned(),
            members,
            items: Vec::new(),
        });
        Ok(())
    }

    /// The innermost element ends.
    pub(super) fn close(&mut self) {
        let Some(Open { mut members, items, .. }) = self.open.pop() else { return };
        if !self.table {
            members.insert("items".to_owned(), items.into());
            self.push(members);
        }
    }

    /// Something that holds no elements.
    pub(super) fn leaf(&mut self, place: Place, leaf: Leaf<'_>) -> Result<()> {
        let text = match leaf {
            Leaf::Text(_, text) => Some(text),
            Leaf::Opaque(octets) => std::str::from_utf8(octets).ok(),
            Leaf::Attribute(..) => None,
        };
        let secret = matches!(leaf, Leaf::Text(..) | Leaf::Opaque(_))
            && (self.is_secret() || text.is_some_and(|text| codes::is_token(&self.open, text)));
        self.secret |= secret;
        let hidden = secret && !self.show_secrets;
        let meaning = text.and_then(|text| codes::meaning(&self.open, text));
        if !self.table {
            let mut members = members(place, leaf, hidden);
            if let Some(meaning) = meaning {
                members.insert("meaning".to_owned(), meaning.into());
            }
            self.push(members);
            return Ok(());
        }
        let mut label = label(leaf, hidden);
        if let Some(meaning) = meaning {
            label.push_str("  -- ");
            label.push_str(&meaning);
        }
        self.line(place, &label)
    }

    /// Whether the innermost element holds a credential.
    pub(super) fn is_secret(&self) -> bool {
        codes::is_secret(&self.open)
    }

    /// Writes what is held back.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let written = write_stdout(self.text.as_bytes());
        self.text.clear();
        written
    }

    /// The lines that are held back.
    pub(super) fn text(self) -> String {
        self.text
    }

    /// The items for tools, and whether secrets are among them.
    pub(super) fn finish(self) -> (Value, bool) {
        (Value::Array(self.top), self.secret)
    }

    fn push(&mut self, members: Map<String, Value>) {
        let items = self.open.last_mut().map_or(&mut self.top, |outer| &mut outer.items);
        items.push(Value::Object(members));
    }

    fn line(&mut self, place: Place, label: &str) -> Result<()> {
        let at = match place.line {
            Some((line, column)) => format!("{line}:{column}"),
            None => place.offset.to_string(),
        };
        let width = 2 + 2 * self.open.len();
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "{at:>8}{:width$}{}", "", clean(label));
        if self.held || self.text.len() < BUFFER { Ok(()) } else { self.flush() }
    }
}

fn start(place: Place, kind: &str) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("offset".to_owned(), place.offset.into());
    if let Some((line, column)) = place.line {
        members.insert("line".to_owned(), line.into());
        members.insert("column".to_owned(), column.into());
    }
    members.insert("kind".to_owned(), kind.into());
    members
}

fn members(place: Place, leaf: Leaf<'_>, hidden: bool) -> Map<String, Value> {
    let kind = match leaf {
        Leaf::Attribute(..) => "attribute",
        Leaf::Text(kind, _) => kind,
        Leaf::Opaque(_) => "opaque",
    };
    let mut members = start(place, kind);
    if let Leaf::Attribute(name, _) = leaf {
        members.insert("name".to_owned(), name.into());
    }
    let (key, value) = match leaf {
        _ if hidden => ("value", json!("hidden")),
        Leaf::Attribute(_, value) | Leaf::Text(_, value) => ("value", json!(value)),
        Leaf::Opaque(octets) => match std::str::from_utf8(octets) {
            Ok(text) => ("value", json!(text)),
            Err(_) => ("hex", json!(hex(octets))),
        },
    };
    members.insert(key.to_owned(), value);
    members
}

fn label(leaf: Leaf<'_>, hidden: bool) -> String {
    match leaf {
        Leaf::Attribute(name, value) => format!("@{name} \"{value}\""),
        Leaf::Text(kind, _) if hidden => format!("{kind} (hidden)"),
        Leaf::Text("text", text) => format!("\"{text}\""),
        Leaf::Text(kind, text) => format!("{kind} \"{text}\""),
        Leaf::Opaque(octets) if hidden => format!("opaque, {} bytes (hidden)", octets.len()),
        Leaf::Opaque(octets) => match std::str::from_utf8(octets) {
            Ok(text) => format!("opaque \"{text}\""),
            Err(_) => {
                let shown = octets.get(..SHOWN).unwrap_or(octets);
                let more = if shown.len() < octets.len() { "..." } else { "" };
                format!("opaque, {} bytes: {}{more}", octets.len(), hex(shown))
            }
        },
    }
}
