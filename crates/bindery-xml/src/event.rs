//! What a document consists of.

use std::fmt;

use crate::machine::{Machine, Record};

/// One event of a document. It borrows from the reader; what the document holds without references and carriage
/// returns is borrowed from the document's own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'e> {
    /// The XML declaration.
    Declaration(Declaration<'e>),
    /// A document type declaration (tolerance `doctype`). Nothing that it names is read.
    Doctype(Doctype<'e>),
    /// An element begins. An empty-element tag is a start and an end too.
    Start(Start<'e>),
    /// An element ends: its name.
    End(Name<'e>),
    /// Characters between markup inside the root element, references replaced and line ends normalised (XML 1.0,
    /// section 2.11). Never empty; may be white space only. CDATA sections, comments and processing instructions
    /// divide it, also those that are skipped.
    Text(&'e str),
    /// A CDATA section. May be empty.
    Cdata(&'e str),
    /// A comment, when [`Options::comments`](crate::Options) asks for them.
    Comment(&'e str),
    /// A processing instruction, when [`Options::processing_instructions`](crate::Options) asks for them.
    ProcessingInstruction(ProcessingInstruction<'e>),
}

/// The XML declaration (XML 1.0, section 2.8). A version 1.x is read as 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Declaration<'e> {
    /// The version: `1.0`, or another one that begins with `1.`.
    pub version: &'e str,
    /// The encoding's name as it is written.
    pub encoding: Option<&'e str>,
    /// `standalone`, when it is there.
    pub standalone: Option<bool>,
}

/// A document type declaration without an internal subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Doctype<'e> {
    /// The name of the root element that it announces; it is not compared with the root element.
    pub name: &'e str,
    /// The public identifier.
    pub public_id: Option<&'e str>,
    /// The system identifier.
    pub system_id: Option<&'e str>,
}

/// A processing instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessingInstruction<'e> {
    /// Its target.
    pub target: &'e str,
    /// What follows the target and white space; may be empty.
    pub data: &'e str,
}

/// The name of an element or attribute. Two names are equal when namespace and local name are; the prefix does not
/// count.
#[derive(Clone, Copy)]
pub struct Name<'e> {
    pub(crate) namespace: &'e str,
    pub(crate) qualified: &'e str,
    /// Bytes of the prefix, 0 without one.
    pub(crate) prefix: usize,
}

impl<'e> Name<'e> {
    /// The namespace name; empty for a name in no namespace.
    pub const fn namespace(&self) -> &'e str {
        self.namespace
    }

    /// The name without its prefix.
    pub fn local(&self) -> &'e str {
        let start = if self.prefix == 0 { 0 } else { self.prefix + 1 };
        self.qualified.get(start..).unwrap_or_default()
    }

    /// The prefix as it is written.
    pub fn prefix(&self) -> Option<&'e str> {
        if self.prefix == 0 { None } else { self.qualified.get(..self.prefix) }
    }

    /// Prefix and local name as they are written.
    pub const fn qualified(&self) -> &'e str {
        self.qualified
    }

    /// Whether the name has this namespace (empty: none) and local name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace == namespace
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.local() == other.local() && self.namespace == other.namespace
    }
}

impl Eq for Name<'_> {}

/// The name as it is written.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.qualified)
    }
}

/// `taxii:Poll_Request{http://taxii...}`
impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.qualified)?;
        if self.namespace.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.namespace) }
    }
}

/// A start tag.
#[derive(Clone, Copy)]
pub struct Start<'e> {
    pub(crate) machine: &'e Machine,
    pub(crate) raw: &'e str,
    pub(crate) empty_tag: bool,
}

impl<'e> Start<'e> {
    /// The element's name.
    pub fn name(&self) -> Name<'e> {
        self.machine.element()
    }

    /// Whether the element is an empty-element tag (`<a/>`); the end event follows in either case.
    pub const fn is_empty_tag(&self) -> bool {
        self.empty_tag
    }

    /// The attributes in the document's order, without namespace declarations.
    pub fn attributes(&self) -> Attributes<'e> {
        Attributes { start: *self, next: 0 }
    }

    /// The value of the attribute with this namespace (empty: none, as of every attribute without a prefix) and local
    /// name.
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&'e str> {
        self.attributes().find(|a| a.name.is(namespace, local)).map(|a| a.value)
    }

    /// The namespace declarations of this tag in the document's order.
    pub fn declarations(&self) -> Declarations<'e> {
        let bindings = self.machine.declared();
        Declarations { machine: self.machine, next: bindings.start, end: bindings.end }
    }

    /// The tag as it stands in the document, from `<` to `>`.
    pub const fn raw(&self) -> &'e str {
        self.raw
    }
}

impl PartialEq for Start<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.empty_tag == other.empty_tag
            && self.declarations().eq(other.declarations())
            && self.attributes().eq(other.attributes())
    }
}

impl Eq for Start<'_> {}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("name", &self.name())
            .field("empty_tag", &self.empty_tag)
            .field("declarations", &self.declarations().collect::<Vec<_>>())
            .field("attributes", &self.attributes().collect::<Vec<_>>())
            .finish()
    }
}

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute<'e> {
    /// Its name.
    pub name: Name<'e>,
    /// Its value, references replaced and white space normalised as for CDATA (XML 1.0, section 3.3.3).
    pub value: &'e str,
}

/// The attributes of a start tag.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'e> {
    start: Start<'e>,
    next: usize,
}

impl<'e> Iterator for Attributes<'e> {
    type Item = Attribute<'e>;

    fn next(&mut self) -> Option<Attribute<'e>> {
        loop {
            let record: &'e Record = self.start.machine.record(self.next)?;
            self.next += 1;
            if !record.is_declaration() {
                return Some(self.start.machine.attribute(record, self.start.raw));
            }
        }
    }
}

/// The namespace declarations of a start tag: prefix (empty: the default namespace) and namespace name (empty: none).
#[derive(Clone, Copy, Debug)]
pub struct Declarations<'e> {
    machine: &'e Machine,
    next: usize,
    end: usize,
}

impl<'e> Iterator for Declarations<'e> {
    type Item = (&'e str, &'e str);

    fn next(&mut self) -> Option<(&'e str, &'e str)> {
        if self.next >= self.end {
            return None;
        }
        let found = self.machine.binding(self.next);
        self.next += 1;
        found
    }
}
