//! Languages: which token of which code page means which tag, attribute or piece of text.
//!
//! The registered languages are statics made from `registry/*.csv` by `cargo xtask codegen`; a private one is made at
//! run time by [`Language::builder`]. Look-ups are by sorted tables; there is no global state.

mod builder;
pub mod languages;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use self::builder::{LanguageBuilder, LanguageError};
pub(crate) use self::table::{Table, in_page};

/// One row of a language's tables: a token of a code page and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    page: u8,
    token: u8,
    name: Cow<'static, str>,
    value: Cow<'static, str>,
    form: OpaqueForm,
    usage: Use,
}

/// What opaque data means in the element or attribute that it stands in. The bytes and their text are turned into each
/// other by [`OpaqueForm::to_text`] and [`OpaqueForm::to_opaque`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpaqueForm {
    /// Text in the document's character set, or bytes of which the language says nothing.
    #[default]
    Text,
    /// Bytes that XML carries as base64.
    Base64,
    /// What the message's own type field says, as SyncML's Data by its Meta: text, bytes, or a WBXML document inside
    /// this one (DevInf).
    ByType,
    /// Date and time of SI and EMN: one byte for two decimal digits, zero bytes at the end left out.
    DateTime,
    /// Date and time of Wireless Village: six bytes of bit fields.
    WvDateTime,
    /// Number of Wireless Village: one to four bytes, big endian.
    WvInteger,
}

/// Which direction a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Both,
    /// Understood, never written: another row is preferred, or the token is no part of the specification.
    Read,
    /// Another name of a token that is read by its first one.
    Write,
}

impl Row {
    pub(crate) const fn fixed(
        page: u8,
        token: u8,
        name: &'static str,
        value: &'static str,
        form: OpaqueForm,
        usage: Use,
    ) -> Self {
        Self { page, token, name: Cow::Borrowed(name), value: Cow::Borrowed(value), form, usage }
    }

    /// The code page.
    pub const fn page(&self) -> u8 {
        self.page
    }

    /// The token: of a tag without the bits for attributes and content; of an extension the number behind `EXT_T`.
    pub const fn token(&self) -> u8 {
        self.token
    }

    /// The name of a tag or attribute; the text of a value or an extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the value of an attribute begins with when this token starts it; otherwise empty.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What opaque data in this element or attribute means.
    pub const fn form(&self) -> OpaqueForm {
        self.form
    }

    /// Whether the token is understood and never written.
    pub fn is_read_only(&self) -> bool {
        self.usage == Use::Read
    }
}

/// The XML namespace that a code page of tags stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    page: u8,
    name: Cow<'static, str>,
}

impl Namespace {
    const fn fixed(page: u8, name: &'static str) -> Self {
        Self { page, name: Cow::Borrowed(name) }
    }

    /// The code page.
    pub const fn page(&self) -> u8 {
        self.page
    }

    /// The namespace's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A document type: its identifiers and its tables of tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Language {
    id: Cow<'static, str>,
    number: Option<u32>,
    read_numbers: &'static [u32],
    fpi: Cow<'static, str>,
    root: Cow<'static, str>,
    system_id: Cow<'static, str>,
    tags: Cow<'static, Table>,
    attributes: Cow<'static, Table>,
    values: Cow<'static, Table>,
    extensions: Cow<'static, Table>,
    namespaces: Cow<'static, [Namespace]>,
}

impl Language {
    #[expect(clippy::too_many_arguments, reason = "one call per row of generated code")]
    const fn fixed(
        id: &'static str,
        number: Option<u32>,
        read_numbers: &'static [u32],
        fpi: &'static str,
        root: &'static str,
        system_id: &'static str,
        tags: &'static Table,
        attributes: &'static Table,
        values: &'static Table,
        extensions: &'static Table,
        namespaces: &'static [Namespace],
    ) -> Self {
        Self {
            id: Cow::Borrowed(id),
            number,
            read_numbers,
            fpi: Cow::Borrowed(fpi),
            root: Cow::Borrowed(root),
            system_id: Cow::Borrowed(system_id),
            tags: Cow::Borrowed(tags),
            attributes: Cow::Borrowed(attributes),
            values: Cow::Borrowed(values),
            extensions: Cow::Borrowed(extensions),
            namespaces: Cow::Borrowed(namespaces),
        }
    }

    /// A language that is in no registry, made at run time.
    pub fn builder(id: impl Into<String>) -> LanguageBuilder {
        LanguageBuilder::new(id.into())
    }

    /// Every registered language.
    pub fn all() -> &'static [&'static Self] {
        languages::ALL
    }

    /// The registered language with this short name, such as `syncml12`; capitals count.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        Self::all().iter().copied().find(|language| language.id == id)
    }

    /// The registered language with this public identifier. 0 and 1 ("unknown or missing") belong to none.
    pub fn by_public_id(number: u32) -> Option<&'static Self> {
        let has = |l: &&Self| l.number == Some(number) || l.read_numbers.contains(&number);
        Self::all().iter().copied().find(has)
    }

    /// The registered language with this formal public identifier, such as `-//SYNCML//DTD SyncML 1.2//EN`. White
    /// space counts as XML says (section 4.2.2: none around it, one space for a run of it), as published DDF files need;
    /// capitals of ASCII do not count, as with libwbxml.
    pub fn by_fpi(fpi: &str) -> Option<&'static Self> {
        let words = || fpi.split_ascii_whitespace();
        let is = |l: &&Self| {
            let mut own = l.fpi.split(' ');
            words().all(|word| own.next().is_some_and(|own| own.eq_ignore_ascii_case(word)))
                && own.next().is_none()
        };
        words().next()?;
        Self::all().iter().copied().find(is)
    }

    /// The registered languages whose documents begin with this element. Versions of a language share their root, so
    /// the caller decides which one it means.
    pub fn by_root(root: &str) -> impl Iterator<Item = &'static Self> {
        Self::all().iter().copied().filter(move |language| language.root == root)
    }

    /// The short name in this registry.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The registered public identifier.
    pub const fn number(&self) -> Option<u32> {
        self.number
    }

    /// The formal public identifier.
    pub fn fpi(&self) -> Option<&str> {
        (!self.fpi.is_empty()).then_some(&*self.fpi)
    }

    /// The name of the document element.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Where the DTD is said to be, for a DOCTYPE.
    pub fn system_id(&self) -> Option<&str> {
        (!self.system_id.is_empty()).then_some(&*self.system_id)
    }

    /// The tag of a token.
    pub fn tag(&self, page: u8, token: u8) -> Option<&Row> {
        self.tags.row(page, token)
    }

    /// The token of a tag: the one of `page` if that page has the name, otherwise the first page's. Where pages have
    /// tags of the same name ([`namespace`](Self::namespace) tells them apart) check the row's page.
    pub fn tag_by_name(&self, name: &str, page: u8) -> Option<&Row> {
        self.tags.named(name, page)
    }

    /// The attribute start of a token.
    pub fn attribute(&self, page: u8, token: u8) -> Option<&Row> {
        self.attributes.row(page, token)
    }

    /// The attribute start that takes most of `value`; of two equal ones that of `page`. `None` if no row has the name
    /// and a beginning of the value.
    pub fn attribute_for(&self, name: &str, value: &str, page: u8) -> Option<&Row> {
        self.attributes.start(name, value, page)
    }

    /// The piece of an attribute's value that a token stands for.
    pub fn value(&self, page: u8, token: u8) -> Option<&Row> {
        self.values.row(page, token)
    }

    /// The value token that takes most from the beginning of `text`; of two equal ones that of `page`.
    pub fn value_for(&self, text: &str, page: u8) -> Option<&Row> {
        self.values.beginning(text, page)
    }

    /// The text that the number behind `EXT_T_0` stands for (Wireless Village).
    pub fn extension(&self, number: u32) -> Option<&Row> {
        self.extensions.row(0, u8::try_from(number).ok()?)
    }

    /// The extension that stands for the whole of `text`.
    pub fn extension_for(&self, text: &str) -> Option<&Row> {
        self.extensions.named(text, 0)
    }

    /// Every tag, by page and token; names that are only written come last.
    pub fn tags(&self) -> &[Row] {
        self.tags.rows()
    }

    /// Every attribute start, by page and token.
    pub fn attributes(&self) -> &[Row] {
        self.attributes.rows()
    }

    /// Every value token, by page and token.
    pub fn values(&self) -> &[Row] {
        self.values.rows()
    }

    /// Every extension, by number.
    pub fn extensions(&self) -> &[Row] {
        self.extensions.rows()
    }

    /// The XML namespace of a page of tags.
    pub fn namespace(&self, page: u8) -> Option<&str> {
        self.namespaces.iter().find(|n| n.page == page).map(Namespace::name)
    }

    /// The page of tags that an XML namespace stands for.
    pub fn page_of(&self, namespace: &str) -> Option<u8> {
        self.namespaces.iter().find(|n| n.name == namespace).map(Namespace::page)
    }

    /// Every namespace, by page.
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// The tags of a page, by token.
    pub(crate) fn tags_of(&self, page: u8) -> &[Row] {
        self.tags.page(page)
    }

    /// The attribute starts of a page, by token.
    pub(crate) fn attributes_of(&self, page: u8) -> &[Row] {
        self.attributes.page(page)
    }
}

/// The names only: the tables are long.
impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Language")
            .field("id", &self.id)
            .field("number", &self.number)
            .field("fpi", &self.fpi)
            .finish_non_exhaustive()
    }
}
