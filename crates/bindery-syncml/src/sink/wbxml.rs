//! A document as WBXML.

use std::borrow::Cow;

use bindery_wbxml::{Identifier, Language, WriteOptions, Writer, languages};

use super::Sink;
use crate::devinf::DevInf;
use crate::macros::Structure;
use crate::{Attribute, EncodeError, Name, Space, Tag, Version};

pub(crate) struct WbxmlSink<'b> {
    writer: Writer<'b>,
    space: Space,
    version: Version,
    wbxml: bindery_wbxml::Version,
    /// What a literal inside each open element is taken for: a vocabulary, or another namespace.
    open: Vec<(Option<Space>, String)>,
    last: &'static str,
    error: Option<EncodeError>,
}

/// The language and how the document says it: SyncML 1.0 by its formal identifier, as its clients do, the device
/// description framework because it has no number.
pub(super) fn language(space: Space, version: Version) -> (&'static Language, bool) {
    match space {
        Space::DevInf => (version.devinf_language(), version == Version::V1_0),
        Space::Ddf => (&languages::DMDDF12, true),
        Space::Provisioning => (&languages::PROV10, false),
        Space::SyncMl | Space::MetInf => (version.language(), version == Version::V1_0),
    }
}

impl<'b> WbxmlSink<'b> {
    pub(crate) fn new(
        buffer: &'b mut Vec<u8>,
        space: Space,
        version: Version,
        wbxml: bindery_wbxml::Version,
    ) -> Self {
        let (language, by_name) = language(space, version);
        let mut options = WriteOptions::new(language).with_version(wbxml);
        if by_name && let Some(fpi) = language.fpi() {
            options = options.with_public_id(Identifier::Text(Cow::Borrowed(fpi)));
        }
        let writer = Writer::new(buffer, &options);
        Self { writer, space, version, wbxml, open: Vec::new(), last: "", error: None }
    }

    pub(crate) fn finish(mut self) -> Result<(), EncodeError> {
        if self.error.is_some() {
            // Makes the writer take back what it has written.
            self.writer.start_tag(0, 0);
        }
        let written = self.writer.finish();
        match self.error {
            Some(error) => Err(error),
            None => Ok(written.map(|_| ())?),
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for (number, attribute) in attributes.iter().enumerate() {
            self.zero(&attribute.value);
            if attribute.namespace.is_empty() {
                self.writer.attribute(&attribute.local, &attribute.value);
            } else {
                self.writer.attribute(&format!("xmlns:a{number}"), &attribute.namespace);
                self.writer.attribute(&format!("a{number}:{}", attribute.local), &attribute.value);
            }
        }
    }

    /// An element of another document type, which has no token in this one.
    fn foreign(&mut self, tag: Tag, attributes: &[Attribute]) {
        self.literal(tag.name(), (Some(tag.space()), String::new()));
        let inside = if tag == Tag::META { Space::MetInf } else { tag.space() };
        self.open.push((Some(inside), String::new()));
        self.attributes(attributes);
    }

    /// An element without a token; its namespace is said where it is not the one around it.
    fn literal(&mut self, name: &str, namespace: (Option<Space>, String)) {
        self.zero(name);
        self.writer.start_literal(name);
        if self.open.last() != Some(&namespace) {
            let (space, other) = namespace;
            let uri = space.map_or(&*other, |space| space.namespace(self.version));
            self.writer.attribute("xmlns", uri);
        }
    }

    fn zero(&mut self, text: &str) {
        if text.contains('\0') {
            let element = self.last.to_owned();
            self.error.get_or_insert(EncodeError::Zero { element });
        }
    }
}

impl Sink for WbxmlSink<'_> {
    #[inline]
    fn start(&mut self, tag: Tag, attributes: &[Attribute]) {
        let space = tag.space();
        self.last = tag.name();
        if !super::has(self.space, space) {
            return self.foreign(tag, attributes);
        }
        self.writer.start_tag(space.page(), tag.token());
        let inside = if tag == Tag::META { Space::MetInf } else { space };
        self.open.push((Some(inside), String::new()));
        if !attributes.is_empty() {
            self.attributes(attributes);
        }
    }

    fn start_other(&mut self, name: &Name, attributes: &[Attribute]) {
        let other = match name {
            Name::Other(other) => other,
            Name::Tag(tag) => return self.start(*tag, attributes),
            Name::Token { page, token } => {
                self.writer.start_tag(*page, *token);
                self.open.push((None, String::new()));
                return self.attributes(attributes);
            }
        };
        let namespace = (other.space, other.namespace.as_str().to_owned());
        self.literal(&other.local, namespace.clone());
        self.open.push(namespace);
        self.attributes(attributes);
    }

    #[inline]
    fn end(&mut self) {
        self.open.pop();
        self.writer.end_element();
    }

    #[inline]
    fn text(&mut self, text: &str) {
        self.zero(text);
        self.writer.text(text);
    }

    fn opaque(&mut self, octets: &[u8]) {
        self.writer.opaque(octets);
    }

    fn devinf(&mut self, devinf: &DevInf) {
        let mut document = Vec::new();
        let version = devinf.version();
        let mut sink = WbxmlSink::new(&mut document, Space::DevInf, version, self.wbxml);
        devinf.write(&mut sink);
        match sink.finish() {
            Ok(()) => self.writer.opaque(&document),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }
}
