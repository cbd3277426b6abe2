//! Names, attributes and namespace declarations of the start tag that is open.

use std::ops::Range;

use super::{Tag, Writer, escape, misplaced, qualified};
use crate::chars::{is_ncname, whole_qname};
use crate::error::{Construct, ErrorKind, StructureFault, SyntaxFault, shown};
use crate::namespaces::Namespace;

/// A name that is known to be a qualified name, so that writing it many times checks it once.
///
/// ```
/// use bindery_xml::{QualifiedName, Writer};
///
/// let (item, mut out) = (QualifiedName::new("Item"), Vec::new());
/// let mut writer = Writer::new(&mut out);
/// if let Some(item) = item {
///     writer.start_named(item).end();
/// }
/// writer.finish()?;
/// assert_eq!(out, b"<Item/>");
/// # Ok::<(), bindery_xml::WriteError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifiedName<'n> {
    pub(super) name: &'n str,
    pub(super) prefix: usize,
}

impl<'n> QualifiedName<'n> {
    /// The name, if it is one (Namespaces in XML 1.0, production 7).
    pub fn new(name: &'n str) -> Option<Self> {
        whole_qname(name).map(|found| Self { name, prefix: found.prefix })
    }

    /// Prefix and local name.
    pub const fn as_str(&self) -> &'n str {
        self.name
    }
}

impl Writer<'_> {
    /// Declares a prefix (empty: the default namespace) on the element that was just begun. An empty name takes the
    /// default namespace away.
    pub fn namespace(&mut self, prefix: &str, name: &str) -> &mut Self {
        self.attempt(|w| {
            if !prefix.is_empty() && !is_ncname(prefix) {
                return Err(SyntaxFault::Name.into());
            }
            if prefix.is_empty() {
                w.begin_attribute("", "xmlns", name)?;
            } else {
                w.begin_attribute("xmlns", prefix, name)?;
            }
            w.namespaces.declare(prefix, name, usize::MAX)
        })
    }

    /// An attribute of the element that was just begun: `name` without a namespace, or `prefix:name`.
    pub fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.attempt(|w| {
            let length = qualified(name)?.prefix;
            if name == "xmlns" || name.starts_with("xmlns:") {
                return Err(StructureFault::ReservedNamespace { prefix: shown(name) }.into());
            }
            match (length, name.split_at_checked(length)) {
                (1.., Some((prefix, local))) => {
                    w.begin_attribute(prefix, local.get(1..).unwrap_or_default(), value)
                }
                _ => w.begin_attribute("", name, value),
            }
        })
    }

    /// Writes an attribute and keeps its name for [`check_tag`](Self::check_tag).
    fn begin_attribute(&mut self, prefix: &str, local: &str, value: &str) -> Result<(), ErrorKind> {
        if self.tag != Tag::Open {
            return Err(misplaced(Construct::Attribute));
        }
        self.out.push(b' ');
        let start = self.out.len();
        if !prefix.is_empty() {
            self.put(prefix);
            self.out.push(b':');
        }
        self.put(local);
        self.attributes.push((start..self.out.len(), prefix.len()));
        escape::value(value, self.out)
    }

    /// That the prefixes of the open tag are declared, and no attribute stands there twice.
    #[inline]
    pub(super) fn check_tag(&mut self) -> Result<(), ErrorKind> {
        // The default namespace needs no declaration.
        if let Some(open) = self.open.last()
            && open.prefix > 0
        {
            self.resolved(self.name_of(open).get(..open.prefix).unwrap_or_default())?;
        }
        match self.attributes.as_slice() {
            [] => return Ok(()),
            // One without a prefix, as a default namespace is: nothing can be wrong with it.
            [(_, 0)] => {}
            _ => self.check_attributes()?,
        }
        self.attributes.clear();
        Ok(())
    }

    fn resolved(&self, prefix: &str) -> Result<Namespace, ErrorKind> {
        let fault = || StructureFault::UndeclaredPrefix { prefix: shown(prefix) };
        self.namespaces.resolve(prefix).ok_or_else(|| fault().into())
    }

    /// The name of an attribute of the open tag.
    fn attribute_name(&self, (range, prefix): &(Range<usize>, usize)) -> AttributeName<'_> {
        let name = self.out.get(range.clone()).unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        let local = if *prefix == 0 { 0 } else { prefix + 1 };
        AttributeName {
            prefix: name.get(..*prefix).unwrap_or_default(),
            local: name.get(local..).unwrap_or_default(),
        }
    }

    fn namespace_of(&self, name: AttributeName<'_>) -> Result<Namespace, ErrorKind> {
        match name.prefix {
            "" => Ok(Namespace::NONE),
            "xmlns" => Ok(Namespace::XMLNS),
            prefix => self.resolved(prefix),
        }
    }

    fn check_attributes(&self) -> Result<(), ErrorKind> {
        let duplicate = if self.attributes.len() < MANY {
            let mut found = None;
            for (i, attribute) in self.attributes.iter().enumerate() {
                let name = self.attribute_name(attribute);
                let namespace = self.namespace_of(name)?;
                let before = self.attributes.get(..i).unwrap_or_default();
                let same = before.iter().map(|other| self.attribute_name(other)).any(|other| {
                    other.local == name.local && self.namespace_of(other) == Ok(namespace)
                });
                if same && found.is_none() {
                    found = Some(name);
                }
            }
            found
        } else {
            let mut seen = Vec::with_capacity(self.attributes.len());
            for attribute in &self.attributes {
                let name = self.attribute_name(attribute);
                seen.push((self.namespace_of(name)?, name.local, name));
            }
            seen.sort_unstable();
            let twice = |pair: &[(Namespace, &str, _)]| match pair {
                [(a, b, _), (c, d, _)] => (a, b) == (c, d),
                _ => false,
            };
            seen.windows(2).find(|pair| twice(pair)).and_then(|pair| pair.last()).map(|seen| seen.2)
        };
        match duplicate {
            Some(AttributeName { prefix: "", local }) => {
                Err(StructureFault::DuplicateAttribute { name: shown(local) }.into())
            }
            Some(AttributeName { prefix, local }) => {
                let name = shown(&format!("{prefix}:{local}"));
                Err(StructureFault::DuplicateAttribute { name }.into())
            }
            None => Ok(()),
        }
    }
}

/// From how many attributes on duplicates are found by sorting.
const MANY: usize = 9;

/// An attribute's name as it is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct AttributeName<'n> {
    prefix: &'n str,
    local: &'n str,
}
