//! What stands before the body: version, public identifier, character set, string table (WBXML 1.3, section 5.4 to
//! 5.7).

use std::borrow::Cow;
use std::fmt;

use nom::bytes::complete::take;
use nom::combinator::cond;
use nom::error::ParseError;
use nom::{IResult, Parser};

use crate::error::Limit;
use crate::{Charset, Error, ErrorKind, Language, Options, number};

/// A version of WBXML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// No character set, no opaque data, no code pages but the first.
    V1_0,
    /// Character set, opaque data in content.
    V1_1,
    /// Code pages, opaque data in attributes.
    V1_2,
    /// The newest.
    #[default]
    V1_3,
}

impl Version {
    /// The version of a document's first byte: the major number less one, and the minor number.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::V1_0,
            1 => Self::V1_1,
            2 => Self::V1_2,
            3 => Self::V1_3,
            _ => return None,
        })
    }

    /// The first byte of a document.
    pub const fn byte(self) -> u8 {
        match self {
            Self::V1_0 => 0,
            Self::V1_1 => 1,
            Self::V1_2 => 2,
            Self::V1_3 => 3,
        }
    }
}

/// `1.3`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.byte())
    }
}

/// How a document says its type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicId<'a> {
    /// A number; 1 says "unknown or missing". (0 is the mark of the other variant, so it is none.)
    Number(u32),
    /// A formal public identifier in the string table.
    Text {
        /// Where it begins in the table.
        index: u32,
        /// The identifier.
        text: Cow<'a, str>,
    },
}

impl PublicId<'_> {
    /// The number that says "unknown or missing".
    pub const UNKNOWN: PublicId<'static> = PublicId::Number(1);

    /// The registered language of the identifier.
    pub fn language(&self) -> Option<&'static Language> {
        match self {
            Self::Number(number) => Language::by_public_id(*number),
            Self::Text { text, .. } => Language::by_fpi(text),
        }
    }
}

/// What stands before the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prologue<'a> {
    /// The version that the document is written in.
    pub version: Version,
    /// The document's type.
    pub public_id: PublicId<'a>,
    /// The character set of its strings: what the document says, or what was passed where it says nothing.
    pub charset: Charset,
    /// The bytes of the string table.
    pub string_table: &'a [u8],
    /// Where the body begins, in bytes from the start of the document.
    pub body: usize,
}

/// The lengths only: the table may hold secrets.
impl fmt::Debug for Prologue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prologue")
            .field("version", &self.version)
            .field("public_id", &self.public_id)
            .field("charset", &self.charset)
            .field("string_table", &self.string_table.len())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// A fault and the bytes that were left at its place.
struct Fault<'a> {
    rest: &'a [u8],
    kind: ErrorKind,
}

impl<'a> ParseError<&'a [u8]> for Fault<'a> {
    fn from_error_kind(rest: &'a [u8], _: nom::error::ErrorKind) -> Self {
        Self { rest, kind: ErrorKind::Truncated { what: "the head of the document" } }
    }

    fn append(_: &'a [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

const fn fail<'a, T>(rest: &'a [u8], kind: ErrorKind) -> Parsed<'a, T> {
    Err(nom::Err::Error(Fault { rest, kind }))
}

fn mb_u_int32(input: &[u8]) -> Parsed<'_, u32> {
    match number::read(input) {
        Ok((value, length)) => Ok((input.get(length..).unwrap_or_default(), value)),
        Err(number::Fault::TooLarge) => fail(input, ErrorKind::Number),
        Err(number::Fault::Truncated) => {
            fail(input, ErrorKind::Truncated { what: "the head of the document" })
        }
    }
}

fn version(input: &[u8]) -> Parsed<'_, Version> {
    let (rest, byte) = nom::number::complete::u8(input)?;
    match Version::from_byte(byte) {
        Some(version) => Ok((rest, version)),
        None => fail(input, ErrorKind::Version { found: byte }),
    }
}

/// A number, or the place in the table where it is 0.
fn public_id(input: &[u8]) -> Parsed<'_, Result<u32, (u32, &[u8])>> {
    let (place, number) = mb_u_int32(input)?;
    if number != 0 {
        return Ok((place, Ok(number)));
    }
    let (rest, index) = mb_u_int32(place)?;
    Ok((rest, Err((index, place))))
}

fn charset(input: &[u8]) -> Parsed<'_, Option<Charset>> {
    let (rest, number) = mb_u_int32(input)?;
    match Charset::from_mib(number) {
        None if number != 0 => {
            fail(input, ErrorKind::Charset { number, name: Charset::name_of(number) })
        }
        charset => Ok((rest, charset)),
    }
}

fn string_table<'a>(input: &'a [u8], maximum: u32) -> Parsed<'a, &'a [u8]> {
    let (rest, length) = mb_u_int32(input)?;
    if length > maximum {
        return fail(input, ErrorKind::Limit { limit: Limit::StringTable, maximum });
    }
    let (available, all) = (rest.len() as u64, length as usize);
    let table: Parsed<'a, &'a [u8]> = take(all).parse(rest);
    table.or_else(|_| fail(input, ErrorKind::StringTable { length, available }))
}

impl<'a> Prologue<'a> {
    /// Reads the prologue of a document.
    pub(crate) fn read(document: &'a [u8], options: &Options<'_>) -> Result<Self, Error> {
        let parsed = head(document, options.limits.string_table);
        let (rest, (version, public_id, charset, string_table)) = parsed.map_err(|e| match e {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => {
                Error::new(fault.kind, document.len() - fault.rest.len())
            }
            nom::Err::Incomplete(_) => Error::new(
                ErrorKind::Truncated { what: "the head of the document" },
                document.len(),
            ),
        })?;
        let charset = charset.flatten().or(options.charset).unwrap_or_default();
        let mut prologue = Self {
            version,
            public_id: PublicId::UNKNOWN,
            charset,
            string_table,
            body: document.len() - rest.len(),
        };
        prologue.public_id = match public_id {
            Ok(number) => PublicId::Number(number),
            Err((index, place)) => {
                let at = |kind| Error::new(kind, document.len() - place.len());
                let (text, _) = prologue.string(index, options.limits.text_length).map_err(at)?;
                PublicId::Text { index, text }
            }
        };
        Ok(prologue)
    }

    /// The string that begins at this byte of the string table, up to its end or the table's.
    ///
    /// # Errors
    /// If there is no such byte, the string is longer than `maximum`, or it is not of the character set.
    pub(crate) fn string(
        &self,
        index: u32,
        maximum: u32,
    ) -> Result<(Cow<'a, str>, usize), ErrorKind> {
        let bytes = self.bytes(index, maximum)?;
        let text = self.charset.decode(bytes);
        let text = text.ok_or(ErrorKind::Encoding { charset: self.charset })?;
        Ok((text, bytes.len()))
    }

    fn bytes(&self, index: u32, maximum: u32) -> Result<&'a [u8], ErrorKind> {
        let length = u32::try_from(self.string_table.len()).unwrap_or(u32::MAX);
        let rest = self.string_table.get(index as usize..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(ErrorKind::Reference { index, length })?;
        // Look no further than a string may be long: what a reference costs is then bounded by what it gives.
        let room = (maximum as usize).saturating_add(self.charset.terminator());
        let window = rest.get(..room).unwrap_or(rest);
        match self.charset.length(window) {
            Some(end) => Ok(window.get(..end).unwrap_or_default()),
            // The captures end their only string with the table, not with a zero byte.
            None if window.len() == rest.len() && rest.len() <= maximum as usize => Ok(rest),
            None => Err(ErrorKind::Limit { limit: Limit::TextLength, maximum }),
        }
    }
}

type Head<'a> = (Version, Result<u32, (u32, &'a [u8])>, Option<Option<Charset>>, &'a [u8]);

fn head(input: &[u8], table: u32) -> Parsed<'_, Head<'_>> {
    let (rest, version) = version(input)?;
    let (rest, public_id) = public_id(rest)?;
    let (rest, charset) = cond(version > Version::V1_0, charset).parse(rest)?;
    let (rest, table) = string_table(rest, table)?;
    Ok((rest, (version, public_id, charset, table)))
}
