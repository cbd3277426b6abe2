//! One step through a document, the same for whole documents and for streams.

use crate::error::{Construct, Error, ErrorKind, SchemaFault, SyntaxFault, shown};
use crate::event::Event;
use crate::machine::{Fault, Machine, Shape};
use crate::options::Options;
use crate::position::Position;
use crate::scan::Scanner;

/// What follows the text that is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending<'f> {
    /// More may come.
    Open,
    /// Nothing: the document ends.
    Finished,
    /// Bytes that are refused.
    Fault(&'f ErrorKind),
}

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An event that takes so many bytes of the text.
    Event(usize),
    /// So many bytes of the text are no event.
    Skipped(usize),
    /// Nothing: the piece at the start of the text is not complete.
    NeedInput,
    /// The document has ended as it should.
    End,
}

/// Scanner and machine, and what the last step left.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(crate) machine: Machine,
    scanner: Scanner,
    /// The last event.
    pub(crate) shape: Option<Shape>,
    /// The fault that ended the reading.
    pub(crate) error: Option<Error>,
}

impl Engine {
    pub(crate) fn new(options: &Options) -> Self {
        Self { machine: Machine::new(options), scanner: Scanner::NEW, shape: None, error: None }
    }

    /// Takes the event that the text begins with, if it is of the usual kind: how many bytes it takes. When it is not,
    /// [`step`](Self::step) goes on.
    #[inline]
    pub(crate) fn quick(&mut self, text: &str) -> Option<usize> {
        if self.machine.settle() {
            self.shape = Some(Shape::End);
            return Some(0);
        }
        // What the scanner has begun to look through is looked through once.
        if !self.scanner.is_new() {
            return None;
        }
        let (shape, length) = self.machine.quick(text)?;
        self.shape = Some(shape);
        Some(length)
    }

    /// Takes the piece at the start of the text.
    pub(crate) fn step(&mut self, text: &str, ending: Ending<'_>) -> Result<Step, Fault> {
        if self.machine.settle() {
            self.shape = Some(Shape::End);
            return Ok(Step::Event(0));
        }
        let length = match (self.scanner.scan(text.as_bytes(), self.machine.options())?, ending) {
            (Some(length), _) => length,
            (None, Ending::Open) => return Ok(Step::NeedInput),
            (None, Ending::Fault(kind)) => return Err((kind.clone(), text.len())),
            (None, Ending::Finished) if text.is_empty() => {
                self.machine.finish().map_err(|kind| (kind, 0))?;
                self.shape = None;
                return Ok(Step::End);
            }
            (None, Ending::Finished) if self.scanner.kind() == Construct::Text => text.len(),
            (None, Ending::Finished) => {
                let construct = self.scanner.kind();
                return Err((SyntaxFault::Unterminated { construct }.into(), 0));
            }
        };
        let kind = self.scanner.kind();
        self.scanner = Scanner::NEW;
        let raw = text.get(..length).unwrap_or_default();
        match self.machine.step(kind, raw)? {
            Some(shape) => {
                self.shape = Some(shape);
                Ok(Step::Event(length))
            }
            None => Ok(Step::Skipped(length)),
        }
    }

    /// The last event again.
    #[inline]
    pub(crate) fn event<'e>(&'e self, raw: &'e str) -> Option<Event<'e>> {
        self.shape.as_ref().map(|shape| self.machine.event(shape, raw))
    }

    /// That the last event is not what a caller expects.
    pub(crate) fn unexpected(&self, expected: &str, position: Position) -> Error {
        let expected = expected.to_owned();
        let fault = match &self.shape {
            Some(Shape::Start { .. }) => {
                let found = shown(&format!("{:?}", self.machine.element()));
                SchemaFault::Element { expected, found }
            }
            Some(Shape::Text(_) | Shape::Cdata(_)) => SchemaFault::Text,
            _ => SchemaFault::MissingElement { expected },
        };
        Error::schema(fault, position)
    }
}
