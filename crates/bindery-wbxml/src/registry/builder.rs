//! Private languages, made at run time.

use std::borrow::Cow;
use std::collections::BTreeSet;

use thiserror::Error;

use super::table::EMPTY;
use super::{Language, Namespace, OpaqueForm, Row, Table, Use};

/// Makes a [`Language`] at run time. Rows may come in any order.
///
/// ```
/// use bindery_wbxml::Language;
///
/// let acme = Language::builder("acme")
///     .fpi("-//ACME//DTD Order 1.0//EN")
///     .root("order")
///     .tag(0, 0x05, "order")
///     .tag(0, 0x06, "item")
///     .attribute(0, 0x05, "href", "https://")
///     .value(0, 0x85, ".example/")
///     .build()?;
/// assert_eq!(acme.tag(0, 0x06).map(|row| row.name()), Some("item"));
/// # Ok::<(), bindery_wbxml::LanguageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LanguageBuilder {
    id: String,
    number: Option<u32>,
    fpi: String,
    root: String,
    system_id: String,
    tags: Vec<Row>,
    attributes: Vec<Row>,
    values: Vec<Row>,
    extensions: Vec<Row>,
    namespaces: Vec<Namespace>,
}

/// Why a private language cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LanguageError {
    /// A token outside the range of its code space.
    #[error(
        "WBXML language: {token:#04X} on page {page} is no token of a {space}; tokens whose low six bits are below 05 \
         are global, tags end at 3F, values begin at 80"
    )]
    Token {
        /// What the row is for: tag, attribute, value or extension.
        space: &'static str,
        /// Its page.
        page: u8,
        /// Its token.
        token: u8,
    },
    /// Two rows with one token.
    #[error(
        "WBXML language: the {space} token {token:#04X} on page {page} is given twice; remove one row"
    )]
    Twice {
        /// What the rows are for.
        space: &'static str,
        /// Their page.
        page: u8,
        /// Their token.
        token: u8,
    },
    /// A row without a name.
    #[error(
        "WBXML language: the {space} token {token:#04X} on page {page} has no name; give it one"
    )]
    Name {
        /// What the row is for.
        space: &'static str,
        /// Its page.
        page: u8,
        /// Its token.
        token: u8,
    },
    /// Public identifiers 0 and 1 say "see the string table" and "unknown"; no language has them.
    #[error("WBXML language: {number} cannot be a public identifier; take one from 2 on, or none")]
    PublicId {
        /// The number.
        number: u32,
    },
}

impl LanguageBuilder {
    pub(super) const fn new(id: String) -> Self {
        Self {
            id,
            number: None,
            fpi: String::new(),
            root: String::new(),
            system_id: String::new(),
            tags: Vec::new(),
            attributes: Vec::new(),
            values: Vec::new(),
            extensions: Vec::new(),
            namespaces: Vec::new(),
        }
    }

    /// The public identifier as a number, from 2 on.
    #[must_use]
    pub const fn number(mut self, number: u32) -> Self {
        self.number = Some(number);
        self
    }

    /// The formal public identifier.
    #[must_use]
    pub fn fpi(mut self, fpi: impl Into<String>) -> Self {
        self.fpi = fpi.into();
        self
    }

    /// The name of the document element.
    #[must_use]
    pub fn root(mut self, root: impl Into<String>) -> Self {
        self.root = root.into();
        self
    }

    /// Where the DTD is, for a DOCTYPE.
    #[must_use]
    pub fn system_id(mut self, system_id: impl Into<String>) -> Self {
        self.system_id = system_id.into();
        self
    }

    /// The XML namespace of a page of tags.
    #[must_use]
    pub fn namespace(mut self, page: u8, name: impl Into<String>) -> Self {
        self.namespaces.push(Namespace { page, name: Cow::Owned(name.into()) });
        self
    }

    /// A tag: 05 to 3F.
    #[must_use]
    pub fn tag(self, page: u8, token: u8, name: impl Into<String>) -> Self {
        self.tag_with(page, token, name, OpaqueForm::Text)
    }

    /// A tag whose opaque content has a form.
    #[must_use]
    pub fn tag_with(
        mut self,
        page: u8,
        token: u8,
        name: impl Into<String>,
        form: OpaqueForm,
    ) -> Self {
        self.tags.push(row(page, token, name.into(), String::new(), form));
        self
    }

    /// An attribute start, 05 to 3F and 45 to 7F: a name, and what the value begins with (may be empty).
    #[must_use]
    pub fn attribute(
        mut self,
        page: u8,
        token: u8,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.attributes.push(row(page, token, name.into(), value.into(), OpaqueForm::Text));
        self
    }

    /// A piece of an attribute's value, 85 to BF and C5 to FF.
    #[must_use]
    pub fn value(mut self, page: u8, token: u8, text: impl Into<String>) -> Self {
        self.values.push(row(page, token, text.into(), String::new(), OpaqueForm::Text));
        self
    }

    /// The text that a number behind `EXT_T_0` stands for, 00 to 7F.
    #[must_use]
    pub fn extension(mut self, number: u8, text: impl Into<String>) -> Self {
        self.extensions.push(row(0, number, text.into(), String::new(), OpaqueForm::Text));
        self
    }

    /// Checks and sorts the tables.
    ///
    /// # Errors
    /// A token that its space does not have, a token given twice, a row without a name, a number below 2.
    pub fn build(mut self) -> Result<Language, LanguageError> {
        if let Some(number @ 0..=1) = self.number {
            return Err(LanguageError::PublicId { number });
        }
        self.namespaces.sort_by_key(|namespace| namespace.page);
        let local = |token: u8| token & 0x3F >= 0x05;
        Ok(Language {
            id: Cow::Owned(self.id),
            number: self.number,
            read_numbers: &[],
            fpi: Cow::Owned(self.fpi),
            root: Cow::Owned(self.root),
            system_id: Cow::Owned(self.system_id),
            tags: table("tag", self.tags, |token| (0x05..=0x3F).contains(&token))?,
            attributes: table("attribute", self.attributes, |t| t < 0x80 && local(t))?,
            values: table("value", self.values, |token| token >= 0x80 && local(token))?,
            extensions: table("extension", self.extensions, |token| token < 0x80)?,
            namespaces: Cow::Owned(self.namespaces),
        })
    }
}

const fn row(page: u8, token: u8, name: String, value: String, form: OpaqueForm) -> Row {
    Row { page, token, name: Cow::Owned(name), value: Cow::Owned(value), form, usage: Use::Both }
}

fn table(
    space: &'static str,
    rows: Vec<Row>,
    has: impl Fn(u8) -> bool,
) -> Result<Cow<'static, Table>, LanguageError> {
    let mut seen = BTreeSet::new();
    for row in &rows {
        let (page, token) = (row.page, row.token);
        if !has(token) {
            return Err(LanguageError::Token { space, page, token });
        }
        if row.name.is_empty() {
            return Err(LanguageError::Name { space, page, token });
        }
        if !seen.insert((page, token)) {
            return Err(LanguageError::Twice { space, page, token });
        }
    }
    // 256 pages of 256 tokens, each once, are what positions can number.
    Ok(Table::new(rows).map_or(Cow::Borrowed(&EMPTY), Cow::Owned))
}
