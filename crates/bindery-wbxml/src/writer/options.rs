//! How to write, as plain values.

use std::borrow::Cow;

use crate::{Charset, Language, Version};

/// How to write a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions<'a> {
    /// The version; 1.3 unless said otherwise.
    pub version: Version,
    /// How the document says its type.
    pub public_id: Identifier<'a>,
    /// The character set of its strings; UTF-8 unless said otherwise. Characters of text that it lacks are written as
    /// entities.
    pub charset: Charset,
    /// The tables by which names and values become tokens. `None`: names become literals.
    pub language: Option<&'a Language>,
    /// Where text goes.
    pub strings: Strings,
    /// The longest document, in bytes; `u32::MAX` unless said otherwise.
    pub maximum: u32,
}

/// How a document says its type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identifier<'a> {
    /// A number; 0 is written as 1, "unknown or missing".
    Number(u32),
    /// A formal public identifier, in the string table.
    Text(Cow<'a, str>),
}

/// Where text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strings {
    /// In place: the canonical form.
    #[default]
    Inline,
    /// Strings that occur more than once go into the string table when that makes the document shorter. It takes time
    /// in proportion to the document, and memory for a copy of it.
    Shared,
}

impl<'a> WriteOptions<'a> {
    /// WBXML 1.3 in UTF-8 for a language, with its number, otherwise its formal public identifier, otherwise 1.
    pub fn new(language: &'a Language) -> Self {
        let public_id = match (language.number(), language.fpi()) {
            (Some(number), _) => Identifier::Number(number),
            (None, Some(fpi)) => Identifier::Text(Cow::Borrowed(fpi)),
            (None, None) => Identifier::Number(1),
        };
        Self { public_id, language: Some(language), ..Self::raw() }
    }

    /// WBXML 1.3 in UTF-8 without a language: tokens as they are given, names as literals, no public identifier.
    pub const fn raw() -> Self {
        Self {
            version: Version::V1_3,
            public_id: Identifier::Number(1),
            charset: Charset::Utf8,
            language: None,
            strings: Strings::Inline,
            maximum: u32::MAX,
        }
    }

    /// The same in another version.
    #[must_use]
    pub const fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// The same with another public identifier. ActiveSync wants the number 1.
    #[must_use]
    pub fn with_public_id(mut self, public_id: Identifier<'a>) -> Self {
        self.public_id = public_id;
        self
    }

    /// The same in another character set.
    #[must_use]
    pub const fn with_charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
    }

    /// The same with text elsewhere.
    #[must_use]
    pub const fn with_strings(mut self, strings: Strings) -> Self {
        self.strings = strings;
        self
    }

    /// The same with another maximum.
    #[must_use]
    pub const fn with_maximum(mut self, bytes: u32) -> Self {
        self.maximum = bytes;
        self
    }
}
