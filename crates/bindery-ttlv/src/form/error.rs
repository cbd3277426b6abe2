//! What is wrong with a message in a text form, or with turning one form into the other.

use std::fmt;

use crate::{EncodeError, Error};

/// Why a message cannot be read from, or written in, a text form: what, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    form: &'static str,
    kind: FormErrorKind,
    /// Line and column from 1, octets from the start.
    place: Option<(u64, u64, u64)>,
    path: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormErrorKind {
    /// The binary message.
    Ttlv(Error),
    /// The text is not well-formed XML or JSON, or cannot carry the message.
    Syntax(String),
    /// What stands there is not TTLV in this form: a sentence that says what was expected.
    Content(String),
    /// More than a limit allows: its name and value.
    Limit(&'static str, u64),
    /// The message is longer than binary TTLV may be.
    Length(EncodeError),
}

impl FormError {
    #[cold]
    pub(crate) fn new(form: &'static str, kind: FormErrorKind) -> Self {
        Self(Box::new(Inner { form, kind, place: None, path: String::new() }))
    }

    #[cold]
    pub(crate) fn at(mut self, line: u64, column: u64, offset: u64) -> Self {
        self.0.place = Some((line, column, offset));
        self
    }

    #[cold]
    pub(crate) fn inside(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &FormErrorKind {
        &self.0.kind
    }

    /// Where in the text: line and column, from 1.
    pub fn line_and_column(&self) -> Option<(u64, u64)> {
        self.0.place.map(|(line, column, _)| (line, column))
    }

    /// Where: octets from the start, of the text or of the binary message.
    pub fn offset(&self) -> Option<u64> {
        match &self.0.kind {
            FormErrorKind::Ttlv(error) => Some(error.offset() as u64),
            _ => self.0.place.map(|(_, _, offset)| offset),
        }
    }

    /// What the sender can do about it.
    pub fn remedy(&self) -> &'static str {
        match &self.0.kind {
            FormErrorKind::Ttlv(error) => error.remedy(),
            FormErrorKind::Syntax(_) => "send well-formed text",
            FormErrorKind::Content(_) => {
                "write items as KMIP Profiles 2.1, sections 5.4 and 5.5, do"
            }
            FormErrorKind::Limit(..) | FormErrorKind::Length(_) => "send less, or raise the limit",
        }
    }
}

/// `TTLV in XML: line 3, column 5, in RequestMessage/BatchItem: ...; write ...`
impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { form, kind, place, path } = &*self.0;
        if let FormErrorKind::Ttlv(error) = kind {
            return fmt::Display::fmt(error, f);
        }
        write!(f, "TTLV in {form}: ")?;
        if let Some((line, column, _)) = place {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !path.is_empty() {
            write!(f, "in {path}: ")?;
        }
        match kind {
            FormErrorKind::Ttlv(error) => write!(f, "{error}")?,
            FormErrorKind::Syntax(what) | FormErrorKind::Content(what) => f.write_str(what)?,
            FormErrorKind::Limit(name, maximum) => {
                write!(f, "more than the limit {name} of {maximum} allows")?;
            }
            FormErrorKind::Length(error) => write!(f, "{error}")?,
        }
        write!(f, "; {}", self.remedy())
    }
}

impl std::error::Error for FormError {}
