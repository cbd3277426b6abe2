//! The one event stream that both encodings give.

pub(crate) mod wbxml;
mod xml;

use bytes::Bytes;

use crate::error::Limit;
use crate::pieces::Piece;
use crate::{Error, ErrorKind, Event, Form, Name, Options, Place, Space, Tag, Version};

/// A message in memory, ready to be read.
#[derive(Debug)]
pub struct Input<'a> {
    bytes: &'a Bytes,
    options: Options,
    xml: Option<bindery_xml::Source<'a>>,
}

impl<'a> Input<'a> {
    /// The message in `bytes`; XML or WBXML by its first byte.
    pub fn new(bytes: &'a Bytes, options: &Options) -> Self {
        let xml = match Form::detect(bytes) {
            Form::Xml => Some(bindery_xml::Source::with_options(bytes, &options.xml())),
            Form::Wbxml => None,
        };
        Self { bytes, options: *options, xml }
    }

    /// How the message is encoded.
    pub const fn form(&self) -> Form {
        if self.xml.is_some() { Form::Xml } else { Form::Wbxml }
    }

    /// Reads it from its start.
    ///
    /// # Errors
    /// If it is too long, or the head of a WBXML document is malformed or names no known document type.
    pub fn events(&self) -> Result<Events<'_>, Error> {
        let maximum = self.options.limits.message_length;
        if self.bytes.len() > maximum as usize {
            let kind = ErrorKind::Limit { limit: Limit::MessageLength, maximum };
            return Err(Error::new(kind, Place::default(), &[]));
        }
        let source = match &self.xml {
            Some(xml) => Source::Xml(Box::new(xml.reader())),
            None => Source::Wbxml(Box::new(wbxml::open(self.bytes, &self.options)?)),
        };
        let version = match &source {
            Source::Xml(_) => None,
            Source::Wbxml(reader) => reader.language().map(Version::of_language),
        };
        Ok(Events {
            bytes: self.bytes,
            options: self.options,
            source,
            open: Vec::new(),
            version,
            elements: 0,
            base: 0,
        })
    }
}

enum Source<'a> {
    Xml(Box<bindery_xml::Reader<'a>>),
    Wbxml(Box<bindery_wbxml::Reader<'a>>),
}

/// Reads a message as a sequence of [`Event`]s. It keeps the names of the open elements and nothing else.
pub struct Events<'a> {
    bytes: &'a Bytes,
    options: Options,
    source: Source<'a>,
    open: Vec<Name>,
    version: Option<Version>,
    elements: u32,
    base: u64,
}

impl std::fmt::Debug for Events<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Events(depth {})", self.open.len())
    }
}

impl Events<'_> {
    /// The next event; nothing behind the end of the document.
    ///
    /// # Errors
    /// The first fault of the encoding, or a limit. The reading ends there.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<Event>, Error> {
        let event = match &mut self.source {
            Source::Wbxml(reader) => wbxml::next(reader, self.bytes, &self.open),
            Source::Xml(reader) => {
                xml::next(reader, self.bytes, &self.open, &self.options, &mut self.version)
            }
        };
        let event = match event {
            Ok(event) => event,
            Err(kind) => return Err(self.error(kind)),
        };
        match &event {
            Some(Event::Start(start)) => {
                self.elements += 1;
                let maximum = self.options.limits.elements;
                if self.elements > maximum {
                    return Err(self.error(ErrorKind::Limit { limit: Limit::Elements, maximum }));
                }
                self.open.push(start.name.clone());
            }
            Some(Event::End) => {
                self.open.pop();
            }
            Some(Event::Text(_) | Event::Opaque(_)) | None => {}
        }
        Ok(event)
    }

    /// Where the last event begins.
    pub fn place(&self) -> Place {
        let (offset, line) = match &self.source {
            Source::Xml(reader) => {
                let position = reader.position();
                (position.offset, Some((position.line, position.column)))
            }
            Source::Wbxml(reader) => (reader.offset() as u64, None),
        };
        Place { offset: offset.saturating_add(self.base), line }
    }

    /// The open elements, outermost first.
    pub fn open(&self) -> &[Name] {
        &self.open
    }

    /// The version that the document type or the namespace says; known once the document element was read.
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    pub(crate) const fn options(&self) -> &Options {
        &self.options
    }

    /// For a document inside another one: where it begins, and what the outer one has counted.
    pub(crate) const fn embedded(mut self, base: u64, elements: u32) -> Self {
        self.base = base;
        self.elements = elements;
        self
    }

    pub(crate) const fn elements(&self) -> u32 {
        self.elements
    }

    pub(crate) const fn count(&mut self, elements: u32) {
        self.elements = elements;
    }

    /// Where a slice of the document begins in it.
    pub(crate) fn offset_of(&self, part: &Bytes) -> u64 {
        let at = part.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr());
        let at = at.filter(|at| *at <= self.bytes.len()).map_or(0, |at| at as u64);
        at.saturating_add(self.base)
    }

    /// An error at the last event.
    #[cold]
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        let place = match &kind {
            ErrorKind::Wbxml(error) => {
                Place { offset: self.base.saturating_add(error.offset() as u64), line: None }
            }
            ErrorKind::Xml(error) => {
                let position = error.position();
                let line = Some((position.line, position.column));
                Place { offset: self.base.saturating_add(position.offset), line }
            }
            _ => self.place(),
        };
        Error::new(kind, place, &self.open)
    }
}

impl From<Piece> for Event {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Text(text) => Self::Text(text),
            Piece::Opaque(bytes) => Self::Opaque(bytes),
        }
    }
}

/// The vocabulary of an element's children that are in no namespace: Meta holds meta information.
fn space_inside(parent: Option<&Name>) -> Option<Space> {
    match parent {
        Some(Name::Tag(Tag::META)) => Some(Space::MetInf),
        Some(name) => name.space(),
        None => None,
    }
}
