//! A whole element as it stands in a document, untouched.

use std::borrow::Cow;
use std::ops::Range;

use crate::event::Event;
use crate::namespaces::Scope;
use crate::options::Options;
use crate::reader::Reader;
use crate::writer::{WriteError, Writer};

/// What a fragment's own start tag says: the length of `<` and its name, the length of the whole tag, and what it
/// declares.
pub(crate) type Own = (usize, usize, Vec<(Box<str>, Box<str>)>);

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
                let declared =
                    start.declarations().map(|(p, name)| (p.into(), name.into())).collect();
                (start.name().qualified().len().saturating_add(1), start.raw().len(), declared)
            }
            _ => (0, 0, Vec::new()),
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

    /// What is between the element's tags, with its own declarations in scope too.
    pub fn inside(&self) -> Inside<'_> {
        Inside {
            raw: Cow::Borrowed(self.raw.get(self.between()).unwrap_or_default()),
            scope: self.inner_scope(),
        }
    }

    /// The same from a fragment that is no longer needed: what it borrows from the document stays borrowed.
    pub fn into_inside(self) -> Inside<'a> {
        let (between, scope) = (self.between(), self.inner_scope());
        let raw = match self.raw {
            Cow::Borrowed(raw) => Cow::Borrowed(raw.get(between).unwrap_or_default()),
            Cow::Owned(mut raw) => {
                raw.truncate(between.end);
                raw.drain(..between.start);
                Cow::Owned(raw)
            }
        };
        Inside { raw, scope }
    }

    fn between(&self) -> Range<usize> {
        let start = self.own.1.min(self.raw.len());
        // The last `</` of an element begins its end tag; an empty-element tag has none behind its start.
        let end = self.raw.rfind("</").filter(|end| *end >= start).unwrap_or(start);
        start..end
    }

    fn inner_scope(&self) -> Scope {
        let mut scope = self.scope.clone();
        for (prefix, name) in &self.own.2 {
            scope.insert(prefix, name);
        }
        scope
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
        self.own.2.iter().any(|(own, _)| &**own == prefix)
    }
}

/// What stood between the tags of an element, untouched: text and elements in any mixture, with the namespace
/// declarations that were in scope there. Made by [`Fragment::inside`] and [`Fragment::into_inside`], or from text.
///
/// [`Writer::inside`](crate::Writer::inside) writes it into another element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside<'a> {
    raw: Cow<'a, str>,
    scope: Scope,
}

impl<'a> Inside<'a> {
    /// Text and nothing else; what is markup in XML is escaped.
    ///
    /// # Errors
    /// [`SyntaxFault::Character`](crate::SyntaxFault::Character): a character that XML cannot carry.
    pub fn text(text: &str) -> Result<Inside<'static>, WriteError> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.start("t").content().text(text).end();
        writer.finish()?;
        let raw = out.get(3..out.len().saturating_sub(4)).unwrap_or_default().to_vec();
        let raw = Cow::Owned(String::from_utf8(raw).unwrap_or_default());
        Ok(Inside { raw, scope: Scope::EMPTY })
    }

    /// What was kept outside of a document: what [`raw`](Self::raw) and [`scope`](Self::scope) had given. It is not
    /// looked at again; what is not well-formed here makes the document that it is written into not well-formed.
    pub fn kept(raw: impl Into<Cow<'a, str>>, scope: Scope) -> Self {
        Self { raw: raw.into(), scope }
    }

    /// The characters as they stand in the document, references included.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The declarations in scope.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Inside<'static> {
        Inside { raw: Cow::Owned(self.raw.into_owned()), scope: self.scope }
    }

    /// Reads it as a document, which it is when it holds one element and else white space only. Positions count from
    /// its start.
    pub fn reader(&self, options: &Options) -> Reader<'_> {
        Reader::with_options(&self.raw, options).within(&self.scope)
    }

    /// The text, references replaced, when no element is inside.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        if !self.raw.contains(['&', '<', '\r']) {
            return Some(Cow::Borrowed(&self.raw));
        }
        let document = format!("<t>{}</t>", self.raw);
        let mut reader = Reader::with_options(&document, &WIDE).within(&self.scope);
        reader.next_event().ok()?;
        reader.text().ok().map(|text| Cow::Owned(text.into_owned()))
    }
}

/// What was read once may be read again, whatever its size.
const WIDE: Options = Options::STRICT.with_limits(
    crate::Limits::DEFAULT
        .with_document_length(u64::MAX)
        .with_text_length(usize::MAX)
        .with_namespaces(usize::MAX),
);
