//! The pull reader: a whole document in memory.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use crate::encoding::Encoding;
use crate::engine::{Ending, Engine, Step};
use crate::error::{Error, ErrorKind, Limit, SchemaFault};
use crate::event::Event;
use crate::fragment::Fragment;
use crate::machine::{Content, Fault, Shape};
use crate::namespaces::Scope;
use crate::options::Options;
use crate::position::{Position, Tracker};

/// Reads a document's events one by one.
///
/// An event borrows from the reader until the next one is asked for. The strings in it that are not replaced lie in the
/// document's own memory, so that for instance `Bytes::slice_ref` can keep them without a copy.
///
/// The first fault ends the reading: every later call returns it again.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    engine: Engine,
    fault: Option<ErrorKind>,
    /// The last event's piece in the text.
    last: Range<usize>,
    /// Where the next piece begins.
    next: usize,
    /// A place that was asked for, so that the next one is counted from there.
    place: Cell<(usize, Tracker)>,
}

impl<'a> Reader<'a> {
    /// Reads characters with [`Options::STRICT`]; what the XML declaration says of an encoding is not looked at. For
    /// bytes use [`Source`](crate::Source).
    pub fn new(text: &'a str) -> Self {
        Self::with_options(text, &Options::STRICT)
    }

    /// Reads characters. A byte order mark at the start is skipped.
    pub fn with_options(text: &'a str, options: &Options) -> Self {
        let maximum = options.limits.document_length;
        let too_long = u64::try_from(text.len()).is_ok_and(|length| length > maximum);
        let fault = too_long.then_some(ErrorKind::Limit { limit: Limit::DocumentLength, maximum });
        let mut end =
            if too_long { usize::try_from(maximum).unwrap_or(text.len()) } else { text.len() };
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let text = text.get(..end).unwrap_or_default();
        let plain = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        Self::of(plain, Encoding::Utf8, text.len() - plain.len(), fault, options)
    }

    pub(crate) fn of(
        text: &'a str,
        encoding: Encoding,
        mark: usize,
        fault: Option<ErrorKind>,
        options: &Options,
    ) -> Self {
        let place = Cell::new((0, Tracker::new(encoding, mark)));
        Self { text, engine: Engine::new(options), fault, last: 0..0, next: 0, place }
    }

    /// The same with declarations in scope from the start, for a part of a document.
    pub(crate) fn within(mut self, scope: &Scope) -> Self {
        if let Err(kind) = self.engine.machine.declare(scope) {
            self.engine.error = Some(Error::new(kind, self.position()));
        }
        self
    }

    /// The next event; nothing behind the end of the document.
    ///
    /// # Errors
    /// The first fault of the document, by [`ErrorKind`], with its place.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        if self.advance()? {
            let raw = self.text.get(self.last.clone()).unwrap_or_default();
            return Ok(self.engine.event(raw));
        }
        Ok(None)
    }

    /// Goes to the next event; false at the end.
    #[inline]
    fn advance(&mut self) -> Result<bool, Error> {
        if let Some(error) = &self.engine.error {
            return Err(error.clone());
        }
        let text = self.text.get(self.next..).unwrap_or_default();
        if let Some(length) = self.engine.quick(text) {
            self.last = self.next..self.next + length;
            self.next += length;
            return Ok(true);
        }
        self.step()
    }

    /// The same for what is of no usual kind.
    fn step(&mut self) -> Result<bool, Error> {
        loop {
            let text = self.text.get(self.next..).unwrap_or_default();
            let ending = self.fault.as_ref().map_or(Ending::Finished, Ending::Fault);
            match self.engine.step(text, ending) {
                Ok(Step::Event(length)) => {
                    self.last = self.next..self.next + length;
                    self.next += length;
                    return Ok(true);
                }
                Ok(Step::Skipped(length)) => self.next += length,
                Ok(Step::End | Step::NeedInput) => {
                    self.last = self.next..self.next;
                    return Ok(false);
                }
                Err(fault) => return Err(self.fail(fault)),
            }
        }
    }

    #[cold]
    fn fail(&mut self, (kind, at): Fault) -> Error {
        let error = Error::new(kind, self.tracked(self.next.saturating_add(at)).position());
        self.engine.error = Some(error.clone());
        error
    }

    fn tracked(&self, at: usize) -> Tracker {
        let (from, tracker) = self.place.get();
        tracker.advanced(self.text.get(from..at).unwrap_or_default())
    }

    /// Where the last event begins. Asked for event by event, all positions together take time in proportion to the
    /// document.
    pub fn position(&self) -> Position {
        let tracker = self.tracked(self.last.start);
        self.place.set((self.last.start, tracker));
        tracker.position()
    }

    /// How many elements are open: after a start event its element counts, after an end event it does not.
    pub fn depth(&self) -> usize {
        self.engine.machine.depth()
    }

    /// The last event as it stands in the document; empty for the end of an empty-element tag.
    pub fn raw(&self) -> &'a str {
        self.text.get(self.last.clone()).unwrap_or_default()
    }

    /// Where the last event stands: bytes of the document's characters in UTF-8, counted behind a byte order mark.
    pub fn span(&self) -> Range<usize> {
        self.last.clone()
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

    /// After a start event: the element's text and CDATA sections up to its end, as one string.
    ///
    /// # Errors
    /// A fault of the document; [`SchemaFault::Element`] when there is an element inside.
    pub fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        self.require_start()?;
        let mut text = Cow::Borrowed("");
        while self.advance()? {
            let piece = match &self.engine.shape {
                Some(Shape::End) => break,
                Some(Shape::Start { .. }) => return Err(self.unexpected("text only")),
                Some(Shape::Text(content) | Shape::Cdata(content)) => self.kept(content),
                _ => continue,
            };
            if text.is_empty() {
                text = piece;
            } else {
                text.to_mut().push_str(&piece);
            }
        }
        Ok(text)
    }

    fn kept(&self, content: &Content) -> Cow<'a, str> {
        match content {
            Content::Piece(range) => {
                Cow::Borrowed(self.raw().get(range.clone()).unwrap_or_default())
            }
            Content::Replaced => match self.engine.event("") {
                Some(Event::Text(text) | Event::Cdata(text)) => Cow::Owned(text.to_owned()),
                _ => Cow::Borrowed(""),
            },
        }
    }

    /// After a start event: goes to the end of its element. The inside is checked, not shown.
    ///
    /// # Errors
    /// A fault of the document.
    pub fn skip_element(&mut self) -> Result<(), Error> {
        self.require_start()?;
        let outside = self.depth().saturating_sub(1);
        while self.depth() > outside && self.advance()? {}
        Ok(())
    }

    /// After a start event: the whole element as it stands in the document, untouched, with the namespaces in scope.
    /// The reader goes to the element's end. The inside is checked.
    ///
    /// # Errors
    /// A fault of the document.
    pub fn subtree(&mut self) -> Result<Fragment<'a>, Error> {
        self.require_start()?;
        let (start, scope) = (self.last.start, self.engine.machine.scope(false));
        let own = Fragment::own(self.engine.event(self.raw()));
        self.skip_element()?;
        let raw = self.text.get(start..self.last.end).unwrap_or_default();
        Ok(Fragment::new(Cow::Borrowed(raw), scope, own))
    }

    fn require_start(&self) -> Result<(), Error> {
        match (&self.engine.error, &self.engine.shape) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(Shape::Start { .. })) => Ok(()),
            (None, _) => Err(self.unexpected("an element")),
        }
    }
}
