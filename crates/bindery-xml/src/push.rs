//! The push reader: a document that arrives in pieces.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use crate::encoding::{Decoder, Encoding};
use crate::engine::{Ending, Engine, Step};
use crate::error::{Error, SchemaFault};
use crate::event::Event;
use crate::fragment::{Fragment, Own};
use crate::machine::{Fault, Shape};
use crate::namespaces::Scope;
use crate::options::Options;
use crate::position::{Position, Tracker};

/// Reads the events of a document that arrives in pieces: [`feed`](Self::feed) what there is, take
/// [`next_event`](Self::next_event) until it needs input, and so on; [`finish`](Self::finish) when nothing more comes.
///
/// The events and faults are those of a [`Reader`](crate::Reader) of the whole document, wherever the pieces end. What
/// is buffered is what was fed and not read: one tag or text (bounded by the limits `tag_length` and `text_length`)
/// and the rest of the last piece, when the caller takes all events before it feeds again.
#[derive(Clone, Debug)]
pub struct PushReader {
    decoder: Decoder,
    engine: Engine,
    /// Characters from the last event's piece on.
    buffer: String,
    /// The last event's piece in the buffer.
    last: Range<usize>,
    /// Where the next piece begins in the buffer.
    next: usize,
    finished: bool,
    /// A place in the buffer, from which others are counted. Nothing before the encoding is known.
    place: Cell<Option<(usize, Tracker)>>,
    capture: Option<Capture>,
}

/// An element that is being kept or skipped.
#[derive(Clone, Debug)]
struct Capture {
    /// The depth outside the element.
    outside: usize,
    /// Nothing when it is skipped.
    kept: Option<(String, Scope, Own)>,
}

/// What [`PushReader::next_event`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'e> {
    /// The next event.
    Event(Event<'e>),
    /// No event is complete: feed more, or say that the document has ended.
    NeedInput,
    /// The document has ended as it should.
    End,
}

impl PushReader {
    /// A reader with [`Options::STRICT`].
    pub fn new() -> Self {
        Self::with_options(&Options::STRICT)
    }

    /// A reader with other limits and tolerances.
    pub fn with_options(options: &Options) -> Self {
        Self {
            decoder: Decoder::new(),
            engine: Engine::new(options),
            buffer: String::new(),
            last: 0..0,
            next: 0,
            finished: false,
            place: Cell::new(None),
            capture: None,
        }
    }

    /// Takes the next bytes of the document, any number. A fault in them is reported by
    /// [`next_event`](Self::next_event) at its place; bytes behind a fault, or behind [`finish`](Self::finish), are
    /// dropped.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.finished || self.engine.error.is_some() {
            return;
        }
        self.shrink();
        self.decoder.feed(bytes, self.engine.machine.options(), &mut self.buffer);
        self.begin();
    }

    /// Says that the document has ended.
    pub fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.decoder.finish(self.engine.machine.options(), &mut self.buffer);
            self.begin();
        }
    }

    /// Starts counting when the encoding is known.
    fn begin(&self) {
        if self.place.get().is_none()
            && let Some((encoding, mark)) = self.decoder.detected()
        {
            self.place.set(Some((0, Tracker::new(encoding, mark))));
        }
    }

    /// Drops what was read, when it is at least half of the buffer: each byte is moved a bounded number of times.
    fn shrink(&mut self) {
        let read = self.last.start;
        if read == 0 || read < self.buffer.len() / 2 {
            return;
        }
        let tracker = self.tracked(read);
        self.place.set(Some((0, tracker)));
        self.buffer.drain(..read);
        self.last = 0..self.last.end.saturating_sub(read);
        self.next = self.next.saturating_sub(read);
    }

    fn tracked(&self, at: usize) -> Tracker {
        match self.place.get() {
            Some((from, tracker)) => {
                tracker.advanced(self.buffer.get(from..at).unwrap_or_default())
            }
            None => Tracker::new(Encoding::Utf8, 0),
        }
    }

    /// The next event, or what is needed to find it.
    ///
    /// # Errors
    /// The first fault of the document, with its place; every later call returns it again.
    pub fn next_event(&mut self) -> Result<Progress<'_>, Error> {
        Ok(match self.advance()? {
            Step::NeedInput => Progress::NeedInput,
            Step::Event(_) => {
                let raw = self.buffer.get(self.last.clone()).unwrap_or_default();
                self.engine.event(raw).map_or(Progress::End, Progress::Event)
            }
            Step::Skipped(_) | Step::End => Progress::End,
        })
    }

    fn advance(&mut self) -> Result<Step, Error> {
        if let Some(error) = &self.engine.error {
            return Err(error.clone());
        }
        let text = self.buffer.get(self.next..).unwrap_or_default();
        if let Some(length) = self.engine.quick(text) {
            self.take(length);
            return Ok(Step::Event(length));
        }
        loop {
            let text = self.buffer.get(self.next..).unwrap_or_default();
            let ending = match (self.decoder.fault(), self.finished) {
                (Some(kind), _) => Ending::Fault(kind),
                (None, true) => Ending::Finished,
                (None, false) => Ending::Open,
            };
            let step = self.engine.step(text, ending).map_err(|fault| self.fail(fault))?;
            let length = match step {
                Step::Event(length) | Step::Skipped(length) => length,
                Step::NeedInput => return Ok(step),
                Step::End => 0,
            };
            // What is skipped may be dropped by the next feed too.
            self.take(length);
            if !matches!(step, Step::Skipped(_)) {
                return Ok(step);
            }
        }
    }

    /// Passes a piece, and adds it to the element that is being kept.
    fn take(&mut self, length: usize) {
        let piece = self.next..self.next + length;
        self.next = piece.end;
        if let Some(Capture { kept: Some((raw, ..)), .. }) = &mut self.capture {
            raw.push_str(self.buffer.get(piece.clone()).unwrap_or_default());
        }
        self.last = piece;
    }

    #[cold]
    fn fail(&mut self, (kind, at): Fault) -> Error {
        let error = Error::new(kind, self.tracked(self.next.saturating_add(at)).position());
        self.engine.error = Some(error.clone());
        self.buffer = String::new();
        (self.last, self.next, self.capture) = (0..0, 0, None);
        self.place.set(self.place.get().map(|(_, tracker)| (0, tracker)));
        error
    }

    /// Where the last event begins.
    pub fn position(&self) -> Position {
        let tracker = self.tracked(self.last.start);
        if self.place.get().is_some() {
            self.place.set(Some((self.last.start, tracker)));
        }
        tracker.position()
    }

    /// How many elements are open: after a start event its element counts, after an end event it does not.
    pub fn depth(&self) -> usize {
        self.engine.machine.depth()
    }

    /// The last event as it stands in the document, in UTF-8; empty for the end of an empty-element tag. An element's
    /// pieces from its start to its end, one behind the other, are the element untouched: with
    /// [`Options::comments`](crate::Options) and `processing_instructions`, so that none is left out, it can be
    /// streamed on without being held.
    pub fn raw(&self) -> &str {
        self.buffer.get(self.last.clone()).unwrap_or_default()
    }

    /// The namespace declarations in scope: after a start event with its own, after an end event with those of the
    /// element that ended.
    pub fn scope(&mut self) -> Scope {
        self.engine.machine.scope(true)
    }

    /// An error of the caller's schema at the last event.
    pub fn schema_error(&self, fault: SchemaFault) -> Error {
        Error::schema(fault, self.position())
    }

    /// The error that says what was expected instead of the last event.
    pub fn unexpected(&self, expected: &str) -> Error {
        self.engine.unexpected(expected, self.position())
    }

    /// After a start event: the whole element as it stands in the document, untouched, with the namespaces in scope.
    /// Nothing while input is needed: feed, and call it again. It holds the element in memory.
    ///
    /// # Errors
    /// A fault of the document.
    pub fn subtree(&mut self) -> Result<Option<Fragment<'static>>, Error> {
        self.capture(true)?;
        Ok(match self.captured()? {
            Some(Capture { kept: Some((raw, scope, own)), .. }) => {
                Some(Fragment::new(Cow::Owned(raw), scope, own))
            }
            _ => None,
        })
    }

    /// After a start event: goes to the end of its element. The inside is checked, not shown. False while input is
    /// needed: feed, and call it again.
    ///
    /// # Errors
    /// A fault of the document.
    pub fn skip_element(&mut self) -> Result<bool, Error> {
        self.capture(false)?;
        Ok(self.captured()?.is_some())
    }

    /// Begins with the element of the last event, unless one is begun.
    fn capture(&mut self, keep: bool) -> Result<(), Error> {
        if let Some(error) = &self.engine.error {
            return Err(error.clone());
        }
        if self.capture.is_some() {
            return Ok(());
        }
        if !matches!(self.engine.shape, Some(Shape::Start { .. })) {
            return Err(self.unexpected("an element"));
        }
        let outside = self.depth().saturating_sub(1);
        let kept = if keep {
            let scope = self.engine.machine.scope(false);
            let own = Fragment::own(self.engine.event(self.raw()));
            Some((self.raw().to_owned(), scope, own))
        } else {
            None
        };
        self.capture = Some(Capture { outside, kept });
        Ok(())
    }

    /// Goes on to the end of the element that is begun.
    fn captured(&mut self) -> Result<Option<Capture>, Error> {
        let outside = self.capture.as_ref().map_or(0, |capture| capture.outside);
        while self.depth() > outside {
            if self.advance()? == Step::NeedInput {
                return Ok(None);
            }
        }
        Ok(self.capture.take())
    }
}

impl Default for PushReader {
    fn default() -> Self {
        Self::new()
    }
}
