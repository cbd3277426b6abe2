//! The state of a document: what is open, what is declared, what the last piece was.
//!
//! [`Machine::step`] takes one whole piece (a tag, a text, ...) and checks it; what it found stays here until the next
//! step, and an [`Event`] shows it. Places are bytes from the start of the piece.

mod prolog;
mod quick;
mod tag;
mod text;

use std::ops::Range;

use crate::error::{Construct, ErrorKind, Limit, StructureFault, SyntaxFault, limit, shown};
use crate::event::{Attribute, Declaration, Doctype, Event, Name, ProcessingInstruction, Start};
use crate::namespaces::{Namespace, Namespaces, Scope};
use crate::options::Options;

/// A fault with its place in the piece.
pub(crate) type Fault = (ErrorKind, usize);

/// What the machine knows.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    options: Options,
    namespaces: Namespaces,
    /// The names of the open elements, one behind the other.
    names: String,
    open: Vec<Open>,
    records: Vec<Record>,
    /// Attribute values that are not in the document as they are.
    values: String,
    /// A text that is not in the document as it is.
    text: String,
    /// Scratch: attributes by a hash of their names.
    order: Vec<(u64, usize)>,
    /// The parts of the last declaration, DOCTYPE or instruction, in the piece.
    parts: [Option<Range<usize>>; 3],
    standalone: Option<bool>,
    stage: Stage,
    after: After,
}

/// How far the document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Nothing yet: the XML declaration may stand here.
    Start,
    /// Before the DOCTYPE.
    Prolog,
    /// Behind the DOCTYPE.
    Doctype,
    /// In the root element.
    Root,
    /// Behind the root element.
    Epilog,
}

/// What the last event leaves to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    /// An empty-element tag was a start; its end follows.
    End,
    /// An end event shows the innermost element, which then goes.
    Close,
}

/// An open element.
#[derive(Clone, Debug)]
struct Open {
    name: Range<usize>,
    prefix: usize,
    namespace: Namespace,
    /// Declarations that were in scope before it.
    outside: usize,
}

/// An attribute of the last start tag.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// In the piece.
    name: Range<usize>,
    prefix: usize,
    namespace: Namespace,
    value: Range<usize>,
    /// The value lies in `values`, not in the piece.
    replaced: bool,
}

impl Record {
    pub(crate) fn is_declaration(&self) -> bool {
        self.namespace == Namespace::XMLNS
    }
}

/// The event that a piece is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Its version, encoding and standalone are in `parts` and `standalone`.
    Declaration,
    /// Its name, public and system identifier are in `parts`.
    Doctype,
    Start {
        empty_tag: bool,
    },
    End,
    Text(Content),
    Cdata(Content),
    Comment(Content),
    /// Its target is in `parts`.
    ProcessingInstruction(Content),
}

/// Where characters lie.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In the piece.
    Piece(Range<usize>),
    /// In `text`.
    Replaced,
}

impl Machine {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            options: *options,
            namespaces: Namespaces::default(),
            names: String::new(),
            open: Vec::new(),
            records: Vec::new(),
            values: String::new(),
            text: String::new(),
            order: Vec::new(),
            parts: [None, None, None],
            standalone: None,
            stage: Stage::Start,
            after: After::Nothing,
        }
    }

    pub(crate) const fn options(&self) -> &Options {
        &self.options
    }

    /// How many elements are open; the one whose end the last event was is not.
    pub(crate) fn depth(&self) -> usize {
        self.open.len().saturating_sub(usize::from(self.after == After::Close))
    }

    /// The declarations around the innermost element, without its own ones or with them.
    pub(crate) fn scope(&mut self, own: bool) -> Scope {
        let outside = self.open.last().map_or(0, |open| open.outside);
        let count = if own { self.namespaces.len() } else { outside };
        self.namespaces.scope(count)
    }

    /// Puts declarations into scope before the document begins.
    pub(crate) fn declare(&mut self, scope: &Scope) -> Result<(), ErrorKind> {
        let maximum = self.options.limits.namespaces;
        scope.iter().try_for_each(|(prefix, uri)| self.namespaces.declare(prefix, uri, maximum))
    }

    /// What the last event left to be done; true when that is an event itself: the end of an empty-element tag.
    #[inline]
    pub(crate) fn settle(&mut self) -> bool {
        match std::mem::replace(&mut self.after, After::Nothing) {
            After::Nothing => false,
            After::End => {
                self.after = After::Close;
                true
            }
            After::Close => {
                if let Some(open) = self.open.pop() {
                    self.names.truncate(open.name.start);
                    self.namespaces.truncate(open.outside);
                }
                if self.open.is_empty() {
                    self.stage = Stage::Epilog;
                }
                false
            }
        }
    }

    /// Reads one piece. Nothing for what is no event.
    pub(crate) fn step(&mut self, kind: Construct, raw: &str) -> Result<Option<Shape>, Fault> {
        if let Some((at, found)) = crate::chars::forbidden(raw) {
            return Err((SyntaxFault::Character { found }.into(), at));
        }
        let shape = match kind {
            Construct::StartTag => self.start_tag(raw).map(Some),
            Construct::EndTag => self.end_tag(raw).map(Some),
            Construct::Text => self.characters(raw),
            Construct::Cdata => self.cdata(raw).map(Some),
            Construct::Comment => self.comment(raw),
            Construct::Doctype => self.doctype(raw).map(Some),
            _ => self.instruction(raw),
        };
        if self.stage == Stage::Start {
            self.stage = Stage::Prolog;
        }
        shape
    }

    /// What is wrong when the document ends here.
    pub(crate) fn finish(&self) -> Result<(), ErrorKind> {
        if let Some(open) = self.open.last() {
            let name = shown(self.names.get(open.name.clone()).unwrap_or_default());
            return Err(StructureFault::Unclosed { name }.into());
        }
        if self.stage == Stage::Epilog { Ok(()) } else { Err(StructureFault::NoRoot.into()) }
    }

    /// Opens an element.
    #[inline]
    fn push(&mut self, name: &str, prefix: usize, outside: usize) -> Result<(), Fault> {
        let namespace = self.namespaces.look_up(name.get(..prefix).unwrap_or_default());
        let Some(namespace) = namespace else {
            return Err((undeclared(name, prefix), 1));
        };
        let maximum = self.options.limits.depth;
        if self.open.len() >= maximum {
            return Err((limit(Limit::Depth, maximum), 0));
        }
        let start = self.names.len();
        self.names.push_str(name);
        self.open.push(Open { name: start..self.names.len(), prefix, namespace, outside });
        Ok(())
    }

    /// The innermost element's name.
    #[inline]
    pub(crate) fn element(&self) -> Name<'_> {
        match self.open.last() {
            Some(open) => Name {
                namespace: self.namespaces.name(open.namespace),
                qualified: self.names.get(open.name.clone()).unwrap_or_default(),
                prefix: open.prefix,
            },
            None => Name { namespace: "", qualified: "", prefix: 0 },
        }
    }

    /// Which declarations the innermost element has.
    pub(crate) fn declared(&self) -> Range<usize> {
        self.open.last().map_or(0, |open| open.outside)..self.namespaces.len()
    }

    pub(crate) fn binding(&self, index: usize) -> Option<(&str, &str)> {
        self.namespaces.binding(index)
    }

    pub(crate) fn record(&self, index: usize) -> Option<&Record> {
        self.records.get(index)
    }

    pub(crate) fn attribute<'e>(&'e self, record: &Record, raw: &'e str) -> Attribute<'e> {
        let place = if record.replaced { self.values.as_str() } else { raw };
        let name = Name {
            namespace: self.namespaces.name(record.namespace),
            qualified: part(raw, &record.name),
            prefix: record.prefix,
        };
        Attribute { name, value: part(place, &record.value) }
    }

    /// The event of the last piece.
    #[inline]
    pub(crate) fn event<'e>(&'e self, shape: &Shape, raw: &'e str) -> Event<'e> {
        let [first, second, third] = &self.parts;
        let of = |range: &Option<Range<usize>>| range.as_ref().map(|range| part(raw, range));
        let content = |content: &Content| match content {
            Content::Piece(range) => part(raw, range),
            Content::Replaced => self.text.as_str(),
        };
        match shape {
            Shape::Declaration => Event::Declaration(Declaration {
                version: of(first).unwrap_or_default(),
                encoding: of(second),
                standalone: self.standalone,
            }),
            Shape::Doctype => Event::Doctype(Doctype {
                name: of(first).unwrap_or_default(),
                public_id: of(second),
                system_id: of(third),
            }),
            Shape::Start { empty_tag } => {
                Event::Start(Start { machine: self, raw, empty_tag: *empty_tag })
            }
            Shape::End => Event::End(self.element()),
            Shape::Text(text) => Event::Text(content(text)),
            Shape::Cdata(text) => Event::Cdata(content(text)),
            Shape::Comment(text) => Event::Comment(content(text)),
            Shape::ProcessingInstruction(data) => {
                Event::ProcessingInstruction(ProcessingInstruction {
                    target: of(first).unwrap_or_default(),
                    data: content(data),
                })
            }
        }
    }
}

fn part<'e>(text: &'e str, range: &Range<usize>) -> &'e str {
    text.get(range.clone()).unwrap_or_default()
}

fn undeclared(name: &str, prefix: usize) -> ErrorKind {
    let prefix = shown(name.get(..prefix).unwrap_or_default());
    StructureFault::UndeclaredPrefix { prefix }.into()
}
