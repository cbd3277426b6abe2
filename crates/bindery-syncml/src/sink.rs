//! Structures to either encoding.

mod size;
mod wbxml;
mod xml;

use crate::devinf::DevInf;
use crate::macros::Structure;
use crate::{
    Attribute, Content, Data, Document, EncodeError, Event, Form, MgmtTree, Name, Other, Space,
    SyncMl, Tag, Version,
};

pub(crate) use size::Size;
pub(crate) use wbxml::WbxmlSink;
pub(crate) use xml::XmlSink;

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions {
    /// XML or WBXML.
    pub form: Form,
    /// The version of WBXML; 1.2 unless said otherwise, as the clients that were captured do. Not below 1.2 where
    /// meta information is to be written: it has a code page of its own.
    pub wbxml: bindery_wbxml::Version,
    /// Whether XML has a DOCTYPE. Clients in the field send none.
    pub doctype: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self::XML
    }
}

impl WriteOptions {
    /// XML without a DOCTYPE.
    pub const XML: Self = Self::new(Form::Xml);
    /// WBXML 1.2.
    pub const WBXML: Self = Self::new(Form::Wbxml);

    /// The form with its defaults.
    pub const fn new(form: Form) -> Self {
        Self { form, wbxml: bindery_wbxml::Version::V1_2, doctype: false }
    }

    /// The same with another version of WBXML.
    #[must_use]
    pub const fn with_wbxml(mut self, version: bindery_wbxml::Version) -> Self {
        self.wbxml = version;
        self
    }

    /// The same with or without a DOCTYPE.
    #[must_use]
    pub const fn with_doctype(mut self, doctype: bool) -> Self {
        self.doctype = doctype;
        self
    }
}

/// Where a document goes.
pub(crate) trait Sink: Sized {
    fn start(&mut self, tag: Tag, attributes: &[Attribute]);
    fn start_other(&mut self, name: &Name, attributes: &[Attribute]);
    fn end(&mut self);
    fn text(&mut self, text: &str);
    fn opaque(&mut self, octets: &[u8]);
    fn devinf(&mut self, devinf: &DevInf);

    fn events(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Start(start) => match &start.name {
                    Name::Tag(tag) => self.start(*tag, &start.attributes),
                    name => self.start_other(name, &start.attributes),
                },
                Event::End => self.end(),
                Event::Text(text) => self.text(text),
                Event::Opaque(octets) => self.opaque(octets),
            }
        }
    }
}

/// Writes a structure's children, and the unknown ones in their places.
pub(crate) struct Children<'s, S> {
    sink: &'s mut S,
    others: &'s [Other],
    count: usize,
}

impl<'s, S: Sink> Children<'s, S> {
    pub(crate) const fn new(sink: &'s mut S, others: &'s [Other]) -> Self {
        Self { sink, others, count: 0 }
    }

    #[inline]
    fn before(&mut self) {
        while let [first, rest @ ..] = self.others
            && first.after <= self.count
        {
            self.sink.events(first.element.events());
            self.others = rest;
        }
        self.count += 1;
    }

    pub(crate) fn finish(self) {
        self.others.iter().for_each(|other| self.sink.events(other.element.events()));
    }

    #[inline]
    pub(crate) fn text(&mut self, tag: Tag, text: &str) {
        self.before();
        self.sink.start(tag, &[]);
        self.sink.text(text);
        self.sink.end();
    }

    pub(crate) fn number(&mut self, tag: Tag, number: u64) {
        self.text(tag, &number.to_string());
    }

    pub(crate) fn structure<T: Structure>(&mut self, value: &T) {
        self.before();
        value.write(self.sink);
    }

    pub(crate) fn data(&mut self, tag: Tag, data: &Data) {
        self.content(tag, &data.content, &data.attributes);
    }

    pub(crate) fn content(&mut self, tag: Tag, content: &Content, attributes: &[Attribute]) {
        self.before();
        self.sink.start(tag, attributes);
        match content {
            Content::Text(text) => self.sink.text(text),
            Content::Opaque(octets) => self.sink.opaque(octets),
            Content::Elements(events) => self.sink.events(events),
            Content::Meta(meta) => {
                let mut inner = Children::new(self.sink, meta.others.elements());
                meta.write_fields(&mut inner);
                inner.finish();
            }
            Content::DevInf(devinf) => self.sink.devinf(devinf),
            Content::MgmtTree(tree) => tree.write(self.sink),
        }
        self.sink.end();
    }
}

/// Whether a WBXML document of one vocabulary has tokens for another one.
fn has(document: Space, space: Space) -> bool {
    space == document || document == Space::SyncMl && matches!(space, Space::MetInf | Space::Ddf)
}

/// A document that can be written.
pub(crate) trait Root {
    const SPACE: Space;
    fn version(&self) -> Version;
    fn write_to<S: Sink>(&self, sink: &mut S);
}

impl Root for SyncMl {
    const SPACE: Space = Space::SyncMl;

    fn version(&self) -> Version {
        Self::version(self)
    }

    fn write_to<S: Sink>(&self, sink: &mut S) {
        self.write(sink);
    }
}

impl Root for DevInf {
    const SPACE: Space = Space::DevInf;

    fn version(&self) -> Version {
        Self::version(self)
    }

    fn write_to<S: Sink>(&self, sink: &mut S) {
        self.write(sink);
    }
}

impl Root for MgmtTree {
    const SPACE: Space = Space::Ddf;

    fn version(&self) -> Version {
        Version::V1_2
    }

    fn write_to<S: Sink>(&self, sink: &mut S) {
        self.write(sink);
    }
}

impl Root for crate::ProvisioningDoc {
    const SPACE: Space = Space::Provisioning;

    fn version(&self) -> Version {
        Version::V1_2
    }

    fn write_to<S: Sink>(&self, sink: &mut S) {
        self.write(sink);
    }
}

/// Appends a document to the buffer; the buffer is as before when that fails.
pub(crate) fn encode<T: Root>(
    value: &T,
    buffer: &mut Vec<u8>,
    options: &WriteOptions,
) -> Result<(), EncodeError> {
    let version = value.version();
    match options.form {
        Form::Xml => {
            let mut sink = XmlSink::new(buffer, T::SPACE, version, options.doctype);
            value.write_to(&mut sink);
            sink.finish()
        }
        Form::Wbxml => {
            let mut sink = WbxmlSink::new(buffer, T::SPACE, version, options.wbxml);
            value.write_to(&mut sink);
            sink.finish()
        }
    }
}

/// The number of bytes that a document takes, nothing being written.
pub(crate) fn encoded_len<T: Root>(value: &T, options: &WriteOptions) -> usize {
    let mut size = Size::new(T::SPACE, value.version(), options);
    value.write_to(&mut size);
    size.len()
}

impl Document {
    pub(crate) fn write(
        &self,
        buffer: &mut Vec<u8>,
        options: &WriteOptions,
    ) -> Result<(), EncodeError> {
        match self {
            Self::SyncMl(value) => encode(&**value, buffer, options),
            Self::DevInf(value) => encode(&**value, buffer, options),
            Self::MgmtTree(value) => encode(&**value, buffer, options),
            Self::Provisioning(value) => encode(&**value, buffer, options),
        }
    }
}
