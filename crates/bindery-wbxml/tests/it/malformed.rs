//! What is refused, with place and remedy.

use bindery_wbxml::{ErrorKind, Limit, Limits, Options, Reader, Space};

use super::{bytes, error, events};

/// A document with every construct, 1.3, UTF-8.
const ALL: &str = "03 00 04 6A 0A 'lit' 00 'other' 00 43 04 00 03 'v' 00 01 \
     C5 00 03 05 90 02 41 83 04 40 'a' 00 80 05 C0 C3 02 FF 00 04 00 01 \
     02 8F FF 7F 03 's' 00 83 00 42 'c' 00 82 07 C2 44 04 01 84 00 05 01 00 01 06 01 43 05 01";

/// Cut anywhere it is refused; only before the last instruction it is a whole document.
#[test]
fn truncated_at_every_byte() {
    let document = bytes(ALL);
    let events_of_all = events(&document, &Options::STRICT).unwrap();
    let root_ends = document.len() - 3;
    for cut in 0..document.len() {
        let result = events(&document[..cut], &Options::STRICT);
        assert_eq!(result.is_ok(), cut == root_ends, "cut at {cut}: {result:?}");
        if let Err(error) = result {
            assert!(error.offset() <= cut, "cut at {cut}: {error}");
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Truncated { .. } | ErrorKind::StringTable { .. } | ErrorKind::Empty
                ),
                "cut at {cut}: {error}"
            );
        }
    }
    assert_eq!(events_of_all.last().map(String::as_str), Some("?/"));
}

/// Every kind of fault: the kind, the offset, the remedy's first words.
#[test]
fn faults_say_where_and_what_to_do() {
    for (document, offset, text) in [
        ("", 0, "the bytes end inside the head of the document; send the whole document"),
        ("04 01 6A 00 05", 0, "the version byte is 0x04; send WBXML 1.0 to 1.3"),
        ("3C 3F 78 6D", 0, "the version byte is 0x3C"),
        ("03 FF FF FF FF 7F 6A 00 05", 1, "a number takes more than 32 bits"),
        ("03 01 81 81 81 81 81 01", 2, "a number takes more than 32 bits"),
        ("03 01 07 00 05", 2, "the character set is ISO-8859-4 (MIBenum 7); send UTF-8"),
        ("03 01 6A 05 'abc'", 3, "the string table is 5 bytes long, 3 are there"),
        ("03 00 03 6A 02 'a' 00 05", 2, "a reference to byte 3 of a string table of 2"),
        ("03 00 00 6A 02 FF 00 05", 2, "a string is not UTF-8; encode strings"),
        ("03 01 6A 00", 4, "there is no document element; send a document element"),
        ("03 01 6A 00 03 'x' 00", 4, "expected the document element"),
        ("03 01 6A 00 01", 4, "expected the document element"),
        ("03 01 6A 00 05 05", 5, "1 bytes follow the document"),
        ("03 01 6A 00 05 00 00", 5, "2 bytes follow the document"),
        ("03 01 6A 00 45 83 00 01", 5, "a reference to byte 0 of a string table of 0"),
        ("03 01 6A 02 'a' 00 45 83 02 01", 7, "a reference to byte 2 of a string table of 2"),
        ("03 01 6A 00 45 02 C4 80 00 01", 5, "the entity 0x110000 is no character"),
        ("03 01 6A 00 45 02 83 B0 00 01", 5, "the entity 0xD800 is no character"),
        ("03 01 6A 00 45 03 FF 00 01", 5, "a string is not UTF-8"),
        ("03 01 03 00 45 03 E9 00 01", 5, "a string is not US-ASCII"),
        ("03 01 87 75 00 45 03 D8 00 00 00 01", 6, "a string is not UTF-16BE"),
        ("03 01 87 68 00 45 03 D8 3D DE 00 00 00 01", 6, "a string is not ISO-10646-UCS-2"),
        ("03 01 6A 00 C5 01 01", 5, "the attribute list is empty; clear the attribute bit"),
        ("03 01 6A 00 C5 85 01 01", 5, "expected an attribute's start"),
        ("03 01 6A 00 C5 03 'x' 00 01 01", 5, "expected an attribute's start"),
        ("03 01 6A 00 C5 05 43 05 01 01", 6, "expected an attribute's start or value, or END"),
        ("03 01 6A 02 'a' 00 C5 44 00 01 01", 7, "expected LITERAL (0x04) for an attribute"),
        ("03 01 6A 02 'a' 00 C5 05 C4 00 01 01", 8, "expected an attribute's start or value"),
        ("03 01 6A 00 43 85 01 05", 4, "expected a processing instruction's target"),
        ("03 01 6A 00 43 05 06 01 05", 6, "expected an attribute's start or value, or END"),
        ("03 01 6A 00 45 C3 05 00 01", 5, "the bytes end inside opaque data"),
        ("00 01 00 45 C3 01 00 01", 4, "WBXML 1.0 has no opaque data, 1.1 is the first"),
    ] {
        let document = bytes(document);
        match events(&document, &Options::STRICT) {
            Ok(events) => panic!("accepted {document:02X?}: {events:?}"),
            Err(error) => {
                let shown = error.to_string();
                assert!(shown.contains(text), "{document:02X?}: {shown}, expected {text}");
                assert_eq!(error.offset(), offset, "{document:02X?}: {shown}");
            }
        }
    }
}

#[test]
fn an_error_names_page_token_and_path() {
    let document = bytes("02 A4 01 6A 00 6D 6B 5A 00 01 53 03 FF 00 01 01 01 01");
    let found = error(&document, &Options::STRICT);
    assert_eq!((found.page(), found.token()), (Some((Space::Tag, 1)), Some(0x03)));
    assert_eq!(found.path(), ["SyncML", "SyncBody", "Meta", "Type"]);
    assert_eq!(
        found.to_string(),
        "WBXML: at offset 11, tag page 1, token 0x03, SyncML/SyncBody/Meta/Type: a string is not UTF-8; encode \
         strings in the character set that the document names"
    );
    let document = bytes("03 01 6A 00 C5 00 02 05 C4 00");
    let found = error(&document, &Options::STRICT);
    assert_eq!((found.page(), found.token()), (Some((Space::Attribute, 2)), Some(0xC4)));
}

/// A literal's name comes from the peer: a path shows it short and without control characters.
#[test]
fn a_path_shows_hostile_names_harmlessly() {
    let document = bytes(&format!("03 01 6A 83 69 1B 0A '{}' 00 44 00 03 FF 00", "n".repeat(486)));
    let found = error(&document, &Options::STRICT);
    assert!(found.to_string().len() < 400 && !found.to_string().contains('\n'), "{found}");
}

#[test]
fn nothing_follows_an_error() {
    let document = bytes("03 01 6A 00 45 05 FF 00 01");
    let mut reader = Reader::new(&document).unwrap();
    assert_eq!(reader.by_ref().filter(Result::is_err).count(), 1);
    assert!(reader.next().is_none());
}

#[test]
fn limits_hold_and_are_themselves_allowed() {
    let limits = Limits::DEFAULT;
    for (document, limit, exact) in [
        ("03 01 6A 00 45 45 05 01 01", Limit::Depth, limits.with_depth(3)),
        ("03 01 6A 00 85 05 06 07 01", Limit::Attributes, limits.with_attributes(3)),
        ("03 01 6A 00 45 02 41 01", Limit::Events, limits.with_events(3)),
        ("03 01 6A 00 45 03 'abc' 00 01", Limit::TextLength, limits.with_text_length(3)),
        ("03 01 6A 04 'abc' 00 45 83 00 01", Limit::TextLength, limits.with_text_length(3)),
        ("03 01 6A 03 'abc' 45 83 00 01", Limit::TextLength, limits.with_text_length(3)),
        ("03 01 6A 00 45 C3 03 'abc' 01", Limit::OpaqueLength, limits.with_opaque_length(3)),
        ("03 01 6A 03 'abc' 05", Limit::StringTable, limits.with_string_table(3)),
        // Two references to a string of two bytes: three each.
        ("03 01 6A 03 'ab' 00 45 83 00 83 00 01", Limit::Expansion, limits.with_expansion(6)),
        ("03 01 6A 00 00 01 00 02 00 01 05", Limit::PageSwitches, limits.with_page_switches(3)),
    ] {
        let document = bytes(document);
        let options = Options::STRICT.with_limits(exact);
        assert!(events(&document, &options).is_ok(), "{limit:?}: the limit itself is allowed");
        let less = match limit {
            Limit::Depth => exact.with_depth(2),
            Limit::Attributes => exact.with_attributes(2),
            Limit::Events => exact.with_events(2),
            Limit::TextLength => exact.with_text_length(2),
            Limit::OpaqueLength => exact.with_opaque_length(2),
            Limit::StringTable => exact.with_string_table(2),
            Limit::Expansion => exact.with_expansion(5),
            _ => exact.with_page_switches(2),
        };
        let found = error(&document, &Options::STRICT.with_limits(less));
        assert!(
            matches!(found.kind(), ErrorKind::Limit { limit: l, .. } if *l == limit),
            "{limit:?}: {found}"
        );
        assert!(found.to_string().contains(limit.name()), "{found}");
    }
}
