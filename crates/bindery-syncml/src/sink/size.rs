//! The length of a document, nothing being written.

use super::{Sink, WriteOptions, wbxml};
use crate::devinf::DevInf;
use crate::macros::Structure;
use crate::{Attribute, Form, Name, Space, Tag, Version};

/// Adds up what the other sinks would write. Exact for documents of known elements without attributes; otherwise never
/// less than what is written.
pub(crate) struct Size {
    form: Form,
    space: Space,
    version: Version,
    length: usize,
    page: u8,
    /// Of each open element: its vocabulary, the length of its name, whether it has content.
    open: Vec<(Option<Space>, usize, bool)>,
}

/// Bytes of a number in WBXML.
const fn number(value: usize) -> usize {
    let mut bytes = 1;
    let mut rest = value >> 7;
    while rest > 0 {
        bytes += 1;
        rest >>= 7;
    }
    bytes
}

impl Size {
    pub(crate) fn new(space: Space, version: Version, options: &WriteOptions) -> Self {
        let head = match options.form {
            Form::Xml => {
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".len()
                    + if options.doctype { 256 } else { 0 }
            }
            Form::Wbxml => {
                let (language, by_name) = wbxml::language(space, version);
                match (language.number(), language.fpi()) {
                    (Some(id), _) if !by_name => 1 + number(id as usize) + 2,
                    // The identifier stands in the string table, with its end.
                    (_, fpi) => 4 + 1 + fpi.map_or(0, str::len) + 1,
                }
            }
        };
        Self { form: options.form, space, version, length: head, page: 0, open: Vec::new() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// The element that is open gets content.
    fn content(&mut self) {
        if let Some((_, name, content)) = self.open.last_mut()
            && !*content
        {
            *content = true;
            self.length += match self.form {
                // `>` and `</name>` instead of `/>`.
                Form::Xml => *name + 2,
                Form::Wbxml => 1,
            };
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let names = attribute.local.len() + attribute.namespace.len();
            // Prefix and declaration, references; or literals, strings and their ends.
            self.length += 64 + names + attribute.value.len() * 6;
        }
    }
}

impl Sink for Size {
    fn start(&mut self, tag: Tag, attributes: &[Attribute]) {
        self.content();
        let space = tag.space();
        match self.form {
            Form::Xml => {
                let name = tag.name_in(self.version).len();
                self.length += name + 3;
                let outer = self.open.last().map(|(space, ..)| *space);
                let same =
                    outer == Some(Some(space)) || (outer.is_none() && space == Space::Provisioning);
                if !same {
                    self.length += " xmlns=\"\"".len() + space.namespace(self.version).len();
                }
                self.open.push((Some(space), name, false));
            }
            // A literal, with its namespace.
            Form::Wbxml if !super::has(self.space, space) => {
                self.length += 2 * tag.name().len() + 64;
                self.open.push((Some(space), 0, false));
            }
            Form::Wbxml => {
                if space.page() != self.page {
                    self.page = space.page();
                    self.length += 2;
                }
                self.length += 1;
                self.open.push((Some(space), 0, false));
            }
        }
        self.attributes(attributes);
    }

    fn start_other(&mut self, name: &Name, attributes: &[Attribute]) {
        self.content();
        let (name, namespace) = match name {
            Name::Other(other) => (other.local.len(), other.namespace.len() + 32),
            Name::Tag(tag) => return self.start(*tag, attributes),
            Name::Token { page, .. } => {
                self.length += if *page == self.page { 1 } else { 3 };
                self.page = *page;
                self.open.push((None, 0, false));
                return self.attributes(attributes);
            }
        };
        self.length += 2 * name + namespace + 32;
        self.open.push((None, name, false));
        self.attributes(attributes);
    }

    fn end(&mut self) {
        self.open.pop();
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.content();
        self.length += match self.form {
            Form::Wbxml => text.len() + 2,
            Form::Xml => text
                .bytes()
                .map(|byte| match byte {
                    b'&' | b'\r' => 5,
                    b'<' | b'>' => 4,
                    _ => 1,
                })
                .sum(),
        };
    }

    fn opaque(&mut self, octets: &[u8]) {
        self.content();
        self.length += match self.form {
            Form::Wbxml => 1 + number(octets.len()) + octets.len(),
            Form::Xml => {
                let returns = octets.iter().filter(|byte| **byte == b'\r').count();
                let ends = octets.windows(3).filter(|part| part == b"]]>").count();
                // A carriage return is a reference between two sections; `]]>` is divided between two.
                octets.len() + 12 + returns * (4 + 12) + ends * 12
            }
        };
    }

    fn devinf(&mut self, devinf: &DevInf) {
        match self.form {
            Form::Xml => {
                let outer = std::mem::replace(&mut self.version, devinf.version());
                devinf.write(self);
                self.version = outer;
            }
            Form::Wbxml => {
                let mut inner = Self::new(Space::DevInf, devinf.version(), &WriteOptions::WBXML);
                devinf.write(&mut inner);
                self.content();
                self.length += 1 + number(inner.len()) + inner.len();
            }
        }
    }
}
