//! Text, references, CDATA sections, comments and processing instructions (XML 1.0, sections 2.4 to 2.7, 2.11, 4.1).

use super::{Content, Fault, Machine, Shape, Stage, part};
use crate::chars::{is_char, is_ncname, is_space};
use crate::error::{Construct, ErrorKind, StructureFault, SyntaxFault, shown};

impl Machine {
    pub(super) fn characters(&mut self, raw: &str) -> Result<Option<Shape>, Fault> {
        if self.stage != Stage::Root {
            return match raw.bytes().position(|b| !is_space(b)) {
                Some(at) => Err((StructureFault::TextOutsideRoot.into(), at)),
                None => Ok(None),
            };
        }
        let closing = memchr::memchr_iter(b'>', raw.as_bytes())
            .find(|at| raw.as_bytes().get(..*at).is_some_and(|before| before.ends_with(b"]]")));
        let checked = raw.get(..closing.map_or(raw.len(), |at| at - 2)).unwrap_or_default();
        let content = self.replaced(checked)?;
        match closing {
            Some(at) => Err((SyntaxFault::CdataEnd.into(), at - 2)),
            None => Ok(Some(Shape::Text(content))),
        }
    }

    pub(super) fn cdata(&mut self, raw: &str) -> Result<Shape, Fault> {
        if self.stage != Stage::Root {
            return Err((StructureFault::TextOutsideRoot.into(), 0));
        }
        let content = self.normalised(raw, 9, raw.len().saturating_sub(3));
        Ok(Shape::Cdata(content))
    }

    pub(super) fn comment(&mut self, raw: &str) -> Result<Option<Shape>, Fault> {
        let end = raw.len().saturating_sub(3);
        let inside = part(raw, &(4..end));
        // "--->" is no end either: a comment must not end with a hyphen.
        let hyphens = memchr::memmem::find(inside.as_bytes(), b"--")
            .or_else(|| inside.ends_with('-').then(|| inside.len() - 1));
        if let Some(at) = hyphens {
            return Err((SyntaxFault::CommentHyphens.into(), 4 + at));
        }
        if !self.options.comments {
            return Ok(None);
        }
        Ok(Some(Shape::Comment(self.normalised(raw, 4, end))))
    }

    /// A processing instruction, or the XML declaration.
    pub(super) fn instruction(&mut self, raw: &str) -> Result<Option<Shape>, Fault> {
        let end = raw.len().saturating_sub(2);
        let inside = part(raw, &(2..end));
        let length = inside.bytes().position(is_space).unwrap_or(inside.len());
        let target = part(inside, &(0..length));
        if target == "xml" {
            return if self.stage == Stage::Start {
                self.declaration_of(raw).map(Some)
            } else {
                Err((StructureFault::Misplaced { construct: Construct::Declaration }.into(), 0))
            };
        }
        if !is_ncname(target) || target.eq_ignore_ascii_case("xml") {
            return Err((SyntaxFault::Target.into(), 2));
        }
        let maximum = self.options.limits.name_length;
        if length > maximum {
            return Err((crate::error::limit(crate::Limit::NameLength, maximum), 2));
        }
        if !self.options.processing_instructions {
            return Ok(None);
        }
        let spaces = inside.bytes().skip(length).take_while(|b| is_space(*b)).count();
        let data = self.normalised(raw, 2 + length + spaces, end);
        self.parts = [Some(2..2 + length), None, None];
        Ok(Some(Shape::ProcessingInstruction(data)))
    }

    /// A part of the piece with its line ends normalised.
    fn normalised(&mut self, raw: &str, start: usize, end: usize) -> Content {
        let text = part(raw, &(start..end));
        if memchr::memchr(b'\r', text.as_bytes()).is_none() {
            return Content::Piece(start..end);
        }
        self.text.clear();
        push_lines(&mut self.text, text);
        Content::Replaced
    }

    /// A text with its references replaced and its line ends normalised.
    fn replaced(&mut self, raw: &str) -> Result<Content, Fault> {
        let mut rest = raw;
        let Some(mut at) = memchr::memchr2(b'&', b'\r', rest.as_bytes()) else {
            return Ok(Content::Piece(0..raw.len()));
        };
        self.text.clear();
        loop {
            self.text.push_str(part(rest, &(0..at)));
            let special = rest.get(at..).unwrap_or_default();
            let used = if special.starts_with('&') {
                let place = raw.len() - special.len();
                let (c, used) = reference(special).map_err(|kind| (kind, place))?;
                self.text.push(c);
                used
            } else {
                self.text.push('\n');
                1 + usize::from(special.starts_with("\r\n"))
            };
            rest = special.get(used..).unwrap_or_default();
            match memchr::memchr2(b'&', b'\r', rest.as_bytes()) {
                Some(next) => at = next,
                None => break,
            }
        }
        self.text.push_str(rest);
        Ok(Content::Replaced)
    }
}

/// Appends a text with CR LF and CR as LF.
fn push_lines(target: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        target.push_str(part(rest, &(0..at)));
        target.push('\n');
        let behind = rest.get(at + 1..).unwrap_or_default();
        rest = behind.strip_prefix('\n').unwrap_or(behind);
    }
    target.push_str(rest);
}

/// The character that a reference at the start of the text stands for, and the reference's length.
pub(super) fn reference(text: &str) -> Result<(char, usize), ErrorKind> {
    // A name or number ends the search, so that "&&&&..." is not looked through from every "&".
    let inside = text.get(1..).unwrap_or_default();
    let end =
        inside.bytes().position(|b| matches!(b, b';' | b'&' | b'<' | b' ' | b'\t' | b'\n' | b'\r'));
    let body = match end {
        Some(end) if inside.as_bytes().get(end) == Some(&b';') => part(inside, &(0..end)),
        _ => return Err(SyntaxFault::Reference.into()),
    };
    let used = body.len() + 2;
    let c = match body {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "apos" => '\'',
        "quot" => '"',
        _ => match body.strip_prefix('#') {
            Some(number) => character(number)
                .ok_or_else(|| SyntaxFault::CharacterReference { found: shown(body) })?,
            None if crate::chars::whole_qname(body).is_some() => {
                return Err(SyntaxFault::Entity { name: shown(body) }.into());
            }
            None => return Err(SyntaxFault::Reference.into()),
        },
    };
    Ok((c, used))
}

/// `60` or `x3C` (production 66), when it is a character of XML.
fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u32;
    for digit in digits.chars() {
        value = value.checked_mul(radix)?.checked_add(digit.to_digit(radix)?)?;
    }
    char::from_u32(value).filter(|c| is_char(*c))
}
