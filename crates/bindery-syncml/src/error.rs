//! What is wrong with a message, and where.

use std::fmt;

use thiserror::Error as ThisError;

use crate::Name;

/// The longest element path that an error keeps; deeper levels are left out.
const PATH: usize = 16;

/// Why octets are not the message: the kind of fault, its place, the elements around it, and a remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    place: Place,
    path: Vec<String>,
}

/// A place in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Line and column, both from 1, of XML.
    pub line: Option<(u64, u64)>,
}

/// `offset 40`, or `line 2, column 7 (offset 40)`
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some((line, column)) => {
                write!(f, "line {line}, column {column} (offset {})", self.offset)
            }
            None => write!(f, "offset {}", self.offset),
        }
    }
}

/// What is wrong. Names are cut after 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is no WBXML.
    Wbxml(bindery_wbxml::Error),
    /// It is no well-formed XML.
    Xml(bindery_xml::Error),
    /// Another document than the one that was asked for.
    Root {
        /// The document element that was expected.
        expected: &'static str,
        /// The one that is there.
        found: String,
    },
    /// A WBXML document of no known type (tolerance `public_id`).
    PublicId,
    /// Document type or namespace and VerDTD contradict each other (tolerance `version`).
    Version,
    /// A required element is missing (tolerance `missing`).
    Missing {
        /// Its name.
        expected: &'static str,
    },
    /// A known element where it has no place (tolerance `misplaced`).
    Misplaced {
        /// Its name.
        found: String,
    },
    /// An element behind one that it stands before in the DTD (tolerance `order`).
    Order {
        /// Its name.
        found: String,
    },
    /// A second element of which there may be one (tolerance `repeated`).
    Repeated {
        /// Its name.
        found: String,
    },
    /// An attribute on an element that has none (tolerance `attributes`).
    Attribute {
        /// Its name.
        found: String,
    },
    /// A name in no namespace or a wrong one (tolerance `namespaces`).
    Namespace {
        /// The name.
        found: String,
    },
    /// Text or opaque data between elements.
    Text,
    /// An element where text or the end should stand.
    Element {
        /// Its name.
        found: String,
    },
    /// Opaque data that is no UTF-8 where there is text.
    Octets,
    /// A number that is none (tolerance `misplaced`).
    Number,
    /// An extension token, which no such document has.
    Extension,
    /// More than a limit allows.
    Limit {
        /// Which limit.
        limit: Limit,
        /// Its value.
        maximum: u32,
    },
}

/// One of the limits of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of the message.
    MessageLength,
    /// Elements of the message.
    Elements,
    /// Atomic, Sequence and Sync inside each other.
    Nesting,
}

impl Limit {
    /// The limit's field in [`Limits`](crate::Limits).
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageLength => "message_length",
            Self::Elements => "elements",
            Self::Nesting => "nesting",
        }
    }
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, place: Place, open: &[Name]) -> Self {
        let path = open.iter().take(PATH).map(ToString::to_string).collect();
        Self(Box::new(Inner { kind, place, path }))
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where: the event at fault. Inside an embedded document it counts from the message's start.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// The names of the open elements, outermost first, at most 16.
    pub fn path(&self) -> &[String] {
        &self.0.path
    }

    /// What the sender or the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match &self.0.kind {
            ErrorKind::Wbxml(error) => error.remedy(),
            ErrorKind::Xml(error) => error.remedy(),
            ErrorKind::Root { .. } => "send the document that belongs here",
            ErrorKind::PublicId => "write the public identifier of the document's type",
            ErrorKind::Version => "let VerDTD and the document type name one version",
            ErrorKind::Missing { .. } => "write the element",
            ErrorKind::Misplaced { .. } => "write the element where the DTD has it",
            ErrorKind::Order { .. } => "write the elements in the order of the DTD",
            ErrorKind::Repeated { .. } => "write the element once",
            ErrorKind::Attribute { .. } => "leave the attribute out",
            ErrorKind::Namespace { .. } => "declare the namespace of the element",
            ErrorKind::Text => "put text into an element that has text; escape < and &",
            ErrorKind::Element { .. } => "escape < and &, or put the text into a CDATA section",
            ErrorKind::Octets => "write text as UTF-8",
            ErrorKind::Number => "write a decimal number",
            ErrorKind::Extension => "check the encoder against the document type",
            ErrorKind::Limit { .. } => "send less, or raise the limit",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wbxml(error) => error.fmt(f),
            Self::Xml(error) => error.fmt(f),
            Self::Root { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::PublicId => f.write_str("the document has no known type"),
            Self::Version => f.write_str("VerDTD and the document type name two versions"),
            Self::Missing { expected } => write!(f, "{expected} is missing"),
            Self::Misplaced { found } => write!(f, "{found} has no place here"),
            Self::Order { found } => write!(f, "{found} stands too late"),
            Self::Repeated { found } => write!(f, "{found} stands here again"),
            Self::Attribute { found } => write!(f, "the attribute {found} is not known"),
            Self::Namespace { found } => write!(f, "{found} is in no namespace or a wrong one"),
            Self::Text => f.write_str("text stands between elements"),
            Self::Element { found } => write!(f, "the element {found} stands in text"),
            Self::Octets => f.write_str("opaque data stands for text and is no UTF-8"),
            Self::Number => f.write_str("a number is none"),
            Self::Extension => f.write_str("there is an extension token"),
            Self::Limit { limit, maximum } => write!(f, "the limit {} is {maximum}", limit.name()),
        }
    }
}

/// `SyncML: at offset 40, SyncML/SyncBody/Add: CmdID is missing; write the element`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            // They say their place and remedy themselves.
            ErrorKind::Wbxml(error) => return write!(f, "SyncML: {error}"),
            ErrorKind::Xml(error) => return write!(f, "SyncML: {error}"),
            _ => write!(f, "SyncML: at {}", self.0.place)?,
        }
        if !self.0.path.is_empty() {
            write!(f, ", {}", self.0.path.join("/"))?;
        }
        write!(f, ": {}; {}", self.0.kind, self.remedy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("place", &self.0.place)
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Wbxml(error) => Some(error),
            ErrorKind::Xml(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a message could not be written: a fault of the caller's, or of data that the encoding cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum EncodeError {
    /// Not in XML: mostly characters that XML does not have.
    #[error("SyncML: {0}")]
    Xml(#[from] bindery_xml::WriteError),
    /// Not in WBXML.
    #[error("SyncML: {0}")]
    Wbxml(#[from] bindery_wbxml::EncodeError),
    /// Octets that are no text, in XML.
    #[error(
        "SyncML: {element} holds octets that are no text; write them in base64 and say so in Meta/Format"
    )]
    Octets {
        /// The innermost element.
        element: String,
    },
    /// Text with a zero character, which WBXML cannot carry.
    #[error("SyncML: {element} holds a zero character; write it as opaque data")]
    Zero {
        /// The innermost element.
        element: String,
    },
    /// A token without a name, in XML.
    #[error("SyncML: the token {token:#04X} of page {page} has no name; write WBXML")]
    Token {
        /// The code page.
        page: u8,
        /// The token.
        token: u8,
    },
}
