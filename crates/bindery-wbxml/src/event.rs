//! What a document is made of.

use std::borrow::Cow;
use std::fmt;

/// The name of a tag or an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name<'a> {
    /// A token of a code page.
    Token {
        /// The code page.
        page: u8,
        /// The token; of a tag without the bits for attributes and content.
        token: u8,
        /// What the language calls it; `None` if it has no such token, or no language is known.
        name: Option<&'a str>,
    },
    /// A name in the string table.
    Literal {
        /// Where it begins in the table.
        index: u32,
        /// The name.
        name: Cow<'a, str>,
    },
}

impl Name<'_> {
    /// The name, if there is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Token { name, .. } => *name,
            Self::Literal { name, .. } => Some(name),
        }
    }

    /// Page and token, unless the name is a literal.
    pub const fn token(&self) -> Option<(u8, u8)> {
        match self {
            Self::Token { page, token, .. } => Some((*page, *token)),
            Self::Literal { .. } => None,
        }
    }
}

/// The name; without one `page:token`, as in `1:0x17`.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { page, token, name: None } => write!(f, "{page}:{token:#04X}"),
            Self::Token { name: Some(name), .. } => f.write_str(name),
            Self::Literal { name, .. } => f.write_str(name),
        }
    }
}

/// A document is a sequence of these. Of an attribute's value comes first the prefix of [`AttributeStart`], then a run
/// of `AttributeValue`, `Text`, `Opaque`, `Entity` and `Extension`, up to the next `Attribute` or `EndAttributes`.
///
/// Text and opaque data stay apart, because the difference carries meaning (the digest of SyncML 1.0 is sixteen raw
/// bytes); so do strings of both kinds. Nothing is joined: two strings in a row are two events.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An element begins.
    StartElement(StartElement<'a>),
    /// An attribute of the element begun last.
    Attribute(AttributeStart<'a>),
    /// A piece of an attribute's value, as a token.
    AttributeValue(AttributeValue<'a>),
    /// The last attribute has ended. Only after a start whose `attributes` is set.
    EndAttributes,
    /// An element ends; also one that has no content.
    EndElement(Name<'a>),
    /// A string: content, or a piece of an attribute's value.
    Text(Text<'a>),
    /// Bytes: content, or a piece of an attribute's value. What they mean is up to the language
    /// ([`OpaqueForm`](crate::OpaqueForm)).
    Opaque(&'a [u8]),
    /// A character as a number: content, or a piece of an attribute's value.
    Entity(char),
    /// What the language itself defines: content, or a piece of an attribute's value.
    Extension(Extension<'a>),
    /// A processing instruction begins; its target is an attribute's name. Its value follows as an attribute's does.
    Instruction(AttributeStart<'a>),
    /// The processing instruction ends.
    EndInstruction,
}

/// An element's start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartElement<'a> {
    /// The tag.
    pub name: Name<'a>,
    /// Whether attributes follow.
    pub attributes: bool,
    /// Whether the tag says that content follows. It may yet be none: `<a></a>` and `<a/>` differ by this bit only.
    pub content: bool,
}

/// An attribute's start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttributeStart<'a> {
    /// The attribute.
    pub name: Name<'a>,
    /// What its value begins with.
    pub prefix: &'a str,
}

/// A token that stands for a piece of an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttributeValue<'a> {
    /// The code page.
    pub page: u8,
    /// The token.
    pub token: u8,
    /// What the language says it stands for; `None` if it has no such token, or no language is known.
    pub text: Option<&'a str>,
}

/// A string.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text<'a> {
    /// The text; borrowed from the document unless its character set had to be turned into UTF-8.
    pub value: Cow<'a, str>,
    /// Where the string begins in the string table; `None` if it stands in place.
    pub index: Option<u32>,
}

/// A token that the language itself defines.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extension<'a> {
    /// Which of the three of its kind: 0, 1 or 2.
    pub number: u8,
    /// What comes with it.
    pub value: ExtensionValue<'a>,
}

/// What comes with an extension token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionValue<'a> {
    /// `EXT_I`: a string. In WML the name of a variable.
    Text(Cow<'a, str>),
    /// `EXT_T`: a number. In WML the place of a variable's name in the string table
    /// ([`Reader::string`](crate::Reader::string)); in Wireless Village a piece of text
    /// ([`Language::extension`](crate::Language::extension)).
    Number(u32),
    /// `EXT`: nothing.
    None,
}

/// Of strings and bytes the length only: they may be secret.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartElement(start) => start.fmt(f),
            Self::Attribute(start) => start.fmt(f),
            Self::AttributeValue(value) => value.fmt(f),
            Self::EndAttributes => f.write_str("EndAttributes"),
            Self::EndElement(name) => write!(f, "EndElement({name})"),
            Self::Text(text) => text.fmt(f),
            Self::Opaque(bytes) => write!(f, "Opaque({} bytes)", bytes.len()),
            Self::Entity(_) => f.write_str("Entity"),
            Self::Extension(extension) => extension.fmt(f),
            Self::Instruction(start) => write!(f, "Instruction({})", start.name),
            Self::EndInstruction => f.write_str("EndInstruction"),
        }
    }
}

/// The length only: it may be secret.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes", self.value.len())?;
        match self.index {
            Some(index) => write!(f, " at {index} of the table)"),
            None => f.write_str(")"),
        }
    }
}

impl fmt::Debug for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension {} {:?}", self.number, self.value)
    }
}

/// Of a string the length only: it may be secret.
impl fmt::Debug for ExtensionValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Number(number) => write!(f, "Number({number})"),
            Self::None => f.write_str("None"),
        }
    }
}

impl<'a> Text<'a> {
    /// A string that stands in place.
    pub fn inline(value: impl Into<Cow<'a, str>>) -> Self {
        Self { value: value.into(), index: None }
    }
}

impl<'a> Extension<'a> {
    /// An extension token of the given number, 0 to 2; a greater one is taken as 2.
    pub fn new(number: u8, value: ExtensionValue<'a>) -> Self {
        Self { number: number.min(2), value }
    }
}
