//! Bytes to characters.

use bindery_xml::{Encoding, Options, Source, Tolerance};

use crate::{ALL, fault, pulled};

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// The events of a document, without the declaration and the places.
fn contents(bytes: &[u8], options: &Options) -> (Encoding, String) {
    let source = Source::with_options(bytes, options);
    let mut reader = source.reader();
    let mut found = String::new();
    while let Some(event) = reader.next_event().unwrap_or_else(|error| panic!("{error}")) {
        if let bindery_xml::Event::Text(text) = event {
            found.push_str(text);
        }
    }
    (source.encoding(), found)
}

#[test]
fn encodings_are_recognised() {
    let declared =
        |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a>\u{E9}\u{1F600}</a>");
    let plain = "<a>\u{E9}\u{1F600}</a>";
    let text = "\u{E9}\u{1F600}".to_owned();
    let mut cases = vec![
        (plain.as_bytes().to_vec(), Encoding::Utf8),
        (format!("\u{FEFF}{plain}").into_bytes(), Encoding::Utf8),
        (declared("utf-8").into_bytes(), Encoding::Utf8),
        (format!("\u{FEFF}{}", declared("UTF-8")).into_bytes(), Encoding::Utf8),
    ];
    for (encoding, unit) in [
        (Encoding::Utf16Le, u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (Encoding::Utf16Be, u16::to_be_bytes),
    ] {
        cases.push((utf16(plain, unit), encoding));
        cases.push((utf16(&format!("\u{FEFF}{plain}"), unit), encoding));
        cases.push((utf16(&format!("\u{FEFF}{}", declared("UTF-16")), unit), encoding));
        cases.push((utf16(&declared(encoding.name()), unit), encoding));
    }
    for (bytes, encoding) in cases {
        assert_eq!(contents(&bytes, &Options::STRICT), (encoding, text.clone()));
    }
    let latin = b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>\xE9\x80</a>";
    assert_eq!(contents(latin, &Options::STRICT), (Encoding::Iso8859_1, "\u{E9}\u{80}".to_owned()));
    let instruction = b"<?xml-stylesheet encoding='ISO-8859-1'?><a>\xC3\xA9</a>";
    assert_eq!(contents(instruction, &Options::STRICT), (Encoding::Utf8, "\u{E9}".to_owned()));
    let ascii = b"<?xml version='1.0' encoding = 'us-ascii'?><a>e</a>";
    assert_eq!(contents(ascii, &Options::STRICT), (Encoding::UsAscii, "e".to_owned()));
}

#[test]
fn the_transport_goes_before_the_declaration() {
    let options = Options::STRICT.with_encoding(Some(Encoding::Iso8859_1));
    let bytes = b"<?xml version='1.0' encoding='UTF-8'?><a>\xE9</a>";
    assert_eq!(contents(bytes, &options), (Encoding::Iso8859_1, "\u{E9}".to_owned()));
    let options = Options::STRICT.with_encoding(Encoding::from_label("UTF-16"));
    let bytes = utf16("\u{FEFF}<a>x</a>", u16::to_le_bytes);
    assert_eq!(contents(&bytes, &options), (Encoding::Utf16Le, "x".to_owned()));
    let options = Options::STRICT.with_encoding(Some(Encoding::UsAscii));
    assert!(fault(b"<a>\xE9</a>", &options).contains("the bytes are not US-ASCII"));
}

#[test]
fn faults_of_the_bytes() {
    let document = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a/>").into_bytes();
    for (bytes, expected) in [
        (document("windows-1252"), "offset 0): the encoding \"windows-1252\" is not read"),
        (document("UTF-7"), "the encoding \"UTF-7\" is not read"),
        (document("UTF-16"), "the declaration says \"UTF-16\", the bytes are UTF-8"),
        (
            [b"\xEF\xBB\xBF", &*document("ISO-8859-1")].concat(),
            "the declaration says \"ISO-8859-1\"",
        ),
        (
            utf16("<?xml version='1.0' encoding='UTF-8'?><a/>", u16::to_le_bytes),
            "the bytes are UTF-16LE",
        ),
        (
            utf16("<?xml version='1.0' encoding='UTF-16BE'?><a/>", u16::to_le_bytes),
            "the bytes are UTF-16LE",
        ),
        (b"\xFF\xFE\0\0<\0\0\0".to_vec(), "the encoding \"UTF-32\" is not read"),
        (b"\0\0\xFE\xFF".to_vec(), "the encoding \"UTF-32\" is not read"),
        (b"\x4C\x6F\xA7\x94".to_vec(), "the encoding \"EBCDIC\" is not read"),
        (b"<a>\xC3\xA9\xE9</a>".to_vec(), "column 5 (offset 5): the bytes are not UTF-8"),
        (b"<a>\xED\xA0\x80</a>".to_vec(), "offset 3): the bytes are not UTF-8"),
        (b"<a>\xC0\x80</a>".to_vec(), "offset 3): the bytes are not UTF-8"),
        (b"<a/>\xE2\x82".to_vec(), "offset 4): the bytes are not UTF-8"),
        (b"\xFE\xFF\0<\0a\0/\0>\xD8\0".to_vec(), "offset 10): the bytes are not UTF-16BE"),
        (b"\xFE\xFF\0<\0a\0>\xDC\0\0<".to_vec(), "column 4 (offset 8): the bytes are not UTF-16BE"),
        (b"\xFE\xFF\0<\0a\0/\0>\0".to_vec(), "the bytes are not UTF-16BE"),
        (b"<?xml version='1.0' encoding='ascii'?><a>\x80".to_vec(), "the bytes are not US-ASCII"),
    ] {
        let found = fault(&bytes, &Options::STRICT);
        assert!(found.contains(expected), "{found} is not {expected}");
    }
    // An encoding that is declared too late is not overlooked.
    let late = format!("<?xml version='1.0'{}encoding='ISO-8859-1'?><a/>", " ".repeat(2000));
    assert!(fault(&late, &Options::STRICT).contains("expected ?> within 1,024 characters"));
    // The named tolerance for .NET's label.
    let options = Options::STRICT.with_tolerance(Tolerance::STRICT.with_utf16_label(true));
    assert_eq!(contents(&document("utf-16"), &options).0, Encoding::Utf8);
}

#[test]
fn offsets_are_those_of_the_bytes() {
    let text = "\u{FEFF}<a>\u{1F600}\n\u{E9}</b>";
    let (_, error) = pulled(&utf16(text, u16::to_le_bytes), &ALL);
    let place = error.unwrap().position();
    assert_eq!((place.line, place.column, place.offset), (2, 2, 2 + 2 * 7));
    let latin = b"<?xml version='1.0' encoding='latin1'?><a>\xE9\xE9</b>";
    assert_eq!(pulled(latin, &ALL).1.unwrap().position().offset, 44);
}

#[test]
fn labels() {
    for (label, encoding) in [
        ("UTF8", Some(Encoding::Utf8)),
        ("Latin1", Some(Encoding::Iso8859_1)),
        ("ANSI_X3.4-1968", Some(Encoding::UsAscii)),
        ("utf-16le", Some(Encoding::Utf16Le)),
        ("UTF-16", Some(Encoding::Utf16Be)),
        ("KOI8-R", None),
        ("", None),
    ] {
        assert_eq!(Encoding::from_label(label), encoding);
    }
}
