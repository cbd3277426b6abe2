//! The WBXML codec: what holds for any octets.

use bindery_wbxml::{
    Charset, Event, Language, Limits, Options, Reader, Strings, Tolerance, Version, WriteOptions,
    Writer,
};

/// Limits under which a finding is small.
const LIMITS: Limits =
    Limits::DEFAULT.with_depth(1000).with_events(100_000).with_expansion(1 << 20);

/// The readers: none panics, errors lie in the document, starts and ends pair, lenient accepts what strict accepts
/// with the same events, and text and opaque data are of the document or bounded by the limit on references.
pub fn read(data: &[u8]) {
    let strict = events(data, &Options::STRICT.with_limits(LIMITS));
    let lenient = events(data, &Options::LENIENT.with_limits(LIMITS));
    if let Some(strict) = strict {
        assert_eq!(lenient, Some(strict), "lenient accepts what strict accepts");
    }
    // A language changes names, never the structure.
    for language in [Language::by_id("activesync"), Language::by_id("prov10")].into_iter().flatten()
    {
        let options = Options::LENIENT.with_limits(LIMITS).with_language(language);
        let named = events(data, &options).map(|events| events.len());
        assert_eq!(named, lenient.as_ref().map(Vec::len), "a language renames");
    }
}

/// The events of a document, if it is one; checks what holds on the way.
fn events<'a>(data: &'a [u8], options: &Options<'a>) -> Option<Vec<Event<'a>>> {
    let mut reader = match Reader::with_options(data, options) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(error.offset() <= data.len() && !error.to_string().is_empty());
            return None;
        }
    };
    let mut out = Vec::new();
    let mut given = 0;
    let mut open = Vec::new();
    while let Some(event) = reader.next() {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                assert!(error.offset() <= data.len(), "an error lies in the document");
                assert!(error.path().len() <= 16 && error.to_string().len() < 8192);
                assert!(reader.next().is_none(), "nothing follows an error");
                return None;
            }
        };
        match &event {
            Event::StartElement(start) => open.push(start.name.clone()),
            Event::EndElement(name) => assert_eq!(open.pop().as_ref(), Some(name), "ends pair"),
            Event::Text(text) => given += text.value.len(),
            Event::Opaque(bytes) => given += bytes.len(),
            _ => {}
        }
        assert_eq!(reader.open(), open);
        assert!(reader.offset() <= data.len());
        out.push(event);
    }
    assert!(open.is_empty(), "a whole document has no open element");
    // A character of one byte becomes at most three of UTF-8.
    assert!(given <= 3 * (data.len() + (1 << 20)), "references are bounded");
    Some(out)
}

/// What is read is written; the copy has the same events and copies to itself.
pub fn read_write_read(data: &[u8]) {
    let options = Options::STRICT.with_limits(LIMITS).with_tolerance(Tolerance::STRICT);
    if let Some(first) = events(data, &options) {
        let copied = copy(data, &options);
        assert_eq!(events(&copied, &options), Some(first), "a copy has the same events");
        assert_eq!(copy(&copied, &options), copied, "a copy is canonical");
    }
}

fn copy(data: &[u8], options: &Options<'_>) -> Vec<u8> {
    let reader = Reader::with_options(data, options).expect("it was read before");
    let mut out = Vec::new();
    let prologue = reader.prologue().clone();
    let mut writer = Writer::copying(&mut out, &prologue, reader.language());
    for event in reader {
        writer.event(&event.expect("it was read before"));
    }
    writer.finish().expect("what is read can be written");
    out
}

/// Octets as calls of a writer, in any order: it never panics, and what it accepts is a strict document.
pub fn write_read(data: &[u8]) {
    let Some(([head, language], mut rest)) = data.split_first_chunk::<2>() else { return };
    let language = Language::all()[usize::from(*language) % Language::all().len()];
    let version = Version::from_byte(head & 3).unwrap_or_default();
    let charsets = [Charset::Utf8, Charset::UsAscii, Charset::Iso8859_1, Charset::Utf16];
    let charset =
        if version == Version::V1_0 { Charset::Utf8 } else { charsets[usize::from(head >> 2 & 3)] };
    let strings = if head & 0x10 == 0 { Strings::Inline } else { Strings::Shared };
    let options = WriteOptions::new(language)
        .with_version(version)
        .with_charset(charset)
        .with_strings(strings)
        .with_maximum(1 << 20);
    let mut document = Vec::new();
    let mut writer = Writer::new(&mut document, &options);
    while let Some(([call, a, b], behind)) = rest.split_first_chunk::<3>() {
        let length = usize::from(*b).min(behind.len());
        let (bytes, behind) = behind.split_at(length);
        rest = behind;
        one(*call, *a, *b, bytes, &mut writer);
    }
    // What is left open is ended, so that more becomes a document.
    for _ in 0..writer.depth() {
        writer.end_element();
    }
    if writer.finish().is_ok() {
        let limits = LIMITS.with_depth(u16::MAX).with_attributes(u16::MAX);
        let options = Options::STRICT.with_limits(limits).with_language(language);
        for event in Reader::with_options(&document, &options).expect("the head is well formed") {
            event.expect("the body is well formed");
        }
        assert_eq!(copy(&document, &options), document, "what is written is canonical");
    }
}

fn one(call: u8, a: u8, b: u8, bytes: &[u8], writer: &mut Writer<'_>) {
    let text = String::from_utf8_lossy(bytes);
    match call % 14 {
        0 => writer.start_element(&text),
        1 => writer.start_tag(a, b),
        2 => writer.start_literal(&text),
        3 | 4 => writer.end_element(),
        5 => writer.attribute(&text, &text),
        6 => writer.attribute_start(a, b),
        7 => writer.value(&text),
        8 => writer.value_token(a, b),
        9 => writer.end_attributes(),
        10 => writer.text(&text),
        11 => writer.opaque(bytes),
        12 => writer.start_instruction(&text),
        _ => writer.end_instruction(),
    }
}
