//! Attributes and processing instructions.

use std::borrow::Cow;

use super::{Page, Reader, State, Step};
use crate::error::Limit;
use crate::event::{AttributeStart, AttributeValue, Event, Name};
use crate::registry::{Row, in_page};
use crate::token::{self, Global};
use crate::{ErrorKind, Version};

impl<'a> Reader<'a> {
    /// In an attribute list.
    pub(super) fn attribute(
        &mut self,
        byte: u8,
        global: Option<Global>,
        count: u16,
        content: bool,
    ) -> Step<'a> {
        match global {
            Some(Global::End) => {
                if count == 0 && !self.options.tolerance.empty_attributes {
                    return self.fail(ErrorKind::NoAttributes);
                }
                self.state = if content { State::Content } else { State::Empty };
                self.give(Event::EndAttributes)
            }
            None | Some(Global::Literal { .. }) if byte < 0x80 => {
                let maximum = self.options.limits.attributes;
                if count >= maximum {
                    let maximum = u32::from(maximum);
                    return self.fail(ErrorKind::Limit { limit: Limit::Attributes, maximum });
                }
                let start = tri!(self, self.attribute_start(byte, global));
                self.state = State::Attributes { count: count + 1, content };
                self.give(Event::Attribute(start))
            }
            _ if count == 0 => {
                self.fail(ErrorKind::Unexpected { expected: "an attribute's start" })
            }
            _ => self.value_piece(byte, global),
        }
    }

    pub(super) fn start_instruction(&mut self) -> Step<'a> {
        self.resume = self.state;
        self.state = State::Instruction;
        // The target may be on another page.
        while self.data.get(self.position) == Some(&token::SWITCH_PAGE) {
            self.position += 1;
            tri!(self, self.switch_page());
        }
        self.switches = 0;
        let Some(byte) = self.data.get(self.position).copied() else {
            return self.fail(ErrorKind::Truncated { what: "a processing instruction" });
        };
        self.position += 1;
        match Global::of(byte) {
            global @ (None | Some(Global::Literal { .. })) if byte < 0x80 => {
                let start = tri!(self, self.attribute_start(byte, global));
                self.give(Event::Instruction(start))
            }
            _ => self.fail(ErrorKind::Unexpected { expected: "a processing instruction's target" }),
        }
    }

    pub(super) fn instruction(&mut self, byte: u8, global: Option<Global>) -> Step<'a> {
        if global != Some(Global::End) {
            return self.value_piece(byte, global);
        }
        self.state = self.resume;
        self.give(Event::EndInstruction)
    }

    /// A piece of an attribute's or instruction's value.
    fn value_piece(&mut self, byte: u8, global: Option<Global>) -> Step<'a> {
        match global {
            None if byte >= 0x80 => {
                let page = self.attributes.number;
                let row = self.language.and_then(|language| language.value(page, byte));
                let text = row.map(Row::name);
                self.give(Event::AttributeValue(AttributeValue { page, token: byte, text }))
            }
            Some(Global::Opaque) => {
                tri!(self, self.since(Version::V1_2, "opaque data in attributes"));
                self.opaque()
            }
            Some(
                global @ (Global::Entity
                | Global::String
                | Global::TableString
                | Global::ExtensionText(_)
                | Global::ExtensionNumber(_)
                | Global::Extension(_)),
            ) => self.piece(global),
            _ => self
                .fail(ErrorKind::Unexpected { expected: "an attribute's start or value, or END" }),
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
}
