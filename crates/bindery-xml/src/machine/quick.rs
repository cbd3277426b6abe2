//! The short way: what nearly every piece is, found, checked and taken in one look.
//!
//! A tag or text that is whole, of ASCII names and within the limits goes this way. Everything else is left to the
//! scanner and to the long way, which also say what is wrong: this way never refuses anything, it only gives up, and
//! then nothing has changed.

use super::{After, Content, Machine, Record, Shape, Stage};
use crate::chars::{
    MARKUP, NAME, NAME_START, SPACE, VALUE, class, forbidden, is_noncharacter, run,
};
use crate::namespaces::Namespace;

impl Machine {
    /// The event that the text begins with, and how many bytes it takes.
    #[inline]
    pub(crate) fn quick(&mut self, text: &str) -> Option<(Shape, usize)> {
        match text.as_bytes() {
            [b'<', b'/', ..] => self.quick_end(text.as_bytes()),
            [b'<', ..] => self.quick_start(text),
            _ if self.stage == Stage::Root => self.quick_text(text),
            _ => None,
        }
    }

    /// `</name>`, of the innermost element.
    #[inline]
    fn quick_end(&mut self, bytes: &[u8]) -> Option<(Shape, usize)> {
        let name = self.names.as_bytes().get(self.open.last()?.name.clone())?;
        let length = name.len() + 3;
        let tag = bytes.get(..length)?;
        if tag.get(2..length - 1)? != name
            || tag.last() != Some(&b'>')
            || length > self.options.limits.tag_length
        {
            return None;
        }
        self.after = After::Close;
        Some((Shape::End, length))
    }

    #[inline]
    fn quick_start(&mut self, text: &str) -> Option<(Shape, usize)> {
        let outside = self.namespaces.len();
        let taken = self.quick_tag(text, outside);
        if taken.is_none() {
            self.namespaces.truncate(outside);
        }
        taken
    }

    /// `<name a="b">` or `<name a="b"/>`.
    #[inline]
    fn quick_tag(&mut self, text: &str, outside: usize) -> Option<(Shape, usize)> {
        if self.stage == Stage::Epilog {
            return None;
        }
        let bytes = text.as_bytes();
        let limits = &self.options.limits;
        let (name_length, tag_length) = (limits.name_length, limits.tag_length);
        let window = bytes.get(..tag_length).unwrap_or(bytes);
        let (prefix, end) = quick_name(window, 1)?;
        if end > name_length.saturating_add(1) {
            return None;
        }
        self.records.clear();
        self.values.clear();
        let (length, empty_tag) = match window.get(end)? {
            b'>' => (end + 1, false),
            _ => self.quick_attributes(text, window, end)?,
        };
        self.push(text.get(1..end)?, prefix, outside).ok()?;
        self.stage = Stage::Root;
        if empty_tag {
            self.after = After::End;
        }
        Some((Shape::Start { empty_tag }, length))
    }

    /// The attributes behind the name that ends at this place, up to the end of the tag: its length, and whether the
    /// element is empty.
    fn quick_attributes(
        &mut self,
        text: &str,
        window: &[u8],
        mut at: usize,
    ) -> Option<(usize, bool)> {
        loop {
            let spaces = at;
            while class(*window.get(at)?) & SPACE != 0 {
                at += 1;
            }
            match window.get(at)? {
                b'>' => {
                    at += 1;
                    break;
                }
                b'/' if window.get(at + 1) == Some(&b'>') => {
                    at += 2;
                    break;
                }
                _ if spaces == at => return None,
                _ => at = self.quick_attribute(text, window, at)?,
            }
        }
        self.resolve(text).ok()?;
        self.refuse_duplicates(text).ok()?;
        Some((at, window.get(at - 2) == Some(&b'/')))
    }

    /// The attribute at this place; the place behind it.
    #[inline]
    fn quick_attribute(&mut self, text: &str, window: &[u8], begin: usize) -> Option<usize> {
        let limits = &self.options.limits;
        let (prefix, end) = quick_name(window, begin)?;
        if self.records.len() >= limits.attributes || end - begin > limits.name_length {
            return None;
        }
        let quote = match window.get(end..end + 2)? {
            [b'=', quote @ (b'"' | b'\'')] => *quote,
            _ => return None,
        };
        let start = end + 2;
        let rest = window.get(start..)?;
        // The other quote stops too, and what a value seldom has.
        let plain = run(rest, VALUE);
        let (length, value, replaced) = if *rest.get(plain)? == quote {
            (plain, start..start + plain, false)
        } else {
            let length = plain + memchr::memchr(quote, rest.get(plain..)?)?;
            let raw = start..start + length;
            if forbidden(text.get(raw.clone())?).is_some() {
                return None;
            }
            let (value, replaced) = self.value(text, raw).ok()?;
            (length, value, replaced)
        };
        let name = begin..end;
        let record = Record { name, prefix, namespace: Namespace::NONE, value, replaced };
        self.declaration(text, record).ok()?;
        Some(start + length + 1)
    }

    /// Characters up to the markup behind them.
    #[inline]
    fn quick_text(&mut self, text: &str) -> Option<(Shape, usize)> {
        let bytes = text.as_bytes();
        // A text that is just short enough ends at the byte behind it.
        let window = bytes.get(..=self.options.limits.text_length).unwrap_or(bytes);
        let end = run(window, MARKUP);
        if window.get(end)? == &b'<' {
            return Some((Shape::Text(Content::Piece(0..end)), end));
        }
        self.quick_replaced(text, window, end)
    }

    /// The same for a text in which, at this place, the first byte stands that ends it, is replaced or is suspect.
    fn quick_replaced(
        &mut self,
        text: &str,
        window: &[u8],
        mut at: usize,
    ) -> Option<(Shape, usize)> {
        let mut copied = None;
        loop {
            match *window.get(at)? {
                b'<' => break,
                b'>' if !window.get(..at)?.ends_with(b"]]") => at += 1,
                0xEF if !is_noncharacter(window.get(at..)?) => at += 3,
                special @ (b'&' | b'\r') => {
                    if copied.is_none() {
                        self.text.clear();
                    }
                    self.text.push_str(text.get(copied.unwrap_or(0)..at)?);
                    let (c, used) = if special == b'&' {
                        super::text::reference(text.get(at..)?).ok()?
                    } else {
                        ('\n', 1 + usize::from(window.get(at + 1) == Some(&b'\n')))
                    };
                    self.text.push(c);
                    at += used;
                    copied = Some(at);
                }
                _ => return None,
            }
            at += run(window.get(at..)?, MARKUP);
        }
        let content = match copied {
            Some(copied) => {
                self.text.push_str(text.get(copied..at)?);
                Content::Replaced
            }
            None => Content::Piece(0..at),
        };
        Some((Shape::Text(content), at))
    }
}

/// A qualified name of ASCII characters at this place: the length of its prefix, and the place behind it.
#[inline]
fn quick_name(window: &[u8], begin: usize) -> Option<(usize, usize)> {
    let mut at = begin;
    if class(*window.get(at)?) & NAME_START == 0 {
        return None;
    }
    while class(*window.get(at)?) & NAME != 0 {
        at += 1;
    }
    let mut prefix = 0;
    if *window.get(at)? == b':' {
        prefix = at - begin;
        at += 1;
        if class(*window.get(at)?) & NAME_START == 0 {
            return None;
        }
        while class(*window.get(at)?) & NAME != 0 {
            at += 1;
        }
    }
    // A character beyond ASCII may go on with the name.
    (*window.get(at)? < 0x80).then_some((prefix, at))
}
