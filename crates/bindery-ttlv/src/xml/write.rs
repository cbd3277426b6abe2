//! From binary TTLV to XML.

use std::borrow::Cow;

use crate::form::{Attributes, FormError, FormErrorKind, date_time, mask, octets};
use crate::{Item, Options, Tag, Value, Walk};

/// Appends the XML form of a message (one item) to `out`, without an XML declaration.
///
/// # Errors
/// The message is malformed or passes a limit, or has text with a character that XML cannot carry. `out` is then as it
/// was.
pub fn to_xml(message: &[u8], options: &Options, out: &mut Vec<u8>) -> Result<(), FormError> {
    let before = out.len();
    let written = write(message, options, bindery_xml::Writer::new(out));
    if written.is_err() {
        out.truncate(before);
    }
    written
}

/// The same with every item on a line of its own, indented by two spaces a level, for people.
///
/// # Errors
/// As [`to_xml`].
pub fn to_xml_indented(
    message: &[u8],
    options: &Options,
    out: &mut Vec<u8>,
) -> Result<(), FormError> {
    let before = out.len();
    let written = write(message, options, bindery_xml::Writer::new(out).with_indent(2));
    if written.is_err() {
        out.truncate(before);
    }
    written
}

fn write(
    message: &[u8],
    options: &Options,
    mut writer: bindery_xml::Writer<'_>,
) -> Result<(), FormError> {
    let mut attributes = Attributes::default();
    let mut depth = 0;
    for visit in Walk::new(message, options) {
        let visit = visit.map_err(|error| FormError::new("XML", FormErrorKind::Ttlv(error)))?;
        while depth > visit.depth {
            writer.end();
            attributes.leave();
            depth -= 1;
        }
        if matches!(visit.item.value, Value::Structure(_)) {
            element(&mut writer, visit.item.tag);
            attributes.enter();
            depth += 1;
        } else {
            item(&mut writer, &attributes, &visit.item);
            attributes.see(visit.item.tag, visit.item.value);
        }
    }
    for _ in 0..depth {
        writer.end();
    }
    writer.finish().map_err(|error| FormError::new("XML", FormErrorKind::Syntax(error.to_string())))
}

/// The start of an element for a tag.
fn element(writer: &mut bindery_xml::Writer<'_>, tag: Tag) {
    match tag.name() {
        Some(name) => writer.start(name),
        None => writer.start("TTLV").attribute("tag", &tag.to_string()),
    };
}

fn item(writer: &mut bindery_xml::Writer<'_>, attributes: &Attributes, item: &Item<'_>) {
    element(writer, item.tag);
    let codes = attributes.codes(item.tag);
    let value: Cow<'_, str> = match item.value {
        Value::Structure(_) => Cow::Borrowed(""),
        Value::Integer(value) => {
            mask(codes, value, ' ').unwrap_or_else(|| value.to_string()).into()
        }
        Value::LongInteger(value) => value.to_string().into(),
        Value::BigInteger(bytes) | Value::ByteString(bytes) => octets(bytes).to_string().into(),
        Value::Enumeration(value) => match codes.and_then(|codes| codes.name(value)) {
            Some(name) => Cow::Borrowed(name),
            None => format!("0x{value:08x}").into(),
        },
        Value::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Value::TextString(text) => Cow::Borrowed(text),
        Value::Interval(value) => value.to_string().into(),
        Value::DateTime(_) | Value::DateTimeExtended(_) => {
            date_time(item.value).unwrap_or_default().into()
        }
    };
    writer.attribute("type", item.value.item_type().form_name());
    writer.attribute("value", &value).end();
}
