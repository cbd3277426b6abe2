//! Writing the body: elements, attributes and what they hold.

use super::{
    ATTRIBUTES, Around, CONTENT, Charset, EncodeError, Event, Extension, ExtensionValue, Name, Row,
    State, Version, Writer, number, token,
};

impl Writer<'_> {
    /// Begins an element by its name: by its token where the language has one, on the page in force if that page has
    /// the name, otherwise as a literal.
    pub fn start_element(&mut self, name: &str) {
        let row = self.language.and_then(|language| language.tag_by_name(name, self.tag_page));
        match row.map(|row| (row.page(), row.token())) {
            Some((page, token)) => self.start_tag(page, token),
            None => self.start_literal(name),
        }
    }

    /// Begins an element of an XML namespace. A namespace or name that the language does not have makes a literal.
    pub fn start_element_in(&mut self, namespace: &str, name: &str) {
        let page = self.language.and_then(|language| language.page_of(namespace));
        let row = page.and_then(|page| self.language?.tag_by_name(name, page));
        match row.filter(|row| Some(row.page()) == page).map(|row| (row.page(), row.token())) {
            Some((page, token)) => self.start_tag(page, token),
            None => self.start_literal(name),
        }
    }

    /// Begins an element by its token, 05 to 3F.
    #[inline]
    pub fn start_tag(&mut self, page: u8, token: u8) {
        if !(0x05..=token::IDENTITY).contains(&token) {
            return self.fail(EncodeError::Token { what: "the tag space", token });
        }
        if self.start() {
            self.switch_tag_page(page);
            self.push_tag(token);
        }
    }

    /// Begins an element whose name is in no table.
    pub fn start_literal(&mut self, name: &str) {
        let index = self.table.name(name);
        self.start_literal_at(index);
    }

    fn start_literal_at(&mut self, index: Result<u32, EncodeError>) {
        match index {
            Ok(index) => {
                if self.start() {
                    self.push_tag(token::LITERAL);
                    self.push_number(index);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether an element may begin here.
    #[inline]
    fn start(&mut self) -> bool {
        if self.state != State::Before && !self.content() {
            return false;
        }
        self.ready()
    }

    #[inline]
    fn push_tag(&mut self, tag: u8) {
        self.state = State::Tag { at: self.buffer.len() };
        self.buffer.push(tag);
        self.depth += 1;
    }

    /// Ends the element begun last.
    #[inline]
    pub fn end_element(&mut self) {
        let ends = match self.state {
            State::Tag { at } => usize::from(self.has(at, CONTENT)),
            State::Attributes { at, .. } => 1 + usize::from(self.has(at, CONTENT)),
            State::Content => 1,
            State::Before | State::After => return self.order("no element is open"),
            State::Instruction(_) => return self.order("an instruction is not ended"),
        };
        if !self.ready() {
            return;
        }
        self.buffer.extend(std::iter::repeat_n(token::END, ends));
        self.depth = self.depth.saturating_sub(1);
        self.state = if self.depth == 0 { State::After } else { State::Content };
    }

    /// An attribute with its value: as much of it as the language has tokens for, the rest as text.
    pub fn attribute(&mut self, name: &str, value: &str) {
        let row = self
            .language
            .and_then(|language| language.attribute_for(name, value, self.attribute_page));
        let rest = match row.map(|row| (row.page(), row.token(), row.value().len())) {
            Some((page, token, length)) => {
                self.attribute_start(page, token);
                value.get(length..).unwrap_or_default()
            }
            None => {
                self.attribute_literal(name);
                value
            }
        };
        self.value(rest);
        self.end_value();
    }

    /// A piece of an attribute's value: value tokens where the language has them, text between them.
    pub fn value(&mut self, text: &str) {
        let Some(language) = self.language else { return self.text(text) };
        let mut plain = 0;
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let row = language.value_for(rest, self.attribute_page);
            let Some((page, token, length)) = row.map(found) else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            self.text(text.get(plain..at).unwrap_or_default());
            self.value_token(page, token);
            at += length;
            plain = at;
        }
        self.text(text.get(plain..).unwrap_or_default());
    }

    /// Begins an attribute by its token, 05 to 3F or 45 to 7F. What its value has beyond the token's own follows by
    /// [`value`](Self::value), [`value_token`](Self::value_token), [`text`](Self::text), [`opaque`](Self::opaque),
    /// [`entity`](Self::entity) and [`extension`](Self::extension), up to the next attribute or
    /// [`end_attributes`](Self::end_attributes).
    pub fn attribute_start(&mut self, page: u8, token: u8) {
        if token >= 0x80 || token & token::IDENTITY < 0x05 {
            return self.fail(EncodeError::Token { what: "attribute starts", token });
        }
        if self.attributes() {
            self.switch_attribute_page(page);
            self.buffer.push(token);
        }
    }

    /// Begins an attribute whose name is in no table; its value follows as behind
    /// [`attribute_start`](Self::attribute_start).
    pub fn attribute_literal(&mut self, name: &str) {
        let index = self.table.name(name);
        self.attribute_literal_at(index);
    }

    fn attribute_literal_at(&mut self, index: Result<u32, EncodeError>) {
        match index {
            Ok(index) => {
                if self.attributes() {
                    self.buffer.push(token::LITERAL);
                    self.push_number(index);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether an attribute may begin here.
    fn attributes(&mut self) -> bool {
        match self.state {
            State::Tag { at } | State::Attributes { at, .. } => {
                self.set(at, ATTRIBUTES);
                self.state = State::Attributes { at, value: true };
            }
            _ => {
                self.order("an attribute stands behind a tag or another attribute");
                return false;
            }
        }
        self.ready()
    }

    /// A piece of an attribute's value by its token, 85 to BF or C5 to FF.
    pub fn value_token(&mut self, page: u8, token: u8) {
        if token < 0x80 || token & token::IDENTITY < 0x05 {
            return self.fail(EncodeError::Token { what: "attribute values", token });
        }
        if !matches!(self.state, State::Attributes { value: true, .. } | State::Instruction(_)) {
            return self.order("a value stands behind an attribute's start");
        }
        if self.ready() {
            self.switch_attribute_page(page);
            self.buffer.push(token);
        }
    }

    /// Text: content, or a piece of an attribute's value. Empty text is nothing. Characters that the character set
    /// lacks become entities.
    #[inline]
    pub fn text(&mut self, text: &str) {
        if text.is_empty() || !self.inside() {
            return;
        }
        // Of UTF-8 only the end of a string cannot stand in one.
        if self.charset == Charset::Utf8 && memchr::memchr(0, text.as_bytes()).is_none() {
            return self.string(text);
        }
        let mut rest = text;
        while let Some(stop) = rest.find(|c| !self.charset.holds(c)) {
            let (plain, behind) = rest.split_at(stop);
            let mut chars = behind.chars();
            if !plain.is_empty() {
                self.string(plain);
            }
            if let Some(c) = chars.next() {
                self.push_entity(c);
            }
            rest = chars.as_str();
        }
        if !rest.is_empty() {
            self.string(rest);
        }
    }

    /// A string in place, of characters that the character set holds.
    #[inline]
    fn string(&mut self, text: &str) {
        if !self.ready() {
            return;
        }
        let at = self.buffer.len();
        self.buffer.push(token::STR_I);
        self.charset.encode(text, self.buffer);
        if let Some(places) = &mut self.shared {
            places.push((at, self.buffer.len() - at - 1));
        }
        let end = [0_u8; 2];
        self.buffer.extend_from_slice(end.get(..self.charset.terminator()).unwrap_or_default());
    }

    /// Opaque data: content (from 1.1 on), or a piece of an attribute's value (from 1.2 on).
    pub fn opaque(&mut self, bytes: &[u8]) {
        let content = matches!(self.state, State::Tag { .. } | State::Content);
        let since = if content { Version::V1_1 } else { Version::V1_2 };
        if !self.since(since, "opaque data there") || !self.inside() {
            return;
        }
        let Ok(length) = u32::try_from(bytes.len()) else {
            return self.fail(EncodeError::TooLong { maximum: self.maximum });
        };
        if self.ready() {
            self.buffer.push(token::OPAQUE);
            self.push_number(length);
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// A character as a number: content, or a piece of an attribute's value.
    pub fn entity(&mut self, c: char) {
        if self.inside() {
            self.push_entity(c);
        }
    }

    fn push_entity(&mut self, c: char) {
        if self.ready() {
            self.buffer.push(token::ENTITY);
            self.push_number(u32::from(c));
        }
    }

    /// An extension: content, or a piece of an attribute's value. A number that is a place in the string table is the
    /// caller's: see [`table_string`](Self::table_string).
    pub fn extension(&mut self, extension: &Extension<'_>) {
        let number = extension.number.min(2);
        match &extension.value {
            ExtensionValue::None if self.inside() && self.ready() => {
                self.buffer.push(token::EXT_0 + number);
            }
            ExtensionValue::Number(value) if self.inside() && self.ready() => {
                self.buffer.push(token::EXT_T_0 + number);
                self.push_number(*value);
            }
            ExtensionValue::Text(text) if self.inside() => {
                if !text.chars().all(|c| self.charset.holds(c)) {
                    return self.fail(EncodeError::Charset { charset: self.charset });
                }
                if self.ready() {
                    self.buffer.push(token::EXT_I_0 + number);
                    self.charset.encode(text, self.buffer);
                    let end = [0_u8; 2];
                    let end = end.get(..self.charset.terminator()).unwrap_or_default();
                    self.buffer.extend_from_slice(end);
                }
            }
            ExtensionValue::None | ExtensionValue::Number(_) | ExtensionValue::Text(_) => {}
        }
    }

    /// Puts a string into the string table and gives its place, for an extension with a number (a WML variable).
    /// `None` when it cannot be written, which [`finish`](Self::finish) will say.
    pub fn table_string(&mut self, text: &str) -> Option<u32> {
        match self.table.name(text) {
            Ok(index) => Some(index),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Begins a processing instruction, whose target is an attribute's name; its value follows as an attribute's does.
    /// Where the language has no token for the target, it becomes a literal.
    pub fn start_instruction(&mut self, target: &str) {
        let row = self
            .language
            .and_then(|language| language.attribute_for(target, "", self.attribute_page));
        match row.map(|row| (row.page(), row.token())) {
            Some((page, token)) => {
                if self.instruction() {
                    self.switch_attribute_page(page);
                    self.buffer.push(token);
                }
            }
            None => {
                let index = self.table.name(target);
                self.literal_instruction(index);
            }
        }
    }

    fn literal_instruction(&mut self, index: Result<u32, EncodeError>) {
        match index {
            Ok(index) => {
                if self.instruction() {
                    self.buffer.push(token::LITERAL);
                    self.push_number(index);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether an instruction may begin here.
    fn instruction(&mut self) -> bool {
        let around = match self.state {
            State::Before => Around::Before,
            State::After => Around::After,
            State::Tag { .. } | State::Attributes { .. } | State::Content => {
                if !self.content() {
                    return false;
                }
                Around::Content
            }
            State::Instruction(_) => {
                self.order("an instruction is not ended");
                return false;
            }
        };
        self.state = State::Instruction(around);
        let ready = self.ready();
        if ready {
            self.buffer.push(token::PI);
        }
        ready
    }

    /// Ends the processing instruction.
    pub fn end_instruction(&mut self) {
        let State::Instruction(around) = self.state else {
            return self.order("no instruction was begun");
        };
        self.state = match around {
            Around::Before => State::Before,
            Around::Content => State::Content,
            Around::After => State::After,
        };
        if self.ready() {
            self.buffer.push(token::END);
        }
    }

    /// Writes what a reader has read. A string of the string table stays one if the table has it at that place (see
    /// [`copying`](Self::copying)); an empty string and an empty element with the content bit stay what they are.
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::StartElement(start) => {
                match &start.name {
                    Name::Token { page, token, .. } => self.start_tag(*page, *token),
                    Name::Literal { index, name } => {
                        let index = self.table.name_at(*index, name);
                        self.start_literal_at(index);
                    }
                }
                // The bit of content that there is not: the attribute list comes first, if there is one.
                if let State::Tag { at } = self.state
                    && start.content
                {
                    self.set(at, CONTENT);
                    self.state = if start.attributes { self.state } else { State::Content };
                }
            }
            Event::Attribute(start) => match &start.name {
                Name::Token { page, token, .. } => self.attribute_start(*page, *token),
                Name::Literal { index, name } => {
                    let index = self.table.name_at(*index, name);
                    self.attribute_literal_at(index);
                }
            },
            Event::AttributeValue(value) => self.value_token(value.page, value.token),
            Event::EndAttributes => self.end_attributes(),
            Event::EndElement(_) => self.end_element(),
            Event::Text(text) => self.copy_text(&text.value, text.index),
            Event::Opaque(bytes) => self.opaque(bytes),
            Event::Entity(c) => self.entity(*c),
            Event::Extension(extension) => self.extension(extension),
            Event::Instruction(start) => match &start.name {
                Name::Token { page, token, .. } => {
                    if self.instruction() {
                        self.switch_attribute_page(*page);
                        self.buffer.push(*token);
                    }
                }
                Name::Literal { index, name } => {
                    let index = self.table.name_at(*index, name);
                    self.literal_instruction(index);
                }
            },
            Event::EndInstruction => self.end_instruction(),
        }
    }

    /// The attributes of the element begun last end: what follows is its content. Only needed behind
    /// [`attribute_start`](Self::attribute_start) and [`attribute_literal`](Self::attribute_literal), and only before
    /// text, opaque data, an entity or an extension.
    pub fn end_attributes(&mut self) {
        let (State::Attributes { at, .. } | State::Tag { at }) = self.state else {
            return self.order("no attribute list is open");
        };
        self.end_value();
        if self.has(at, CONTENT) && self.end_list(at) {
            self.state = State::Content;
        }
    }

    /// The value of the attribute begun last is complete.
    pub(crate) fn end_value(&mut self) {
        if let State::Attributes { value, .. } = &mut self.state {
            *value = false;
        }
    }

    fn copy_text(&mut self, text: &str, index: Option<u32>) {
        if let Some(index) = index.filter(|index| self.table.holds(*index, text)) {
            if self.inside() && self.ready() {
                self.buffer.push(token::STR_T);
                self.push_number(index);
            }
            return;
        }
        if text.is_empty() {
            if self.inside() {
                self.string("");
            }
        } else {
            self.text(text);
        }
    }

    /// Whether content or a piece of a value may stand here; ends the attribute list where content begins.
    #[inline]
    fn inside(&mut self) -> bool {
        match self.state {
            State::Content | State::Attributes { value: true, .. } | State::Instruction(_) => true,
            _ => self.content(),
        }
    }

    /// Whether content may stand here; ends the attribute list and sets the bit of the tag.
    #[inline]
    fn content(&mut self) -> bool {
        match self.state {
            State::Content => return true,
            State::Tag { at } => self.set(at, CONTENT),
            State::Attributes { at, .. } => {
                self.set(at, CONTENT);
                if !self.end_list(at) {
                    return false;
                }
            }
            State::Before | State::After => {
                self.order("content stands in an element");
                return false;
            }
            State::Instruction(_) => {
                self.order("an instruction is not ended");
                return false;
            }
        }
        self.state = State::Content;
        true
    }

    /// Writes the end of the attribute list of the tag at this place, if it has one.
    fn end_list(&mut self, at: usize) -> bool {
        if !self.has(at, ATTRIBUTES) {
            return true;
        }
        let ready = self.ready();
        if ready {
            self.buffer.push(token::END);
        }
        ready
    }

    /// Whether the tag at this place has the bit.
    fn has(&self, at: usize, bit: u8) -> bool {
        self.buffer.get(at).is_some_and(|tag| tag & bit != 0)
    }

    fn set(&mut self, at: usize, bit: u8) {
        if let Some(tag) = self.buffer.get_mut(at) {
            *tag |= bit;
        }
    }

    #[inline]
    fn push_number(&mut self, value: u32) {
        number::write(value, self.buffer);
    }

    #[inline]
    fn switch_tag_page(&mut self, page: u8) {
        if page != self.tag_page && self.since(Version::V1_2, "SWITCH_PAGE") {
            self.buffer.extend_from_slice(&[token::SWITCH_PAGE, page]);
            self.tag_page = page;
        }
    }

    fn switch_attribute_page(&mut self, page: u8) {
        if page != self.attribute_page && self.since(Version::V1_2, "SWITCH_PAGE") {
            self.buffer.extend_from_slice(&[token::SWITCH_PAGE, page]);
            self.attribute_page = page;
        }
    }
}

fn found(row: &Row) -> (u8, u8, usize) {
    (row.page(), row.token(), row.name().len())
}
