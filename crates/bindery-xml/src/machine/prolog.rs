//! The XML declaration and the document type declaration (XML 1.0, section 2.8).

use std::ops::Range;

use super::{Fault, Machine, Shape, Stage, part};
use crate::chars::{is_public, is_space, qname};
use crate::error::{Construct, Limit, StructureFault, SyntaxFault, limit};

impl Machine {
    /// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`.
    pub(super) fn declaration_of(&mut self, raw: &str) -> Result<Shape, Fault> {
        let mut cursor = Cursor::new(Construct::Declaration, raw, 5, raw.len().saturating_sub(2));
        let version = cursor.pseudo("version")?.ok_or_else(|| cursor.expected("version"))?;
        let number = part(raw, &version).strip_prefix("1.").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(cursor.fault("the version 1.0", version.start));
        }
        let encoding = cursor.pseudo("encoding")?;
        if let Some(range) = &encoding {
            let name = part(raw, range);
            let rest = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.bytes().all(rest) {
                return Err(cursor.fault("the name of an encoding", range.start));
            }
        }
        let standalone = match cursor.pseudo("standalone")? {
            Some(range) => match part(raw, &range) {
                "yes" => Some(true),
                "no" => Some(false),
                _ => return Err(cursor.fault("yes or no", range.start)),
            },
            None => None,
        };
        cursor.spaces();
        cursor.end("?> behind version, encoding and standalone, in this order")?;
        self.parts = [Some(version), encoding, None];
        self.standalone = standalone;
        Ok(Shape::Declaration)
    }

    /// `<!DOCTYPE name PUBLIC "public" "system">`.
    pub(super) fn doctype(&mut self, raw: &str) -> Result<Shape, Fault> {
        if self.stage > Stage::Prolog {
            return Err((StructureFault::Misplaced { construct: Construct::Doctype }.into(), 0));
        }
        self.stage = Stage::Doctype;
        let mut cursor = Cursor::new(Construct::Doctype, raw, 9, raw.len().saturating_sub(1));
        if !cursor.spaces() {
            return Err(cursor.expected("white space"));
        }
        let start = cursor.at;
        let name = qname(cursor.rest()).ok_or_else(|| cursor.expected("a name"))?;
        let maximum = self.options.limits.name_length;
        if name.length > maximum {
            return Err((limit(Limit::NameLength, maximum), start));
        }
        cursor.at += name.length;
        let name = start..cursor.at;
        let spaced = cursor.spaces();
        let keyword = ["PUBLIC", "SYSTEM"].into_iter().find(|word| cursor.rest().starts_with(word));
        let (public, system) = match keyword {
            Some(word) if spaced => {
                cursor.at += word.len();
                let public = if word == "PUBLIC" { Some(cursor.public()?) } else { None };
                (public, Some(cursor.literal("a system identifier in quotes")?))
            }
            _ => (None, None),
        };
        cursor.spaces();
        cursor.end("> behind the name and the identifiers")?;
        self.parts = [Some(name), public, system];
        Ok(Shape::Doctype)
    }
}

/// Reads a declaration from left to right.
struct Cursor<'r> {
    construct: Construct,
    text: &'r str,
    at: usize,
}

impl<'r> Cursor<'r> {
    fn new(construct: Construct, raw: &'r str, at: usize, end: usize) -> Self {
        Self { construct, text: raw.get(..end).unwrap_or_default(), at }
    }

    fn rest(&self) -> &'r str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, expected: &'static str, at: usize) -> Fault {
        (SyntaxFault::Prolog { construct: self.construct, expected }.into(), at)
    }

    fn expected(&self, expected: &'static str) -> Fault {
        self.fault(expected, self.at)
    }

    /// Skips white space; whether there was any.
    fn spaces(&mut self) -> bool {
        let count = self.rest().bytes().take_while(|b| is_space(*b)).count();
        self.at += count;
        count > 0
    }

    fn end(&self, expected: &'static str) -> Result<(), Fault> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// White space and a literal: what stands in its quotes.
    fn literal(&mut self, expected: &'static str) -> Result<Range<usize>, Fault> {
        let spaced = self.spaces();
        let quote = self.rest().bytes().next().filter(|b| spaced && matches!(b, b'"' | b'\''));
        let quote = quote.ok_or_else(|| self.expected(expected))?;
        let start = self.at + 1;
        let inside = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = memchr::memchr(quote, inside).ok_or_else(|| self.expected(expected))?;
        self.at = start + length + 1;
        Ok(start..start + length)
    }

    /// A public identifier: characters of production 13.
    fn public(&mut self) -> Result<Range<usize>, Fault> {
        let range = self.literal("a public identifier in quotes")?;
        match part(self.text, &range).bytes().position(|b| !is_public(b)) {
            Some(at) => Err(self.fault("a character of public identifiers", range.start + at)),
            None => Ok(range),
        }
    }

    /// White space, a name, `=` and a literal, when they stand here.
    fn pseudo(&mut self, name: &'static str) -> Result<Option<Range<usize>>, Fault> {
        let before = self.at;
        let spaced = self.spaces();
        let Some(rest) = self.rest().strip_prefix(name).filter(|_| spaced) else {
            self.at = before;
            return Ok(None);
        };
        self.at = self.text.len() - rest.len();
        self.spaces();
        if !self.rest().starts_with('=') {
            return Err(self.expected("="));
        }
        // The literal may stand directly behind "=".
        self.at += 1;
        self.spaces();
        let quote = self.rest().bytes().next().filter(|b| matches!(b, b'"' | b'\''));
        let quote = quote.ok_or_else(|| self.expected("a value in quotes"))?;
        let start = self.at + 1;
        let inside = self.text.as_bytes().get(start..).unwrap_or_default();
        let length =
            memchr::memchr(quote, inside).ok_or_else(|| self.expected("the closing quote"))?;
        self.at = start + length + 1;
        Ok(Some(start..start + length))
    }
}
