//! What is wrong with a document, and where.

use std::fmt;

use crate::{Encoding, Position};

/// How many characters of a peer's name or value an error keeps.
const SHOWN: usize = 64;

/// Why a document is refused: the kind of fault, its place and a remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    position: Position,
}

/// What is wrong, by layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// One piece of markup is not what XML's grammar says.
    Syntax(SyntaxFault),
    /// The pieces are fine and do not form a well-formed document with namespaces, or form one that is refused.
    Structure(StructureFault),
    /// The bytes are not characters.
    Encoding(EncodingFault),
    /// A well-formed document that is not the message that was expected: for the callers of this crate.
    Schema(SchemaFault),
    /// More than a limit allows.
    Limit {
        /// Which limit.
        limit: Limit,
        /// Its value.
        maximum: u64,
    },
}

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Construct {
    /// `<`, and it cannot be told yet what follows.
    Markup,
    /// `<name ...>`.
    StartTag,
    /// `</name>`.
    EndTag,
    /// `<!-- ... -->`.
    Comment,
    /// `<![CDATA[ ... ]]>`.
    Cdata,
    /// `<?target ... ?>`.
    ProcessingInstruction,
    /// `<?xml ... ?>`.
    Declaration,
    /// `<!DOCTYPE ... >`.
    Doctype,
    /// An attribute or namespace declaration.
    Attribute,
    /// Characters between markup.
    Text,
}

impl Construct {
    const fn name(self) -> &'static str {
        match self {
            Self::Markup => "markup",
            Self::StartTag => "a start tag",
            Self::EndTag => "an end tag",
            Self::Comment => "a comment",
            Self::Cdata => "a CDATA section",
            Self::ProcessingInstruction => "a processing instruction",
            Self::Declaration => "the XML declaration",
            Self::Doctype => "the DOCTYPE",
            Self::Attribute => "an attribute",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Construct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fault in one piece of markup (XML 1.0, fifth edition). Names and values of the peer are cut after 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyntaxFault {
    /// The document ends inside a construct.
    Unterminated {
        /// Which one.
        construct: Construct,
    },
    /// `<` begins nothing that XML knows.
    Markup,
    /// A character that may not stand in a document (production 2).
    Character {
        /// The character.
        found: char,
    },
    /// What should be a name, with at most one colon inside, is none.
    Name,
    /// Something else where an attribute, `>` or `/>` should follow.
    Attribute {
        /// What should follow.
        expected: &'static str,
    },
    /// Something else behind the name of an end tag.
    EndTag,
    /// `&` that begins no reference.
    Reference,
    /// A character reference to what is no character of XML.
    CharacterReference {
        /// The reference as it stands.
        found: String,
    },
    /// An entity other than the five predefined ones.
    Entity {
        /// Its name.
        name: String,
    },
    /// `]]>` in text.
    CdataEnd,
    /// `--` in a comment.
    CommentHyphens,
    /// A processing instruction without a target, or with a reserved one.
    Target,
    /// The XML declaration or DOCTYPE is malformed.
    Prolog {
        /// Which one.
        construct: Construct,
        /// What should stand there.
        expected: &'static str,
    },
}

/// A fault of the document as a whole (XML 1.0, section 2.1; Namespaces in XML 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StructureFault {
    /// An end tag of another element than the open one.
    MismatchedEnd {
        /// The open element.
        expected: String,
        /// The name in the end tag.
        found: String,
    },
    /// An end tag where no element is open.
    UnexpectedEnd {
        /// The name in the end tag.
        found: String,
    },
    /// The document ends inside an element.
    Unclosed {
        /// The innermost open element.
        name: String,
    },
    /// The document has no element.
    NoRoot,
    /// An element behind the root element.
    SecondRoot {
        /// Its name.
        found: String,
    },
    /// Text, a reference or a CDATA section outside the root element.
    TextOutsideRoot,
    /// A declaration or DOCTYPE where it may not stand, or twice.
    Misplaced {
        /// Which one.
        construct: Construct,
    },
    /// A document type declaration, which is refused.
    Doctype,
    /// An internal subset, which is always refused.
    InternalSubset,
    /// Two attributes of one name, or of one namespace and local name.
    DuplicateAttribute {
        /// The second one as it is written.
        name: String,
    },
    /// A prefix that is not declared.
    UndeclaredPrefix {
        /// The prefix.
        prefix: String,
    },
    /// A declaration of what may not be declared: the prefixes `xml` and `xmlns`, their namespaces, or a prefix for no
    /// namespace.
    ReservedNamespace {
        /// The prefix that is declared, empty for the default namespace.
        prefix: String,
    },
}

/// A fault of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodingFault {
    /// Bytes that the encoding does not have.
    Invalid {
        /// The encoding.
        encoding: Encoding,
    },
    /// An encoding that is not read.
    Unsupported {
        /// Its name.
        name: String,
    },
    /// The declaration names another encoding than the bytes have.
    Contradiction {
        /// The name in the declaration.
        declared: String,
        /// What the bytes are.
        found: Encoding,
    },
}

/// A well-formed document that is not the expected message: made by callers, with
/// [`Reader::schema_error`](crate::Reader::schema_error) or [`Error::schema`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaFault {
    /// Another element than one of those expected.
    Element {
        /// What may stand there, for people.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// An element that is missing.
    MissingElement {
        /// What must stand there, for people.
        expected: String,
    },
    /// An attribute that the element must have.
    MissingAttribute {
        /// Its name.
        expected: String,
    },
    /// An attribute that the element does not have.
    Attribute {
        /// Its name.
        found: String,
    },
    /// Text where only elements may stand.
    Text,
    /// A value that its type does not allow.
    Value {
        /// What is expected, for people.
        expected: String,
        /// What stands there.
        found: String,
    },
}

/// One of the limits of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of the document.
    DocumentLength,
    /// Elements inside each other.
    Depth,
    /// Attributes of one element.
    Attributes,
    /// Bytes of a name or a namespace name.
    NameLength,
    /// Bytes of a tag.
    TagLength,
    /// Bytes of a text, CDATA section, comment or processing instruction.
    TextLength,
    /// Namespace declarations in scope.
    Namespaces,
}

impl Limit {
    /// The limit's field in [`Limits`](crate::Limits).
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocumentLength => "document_length",
            Self::Depth => "depth",
            Self::Attributes => "attributes",
            Self::NameLength => "name_length",
            Self::TagLength => "tag_length",
            Self::TextLength => "text_length",
            Self::Namespaces => "namespaces",
        }
    }
}

/// At most 64 characters of what a peer sent.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub(crate) fn limit(limit: Limit, maximum: usize) -> ErrorKind {
    ErrorKind::Limit { limit, maximum: u64::try_from(maximum).unwrap_or(u64::MAX) }
}

impl From<SyntaxFault> for ErrorKind {
    fn from(fault: SyntaxFault) -> Self {
        Self::Syntax(fault)
    }
}

impl From<StructureFault> for ErrorKind {
    fn from(fault: StructureFault) -> Self {
        Self::Structure(fault)
    }
}

impl From<EncodingFault> for ErrorKind {
    fn from(fault: EncodingFault) -> Self {
        Self::Encoding(fault)
    }
}

impl From<SchemaFault> for ErrorKind {
    fn from(fault: SchemaFault) -> Self {
        Self::Schema(fault)
    }
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind, position: Position) -> Self {
        Self(Box::new(Inner { kind, position }))
    }

    /// A document that is not the message that the caller expects, at a place in it.
    #[cold]
    pub fn schema(fault: SchemaFault, position: Position) -> Self {
        Self::new(fault.into(), position)
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where.
    pub fn position(&self) -> Position {
        self.0.position
    }

    /// What the sender or the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        self.0.kind.remedy()
    }
}

mod text;
