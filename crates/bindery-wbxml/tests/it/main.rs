//! Tests of bindery-wbxml through its public API.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails like a test")]

mod arbitrary;
mod convert;
mod documents;
mod hostile;
mod malformed;
mod registry;
mod vectors;
mod writing;

use bindery_wbxml::{Error, Event, ExtensionValue, Options, Reader, Writer};

/// Bytes from hexadecimal digits, with text between quotation marks: `03 'abc' 00`.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut parts = text.split('\'');
    while let Some(hex) = parts.next() {
        out.extend(hex.split_whitespace().map(|digits| {
            u8::from_str_radix(digits, 16).unwrap_or_else(|e| panic!("{digits}: {e}"))
        }));
        out.extend(parts.next().unwrap_or_default().bytes());
    }
    out
}

/// The events of a document, one a line.
fn events(document: &[u8], options: &Options<'_>) -> Result<Vec<String>, Error> {
    Reader::with_options(document, options)?.map(|event| event.map(|event| line(&event))).collect()
}

/// A document's error, which it must have.
fn error(document: &[u8], options: &Options<'_>) -> Error {
    match events(document, options) {
        Err(error) => error,
        Ok(events) => panic!("accepted: {events:?}"),
    }
}

fn line(event: &Event<'_>) -> String {
    match event {
        Event::StartElement(start) => format!("<{}", start.name),
        Event::Attribute(start) => format!("@{}={}", start.name, start.prefix),
        Event::AttributeValue(value) => match value.text {
            Some(text) => format!("+{text}"),
            None => format!("+{}:{:02X}", value.page, value.token),
        },
        Event::EndAttributes => ">".to_owned(),
        Event::EndElement(name) => format!("/{name}"),
        Event::Text(text) => match text.index {
            Some(index) => format!("\"{}\"@{index}", text.value),
            None => format!("\"{}\"", text.value),
        },
        Event::Opaque(bytes) => format!("[{bytes:02X?}]"),
        Event::Entity(c) => format!("&{:X};", u32::from(*c)),
        Event::Extension(extension) => match &extension.value {
            ExtensionValue::Text(text) => format!("ext{} \"{text}\"", extension.number),
            ExtensionValue::Number(number) => format!("ext{} {number}", extension.number),
            _ => format!("ext{}", extension.number),
        },
        Event::Instruction(start) => format!("?{}={}", start.name, start.prefix),
        Event::EndInstruction => "?/".to_owned(),
        other => panic!("an event of no known kind: {other:?}"),
    }
}

/// What a writer makes of a reader's events, with the reader's own prologue.
fn copy(document: &[u8], options: &Options<'_>) -> Vec<u8> {
    let reader = Reader::with_options(document, options).unwrap();
    let mut out = Vec::new();
    let prologue = reader.prologue().clone();
    let mut writer = Writer::copying(&mut out, &prologue, reader.language());
    for event in reader {
        writer.event(&event.unwrap());
    }
    writer.finish().unwrap();
    out
}
