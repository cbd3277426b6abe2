//! The writer: appends items to a buffer of the caller.

use std::fmt;

use thiserror::Error;

use crate::{ItemType, ProtocolVersion, RawValue, Tag, header};

/// Why a message could not be written: it is longer than the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("TTLV: the message is longer than {maximum} bytes; ask for less, or allow more")]
pub struct EncodeError {
    maximum: u32,
}

impl EncodeError {
    /// The maximum in bytes that was passed: the writer's own, or the 2^32 - 1 that a length field can say.
    pub const fn maximum(&self) -> u32 {
        self.maximum
    }
}

/// Zero bytes to pad with.
const ZEROS: [u8; 8] = [0; 8];

/// From this length on a value is followed by room for the rest of the message, so that the buffer does not have to
/// move the value once more for a few bytes.
const LARGE: usize = 4096;

/// Appends items to a `Vec<u8>`.
///
/// A `Vec` because appending to it is what the compiler makes fastest, a buffer can be used again, and `Bytes::from`
/// takes it over without a copy. A structure's length is written after its items; a byte string is copied once. What
/// is written is well formed; the only error is a message longer than the maximum. It is remembered and given by
/// [`finish`](Self::finish), so that the methods in between return nothing; nothing is appended after it.
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    start: usize,
    /// How long the buffer may become; 0 once that would have been passed.
    end: usize,
    maximum: u32,
    failed: bool,
    version: Option<ProtocolVersion>,
}

/// The length only: what was written may be secret.
impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} of at most {} bytes)", self.len(), self.maximum)
    }
}

/// A structure that was begun and has to be [ended](Writer::end).
#[derive(Debug)]
#[must_use]
pub struct Begun {
    at: usize,
}

impl<'b> Writer<'b> {
    /// A writer that appends to `buffer`.
    pub fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self::with_maximum(buffer, u32::MAX)
    }

    /// A writer that appends at most `maximum` bytes (KMIP's Maximum Response Size).
    pub fn with_maximum(buffer: &'b mut Vec<u8>, maximum: u32) -> Self {
        let start = buffer.len();
        let end = start.saturating_add(maximum as usize);
        Self { buffer, start, end, maximum, failed: false, version: None }
    }

    /// The version that the message is written for, if it was said; a field type whose form depends on it asks here.
    pub const fn version(&self) -> Option<ProtocolVersion> {
        self.version
    }

    /// Says which version the message is written for.
    pub const fn set_version(&mut self, version: ProtocolVersion) {
        self.version = Some(version);
    }

    /// How many bytes were appended so far.
    pub fn len(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Whether nothing was appended yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the message and gives its length in bytes.
    ///
    /// # Errors
    /// If the message would have been longer than the maximum. The buffer then ends where it began.
    pub fn finish(self) -> Result<usize, EncodeError> {
        if self.failed {
            self.buffer.truncate(self.start);
            return Err(EncodeError { maximum: self.maximum });
        }
        Ok(self.buffer.len().saturating_sub(self.start))
    }

    /// Whether `more` bytes fit; from the first time that they do not, nothing does.
    #[inline]
    fn fits(&mut self, more: usize) -> bool {
        let fits = self.buffer.len().saturating_add(more) <= self.end;
        if !fits {
            self.fail();
        }
        fits
    }

    #[cold]
    const fn fail(&mut self) {
        (self.failed, self.end) = (true, 0);
    }

    /// A structure: what `items` writes becomes its items.
    #[inline]
    pub fn structure(&mut self, tag: Tag, items: impl FnOnce(&mut Self)) {
        if !self.fits(8) {
            return;
        }
        let begun = self.begin(tag);
        items(self);
        self.end(begun);
    }

    /// Begins a structure whose items come one call after the other; [`end`](Self::end) ends it. For those who read
    /// a message item by item; what is typed uses [`structure`](Self::structure).
    #[inline]
    pub fn begin(&mut self, tag: Tag) -> Begun {
        let at = self.buffer.len();
        if self.fits(8) {
            self.buffer.extend_from_slice(&head(tag, ItemType::Structure, 0));
        }
        Begun { at }
    }

    /// Ends the structure that was begun last and not ended yet.
    #[inline]
    pub fn end(&mut self, begun: Begun) {
        let length = self.buffer.len().saturating_sub(begun.at.saturating_add(8));
        // `fits` has kept the whole message, and so each of its structures, below 2^32.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if let Some(field) = self.buffer.get_mut(begun.at + 4..begun.at + 8) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// An Integer.
    #[inline]
    pub fn integer(&mut self, tag: Tag, value: i32) {
        self.fixed(tag, ItemType::Integer, 4, u64::from(value.cast_unsigned()) << 32);
    }

    /// A Long Integer.
    #[inline]
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.fixed(tag, ItemType::LongInteger, 8, value.cast_unsigned());
    }

    /// A Big Integer, from two's complement bytes, big endian; its sign is extended to a multiple of eight bytes.
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
        let sign = if negative { [0xFF; 8] } else { ZEROS };
        let length = value.len().saturating_add(7) & !7;
        let length = if length == 0 { 8 } else { length };
        let Some(field) = self.room(length) else { return };
        self.buffer.extend_from_slice(&head(tag, ItemType::BigInteger, field));
        self.buffer.extend_from_slice(sign.get(..length - value.len()).unwrap_or_default());
        self.buffer.extend_from_slice(value);
    }

    /// An Enumeration.
    #[inline]
    pub fn enumeration(&mut self, tag: Tag, value: u32) {
        self.fixed(tag, ItemType::Enumeration, 4, u64::from(value) << 32);
    }

    /// A Boolean.
    #[inline]
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.fixed(tag, ItemType::Boolean, 8, u64::from(value));
    }

    /// A Text String.
    #[inline]
    pub fn text_string(&mut self, tag: Tag, value: &str) {
        self.bytes(tag, ItemType::TextString, value.as_bytes());
    }

    /// A Byte String.
    #[inline]
    pub fn byte_string(&mut self, tag: Tag, value: &[u8]) {
        self.bytes(tag, ItemType::ByteString, value);
    }

    /// A Date-Time, in POSIX seconds.
    #[inline]
    pub fn date_time(&mut self, tag: Tag, seconds: i64) {
        self.fixed(tag, ItemType::DateTime, 8, seconds.cast_unsigned());
    }

    /// An Interval, in seconds.
    #[inline]
    pub fn interval(&mut self, tag: Tag, seconds: u32) {
        self.fixed(tag, ItemType::Interval, 4, u64::from(seconds) << 32);
    }

    /// A Date-Time Extended, in POSIX microseconds (KMIP 2.0 and later).
    #[inline]
    pub fn date_time_extended(&mut self, tag: Tag, microseconds: i64) {
        self.fixed(tag, ItemType::DateTimeExtended, 8, microseconds.cast_unsigned());
    }

    /// A value as it was kept, under a tag.
    pub fn raw(&mut self, tag: Tag, value: &RawValue) {
        let (item_type, length, body) = value.parts();
        if self.room(header::padded(length)).is_some() {
            self.buffer.extend_from_slice(&head(tag, item_type, length));
            self.buffer.extend_from_slice(body);
        }
    }

    #[inline]
    fn fixed(&mut self, tag: Tag, item_type: ItemType, length: u32, word: u64) {
        if self.fits(16) {
            let first = u64::from_be_bytes(head(tag, item_type, length));
            let both = (u128::from(first) << 64) | u128::from(word);
            self.buffer.extend_from_slice(&both.to_be_bytes());
        }
    }

    #[inline]
    fn bytes(&mut self, tag: Tag, item_type: ItemType, value: &[u8]) {
        let padding = value.len().wrapping_neg() & 7;
        if self.room(value.len().saturating_add(padding)).is_none() {
            return;
        }
        // `room` has refused anything that 32 bits cannot say.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.buffer.extend_from_slice(&head(tag, item_type, length));
        self.buffer.extend_from_slice(value);
        self.buffer.extend_from_slice(ZEROS.get(..padding).unwrap_or_default());
    }

    /// Makes room for a header and a value of `length` bytes with padding, if it fits; gives the length back.
    #[inline]
    fn room(&mut self, length: usize) -> Option<u32> {
        let field = u32::try_from(length).ok();
        if field.is_none() {
            self.fail();
        }
        if !self.fits(length.saturating_add(8)) {
            return None;
        }
        self.buffer.reserve(length + if length < LARGE { 8 } else { LARGE });
        field
    }
}

#[inline]
fn head(tag: Tag, item_type: ItemType, length: u32) -> [u8; 8] {
    let word =
        (u64::from(tag.value()) << 40) | (u64::from(item_type.code()) << 32) | u64::from(length);
    word.to_be_bytes()
}
