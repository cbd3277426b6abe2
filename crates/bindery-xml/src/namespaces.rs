//! Namespace declarations in scope (Namespaces in XML 1.0).

use std::ops::Range;
use std::sync::Arc;

use crate::chars::is_ncname;
use crate::error::{ErrorKind, Limit, StructureFault, limit, shown};

/// The namespace of the prefix `xml`, which is always in scope.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace of declarations themselves.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A namespace as a number: equal numbers are equal namespaces while their declarations are in scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Namespace(usize);

impl Namespace {
    /// No namespace.
    pub(crate) const NONE: Self = Self(0);
    /// That of the prefix `xml`.
    pub(crate) const XML: Self = Self(1);
    /// That of declarations.
    pub(crate) const XMLNS: Self = Self(2);
    /// The number.
    pub(crate) const fn number(self) -> u64 {
        self.0 as u64
    }

    /// Numbers below this one belong to no declaration.
    const FIRST: usize = 3;
}

/// The declarations in scope: a stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespaces {
    bindings: Vec<Binding>,
    /// Prefixes and namespace names.
    arena: String,
    /// Grows with each declaration, so that a kept [`Scope`] is known to be old.
    generation: u64,
    kept: Option<(usize, u64, Scope)>,
    /// Grows with each declaration that comes or goes, so that what was found before is known to be old.
    changes: u64,
    /// What prefixes of up to seven bytes were found to mean.
    found: [Found; PLACES],
}

/// Places for prefixes that were looked up, each for those with one hash.
const PLACES: usize = 16;

/// What a prefix meant when so many changes had been made.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    key: u64,
    /// One more than the changes, so that an empty place fits none.
    changes: u64,
    namespace: usize,
}

#[derive(Clone, Debug)]
struct Binding {
    /// Length and first bytes of the prefix: most comparisons end here.
    key: u64,
    prefix: Range<usize>,
    uri: Range<usize>,
    /// The namespace of the first declaration in scope with the same name.
    namespace: Namespace,
}

fn key(prefix: &str) -> u64 {
    let length = u64::from(u8::try_from(prefix.len()).unwrap_or(u8::MAX)) << 56;
    prefix.bytes().take(7).fold(0, |key, byte| (key << 8) | u64::from(byte)) | length
}

impl Namespaces {
    /// How many declarations are in scope, hidden ones included.
    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Leaves the declarations that came behind the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        if let Some(first) = self.bindings.get(count) {
            self.arena.truncate(first.prefix.start);
            self.bindings.truncate(count);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.arena.get(range.clone()).unwrap_or_default()
    }

    /// Declares a prefix (empty: the default namespace) for a namespace name (empty: for none).
    pub(crate) fn declare(
        &mut self,
        prefix: &str,
        uri: &str,
        maximum: usize,
    ) -> Result<(), ErrorKind> {
        // Namespaces in XML 1.0, section 3, "Reserved Prefixes and Namespace Names", and section 2.2.
        let reserved = prefix == "xmlns"
            || uri == XMLNS_NAMESPACE
            || (prefix == "xml") != (uri == XML_NAMESPACE)
            || (uri.is_empty() && !prefix.is_empty());
        if reserved {
            return Err(StructureFault::ReservedNamespace { prefix: shown(prefix) }.into());
        }
        if self.bindings.len() >= maximum {
            return Err(limit(Limit::Namespaces, maximum));
        }
        let namespace = self.find(uri);
        let start = self.arena.len();
        self.arena.push_str(prefix);
        let middle = self.arena.len();
        self.arena.push_str(uri);
        let end = self.arena.len();
        let (prefix, uri) = (start..middle, middle..end);
        let key = key(self.text(&prefix));
        self.bindings.push(Binding { key, prefix, uri, namespace });
        self.generation = self.generation.wrapping_add(1);
        self.changes = self.changes.wrapping_add(1);
        Ok(())
    }

    /// The number of a namespace name, or the one that the next declaration gives it.
    fn find(&self, uri: &str) -> Namespace {
        match uri {
            "" => Namespace::NONE,
            XML_NAMESPACE => Namespace::XML,
            _ => {
                let same = self
                    .bindings
                    .iter()
                    .find(|b| b.uri.len() == uri.len() && self.text(&b.uri) == uri);
                same.map_or_else(
                    || Namespace(self.bindings.len().saturating_add(Namespace::FIRST)),
                    |binding| binding.namespace,
                )
            }
        }
    }

    /// The namespace of a prefix (empty: the default namespace); nothing for an undeclared prefix.
    pub(crate) fn resolve(&self, prefix: &str) -> Option<Namespace> {
        let key = key(prefix);
        let found = self
            .bindings
            .iter()
            .rev()
            .find(|b| b.key == key && (prefix.len() <= 7 || self.text(&b.prefix) == prefix));
        match (found, prefix) {
            (Some(binding), _) => Some(binding.namespace),
            (None, "") => Some(Namespace::NONE),
            (None, "xml") => Some(Namespace::XML),
            (None, _) => None,
        }
    }

    /// The same, found at once when it was asked for since the last declaration came or went.
    #[inline]
    pub(crate) fn look_up(&mut self, prefix: &str) -> Option<Namespace> {
        if self.bindings.is_empty() && prefix.is_empty() {
            return Some(Namespace::NONE);
        }
        let key = key(prefix);
        let place = usize::try_from(key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60).unwrap_or(0);
        let since = self.changes.wrapping_add(1);
        let known = self.found.get(place).copied().unwrap_or_default();
        if known.key == key && known.changes == since && prefix.len() <= 7 {
            return Some(Namespace(known.namespace));
        }
        let found = self.resolve(prefix)?;
        if prefix.len() <= 7
            && let Some(place) = self.found.get_mut(place)
        {
            *place = Found { key, changes: since, namespace: found.0 };
        }
        Some(found)
    }

    /// A namespace's name; empty for none.
    pub(crate) fn name(&self, namespace: Namespace) -> &str {
        match namespace {
            Namespace::NONE => "",
            Namespace::XML => XML_NAMESPACE,
            Namespace::XMLNS => XMLNS_NAMESPACE,
            Namespace(number) => {
                let index = number.saturating_sub(Namespace::FIRST);
                self.bindings.get(index).map_or("", |binding| self.text(&binding.uri))
            }
        }
    }

    /// The prefix and namespace name of a declaration.
    pub(crate) fn binding(&self, index: usize) -> Option<(&str, &str)> {
        self.bindings.get(index).map(|b| (self.text(&b.prefix), self.text(&b.uri)))
    }

    /// The first `count` declarations as a value; the same value again while nothing is declared in between.
    pub(crate) fn scope(&mut self, count: usize) -> Scope {
        if let Some((kept, generation, scope)) = &self.kept
            && (*kept, *generation) == (count, self.generation)
        {
            return scope.clone();
        }
        let visible = self.bindings.get(..count).unwrap_or_default();
        let mut scope = Scope::EMPTY;
        for (prefix, uri) in visible.iter().map(|b| (self.text(&b.prefix), self.text(&b.uri))) {
            scope.insert(prefix, uri);
        }
        self.kept = Some((count, self.generation, scope.clone()));
        scope
    }
}

/// The namespace declarations in scope at a place: prefix and namespace name, the default namespace under the empty
/// prefix. The prefix `xml` is in every scope and not listed. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scope(Option<Arc<Vec<Declared>>>);

/// A prefix with its namespace name.
type Declared = (Box<str>, Box<str>);

impl Scope {
    /// No declaration.
    pub const EMPTY: Self = Self(None);

    /// The declarations, ordered by prefix.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|list| list.iter()).map(|(prefix, uri)| (&**prefix, &**uri))
    }

    /// The namespace name of a prefix, the empty one for the default namespace.
    pub fn get(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(XML_NAMESPACE);
        }
        let list = self.0.as_deref()?;
        let at = list.binary_search_by(|(p, _)| (**p).cmp(prefix)).ok()?;
        list.get(at).map(|(_, uri)| &**uri)
    }

    /// The same with a declaration more, or another one for its prefix. An empty namespace name takes the default
    /// namespace away.
    ///
    /// # Errors
    /// [`StructureFault::ReservedNamespace`], [`SyntaxFault::Name`](crate::SyntaxFault::Name): what no document can
    /// declare.
    pub fn with(mut self, prefix: &str, uri: &str) -> Result<Self, ErrorKind> {
        if !prefix.is_empty() && !is_ncname(prefix) {
            return Err(crate::SyntaxFault::Name.into());
        }
        if let Some((_, found)) = crate::chars::forbidden(uri) {
            return Err(crate::SyntaxFault::Character { found }.into());
        }
        Namespaces::default().declare(prefix, uri, 1)?;
        self.insert(prefix, uri);
        Ok(self)
    }

    pub(crate) fn insert(&mut self, prefix: &str, uri: &str) {
        if prefix == "xml" {
            return;
        }
        let list = Arc::make_mut(self.0.get_or_insert_default());
        match (list.binary_search_by(|(p, _)| (**p).cmp(prefix)), uri.is_empty()) {
            (Ok(at), true) => {
                list.remove(at);
            }
            (Ok(at), false) => {
                if let Some(entry) = list.get_mut(at) {
                    entry.1 = uri.into();
                }
            }
            (Err(at), false) => list.insert(at, (prefix.into(), uri.into())),
            (Err(_), true) => {}
        }
        if list.is_empty() {
            self.0 = None;
        }
    }
}
