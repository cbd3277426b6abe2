//! Documents made to cost much: each ends soon, with a clear error or few events.

use bindery_wbxml::{
    ErrorKind, Limit, Limits, Options, Reader, Strings, WriteOptions, Writer, languages,
};

use super::error;

fn document(head: &str, body: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut document = super::bytes(head);
    document.extend(body);
    document
}

fn limit(document: &[u8], options: &Options<'_>) -> Limit {
    match *error(document, options).kind() {
        ErrorKind::Limit { limit, .. } => limit,
        other => panic!("{other}"),
    }
}

#[test]
fn a_million_nested_tags() {
    let nested = document("03 01 6A 00", std::iter::repeat_n(0x45, 1_000_000));
    assert_eq!(limit(&nested, &Options::STRICT), Limit::Depth);
    let found = error(&nested, &Options::STRICT);
    assert_eq!(found.path().len(), 16);
    assert!(found.to_string().contains("... (112 more)"), "{found}");
    // As deep as the limit can say: memory on the heap, no recursion, and the writer the same.
    let depth = usize::from(u16::MAX);
    let mut nested = document("03 01 6A 00", std::iter::repeat_n(0x45, depth));
    nested.extend(std::iter::repeat_n(0x01, depth));
    let options = Options::STRICT.with_limits(Limits::DEFAULT.with_depth(u16::MAX));
    assert_eq!(super::copy(&nested, &options), nested);
}

#[test]
fn endless_numbers() {
    for head in [
        "03",
        "03 00",
        "03 01",
        "03 01 6A",
        "03 01 6A 00 45 02",
        "03 01 6A 00 45 C3",
        "03 01 6A 00 44",
    ] {
        let endless = document(head, std::iter::repeat_n(0xFF, 1 << 20));
        assert_eq!(*error(&endless, &Options::STRICT).kind(), ErrorKind::Number, "{head}");
    }
}

#[test]
fn storms_of_page_switches() {
    let storm = document("03 01 6A 00 45", std::iter::repeat_n([0, 1], 1 << 20).flatten());
    assert_eq!(limit(&storm, &Options::STRICT), Limit::PageSwitches);
    let storm = document("03 01 6A 00 43", std::iter::repeat_n([0, 1], 1 << 20).flatten());
    assert_eq!(limit(&storm, &Options::STRICT), Limit::PageSwitches);
    // With tags between them it is a document like any other: linear, and bounded by the events.
    let mixed = document("03 01 6A 00 45", std::iter::repeat_n([0, 1, 5], 1 << 20).flatten());
    let options = Options::STRICT.with_limits(Limits::DEFAULT.with_events(1000));
    assert_eq!(limit(&mixed, &options), Limit::Events);
}

/// A megabyte of table without an end, and references to it: what they give is bounded, not only what is read.
#[test]
fn references_cannot_multiply() {
    let mut bomb = super::bytes("03 01 6A BF FF 7F");
    bomb.extend(std::iter::repeat_n(b'a', (1 << 20) - 1));
    bomb.push(0x45);
    bomb.extend(std::iter::repeat_n([0x83, 0x00], 1 << 19).flatten());
    assert_eq!(limit(&bomb, &Options::STRICT), Limit::Expansion);
    let given: usize = Reader::new(&bomb)
        .unwrap()
        .map_while(Result::ok)
        .map(|event| match event {
            bindery_wbxml::Event::Text(text) => text.value.len(),
            _ => 0,
        })
        .sum();
    assert!(given <= 16 << 20);
    // Literal names count as well.
    let mut tags = super::bytes("03 01 6A BF FF 7F");
    tags.extend(std::iter::repeat_n(b'a', (1 << 20) - 1));
    tags.push(0x45);
    tags.extend(std::iter::repeat_n([0x04, 0x00], 1 << 19).flatten());
    assert_eq!(limit(&tags, &Options::STRICT), Limit::Expansion);
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    for (text, what) in [
        ("03 01 6A 00 45 C3 8F FF FF FF 7F", Limit::OpaqueLength),
        ("03 01 6A 8F FF FF FF 7F 05", Limit::StringTable),
    ] {
        assert_eq!(limit(&super::bytes(text), &Options::STRICT), what);
    }
    let open = Limits::DEFAULT.with_opaque_length(u32::MAX).with_string_table(u32::MAX);
    for text in ["03 01 6A 00 45 C3 8F FF FF FF 7F", "03 01 6A 8F FF FF FF 7F 05"] {
        let found = error(&super::bytes(text), &Options::STRICT.with_limits(open));
        assert!(
            matches!(found.kind(), ErrorKind::Truncated { .. } | ErrorKind::StringTable { .. }),
            "{found}"
        );
    }
}

/// Work is counted, not timed: an attribute's value is looked up once a character, and ends.
#[test]
fn long_values_and_many_strings_are_written() {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(
        &mut buffer,
        &WriteOptions::new(&languages::PROV10).with_strings(Strings::Shared),
    );
    writer.start_element("wap-provisioningdoc");
    writer.attribute("version", &"CDMA2000-1X-".repeat(20_000));
    for i in 0..50_000 {
        writer.text(&format!("{}{}", "a".repeat(40), i % 1000));
    }
    writer.end_element();
    let length = writer.finish().unwrap();
    // A thousand strings of the table, and three or four bytes a reference.
    assert!(length < 240_100 + 45_000 + 4 * 50_000, "{length}");
    let texts = Reader::new(&buffer)
        .unwrap()
        .filter(|e| matches!(e, Ok(bindery_wbxml::Event::Text(_))))
        .count();
    assert_eq!(texts, 50_001);
}
