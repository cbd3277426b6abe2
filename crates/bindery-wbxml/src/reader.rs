//! The pull reader: one pass over a byte slice, no recursion.

/// The value of a small result; otherwise the reading ends.
macro_rules! tri {
    ($reader:expr, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(kind) => return $reader.fail(kind),
        }
    };
}

mod attributes;

use std::borrow::Cow;
use std::fmt;

use crate::error::{Limit, Space};
use crate::event::{Event, Extension, ExtensionValue, Name, StartElement, Text};
use crate::registry::{Row, in_page};
use crate::token::{self, Global};
use crate::{Charset, Error, ErrorKind, Language, Options, Prologue, Version, number};

/// What [`Reader::next`](Iterator::next) gives.
type Step<'a> = Option<Result<Event<'a>, Error>>;

/// Reads a document as a sequence of [`Event`]s.
///
/// Strings and opaque data are borrowed from the document. The reader keeps the names of the open elements and nothing
/// else, so its memory goes with the depth; every document takes time in proportion to its length and to what its
/// references give, both bounded by [`Limits`](crate::Limits). After an error it yields nothing more.
///
/// ```
/// use bindery_wbxml::{Event, Reader};
///
/// // <Sync xmlns="AirSync:"><SyncKey>0</SyncKey></Sync>, without a public identifier
/// let document = [0x03, 0x01, 0x6A, 0x00, 0x45, 0x4B, 0x03, b'0', 0x00, 0x01, 0x01];
/// let options = bindery_wbxml::Options::STRICT
///     .with_language(&bindery_wbxml::languages::ACTIVESYNC);
/// let mut names = Vec::new();
/// for event in Reader::with_options(&document, &options)? {
///     if let Event::StartElement(start) = event? {
///         names.push(start.name.to_string());
///     }
/// }
/// assert_eq!(names, ["Sync", "SyncKey"]);
/// # Ok::<(), bindery_wbxml::Error>(())
/// ```
#[derive(Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
    /// Where the next token is.
    position: usize,
    /// Where the last event began.
    began: usize,
    prologue: Prologue<'a>,
    options: Options<'a>,
    language: Option<&'a Language>,
    tags: Page<'a>,
    /// The page of tags before the last switch: documents go to and fro between two.
    tags_before: Page<'a>,
    attributes: Page<'a>,
    open: Vec<Name<'a>>,
    state: State,
    /// The state to which the end of an instruction leads back.
    resume: State,
    /// Switches of the page since the last other token.
    switches: u16,
    events: u32,
    expansion: u32,
    /// Bytes of the document that are known to be UTF-8, and where they begin: strings in them need no second look.
    valid: &'a str,
    valid_at: usize,
}

/// How much of the document is looked at ahead for UTF-8: many short strings are checked at once.
const WINDOW: usize = 4096;

/// The page in force in a code space, and its rows.
#[derive(Clone, Copy)]
struct Page<'a> {
    number: u8,
    rows: &'a [Row],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the document element.
    Before,
    /// Inside an element, where content may stand.
    Content,
    /// In the attribute list of the element begun last.
    Attributes { count: u16, content: bool },
    /// An element without content was begun: its end is next.
    Empty,
    /// In a processing instruction.
    Instruction,
    /// After the document element.
    After,
    /// At the end, or after an error.
    Done,
}

impl<'a> Reader<'a> {
    /// A strict reader with the default limits; the language is the one of the public identifier.
    ///
    /// # Errors
    /// If the prologue is malformed.
    pub fn new(document: &'a [u8]) -> Result<Self, Error> {
        Self::with_options(document, &Options::STRICT)
    }

    /// A reader with these options.
    ///
    /// # Errors
    /// If the prologue is malformed.
    pub fn with_options(document: &'a [u8], options: &Options<'a>) -> Result<Self, Error> {
        let prologue = Prologue::read(document, options)?;
        let language = options.language.or_else(|| prologue.public_id.language());
        let tags = Page { number: 0, rows: language.map_or(&[], |l| l.tags_of(0)) };
        Ok(Self {
            data: document,
            position: prologue.body,
            began: prologue.body,
            options: *options,
            language,
            tags,
            tags_before: tags,
            attributes: Page { number: 0, rows: language.map_or(&[], |l| l.attributes_of(0)) },
            open: Vec::new(),
            state: State::Before,
            resume: State::Before,
            switches: 0,
            events: 0,
            expansion: 0,
            valid: "",
            valid_at: 0,
            prologue,
        })
    }

    /// What stands before the body.
    pub const fn prologue(&self) -> &Prologue<'a> {
        &self.prologue
    }

    /// The language by which names are given.
    pub const fn language(&self) -> Option<&'a Language> {
        self.language
    }

    /// Where the last event began (before the first one: where the body begins), in bytes from the start of the
    /// document. An end that no token stands for begins where the next token does.
    pub const fn offset(&self) -> usize {
        self.began
    }

    /// The open elements, outermost first.
    pub fn open(&self) -> &[Name<'a>] {
        &self.open
    }

    /// A string of the string table, such as the name of a WML variable behind `EXT_T`.
    ///
    /// # Errors
    /// If there is none, or it is longer than `text_length`, or not of the character set; and when all references
    /// together give more than `expansion`.
    pub fn string(&mut self, index: u32) -> Result<Cow<'a, str>, Error> {
        self.reference(index).map_err(|kind| self.fault(kind))
    }

    /// Counts what a reference gives against the limit on all of them.
    fn reference(&mut self, index: u32) -> Result<Cow<'a, str>, ErrorKind> {
        let limits = &self.options.limits;
        let left = limits.expansion - self.expansion;
        let spent = ErrorKind::Limit { limit: Limit::Expansion, maximum: limits.expansion };
        let read = self.prologue.string(index, limits.text_length.min(left));
        let (text, length) = match read {
            Err(ErrorKind::Limit { .. }) if left < limits.text_length => return Err(spent),
            read => read?,
        };
        // One more for the reference itself, so that empty strings are not free.
        let cost = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(1);
        self.expansion = match self.expansion.checked_add(cost) {
            Some(sum) if sum <= limits.expansion => sum,
            _ => return Err(spent),
        };
        Ok(text)
    }

    /// An error at the place of the last event, in the code space of the state.
    #[cold]
    fn fault(&self, kind: ErrorKind) -> Error {
        let (space, page) = match self.state {
            State::Attributes { .. } | State::Instruction => {
                (Space::Attribute, self.attributes.number)
            }
            _ => (Space::Tag, self.tags.number),
        };
        let token = self.data.get(self.began).copied();
        Error::new(kind, self.began).at(space, page, token, &self.open)
    }

    /// Ends the reading with an error.
    #[cold]
    fn fail(&mut self, kind: ErrorKind) -> Step<'a> {
        let error = self.fault(kind);
        self.state = State::Done;
        Some(Err(error))
    }

    /// Gives an event. It is made in the place where the caller wants it: handing it on from one result to another
    /// costs more than all the rest.
    #[inline(always)]
    fn give(&mut self, event: Event<'a>) -> Step<'a> {
        self.events += 1;
        Some(Ok(event))
    }

    #[inline]
    fn read(&mut self) -> Step<'a> {
        if self.state == State::Empty {
            self.began = self.position;
            return self.end_element();
        }
        loop {
            self.began = self.position;
            let Some(byte) = self.data.get(self.position).copied() else {
                return self.at_the_end();
            };
            if self.state == State::After {
                return self.after(byte);
            }
            self.position += 1;
            if byte == token::SWITCH_PAGE {
                tri!(self, self.switch_page());
                continue;
            }
            self.switches = 0;
            let global = Global::of(byte);
            return match self.state {
                State::Content => self.content(byte, global),
                State::Attributes { count, content } => {
                    self.attribute(byte, global, count, content)
                }
                State::Before => self.outside(byte, global),
                State::Instruction => self.instruction(byte, global),
                State::Empty | State::After | State::Done => None,
            };
        }
    }

    /// The bytes have ended between two tokens.
    #[cold]
    fn at_the_end(&mut self) -> Step<'a> {
        let what = match self.state {
            State::After | State::Done => {
                self.state = State::Done;
                return None;
            }
            State::Before => return self.fail(ErrorKind::Empty),
            State::Instruction => "a processing instruction",
            State::Attributes { .. } => "an attribute list",
            State::Content | State::Empty => "an element",
        };
        self.fail(ErrorKind::Truncated { what })
    }

    #[inline]
    fn switch_page(&mut self) -> Result<(), ErrorKind> {
        self.since(Version::V1_2, "SWITCH_PAGE")?;
        let maximum = self.options.limits.page_switches;
        if self.switches >= maximum {
            let maximum = u32::from(maximum);
            return Err(ErrorKind::Limit { limit: Limit::PageSwitches, maximum });
        }
        self.switches += 1;
        let page = self.data.get(self.position).copied();
        let number = page.ok_or(ErrorKind::Truncated { what: "SWITCH_PAGE" })?;
        self.position += 1;
        if matches!(self.state, State::Attributes { .. } | State::Instruction) {
            let rows = self.language.map_or(&[][..], |language| language.attributes_of(number));
            self.attributes = Page { number, rows };
        } else {
            std::mem::swap(&mut self.tags, &mut self.tags_before);
            if self.tags.number != number {
                let rows = self.language.map_or(&[][..], |language| language.tags_of(number));
                self.tags = Page { number, rows };
            }
        }
        Ok(())
    }

    /// Refuses what the document's version does not have.
    fn since(&self, since: Version, what: &'static str) -> Result<(), ErrorKind> {
        let version = self.prologue.version;
        if version >= since || self.options.tolerance.version_rules {
            return Ok(());
        }
        Err(ErrorKind::Forbidden { what, version, since })
    }

    /// Before the document element.
    fn outside(&mut self, byte: u8, global: Option<Global>) -> Step<'a> {
        match global {
            Some(Global::Instruction) => self.start_instruction(),
            None | Some(Global::Literal { .. }) => self.start_element(byte, global),
            _ => self.fail(ErrorKind::Unexpected { expected: "the document element" }),
        }
    }

    /// After the document element.
    fn after(&mut self, byte: u8) -> Step<'a> {
        if byte == token::PI {
            self.position += 1;
            return self.start_instruction();
        }
        if self.options.tolerance.trailing_data {
            self.state = State::Done;
            return None;
        }
        let count = self.data.len().saturating_sub(self.began) as u64;
        self.fail(ErrorKind::TrailingData { count })
    }

    #[inline(always)]
    fn content(&mut self, byte: u8, global: Option<Global>) -> Step<'a> {
        let Some(global) = global else { return self.start_element(byte, None) };
        match global {
            Global::End => self.end_element(),
            Global::String => self.inline_string(),
            Global::Instruction => self.start_instruction(),
            Global::Literal { .. } => self.start_element(byte, Some(global)),
            Global::Opaque => {
                tri!(self, self.since(Version::V1_1, "opaque data"));
                self.opaque()
            }
            _ => self.piece(global),
        }
    }

    #[inline(always)]
    fn start_element(&mut self, byte: u8, global: Option<Global>) -> Step<'a> {
        let maximum = self.options.limits.depth;
        if self.open.len() >= usize::from(maximum) {
            let maximum = u32::from(maximum);
            return self.fail(ErrorKind::Limit { limit: Limit::Depth, maximum });
        }
        let attributes = byte & token::ATTRIBUTES != 0;
        let content = byte & token::CONTENT != 0;
        let state = match (attributes, content) {
            (true, content) => State::Attributes { count: 0, content },
            (false, true) => State::Content,
            (false, false) => State::Empty,
        };
        if global.is_some() {
            return self.start_literal(state, attributes, content);
        }
        let Page { number: page, rows } = self.tags;
        let token = byte & token::IDENTITY;
        let name = in_page(rows, token).map(Row::name);
        self.state = state;
        self.open.push(Name::Token { page, token, name });
        let name = Name::Token { page, token, name };
        self.give(Event::StartElement(StartElement { name, attributes, content }))
    }

    #[inline(never)]
    fn start_literal(&mut self, state: State, attributes: bool, content: bool) -> Step<'a> {
        let index = tri!(self, self.number());
        let name = Name::Literal { index, name: tri!(self, self.reference(index)) };
        self.state = state;
        // Not `push`: with one caller only that is inlined there, where it matters.
        self.open.extend([name.clone()]);
        self.give(Event::StartElement(StartElement { name, attributes, content }))
    }

    /// The innermost element ends.
    #[inline(always)]
    fn end_element(&mut self) -> Step<'a> {
        let name = self.open.pop();
        self.state = if self.open.is_empty() { State::After } else { State::Content };
        // There is one: only a start leads to the states that end it.
        let name = name.unwrap_or(Name::Token { page: 0, token: 0, name: None });
        self.give(Event::EndElement(name))
    }

    #[inline(always)]
    fn inline_string(&mut self) -> Step<'a> {
        let value = match self.prologue.charset {
            // What nearly all strings are, without a detour.
            Charset::Utf8 => {
                let start = self.position;
                let length = tri!(self, self.terminated()).len();
                match self.known(start, length).or_else(|| self.validated(start, length)) {
                    Some(text) => Cow::Borrowed(text),
                    None => {
                        return self.fail(ErrorKind::Encoding { charset: Charset::Utf8 });
                    }
                }
            }
            _ => tri!(self, self.inline()),
        };
        self.give(Event::Text(Text { value, index: None }))
    }

    /// A string that lies in what is known to be UTF-8. What stands before and behind it are bytes of ASCII.
    #[inline(always)]
    fn known(&self, start: usize, length: usize) -> Option<&'a str> {
        let from = start.checked_sub(self.valid_at)?;
        self.valid.get(from..from + length)
    }

    /// A string that does not; what is UTF-8 behind it is known from now on.
    #[inline(never)]
    fn validated(&mut self, start: usize, length: usize) -> Option<&'a str> {
        let rest = self.data.get(start..)?;
        let window = rest.get(..length.max(WINDOW)).unwrap_or(rest);
        self.valid_at = start;
        self.valid = std::str::from_utf8(window)
            .or_else(|e| std::str::from_utf8(window.get(..e.valid_up_to()).unwrap_or_default()))
            .unwrap_or_default();
        self.valid.get(..length)
    }

    /// A string, an entity or an extension.
    #[inline(never)]
    fn piece(&mut self, global: Global) -> Step<'a> {
        let (number, value) = match global {
            Global::String => return self.inline_string(),
            Global::TableString => {
                let index = tri!(self, self.number());
                let value = tri!(self, self.reference(index));
                return self.give(Event::Text(Text { value, index: Some(index) }));
            }
            Global::Entity => {
                let number = tri!(self, self.number());
                return match char::from_u32(number) {
                    Some(c) => self.give(Event::Entity(c)),
                    None => self.fail(ErrorKind::Entity { number }),
                };
            }
            Global::ExtensionText(n) => (n, ExtensionValue::Text(tri!(self, self.inline()))),
            Global::ExtensionNumber(n) => (n, ExtensionValue::Number(tri!(self, self.number()))),
            Global::Extension(n) => (n, ExtensionValue::None),
            Global::SwitchPage
            | Global::End
            | Global::Literal { .. }
            | Global::Instruction
            | Global::Opaque => {
                return self.fail(ErrorKind::Unexpected { expected: "content" });
            }
        };
        self.give(Event::Extension(Extension { number, value }))
    }

    #[inline]
    fn number(&mut self) -> Result<u32, ErrorKind> {
        match number::read(self.data.get(self.position..).unwrap_or_default()) {
            Ok((value, length)) => {
                self.position += length;
                Ok(value)
            }
            Err(number::Fault::Truncated) => Err(ErrorKind::Truncated { what: "a number" }),
            Err(number::Fault::TooLarge) => Err(ErrorKind::Number),
        }
    }

    fn inline(&mut self) -> Result<Cow<'a, str>, ErrorKind> {
        let charset = self.prologue.charset;
        let bytes = self.terminated()?;
        charset.decode(bytes).ok_or(ErrorKind::Encoding { charset })
    }

    /// The bytes of the string that begins here, which is passed with its end.
    #[inline(always)]
    fn terminated(&mut self) -> Result<&'a [u8], ErrorKind> {
        let charset = self.prologue.charset;
        let rest = self.data.get(self.position..).unwrap_or_default();
        let length = charset.length(rest).ok_or(ErrorKind::Truncated { what: "a string" })?;
        let maximum = self.options.limits.text_length;
        if length > maximum as usize {
            return Err(ErrorKind::Limit { limit: Limit::TextLength, maximum });
        }
        self.position += length + charset.terminator();
        Ok(rest.get(..length).unwrap_or_default())
    }

    fn opaque(&mut self) -> Step<'a> {
        let length = tri!(self, self.number());
        let maximum = self.options.limits.opaque_length;
        if length > maximum {
            return self.fail(ErrorKind::Limit { limit: Limit::OpaqueLength, maximum });
        }
        let rest = self.data.get(self.position..).unwrap_or_default();
        let Some(bytes) = rest.get(..length as usize) else {
            return self.fail(ErrorKind::Truncated { what: "opaque data" });
        };
        self.position += bytes.len();
        self.give(Event::Opaque(bytes))
    }

    /// As many events as are allowed were given: one more is one too many.
    #[cold]
    fn beyond(&mut self) -> Step<'a> {
        match self.read() {
            Some(Ok(_)) => {
                let maximum = self.options.limits.events;
                self.fail(ErrorKind::Limit { limit: Limit::Events, maximum })
            }
            end => end,
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Event<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // What most tokens are, without a detour; everything else goes the whole way.
        if matches!(self.state, State::Content)
            && self.events < self.options.limits.events
            && let Some(byte) = self.data.get(self.position).copied()
        {
            let at = self.position;
            if byte & token::IDENTITY >= token::FIRST {
                (self.began, self.switches, self.position) = (at, 0, at + 1);
                return self.start_element(byte, None);
            }
            if byte == token::END {
                (self.began, self.switches, self.position) = (at, 0, at + 1);
                return self.end_element();
            }
            if byte == token::STR_I {
                (self.began, self.switches, self.position) = (at, 0, at + 1);
                return self.inline_string();
            }
        }
        self.next_of_any()
    }
}

impl<'a> Reader<'a> {
    fn next_of_any(&mut self) -> Step<'a> {
        if self.state == State::Done {
            return None;
        }
        if self.events >= self.options.limits.events {
            return self.beyond();
        }
        self.read()
    }
}

impl std::iter::FusedIterator for Reader<'_> {}

/// The place only: the document may hold secrets.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.data.len().saturating_sub(self.position);
        write!(f, "Reader(at {}, {left} bytes left, depth {})", self.position, self.open.len())
    }
}
