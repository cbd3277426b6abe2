//! The pull reader: one pass over a byte slice, no recursion.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Limit, Space};
use crate::event::{
    AttributeStart, AttributeValue, Event, Extension, ExtensionValue, Name, StartElement, Text,
};
use crate::registry::{Row, in_page};
use crate::token::{self, Global};
use crate::{Error, ErrorKind, Language, Options, Prologue, Version, number};

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
    attributes: Page<'a>,
    open: Vec<Name<'a>>,
    state: State,
    /// The state to which the end of an instruction leads back.
    resume: State,
    /// Switches of the page since the last other token.
    switches: u16,
    events: u32,
    expansion: u32,
}

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
        Ok(Self {
            data: document,
            position: prologue.body,
            began: prologue.body,
            options: *options,
            language,
            tags: Page { number: 0, rows: language.map_or(&[], |l| l.tags_of(0)) },
            attributes: Page { number: 0, rows: language.map_or(&[], |l| l.attributes_of(0)) },
            open: Vec::new(),
            state: State::Before,
            resume: State::Before,
            switches: 0,
            events: 0,
            expansion: 0,
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
        self.reference(index).map_err(|kind| self.fault(kind, self.began, Space::Tag))
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

    /// An error at a place of the body.
    #[cold]
    fn fault(&self, kind: ErrorKind, offset: usize, space: Space) -> Error {
        let page = match space {
            Space::Tag => self.tags.number,
            Space::Attribute => self.attributes.number,
        };
        let token = self.data.get(offset).copied();
        Error::new(kind, offset).at(space, page, token, &self.open)
    }

    /// The code space of the state.
    const fn space(&self) -> Space {
        match self.state {
            State::Attributes { .. } | State::Instruction => Space::Attribute,
            _ => Space::Tag,
        }
    }

    #[inline]
    fn read(&mut self) -> Result<Option<Event<'a>>, ErrorKind> {
        if self.state == State::Empty {
            self.began = self.position;
            return Ok(Some(self.end_element()));
        }
        loop {
            self.began = self.position;
            let Some(byte) = self.data.get(self.position).copied() else {
                return self.at_the_end();
            };
            self.position += 1;
            let global = Global::of(byte);
            if self.state == State::After {
                return self.after(global);
            }
            if global == Some(Global::SwitchPage) {
                self.switch_page()?;
                continue;
            }
            self.switches = 0;
            let event = match self.state {
                State::Content => self.content(byte, global)?,
                State::Attributes { count, content } => {
                    self.attribute(byte, global, count, content)?
                }
                State::Before => self.outside(byte, global)?,
                State::Instruction => self.instruction(byte, global)?,
                State::Empty | State::After | State::Done => return Ok(None),
            };
            return Ok(Some(event));
        }
    }

    /// The bytes have ended between two tokens.
    fn at_the_end(&mut self) -> Result<Option<Event<'a>>, ErrorKind> {
        match self.state {
            State::After | State::Done => Ok(None),
            State::Before => Err(ErrorKind::Empty),
            State::Instruction => Err(ErrorKind::Truncated { what: "a processing instruction" }),
            State::Attributes { .. } => Err(ErrorKind::Truncated { what: "an attribute list" }),
            State::Content | State::Empty => Err(ErrorKind::Truncated { what: "an element" }),
        }
    }

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
        match self.space() {
            Space::Tag => {
                let rows = self.language.map_or(&[][..], |language| language.tags_of(number));
                self.tags = Page { number, rows };
            }
            Space::Attribute => {
                let rows = self.language.map_or(&[][..], |language| language.attributes_of(number));
                self.attributes = Page { number, rows };
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
    fn outside(&mut self, byte: u8, global: Option<Global>) -> Result<Event<'a>, ErrorKind> {
        match global {
            Some(Global::Instruction) => self.start_instruction(),
            None | Some(Global::Literal { .. }) => self.start_element(byte, global),
            _ => Err(ErrorKind::Unexpected { expected: "the document element" }),
        }
    }

    /// After the document element.
    fn after(&mut self, global: Option<Global>) -> Result<Option<Event<'a>>, ErrorKind> {
        if global == Some(Global::Instruction) {
            return self.start_instruction().map(Some);
        }
        if self.options.tolerance.trailing_data {
            self.state = State::Done;
            return Ok(None);
        }
        let count = self.data.len().saturating_sub(self.began) as u64;
        Err(ErrorKind::TrailingData { count })
    }

    #[inline]
    fn content(&mut self, byte: u8, global: Option<Global>) -> Result<Event<'a>, ErrorKind> {
        let Some(global) = global else { return self.start_element(byte, None) };
        match global {
            Global::End => Ok(self.end_element()),
            Global::Instruction => self.start_instruction(),
            Global::Literal { .. } => self.start_element(byte, Some(global)),
            Global::Opaque => {
                self.since(Version::V1_1, "opaque data")?;
                self.opaque().map(Event::Opaque)
            }
            _ => self.piece(global),
        }
    }

    fn attribute(
        &mut self,
        byte: u8,
        global: Option<Global>,
        count: u16,
        content: bool,
    ) -> Result<Event<'a>, ErrorKind> {
        match global {
            Some(Global::End) => {
                if count == 0 && !self.options.tolerance.empty_attributes {
                    return Err(ErrorKind::NoAttributes);
                }
                self.state = if content { State::Content } else { State::Empty };
                Ok(Event::EndAttributes)
            }
            None | Some(Global::Literal { .. }) if byte < 0x80 => {
                let maximum = self.options.limits.attributes;
                if count >= maximum {
                    let maximum = u32::from(maximum);
                    return Err(ErrorKind::Limit { limit: Limit::Attributes, maximum });
                }
                self.state = State::Attributes { count: count + 1, content };
                self.attribute_start(byte, global).map(Event::Attribute)
            }
            _ if count == 0 => Err(ErrorKind::Unexpected { expected: "an attribute's start" }),
            _ => self.value_piece(byte, global),
        }
    }

    fn start_instruction(&mut self) -> Result<Event<'a>, ErrorKind> {
        self.resume = self.state;
        self.state = State::Instruction;
        // The target may be on another page.
        while self.data.get(self.position) == Some(&token::SWITCH_PAGE) {
            self.position += 1;
            self.switch_page()?;
        }
        self.switches = 0;
        let byte = self.data.get(self.position).copied();
        let byte = byte.ok_or(ErrorKind::Truncated { what: "a processing instruction" })?;
        self.position += 1;
        match Global::of(byte) {
            global @ (None | Some(Global::Literal { .. })) if byte < 0x80 => {
                self.attribute_start(byte, global).map(Event::Instruction)
            }
            _ => Err(ErrorKind::Unexpected { expected: "a processing instruction's target" }),
        }
    }

    fn instruction(&mut self, byte: u8, global: Option<Global>) -> Result<Event<'a>, ErrorKind> {
        if global != Some(Global::End) {
            return self.value_piece(byte, global);
        }
        self.state = self.resume;
        Ok(Event::EndInstruction)
    }

    /// A piece of an attribute's or instruction's value.
    fn value_piece(&mut self, byte: u8, global: Option<Global>) -> Result<Event<'a>, ErrorKind> {
        match global {
            None if byte >= 0x80 => {
                let page = self.attributes.number;
                let row = self.language.and_then(|language| language.value(page, byte));
                let text = row.map(Row::name);
                Ok(Event::AttributeValue(AttributeValue { page, token: byte, text }))
            }
            Some(Global::Opaque) => {
                self.since(Version::V1_2, "opaque data in attributes")?;
                self.opaque().map(Event::Opaque)
            }
            Some(
                global @ (Global::Entity
                | Global::String
                | Global::TableString
                | Global::ExtensionText(_)
                | Global::ExtensionNumber(_)
                | Global::Extension(_)),
            ) => self.piece(global),
            _ => Err(ErrorKind::Unexpected { expected: "an attribute's start or value, or END" }),
        }
    }

    fn attribute_start(
        &mut self,
        byte: u8,
        global: Option<Global>,
    ) -> Result<AttributeStart<'a>, ErrorKind> {
        match global {
            None => {
                let Page { number: page, rows } = self.attributes;
                let row = in_page(rows, byte);
                let name = Name::Token { page, token: byte, name: row.map(Row::name) };
                Ok(AttributeStart { name, prefix: row.map_or("", Row::value) })
            }
            Some(Global::Literal { attributes: false, content: false }) => {
                let index = self.number()?;
                let nokia = index == 0
                    && self.prologue.string_table.is_empty()
                    && self.options.tolerance.literal_xmlns;
                let name = if nokia { Cow::Borrowed("xmlns") } else { self.reference(index)? };
                Ok(AttributeStart { name: Name::Literal { index, name }, prefix: "" })
            }
            Some(_) => Err(ErrorKind::Unexpected { expected: "LITERAL (0x04) for an attribute" }),
        }
    }

    #[inline]
    fn start_element(&mut self, byte: u8, global: Option<Global>) -> Result<Event<'a>, ErrorKind> {
        let maximum = self.options.limits.depth;
        if self.open.len() >= usize::from(maximum) {
            let maximum = u32::from(maximum);
            return Err(ErrorKind::Limit { limit: Limit::Depth, maximum });
        }
        let name = match global {
            None => {
                let Page { number: page, rows } = self.tags;
                let token = byte & token::IDENTITY;
                Name::Token { page, token, name: in_page(rows, token).map(Row::name) }
            }
            Some(_) => {
                let index = self.number()?;
                Name::Literal { index, name: self.reference(index)? }
            }
        };
        let attributes = byte & token::ATTRIBUTES != 0;
        let content = byte & token::CONTENT != 0;
        self.state = match (attributes, content) {
            (true, content) => State::Attributes { count: 0, content },
            (false, true) => State::Content,
            (false, false) => State::Empty,
        };
        self.open.push(name.clone());
        Ok(Event::StartElement(StartElement { name, attributes, content }))
    }

    /// The innermost element ends.
    #[inline]
    fn end_element(&mut self) -> Event<'a> {
        let name = self.open.pop();
        self.state = if self.open.is_empty() { State::After } else { State::Content };
        // There is one: only a start leads to the states that end it.
        Event::EndElement(name.unwrap_or(Name::Token { page: 0, token: 0, name: None }))
    }

    /// A string, an entity or an extension.
    #[inline]
    fn piece(&mut self, global: Global) -> Result<Event<'a>, ErrorKind> {
        let extension = |number, value| Event::Extension(Extension { number, value });
        Ok(match global {
            Global::String => Event::Text(Text { value: self.inline()?, index: None }),
            Global::TableString => {
                let index = self.number()?;
                Event::Text(Text { value: self.reference(index)?, index: Some(index) })
            }
            Global::Entity => {
                let number = self.number()?;
                Event::Entity(char::from_u32(number).ok_or(ErrorKind::Entity { number })?)
            }
            Global::ExtensionText(n) => extension(n, ExtensionValue::Text(self.inline()?)),
            Global::ExtensionNumber(n) => extension(n, ExtensionValue::Number(self.number()?)),
            Global::Extension(n) => extension(n, ExtensionValue::None),
            Global::SwitchPage
            | Global::End
            | Global::Literal { .. }
            | Global::Instruction
            | Global::Opaque => return Err(ErrorKind::Unexpected { expected: "content" }),
        })
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

    #[inline]
    fn inline(&mut self) -> Result<Cow<'a, str>, ErrorKind> {
        let charset = self.prologue.charset;
        let rest = self.data.get(self.position..).unwrap_or_default();
        let length = charset.length(rest).ok_or(ErrorKind::Truncated { what: "a string" })?;
        let maximum = self.options.limits.text_length;
        if length > maximum as usize {
            return Err(ErrorKind::Limit { limit: Limit::TextLength, maximum });
        }
        let bytes = rest.get(..length).unwrap_or_default();
        let text = charset.decode(bytes).ok_or(ErrorKind::Encoding { charset })?;
        self.position += length + charset.terminator();
        Ok(text)
    }

    fn opaque(&mut self) -> Result<&'a [u8], ErrorKind> {
        let length = self.number()?;
        let maximum = self.options.limits.opaque_length;
        if length > maximum {
            return Err(ErrorKind::Limit { limit: Limit::OpaqueLength, maximum });
        }
        let rest = self.data.get(self.position..).unwrap_or_default();
        let bytes = rest.get(..length as usize);
        let bytes = bytes.ok_or(ErrorKind::Truncated { what: "opaque data" })?;
        self.position += bytes.len();
        Ok(bytes)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Event<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let maximum = self.options.limits.events;
        let space = self.space();
        let result = match self.read() {
            Ok(Some(_)) if self.events >= maximum => {
                Err(ErrorKind::Limit { limit: Limit::Events, maximum })
            }
            result => result,
        };
        match result {
            Ok(Some(event)) => {
                self.events += 1;
                Some(Ok(event))
            }
            Ok(None) => {
                self.state = State::Done;
                None
            }
            Err(kind) => {
                let error = self.fault(kind, self.began, space);
                self.state = State::Done;
                Some(Err(error))
            }
        }
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
