//! From binary TTLV to JSON.

use std::io::Write as _;

use crate::form::{Attributes, FormError, FormErrorKind, date_time, mask, octets};
use crate::{Item, Options, Tag, Value, Walk};

/// From this number of octets of magnitude on a Long Integer is written in hexadecimal: beyond it a reader that has
/// only floating-point numbers would lose digits (Profiles 2.1, section 5.5).
const EXACT: i64 = 1 << 52;

/// Appends the JSON form of a message (one item) to `out`.
///
/// # Errors
/// The message is malformed or passes a limit, or is not one item. `out` is then as it was.
pub fn to_json(message: &[u8], options: &Options, out: &mut Vec<u8>) -> Result<(), FormError> {
    written(message, options, false, out)
}

/// The same with every item on a line of its own, indented by two spaces a level, for people.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_indented(
    message: &[u8],
    options: &Options,
    out: &mut Vec<u8>,
) -> Result<(), FormError> {
    written(message, options, true, out)
}

fn written(
    message: &[u8],
    options: &Options,
    indent: bool,
    out: &mut Vec<u8>,
) -> Result<(), FormError> {
    let before = out.len();
    let mut writer = Writer { out, indent, depth: 0, empty: true, items: 0 };
    let result = writer.message(message, options);
    if result.is_err() {
        out.truncate(before);
    }
    result
}

struct Writer<'b> {
    out: &'b mut Vec<u8>,
    indent: bool,
    depth: u16,
    /// Nothing stands in the innermost array yet.
    empty: bool,
    /// Items at the top.
    items: u32,
}

impl Writer<'_> {
    fn message(&mut self, message: &[u8], options: &Options) -> Result<(), FormError> {
        let fault = |kind| FormError::new("JSON", kind);
        let mut attributes = Attributes::default();
        for visit in Walk::new(message, options) {
            let visit = visit.map_err(|error| fault(FormErrorKind::Ttlv(error)))?;
            while self.depth > visit.depth {
                self.end();
                attributes.leave();
            }
            if self.depth == 0 {
                self.items += 1;
                if self.items > 1 {
                    break;
                }
            }
            if matches!(visit.item.value, Value::Structure(_)) {
                self.begin(visit.item.tag);
                attributes.enter();
            } else {
                self.item(&attributes, &visit.item);
                attributes.see(visit.item.tag, visit.item.value);
            }
        }
        while self.depth > 0 {
            self.end();
        }
        if self.items == 1 {
            return Ok(());
        }
        let what = "a JSON text is one item; convert messages one by one".to_owned();
        Err(fault(FormErrorKind::Content(what)))
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn line(&mut self) {
        if self.indent {
            self.put("\n");
            // As with the tree: deeper levels stand below each other, so that the text stays linear.
            for _ in 0..self.depth.min(64) {
                self.put("  ");
            }
        }
    }

    /// The part of an object that all have.
    fn object(&mut self, tag: Tag) {
        if self.depth > 0 {
            if !self.empty {
                self.put(",");
            }
            self.line();
        }
        self.put("{\"tag\":\"");
        // Names and hexadecimal digits need no escapes. Writing to a Vec does not fail.
        let _ = write!(self.out, "{tag}");
    }

    fn begin(&mut self, tag: Tag) {
        self.object(tag);
        self.put("\",\"value\":[");
        self.depth += 1;
        self.empty = true;
    }

    fn end(&mut self) {
        self.depth -= 1;
        if !self.empty {
            self.line();
        }
        self.put("]}");
        self.empty = false;
    }

    fn item(&mut self, attributes: &Attributes, item: &Item<'_>) {
        self.object(item.tag);
        self.put("\",\"type\":\"");
        self.put(item.value.item_type().form_name());
        self.put("\",\"value\":");
        let codes = attributes.codes(item.tag);
        match item.value {
            Value::Structure(_) => self.put("[]"),
            Value::Integer(value) => match mask(codes, value, '|') {
                Some(names) => self.quoted(&names),
                None => self.put(&value.to_string()),
            },
            Value::LongInteger(value) if (-EXACT..EXACT).contains(&value) => {
                self.put(&value.to_string());
            }
            Value::LongInteger(value) => self.quoted(&format!("0x{value:016x}")),
            Value::BigInteger(bytes) => self.quoted(&format!("0x{}", octets(bytes))),
            Value::Enumeration(value) => match codes.and_then(|codes| codes.name(value)) {
                Some(name) => self.quoted(name),
                None => self.quoted(&format!("0x{value:08x}")),
            },
            Value::Boolean(value) => self.put(if value { "true" } else { "false" }),
            Value::TextString(text) => self.text(text),
            Value::ByteString(bytes) => self.quoted(&octets(bytes).to_string()),
            Value::Interval(value) => self.put(&value.to_string()),
            Value::DateTime(_) | Value::DateTimeExtended(_) => {
                self.quoted(&date_time(item.value).unwrap_or_default());
            }
        }
        self.put("}");
        self.empty = false;
    }

    /// A text that needs no escapes.
    fn quoted(&mut self, text: &str) {
        self.put("\"");
        self.put(text);
        self.put("\"");
    }

    fn text(&mut self, text: &str) {
        self.put("\"");
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
            let (before, from) = rest.split_at(at);
            self.put(before);
            let mut chars = from.chars();
            match chars.next().unwrap_or_default() {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                c => self.put(&format!("\\u{:04x}", u32::from(c))),
            }
            rest = chars.as_str();
        }
        self.put(rest);
        self.put("\"");
    }
}
