//! Any document: what is written is read, what is read is written.

use bindery_wbxml::{
    Charset, Event, Language, Limits, Options, Reader, Strings, Tolerance, Version, WriteOptions,
    Writer, languages,
};
use proptest::prelude::*;

use super::{copy, events};

/// A piece of content or, if `attribute`, of a value.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Opaque(Vec<u8>),
    Entity(char),
    Value(u8, u8),
}

/// Page and token, or a literal.
type Tag = Result<(u8, u8), String>;

#[derive(Debug, Clone)]
struct Element {
    name: Tag,
    attributes: Vec<(Tag, Vec<Piece>)>,
    content: Vec<Content>,
}

#[derive(Debug, Clone)]
enum Content {
    Piece(Piece),
    Element(Element),
}

fn name(tokens: impl Strategy<Value = u8>) -> impl Strategy<Value = Tag> {
    (0..3_u8, tokens, proptest::option::weighted(0.2, "[a-zA-Z][a-z0-9.-]{0,8}"))
        .prop_map(|(page, token, literal)| literal.map_or(Ok((page, token)), Err))
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        "[ -~\u{A0}-\u{FF}\u{4E00}-\u{4E10}\u{1F600}]{1,12}".prop_map(Piece::Text),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Piece::Opaque),
        any::<char>().prop_map(Piece::Entity),
    ]
}

fn value() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => piece(),
        1 => (0..3_u8, prop_oneof![0x85..=0xBF_u8, 0xC5..=0xFF_u8]).prop_map(|(page, token)| Piece::Value(page, token)),
    ]
}

fn element() -> impl Strategy<Value = Element> {
    let tag = || name(0x05..=0x3F_u8);
    let attributes = || {
        let start = name(prop_oneof![0x05..=0x3F_u8, 0x45..=0x7F_u8]);
        proptest::collection::vec((start, proptest::collection::vec(value(), 0..4)), 0..4)
    };
    let leaf =
        (tag(), attributes(), proptest::collection::vec(piece().prop_map(Content::Piece), 0..3))
            .prop_map(|(name, attributes, content)| Element { name, attributes, content });
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let content =
            prop_oneof![piece().prop_map(Content::Piece), inner.prop_map(Content::Element)];
        (tag(), attributes(), proptest::collection::vec(content, 0..5))
            .prop_map(|(name, attributes, content)| Element { name, attributes, content })
    })
}

fn write_piece(piece: &Piece, writer: &mut Writer<'_>) {
    match piece {
        Piece::Text(text) => writer.text(text),
        Piece::Opaque(bytes) => writer.opaque(bytes),
        Piece::Entity(c) => writer.entity(*c),
        Piece::Value(page, token) => writer.value_token(*page, *token),
    }
}

fn write(element: &Element, writer: &mut Writer<'_>) {
    match &element.name {
        Ok((page, token)) => writer.start_tag(*page, *token),
        Err(name) => writer.start_literal(name),
    }
    for (name, value) in &element.attributes {
        match name {
            Ok((page, token)) => writer.attribute_start(*page, *token),
            Err(name) => writer.attribute_literal(name),
        }
        value.iter().for_each(|piece| write_piece(piece, writer));
    }
    writer.end_attributes();
    for content in &element.content {
        match content {
            Content::Piece(piece) => write_piece(piece, writer),
            Content::Element(element) => write(element, writer),
        }
    }
    writer.end_element();
}

/// The lines that a document's events must have; text is joined with the entities around it, because the character
/// set decides which is which.
fn lines(element: &Element, out: &mut Vec<String>) {
    let named = |name: &Tag| match name {
        Ok((page, token)) => format!("{page}:{token:#04X}"),
        Err(name) => name.clone(),
    };
    out.push(format!("<{}", named(&element.name)));
    for (name, value) in &element.attributes {
        out.push(format!("@{}", named(name)));
        value.iter().for_each(|piece| push(piece, out));
    }
    if !element.attributes.is_empty() {
        out.push(">".to_owned());
    }
    for content in &element.content {
        match content {
            Content::Piece(piece) => push(piece, out),
            Content::Element(element) => lines(element, out),
        }
    }
    out.push(format!("/{}", named(&element.name)));
}

fn push(piece: &Piece, out: &mut Vec<String>) {
    match piece {
        Piece::Text(text) => push_text(text, out),
        Piece::Entity(c) => push_text(&c.to_string(), out),
        Piece::Opaque(bytes) => out.push(format!("[{bytes:02X?}]")),
        Piece::Value(page, token) => out.push(format!("+{page}:{token:02X}")),
    }
}

fn push_text(text: &str, out: &mut Vec<String>) {
    match out.last_mut() {
        Some(last) if last.starts_with('"') => last.push_str(text),
        _ => out.push(format!("\"{text}")),
    }
}

fn read(document: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    for event in Reader::new(document).unwrap() {
        match event.unwrap() {
            Event::Text(text) => push_text(&text.value, &mut out),
            Event::Entity(c) => push_text(&c.to_string(), &mut out),
            Event::StartElement(start) => out.push(format!("<{}", start.name)),
            Event::EndElement(name) => out.push(format!("/{name}")),
            Event::Attribute(start) => out.push(format!("@{}", start.name)),
            Event::EndAttributes => out.push(">".to_owned()),
            Event::AttributeValue(value) => {
                out.push(format!("+{}:{:02X}", value.page, value.token));
            }
            Event::Opaque(bytes) => out.push(format!("[{bytes:02X?}]")),
            other => panic!("{other:?}"),
        }
    }
    out
}

fn charset() -> impl Strategy<Value = Charset> {
    prop_oneof![
        Just(Charset::Utf8),
        Just(Charset::UsAscii),
        Just(Charset::Iso8859_1),
        Just(Charset::Utf16),
        Just(Charset::Utf16Be),
        Just(Charset::Utf16Le),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(element in element(), charset in charset(), shared in any::<bool>()) {
        let strings = if shared { Strings::Shared } else { Strings::Inline };
        let options = WriteOptions::raw().with_charset(charset).with_strings(strings);
        let mut document = Vec::new();
        let mut writer = Writer::new(&mut document, &options);
        write(&element, &mut writer);
        let length = writer.finish().unwrap();
        prop_assert_eq!(length, document.len());
        let mut expected = Vec::new();
        lines(&element, &mut expected);
        prop_assert_eq!(read(&document), expected);
        prop_assert_eq!(copy(&document, &Options::STRICT), document);
    }

    /// Any bytes: no panic; what is accepted is copied, and the copy is a fixed point with the same events.
    #[test]
    fn what_is_read_is_written(body in proptest::collection::vec(any::<u8>(), 0..200), version in 0..4_u8, table in 0..8_u8) {
        let mut document = vec![version, 1];
        if version > 0 {
            document.push(0x6A);
        }
        document.extend([table, b'a', 0, b'b', b'c', 0, b'd', b'e'].iter().take(usize::from(table) + 1));
        document.extend(&body);
        for tolerance in [Tolerance::STRICT, Tolerance::LENIENT] {
            let options = Options::STRICT.with_tolerance(tolerance).with_limits(Limits::DEFAULT.with_events(10_000));
            // An empty list of attributes, which only a tolerance accepts, is not written.
            let lists = |mut events: Vec<String>| {
                events.retain(|event| event != ">");
                events
            };
            let Ok(first) = events(&document, &options).map(lists) else { continue };
            if Version::from_byte(version) < Some(Version::V1_2) && tolerance == Tolerance::LENIENT {
                continue;
            }
            let copied = copy(&document, &options);
            prop_assert!(copied.len() <= document.len() + 6);
            prop_assert_eq!(&copy(&copied, &options), &copied);
            prop_assert_eq!(events(&copied, &options).map(lists).unwrap(), first);
        }
    }

    /// An attribute's value comes back whole, whatever of it became tokens; so does an element by its name.
    #[test]
    fn names_and_values_of_every_language(
        language in 0..29_usize, at in any::<proptest::sample::Index>(), values in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
        between in "[a-z./:0-9]{0,6}",
    ) {
        let language: &'static Language = languages::ALL[language];
        let value_rows = language.values();
        let mut value = String::new();
        for index in values {
            if !value_rows.is_empty() {
                value += index.get(value_rows).name();
            }
            value += &between;
        }
        let tag = at.get(language.tags());
        // A second name of a token is read by its first one.
        let first = language.tag(tag.page(), tag.token()).map(|row| row.name());
        let starts = language.attributes();
        let (name, value) = match starts.is_empty() {
            true => ("private", value),
            false => {
                let start = at.get(starts);
                (start.name(), format!("{}{value}", start.value()))
            }
        };
        let mut document = Vec::new();
        let mut writer = Writer::new(&mut document, &WriteOptions::new(language));
        writer.start_element(tag.name());
        writer.attribute(name, &value);
        writer.end_element();
        writer.finish().unwrap();
        let (mut read_name, mut read_value) = (String::new(), String::new());
        for event in Reader::with_options(&document, &Options::STRICT.with_language(language)).unwrap() {
            match event.unwrap() {
                Event::StartElement(start) => prop_assert_eq!(start.name.as_str(), first),
                Event::Attribute(start) => {
                    read_name = start.name.to_string();
                    read_value += start.prefix;
                }
                Event::AttributeValue(piece) => read_value += piece.text.unwrap(),
                Event::Text(text) => read_value += &text.value,
                _ => {}
            }
        }
        prop_assert_eq!((read_name.as_str(), read_value), (name, value));
    }
}
