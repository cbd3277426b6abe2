//! A whole element as it stands in a document, untouched.

use std::borrow::Cow;

use crate::event::Event;
use crate::namespaces::Scope;
use crate::options::Options;
use crate::reader::Reader;

/// What a fragment's own start tag says: the length of `<` and its name, and the prefixes that it declares.
pub(crate) type Own = (usize, Vec<Box<str>>);

/// An element as it stands in a document, from `<` to `>`, with the namespace declarations in scope around it. Nothing
/// in it is changed: a signature over it stays valid where canonicalisation is exclusive.
///
/// [`Writer::fragment`](crate::Writer::fragment) writes it elsewhere and adds the declarations that are missing there.
/// Attributes in the namespace of `xml` that the outer elements have (`xml:lang`, `xml:base`) do not come along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    raw: Cow<'a, str>,
    scope: Scope,
    own: Own,
}

impl<'a> Fragment<'a> {
    pub(crate) const fn new(raw: Cow<'a, str>, scope: Scope, own: Own) -> Self {
        Self { raw, scope, own }
    }

    pub(crate) fn own(event: Option<Event<'_>>) -> Own {
        match event {
            Some(Event::Start(start)) => {
                let declared = start.declarations().map(|(prefix, _)| prefix.into()).collect();
                (start.name().qualified().len().saturating_add(1), declared)
            }
            _ => (0, Vec::new()),
        }
    }

    /// The element's characters. Borrowed from the document where the pull reader kept it.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The element's characters.
    pub fn into_raw(self) -> Cow<'a, str> {
        self.raw
    }

    /// The declarations in scope around the element, without its own.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Fragment<'static> {
        Fragment { raw: Cow::Owned(self.raw.into_owned()), scope: self.scope, own: self.own }
    }

    /// Reads the element as a document of its own, with the declarations around it in scope. Positions count from the
    /// element's start.
    pub fn reader(&self, options: &Options) -> Reader<'_> {
        Reader::with_options(&self.raw, options).within(&self.scope)
    }

    /// The start of the tag up to the name's end, and the rest of the element.
    pub(crate) fn halves(&self) -> (&str, &str) {
        self.raw.split_at_checked(self.own.0).unwrap_or((&self.raw, ""))
    }

    /// Whether the element's own start tag declares a prefix.
    pub(crate) fn declares(&self, prefix: &str) -> bool {
        self.own.1.iter().any(|own| &**own == prefix)
    }
}
