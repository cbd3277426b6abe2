//! The errors in words.

use std::fmt;

use super::{EncodingFault, Error, ErrorKind, SchemaFault, StructureFault, SyntaxFault};

impl SyntaxFault {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::Unterminated { .. } => "send the whole document; check Content-Length",
            Self::Markup => "write < in text as &lt;",
            Self::Character { .. } => "leave control characters out, or send them as base64",
            Self::Name => {
                "a name begins with a letter or _, and has at most one colon, between two names"
            }
            Self::Attribute { .. } => {
                "write attributes as name=\"value\", each behind a space, with < as &lt;"
            }
            Self::EndTag => "write end tags as </name>",
            Self::Reference => "write & in text as &amp;",
            Self::CharacterReference { .. } => {
                "refer to characters that XML allows; send other bytes as base64"
            }
            Self::Entity { .. } => {
                "use amp, lt, gt, apos, quot or a character reference; no entity is declared"
            }
            Self::CdataEnd => "write ]]> in text as ]]&gt;",
            Self::CommentHyphens => "leave -- out of comments",
            Self::Target => "give the instruction a name without a colon, other than xml",
            Self::Prolog { .. } => "write it as XML 1.0, section 2.8, says",
        }
    }
}

impl fmt::Display for SyntaxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unterminated { construct } => write!(f, "the document ends inside {construct}"),
            Self::Markup => write!(f, "< begins no markup"),
            Self::Character { found } => {
                write!(f, "the character U+{:04X} may not stand in XML", u32::from(*found))
            }
            Self::Name => write!(f, "expected a name"),
            Self::Attribute { expected } => write!(f, "expected {expected}"),
            Self::EndTag => write!(f, "expected > behind the name of the end tag"),
            Self::Reference => write!(f, "& begins no reference"),
            Self::CharacterReference { found } => {
                write!(f, "&{found}; refers to no character of XML")
            }
            Self::Entity { name } => write!(f, "the entity {name:?} is not declared"),
            Self::CdataEnd => write!(f, "]]> in text"),
            Self::CommentHyphens => write!(f, "-- in a comment"),
            Self::Target => {
                write!(f, "the processing instruction has no target, or a reserved one")
            }
            Self::Prolog { construct, expected } => write!(f, "expected {expected} in {construct}"),
        }
    }
}

impl StructureFault {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::MismatchedEnd { .. } | Self::UnexpectedEnd { .. } => {
                "close every element once, the inner ones first; escape text that is not markup"
            }
            Self::Unclosed { .. } => "send the whole document; check Content-Length",
            Self::NoRoot => "send a document with one element around everything",
            Self::SecondRoot { .. } => "send one document only",
            Self::TextOutsideRoot => "put text into the root element",
            Self::Misplaced { .. } => {
                "one XML declaration at the very start, then at most one DOCTYPE"
            }
            Self::Doctype => "leave the DOCTYPE out (tolerance doctype)",
            Self::InternalSubset => {
                "leave the internal subset out: entities and attribute defaults are not read"
            }
            Self::DuplicateAttribute { .. } => "give each attribute once",
            Self::UndeclaredPrefix { .. } => "declare the prefix with xmlns:prefix=\"namespace\"",
            Self::ReservedNamespace { .. } => {
                "do not declare xml or xmlns, and no prefix for an empty namespace"
            }
        }
    }
}

impl fmt::Display for StructureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MismatchedEnd { expected, found } => {
                write!(f, "expected </{expected}>, found </{found}>")
            }
            Self::UnexpectedEnd { found } => write!(f, "</{found}> ends no element"),
            Self::Unclosed { name } => write!(f, "the document ends inside the element {name}"),
            Self::NoRoot => write!(f, "the document has no element"),
            Self::SecondRoot { found } => {
                write!(f, "the element {found} stands behind the root element")
            }
            Self::TextOutsideRoot => write!(f, "text outside the root element"),
            Self::Misplaced { construct } => write!(f, "{construct} may not stand here"),
            Self::Doctype => write!(f, "a DOCTYPE is refused"),
            Self::InternalSubset => write!(f, "an internal subset is refused"),
            Self::DuplicateAttribute { name } => {
                write!(f, "the attribute {name} stands there twice")
            }
            Self::UndeclaredPrefix { prefix } => write!(f, "the prefix {prefix} is not declared"),
            Self::ReservedNamespace { prefix } if prefix.is_empty() => {
                write!(f, "the default namespace may not be this one")
            }
            Self::ReservedNamespace { prefix } => {
                write!(f, "the prefix {prefix} may not be declared so")
            }
        }
    }
}

impl EncodingFault {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "send the document in the encoding that it declares",
            Self::Unsupported { .. } => "send UTF-8, UTF-16, ISO-8859-1 or US-ASCII",
            Self::Contradiction { .. } => {
                "declare the encoding of the bytes, or none (tolerance utf16_label)"
            }
        }
    }
}

impl fmt::Display for EncodingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { encoding } => write!(f, "the bytes are not {encoding}"),
            Self::Unsupported { name } => write!(f, "the encoding {name:?} is not read"),
            Self::Contradiction { declared, found } => {
                write!(f, "the declaration says {declared:?}, the bytes are {found}")
            }
        }
    }
}

impl SchemaFault {
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::Element { .. } | Self::MissingElement { .. } => {
                "send the elements that the schema has, in its order and namespace"
            }
            Self::MissingAttribute { .. } => "add the attribute",
            Self::Attribute { .. } => "leave the attribute out",
            Self::Text => "leave the text out",
            Self::Value { .. } => "send a value that the schema allows",
        }
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element { expected, found } => {
                write!(f, "expected {expected}, found the element {found}")
            }
            Self::MissingElement { expected } => write!(f, "expected {expected}"),
            Self::MissingAttribute { expected } => {
                write!(f, "the attribute {expected} is missing")
            }
            Self::Attribute { found } => write!(f, "the element has no attribute {found}"),
            Self::Text => write!(f, "text where only elements may stand"),
            Self::Value { expected, found } => write!(f, "expected {expected}, found {found:?}"),
        }
    }
}

impl ErrorKind {
    /// What the sender or the operator can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Syntax(fault) => fault.remedy(),
            Self::Structure(fault) => fault.remedy(),
            Self::Encoding(fault) => fault.remedy(),
            Self::Schema(fault) => fault.remedy(),
            Self::Limit { .. } => "send less, or raise the limit",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(fault) => fault.fmt(f),
            Self::Structure(fault) => fault.fmt(f),
            Self::Encoding(fault) => fault.fmt(f),
            Self::Schema(fault) => fault.fmt(f),
            Self::Limit { limit, maximum } => write!(f, "the limit {} is {maximum}", limit.name()),
        }
    }
}

/// `XML: at line 2, column 7 (offset 40): expected </a>, found </b>; close every element once, ...`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XML: at {}: {}; {}", self.position(), self.kind(), self.remedy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", self.kind())
            .field("position", &self.position())
            .finish()
    }
}

impl std::error::Error for Error {}
