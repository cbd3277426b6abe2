//! Start tags and end tags (XML 1.0, section 3.1; Namespaces in XML 1.0, sections 3 to 6).

use std::ops::Range;

use super::{After, Fault, Machine, Record, Shape, Stage, part, undeclared};
use crate::chars::{is_space, qname};
use crate::error::{ErrorKind, Limit, StructureFault, SyntaxFault, limit, shown};
use crate::namespaces::Namespace;

/// From how many attributes on duplicates are found by sorting.
const MANY: usize = 9;

impl Machine {
    /// `<name a="b">` or `<name a="b"/>`.
    pub(super) fn start_tag(&mut self, raw: &str) -> Result<Shape, Fault> {
        let empty_tag = raw.ends_with("/>");
        let end = raw.len().saturating_sub(if empty_tag { 2 } else { 1 });
        let body = raw.get(..end).unwrap_or_default();
        let name = self.name(body, 1)?;
        let qualified = part(body, &(1..1 + name.length));
        if self.stage == Stage::Epilog {
            return Err((StructureFault::SecondRoot { found: shown(qualified) }.into(), 0));
        }
        let outside = self.namespaces.len();
        self.records.clear();
        self.values.clear();
        let mut at = 1 + name.length;
        while let Some(next) = self.attribute_at(body, at)? {
            at = next;
        }
        self.push(qualified, name.prefix, outside)?;
        self.resolve(raw)?;
        self.refuse_duplicates(raw)?;
        self.stage = Stage::Root;
        if empty_tag {
            self.after = After::End;
        }
        Ok(Shape::Start { empty_tag })
    }

    /// `</name>`.
    pub(super) fn end_tag(&mut self, raw: &str) -> Result<Shape, Fault> {
        let name = self.name(raw, 2)?;
        let end = 2 + name.length;
        let spaces = raw.bytes().skip(end).take_while(|b| is_space(*b)).count();
        if end + spaces + 1 != raw.len() {
            return Err((SyntaxFault::EndTag.into(), end + spaces));
        }
        let found = part(raw, &(2..end));
        let expected = self.open.last().map(|open| part(&self.names, &open.name));
        match expected {
            Some(expected) if expected == found => {
                self.after = After::Close;
                Ok(Shape::End)
            }
            Some(expected) => {
                let (expected, found) = (shown(expected), shown(found));
                Err((StructureFault::MismatchedEnd { expected, found }.into(), 0))
            }
            None => Err((StructureFault::UnexpectedEnd { found: shown(found) }.into(), 0)),
        }
    }

    /// A qualified name at a place, not too long.
    fn name(&self, text: &str, at: usize) -> Result<crate::chars::QName, Fault> {
        let rest = text.get(at..).unwrap_or_default();
        let name = qname(rest).ok_or_else(|| (SyntaxFault::Name.into(), at))?;
        let maximum = self.options.limits.name_length;
        if name.length > maximum {
            return Err((limit(Limit::NameLength, maximum), at));
        }
        Ok(name)
    }

    /// Reads the attribute behind a place; the place behind it, or nothing at the end of the tag.
    fn attribute_at(&mut self, body: &str, at: usize) -> Result<Option<usize>, Fault> {
        let begin = skip_spaces(body, at);
        if begin >= body.len() {
            return Ok(None);
        }
        if begin == at {
            return Err(expected("white space before an attribute, or >", at));
        }
        let name = self.name(body, begin)?;
        let maximum = self.options.limits.attributes;
        if self.records.len() >= maximum {
            return Err((limit(Limit::Attributes, maximum), begin));
        }
        let end = begin + name.length;
        let equals = skip_spaces(body, end);
        if body.as_bytes().get(equals) != Some(&b'=') {
            return Err(expected("= behind the attribute's name", equals));
        }
        let open = skip_spaces(body, equals + 1);
        let quote = match body.as_bytes().get(open) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(expected("a value in quotes", open)),
        };
        let start = open + 1;
        let rest = body.as_bytes().get(start..).unwrap_or_default();
        let length = memchr::memchr(quote, rest)
            .ok_or_else(|| expected("the value's closing quote", body.len()))?;
        let raw = start..start + length;
        let (value, replaced) = self.value(body, raw)?;
        let (name, prefix) = (begin..end, name.prefix);
        let record = Record { name, prefix, namespace: Namespace::NONE, value, replaced };
        self.declaration(body, record)?;
        Ok(Some(start + length + 1))
    }

    /// The value between its quotes, normalised (XML 1.0, section 3.3.3).
    pub(super) fn value(
        &mut self,
        body: &str,
        raw: Range<usize>,
    ) -> Result<(Range<usize>, bool), Fault> {
        let text = part(body, &raw);
        let plain = |b: &u8| !matches!(b, b'&' | b'<' | b'\t' | b'\n' | b'\r');
        if text.as_bytes().iter().all(plain) {
            return Ok((raw, false));
        }
        if let Some(at) = memchr::memchr(b'<', text.as_bytes()) {
            return Err(expected("&lt; instead of < in a value", raw.start + at));
        }
        let start = self.values.len();
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|b| !plain(&b)) {
            self.values.push_str(part(rest, &(0..at)));
            let special = rest.get(at..).unwrap_or_default();
            let used = if special.starts_with('&') {
                let place = raw.end - special.len();
                let (c, used) = super::text::reference(special).map_err(|kind| (kind, place))?;
                self.values.push(c);
                used
            } else {
                self.values.push(' ');
                1 + usize::from(special.starts_with("\r\n"))
            };
            rest = special.get(used..).unwrap_or_default();
        }
        self.values.push_str(rest);
        Ok((start..self.values.len(), true))
    }

    /// Takes an attribute in, and declares what it declares.
    pub(super) fn declaration(&mut self, body: &str, mut record: Record) -> Result<(), Fault> {
        let name = part(body, &record.name);
        let prefix = part(name, &(0..record.prefix));
        let declared = match (prefix, name) {
            ("", "xmlns") => Some(""),
            ("xmlns", _) => name.get(record.prefix + 1..),
            _ => None,
        };
        if let Some(declared) = declared {
            record.namespace = Namespace::XMLNS;
            let place = if record.replaced { &self.values } else { body };
            let uri = part(place, &record.value);
            let maximum = self.options.limits.name_length;
            if uri.len() > maximum {
                return Err((limit(Limit::NameLength, maximum), record.name.start));
            }
            self.namespaces
                .declare(declared, uri, self.options.limits.namespaces)
                .map_err(|kind| (kind, record.name.start))?;
        }
        self.records.push(record);
        Ok(())
    }

    /// Gives the attributes their namespaces, now that all declarations are known.
    pub(super) fn resolve(&mut self, raw: &str) -> Result<(), Fault> {
        for record in &mut self.records {
            if record.prefix > 0 && record.namespace != Namespace::XMLNS {
                let name = part(raw, &record.name);
                record.namespace = self
                    .namespaces
                    .look_up(part(name, &(0..record.prefix)))
                    .ok_or_else(|| (undeclared(name, record.prefix), record.name.start))?;
            }
        }
        Ok(())
    }

    /// No two attributes of one namespace and local name. A declaration's namespace is that of `xmlns`, so that two
    /// declarations of one prefix are found here too.
    pub(super) fn refuse_duplicates(&mut self, raw: &str) -> Result<(), Fault> {
        if self.records.len() < 2 {
            return Ok(());
        }
        let found = if self.records.len() < MANY {
            self.records.iter().enumerate().find_map(|(i, record)| {
                let before = self.records.get(..i).unwrap_or_default();
                before.iter().any(|b| key(b, raw) == key(record, raw)).then_some(record)
            })
        } else {
            self.first_duplicate(raw)
        };
        match found {
            Some(record) => {
                let name = shown(part(raw, &record.name));
                Err((StructureFault::DuplicateAttribute { name }.into(), record.name.start))
            }
            None => Ok(()),
        }
    }

    /// The first attribute of many that was there before. They are sorted by a hash, and names are compared only where
    /// that is equal: nobody gains by making many equal, for then it is a sort by names.
    fn first_duplicate(&mut self, raw: &str) -> Option<&Record> {
        let records = &self.records;
        let of = |i: usize| records.get(i).map(|record| key(record, raw));
        self.order.clear();
        self.order.extend(records.iter().map(|record| hash(key(record, raw))).zip(0..));
        self.order.sort_unstable_by(|(hash_a, a), (hash_b, b)| {
            hash_a.cmp(hash_b).then_with(|| of(*a).cmp(&of(*b))).then_with(|| a.cmp(b))
        });
        let twice = self.order.windows(2).filter_map(|pair| match pair {
            [(hash_a, a), (hash_b, b)] if hash_a == hash_b && of(*a) == of(*b) => Some(*b),
            _ => None,
        });
        twice.min().and_then(|i| records.get(i))
    }
}

/// What no two attributes share: namespace and local name.
#[inline]
fn key<'r>(record: &Record, raw: &'r str) -> (Namespace, &'r str) {
    let local = if record.prefix == 0 { 0 } else { record.prefix + 1 };
    (record.namespace, part(raw, &(record.name.start + local..record.name.end)))
}

fn hash((namespace, local): (Namespace, &str)) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = local.as_bytes().as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let hash =
        words.iter().fold(namespace.number(), |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let tail = rest.iter().fold(rest.len() as u64, |tail, byte| tail << 8 | u64::from(*byte));
    mix(hash, tail)
}

fn skip_spaces(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| is_space(**b)).count()
}

fn expected(expected: &'static str, at: usize) -> Fault {
    (ErrorKind::Syntax(SyntaxFault::Attribute { expected }), at)
}
