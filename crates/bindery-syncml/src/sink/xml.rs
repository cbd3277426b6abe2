//! A document as XML.

use bindery_xml::Writer;

use super::Sink;
use crate::devinf::DevInf;
use crate::macros::Structure;
use crate::{Attribute, EncodeError, Name, Space, Tag, Text, Version};

/// The default namespace in an element.
#[derive(PartialEq, Eq)]
enum Namespace {
    Space(Space),
    Other(Text),
}

pub(crate) struct XmlSink<'b> {
    writer: Writer<'b>,
    version: Version,
    open: Vec<Namespace>,
    /// The innermost element, for errors.
    last: &'static str,
    error: Option<EncodeError>,
}

impl<'b> XmlSink<'b> {
    pub(crate) fn new(
        buffer: &'b mut Vec<u8>,
        space: Space,
        version: Version,
        doctype: bool,
    ) -> Self {
        let mut writer = Writer::new(buffer);
        writer.declaration();
        if doctype {
            let language = match space {
                Space::DevInf => version.devinf_language(),
                Space::Ddf => &bindery_wbxml::languages::DMDDF12,
                Space::Provisioning => &bindery_wbxml::languages::PROV10,
                Space::SyncMl | Space::MetInf => version.language(),
            };
            writer.doctype(language.root(), language.fpi(), language.system_id());
        }
        Self { writer, version, open: Vec::new(), last: "", error: None }
    }

    pub(crate) fn finish(mut self) -> Result<(), EncodeError> {
        if self.error.is_some() {
            // Makes the writer take back what it has written.
            self.writer.end().end().text("\0");
        }
        let written = self.writer.finish();
        match self.error {
            Some(error) => Err(error),
            None => Ok(written?),
        }
    }

    fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for (number, attribute) in attributes.iter().enumerate() {
            if attribute.namespace.is_empty() {
                self.writer.attribute(&attribute.local, &attribute.value);
            } else if &*attribute.namespace == bindery_xml::XML_NAMESPACE {
                self.writer.attribute(&format!("xml:{}", attribute.local), &attribute.value);
            } else {
                let prefix = format!("a{number}");
                self.writer.namespace(&prefix, &attribute.namespace);
                self.writer.attribute(&format!("{prefix}:{}", attribute.local), &attribute.value);
            }
        }
    }
}

impl Sink for XmlSink<'_> {
    #[inline]
    fn start(&mut self, tag: Tag, attributes: &[Attribute]) {
        let space = tag.space();
        self.last = tag.name();
        self.writer.start(tag.name_in(self.version));
        let same = match self.open.last() {
            Some(Namespace::Space(outer)) => *outer == space,
            Some(Namespace::Other(name)) => name.is_empty() && space == Space::Provisioning,
            None => space == Space::Provisioning,
        };
        if !same {
            self.writer.namespace("", space.namespace(self.version));
        }
        self.open.push(Namespace::Space(space));
        self.attributes(attributes);
    }

    fn start_other(&mut self, name: &Name, attributes: &[Attribute]) {
        let other = match name {
            Name::Other(other) => other,
            Name::Tag(tag) => return self.start(*tag, attributes),
            Name::Token { page, token } => {
                self.fail(EncodeError::Token { page: *page, token: *token });
                self.writer.start("token");
                self.open.push(Namespace::Other(Text::default()));
                return;
            }
        };
        self.writer.start(&other.local);
        let namespace = match other.space {
            Some(space) => Namespace::Space(space),
            None => Namespace::Other(other.namespace.clone()),
        };
        if self.open.last() != Some(&namespace) {
            let uri = other.space.map_or(&*other.namespace, |space| space.namespace(self.version));
            self.writer.namespace("", uri);
        }
        self.open.push(namespace);
        self.attributes(attributes);
    }

    #[inline]
    fn end(&mut self) {
        self.open.pop();
        self.writer.end();
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.writer.text(text);
    }

    /// A CDATA section, if it is text. Carriage returns cannot stand in one and go between two as references.
    fn opaque(&mut self, octets: &[u8]) {
        let Ok(text) = std::str::from_utf8(octets) else {
            let element = self.last.to_owned();
            return self.fail(EncodeError::Octets { element });
        };
        for (number, part) in text.split('\r').enumerate() {
            if number > 0 {
                self.writer.text("\r");
            }
            self.writer.cdata(part);
        }
    }

    fn devinf(&mut self, devinf: &DevInf) {
        let outer = std::mem::replace(&mut self.version, devinf.version());
        devinf.write(self);
        self.version = outer;
    }
}
