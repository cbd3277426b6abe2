//! The writer: appends a document to a buffer of the caller.

mod body;
mod options;
mod strings;

use std::fmt;

use thiserror::Error;

pub use self::options::{Identifier, Strings, WriteOptions};
use self::strings::StringTable;
use crate::registry::Row;
use crate::token::{self, ATTRIBUTES, CONTENT};
use crate::{
    Charset, Event, Extension, ExtensionValue, Language, Name, Prologue, PublicId, Version, number,
};

/// Why a document could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// It would be longer than the maximum.
    #[error("WBXML: the document is longer than {maximum} bytes; write less, or allow more")]
    TooLong {
        /// The maximum in bytes.
        maximum: u32,
    },
    /// The calls make no document.
    #[error("WBXML: {what}; make the calls in the order of the grammar")]
    Order {
        /// What was wrong.
        what: &'static str,
    },
    /// A token outside its code space.
    #[error("WBXML: {token:#04X} is no token of {what}; see WBXML 1.3, section 5.8")]
    Token {
        /// The code space.
        what: &'static str,
        /// The token.
        token: u8,
    },
    /// The version lacks what was asked for.
    #[error("WBXML: version {version} has no {what}; write a newer one")]
    Version {
        /// The version that is written.
        version: Version,
        /// What it lacks.
        what: &'static str,
    },
    /// A name with characters that the character set lacks; only text can do without, by entities.
    #[error("WBXML: a name cannot be written in {charset}; write UTF-8")]
    Charset {
        /// The character set.
        charset: Charset,
    },
}

/// Appends a document to a `Vec<u8>`, call by call.
///
/// What is written is canonical: `SWITCH_PAGE` only where the page changes, numbers as short as they go, text in place
/// (unless [`Strings::Shared`]), no content bit on an element without content, and no string table unless a name is
/// not in the language or the type has no number. Literal names and the formal public identifier are collected in the
/// string table, which is put before the body by [`finish`](Self::finish). The calls in between return nothing: the
/// first thing that goes wrong is remembered, and nothing is appended after it.
///
/// ```
/// use bindery_wbxml::{WriteOptions, Writer, languages};
///
/// let mut buffer = Vec::new();
/// let mut writer = Writer::new(&mut buffer, &WriteOptions::new(&languages::SI10));
/// writer.start_element("si");
/// writer.start_element("indication");
/// writer.attribute("href", "http://www.xyz.com/email");
/// writer.text("You have mail");
/// writer.end_element();
/// writer.end_element();
/// writer.finish()?;
/// assert_eq!(&buffer[..7], [0x03, 0x05, 0x6A, 0x00, 0x45, 0xC6, 0x0D]);
/// # Ok::<(), bindery_wbxml::EncodeError>(())
/// ```
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    start: usize,
    /// Where the string table will be put in.
    table_at: usize,
    maximum: u32,
    version: Version,
    charset: Charset,
    language: Option<&'b Language>,
    table: StringTable,
    /// Where strings in place begin and how long they are, if they may be shared.
    shared: Option<Vec<(usize, usize)>>,
    tag_page: u8,
    attribute_page: u8,
    depth: usize,
    state: State,
    error: Option<EncodeError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the document element.
    Before,
    /// Behind the tag at this place: attributes or content may follow.
    Tag { at: usize },
    /// In the attribute list of the tag at this place; whether the last attribute's value may go on.
    Attributes { at: usize, value: bool },
    /// In an element that has content.
    Content,
    /// In an instruction; whether it stands before, in or after the document element.
    Instruction(Around),
    /// After the document element.
    After,
}

/// What an instruction stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Before,
    Content,
    After,
}

/// The length only: what was written may be secret.
impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} of at most {} bytes)", self.len(), self.maximum)
    }
}

impl<'b> Writer<'b> {
    /// A writer that appends to `buffer`.
    pub fn new(buffer: &'b mut Vec<u8>, options: &WriteOptions<'b>) -> Self {
        let mut table = StringTable::new(options.charset);
        let mut error = None;
        let public_id = match &options.public_id {
            Identifier::Number(number) => Some((*number).max(1)),
            Identifier::Text(text) => {
                error = table.name(text).err();
                None
            }
        };
        let mut writer = Self::with_table(buffer, options, table, public_id.ok_or(0));
        writer.error = error;
        writer
    }

    /// A writer for the events of a reader: version, public identifier, character set and string table are those of
    /// the document that is read, so that references into the table stay what they are.
    pub fn copying(
        buffer: &'b mut Vec<u8>,
        prologue: &Prologue<'_>,
        language: Option<&'b Language>,
    ) -> Self {
        let options = WriteOptions {
            version: prologue.version,
            charset: prologue.charset,
            language,
            ..WriteOptions::raw()
        };
        let table = StringTable::with(prologue.charset, prologue.string_table);
        let public_id = match prologue.public_id {
            PublicId::Number(number) => Ok(number.max(1)),
            PublicId::Text { index, .. } => Err(index),
        };
        Self::with_table(buffer, &options, table, public_id)
    }

    fn with_table(
        buffer: &'b mut Vec<u8>,
        options: &WriteOptions<'b>,
        table: StringTable,
        public_id: Result<u32, u32>,
    ) -> Self {
        let start = buffer.len();
        buffer.push(options.version.byte());
        match public_id {
            Ok(number) => number::write(number, buffer),
            Err(index) => {
                buffer.push(0);
                number::write(index, buffer);
            }
        }
        if options.version > Version::V1_0 {
            number::write(options.charset.mib(), buffer);
        }
        Self {
            table_at: buffer.len(),
            buffer,
            start,
            maximum: options.maximum,
            version: options.version,
            charset: options.charset,
            language: options.language,
            table,
            shared: (options.strings == Strings::Shared).then(Vec::new),
            tag_page: 0,
            attribute_page: 0,
            depth: 0,
            state: State::Before,
            error: None,
        }
    }

    /// How many bytes were appended so far; the string table is not yet among them.
    pub fn len(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Never: a writer begins with the prologue.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first thing that went wrong so far.
    pub const fn error(&self) -> Option<&EncodeError> {
        self.error.as_ref()
    }

    /// How many elements are open.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Ends the document and gives its length in bytes.
    ///
    /// # Errors
    /// The first thing that went wrong; or elements are open, or there are none; or the document is longer than the
    /// maximum. The buffer then ends where it began.
    pub fn finish(mut self) -> Result<usize, EncodeError> {
        let order = |what| Some(EncodeError::Order { what });
        let unfinished = match self.state {
            State::After => None,
            State::Before => order("there is no document element"),
            State::Instruction(_) => order("an instruction is not ended"),
            State::Tag { .. } | State::Attributes { .. } | State::Content => {
                order("an element is not ended")
            }
        };
        let error = self.error.or(unfinished);
        let error = error.or_else(|| self.insert_table().err());
        match error {
            None => Ok(self.len()),
            Some(error) => {
                self.buffer.truncate(self.start);
                Err(error)
            }
        }
    }

    /// Puts the string table before the body; strings that occur often go into it first.
    fn insert_table(&mut self) -> Result<(), EncodeError> {
        let too_long = EncodeError::TooLong { maximum: self.maximum };
        if let Some(places) = self.shared.take() {
            strings::share(self.buffer, self.table_at, &places, &mut self.table);
        }
        let table = self.table.bytes();
        let length = u32::try_from(table.len()).map_err(|_| too_long)?;
        let mut insert = Vec::with_capacity(table.len().saturating_add(5));
        number::write(length, &mut insert);
        insert.extend_from_slice(table);
        self.buffer.splice(self.table_at..self.table_at, insert);
        if self.len() > self.maximum as usize { Err(too_long) } else { Ok(()) }
    }

    #[cold]
    const fn fail(&mut self, error: EncodeError) {
        if self.error.is_none() {
            self.error = Some(error);
        }
    }

    #[cold]
    const fn order(&mut self, what: &'static str) {
        self.fail(EncodeError::Order { what });
    }

    /// Whether anything may be appended. What one call appends may pass the maximum; the next one sees it.
    #[inline]
    fn ready(&mut self) -> bool {
        if self.error.is_none() && self.len() > self.maximum as usize {
            self.fail(EncodeError::TooLong { maximum: self.maximum });
        }
        self.error.is_none()
    }

    /// Whether the version has this; remembers the error if not.
    fn since(&mut self, since: Version, what: &'static str) -> bool {
        let has = self.version >= since;
        if !has {
            self.fail(EncodeError::Version { version: self.version, what });
        }
        has
    }
}
