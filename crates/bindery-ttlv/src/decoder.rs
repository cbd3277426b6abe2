//! The fields of one structure.

use std::fmt;

use crate::element::Shared;
use crate::header::{self, Header};
use crate::{Decode, Element, Error, ErrorKind, Options, ProtocolVersion, RawItem, Tag};

/// A cursor over the fields of one structure.
///
/// A hand-written [`Structure`](crate::Structure) takes the fields in the specification's order with [`required`](Self::required),
/// [`optional`](Self::optional) and [`repeated`](Self::repeated), or goes through them with [`next`](Self::next).
pub struct Decoder<'a> {
    shared: &'a Shared<'a>,
    /// From the start of the message to the end of the structure.
    data: &'a [u8],
    position: usize,
    offset: usize,
    depth: u16,
}

/// The place only: the message may hold secrets.
impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.data.len().saturating_sub(self.position);
        write!(f, "Decoder(at {}, {left} bytes left)", self.position)
    }
}

impl<'a> Decoder<'a> {
    #[inline]
    pub(crate) const fn new(
        shared: &'a Shared<'a>,
        data: &'a [u8],
        header: &Header,
        depth: u16,
    ) -> Self {
        Self { shared, data, position: header.value(), offset: header.offset, depth }
    }

    /// Where the structure's header begins, in bytes from the start of the message.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The limits and tolerances of this decoding.
    pub const fn options(&self) -> &'a Options {
        self.shared.options
    }

    /// The version of the message, once [`set_version`](Self::set_version) has said it.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.shared.version.get()
    }

    /// Says the version of the message to everything that is decoded after this (a header does it).
    pub fn set_version(&self, version: ProtocolVersion) {
        self.shared.version.set(Some(version));
    }

    /// Whether no field is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.position >= self.data.len()
    }

    /// The tag of the next field, if there is one.
    #[inline]
    pub fn peek_tag(&self) -> Option<Tag> {
        if self.is_empty() {
            None
        } else {
            header::peek(self.data, self.position).map(|(tag, ..)| tag)
        }
    }

    /// The next field.
    ///
    /// # Errors
    /// If its header is malformed, or the limit on items is reached.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not be asked for what is left"
    )]
    // Always: an element that comes back through memory is stored by words and loaded by pairs of them, which stalls
    // the processor at every item; inlined it stays in registers, and a small message decodes in two thirds of the time.
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Element<'a>>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let header = header::read(self.data, self.position, self.depth, self.shared.options)?;
        self.shared.count(header.offset)?;
        self.position = header.end();
        Ok(Some(Element::new(self.shared, header, self.depth)))
    }

    /// The next field, if it has this tag.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[inline]
    pub fn next_if(&mut self, tag: Tag) -> Result<Option<Element<'a>>, Error> {
        if self.peek_tag() == Some(tag) { self.next() } else { Ok(None) }
    }

    /// The next field, which must have this tag.
    ///
    /// # Errors
    /// If it has another tag ([`ErrorKind::MissingField`]), or does not decode.
    pub fn required<T: Decode>(&mut self, tag: Tag) -> Result<T, Error> {
        match self.next_if(tag)? {
            Some(element) => T::decode(element),
            None => Err(self.missing(tag)),
        }
    }

    /// The next field, if it has this tag.
    ///
    /// # Errors
    /// If it does not decode.
    pub fn optional<T: Decode>(&mut self, tag: Tag) -> Result<Option<T>, Error> {
        self.next_if(tag)?.map(T::decode).transpose()
    }

    /// The next fields as long as they have this tag.
    ///
    /// # Errors
    /// If one does not decode.
    pub fn repeated<T: Decode>(&mut self, tag: Tag) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        while let Some(element) = self.next_if(tag)? {
            values.push(T::decode(element)?);
        }
        Ok(values)
    }

    /// Every field that is left, as it stands.
    ///
    /// # Errors
    /// If one is malformed.
    pub fn rest(&mut self) -> Result<Vec<RawItem>, Error> {
        let mut items = Vec::new();
        while let Some(element) = self.next()? {
            items.push(element.raw_item()?);
        }
        Ok(items)
    }

    /// The error that this structure lacks a field.
    #[cold]
    pub fn missing(&self, tag: Tag) -> Error {
        Error::new(ErrorKind::MissingField { tag }, self.offset)
    }

    /// The error that this structure lacks a field that may have one of several tags.
    #[cold]
    pub fn missing_choice(&self, tags: &'static [Tag]) -> Error {
        Error::new(ErrorKind::MissingChoice { tags }, self.offset)
    }

    /// Ends the structure.
    ///
    /// # Errors
    /// If a field is left that nobody took and the tolerance `extra_fields` is off; or if such a field is malformed.
    #[inline]
    pub fn finish(mut self) -> Result<(), Error> {
        while let Some(element) = self.next()? {
            extra(&element)?;
        }
        Ok(())
    }
}

/// A field that its structure has no place for.
#[cold]
pub(crate) fn extra(element: &Element<'_>) -> Result<(), Error> {
    if !element.options().tolerance.extra_fields {
        return Err(element.error(ErrorKind::UnexpectedField { tag: element.tag() }));
    }
    element.raw().map(drop)
}
