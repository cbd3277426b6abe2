//! Known answers: the specification's examples, every global token, character sets, versions.

use bindery_wbxml::{Charset, Language, Options, PublicId, Reader, Tolerance, Version, languages};

use super::{bytes, copy, error, events};

/// The events of a document; copying them gives the document again.
fn check(document: &str, options: &Options<'_>, expected: &[&str]) {
    let document = bytes(document);
    assert_eq!(events(&document, options).unwrap(), expected);
    assert_eq!(copy(&document, options), document, "copied events are the same bytes");
}

/// WBXML 1.3, section 8.1: `<XYZ><CARD> X &amp; Y<BR/> X&nbsp;=&nbsp;1 </CARD></XYZ>`.
#[test]
fn the_simple_document_of_the_specification() {
    let language = Language::builder("example")
        .tag(0, 0x05, "BR")
        .tag(0, 0x06, "CARD")
        .tag(0, 0x07, "XYZ")
        .build()
        .unwrap();
    check(
        "01 01 03 00 47 46 03 ' X & Y' 00 05 03 ' X' 00 02 81 20 03 '=' 00 02 81 20 03 '1 ' 00 01 01",
        &Options::STRICT.with_language(&language),
        &[
            "<XYZ",
            "<CARD",
            "\" X & Y\"",
            "<BR",
            "/BR",
            "\" X\"",
            "&A0;",
            "\"=\"",
            "&A0;",
            "\"1 \"",
            "/CARD",
            "/XYZ",
        ],
    );
}

fn example() -> Language {
    Language::builder("example")
        .tag(0, 0x05, "CARD")
        .tag(0, 0x06, "INPUT")
        .tag(0, 0x07, "XYZ")
        .tag(0, 0x08, "DO")
        .attribute(0, 0x05, "STYLE", "LIST")
        .attribute(0, 0x06, "TYPE", "")
        .attribute(0, 0x07, "TYPE", "TEXT")
        .attribute(0, 0x08, "URL", "http://")
        .attribute(0, 0x09, "NAME", "")
        .attribute(0, 0x0A, "KEY", "")
        .value(0, 0x85, ".org")
        .value(0, 0x86, "ACCEPT")
        .build()
        .unwrap()
}

/// WBXML 1.3, section 8.2.
#[test]
fn the_expanded_document_of_the_specification() {
    check(
        "01 01 6A 12 'abc' 00 ' Enter name: ' 00 47 C5 09 83 00 05 01 88 06 86 08 03 'xyz' 00 85 03 '/s' 00 01 \
         83 04 86 07 0A 03 'N' 00 01 01 01",
        &Options::STRICT.with_language(&example()),
        &[
            "<XYZ",
            "<CARD",
            "@NAME=",
            "\"abc\"@0",
            "@STYLE=LIST",
            ">",
            "<DO",
            "@TYPE=",
            "+ACCEPT",
            "@URL=http://",
            "\"xyz\"",
            "+.org",
            "\"/s\"",
            ">",
            "/DO",
            "\" Enter name: \"@4",
            "<INPUT",
            "@TYPE=TEXT",
            "@KEY=",
            "\"N\"",
            ">",
            "/INPUT",
            "/CARD",
            "/XYZ",
        ],
    );
}

/// Without a language the same document is read as tokens, and copied as well.
#[test]
fn an_unknown_language_is_read_as_tokens() {
    check(
        "03 01 6A 04 'abc' 00 47 C5 09 83 00 05 85 01 06 00 02 05 01 01",
        &Options::STRICT,
        &[
            "<0:0x07",
            "<0:0x05",
            "@0:0x09=",
            "\"abc\"@0",
            "@0:0x05=",
            "+0:85",
            ">",
            "<0:0x06",
            "/0:0x06",
            "<2:0x05",
            "/2:0x05",
            "/0:0x05",
            "/0:0x07",
        ],
    );
}

/// The events of [`every_global_token`].
const EVERY: &[&str] = &[
    "?lit=",
    "\"v\"",
    "?/",
    "<0:0x05",
    "@3:0x05=",
    "+1:90",
    "&41;",
    "\"s\"",
    "\"other\"@4",
    "ext0 \"a\"",
    "ext1 \"b\"",
    "ext2 \"c\"",
    "ext0 5",
    "ext1 6",
    "ext2 1000",
    "ext0",
    "ext1",
    "ext2",
    "[[FF, 00]]",
    "@lit=",
    "\"w\"",
    ">",
    "&3FFFF;",
    "\"s\"",
    "\"lit\"@0",
    "ext0 \"a\"",
    "ext1 \"b\"",
    "ext2 \"c\"",
    "ext0 5",
    "ext1 6",
    "ext2 7",
    "ext0",
    "ext1",
    "ext2",
    "[[]]",
    "<lit",
    "/lit",
    "<other",
    "\"x\"",
    "/other",
    "<lit",
    "@1:0x05=",
    ">",
    "/lit",
    "<other",
    "@1:0x06=",
    ">",
    "[[00]]",
    "/other",
    "?1:0x05=",
    "?/",
    "<7:0x09",
    "/7:0x09",
    "/0:0x05",
    "?1:0x06=",
    "+1:86",
    "?/",
];

/// Every global token of WBXML 1.3, section 7.1, in content and in attributes.
#[test]
fn every_global_token() {
    check(
        "03 01 6A 0A 'lit' 00 'other' 00 \
         43 04 00 03 'v' 00 01 \
         C5 00 03 05 00 01 90 02 41 03 's' 00 83 04 40 'a' 00 41 'b' 00 42 'c' 00 80 05 81 06 82 87 68 C0 C1 C2 C3 02 FF 00 \
         04 00 03 'w' 00 01 \
         02 8F FF 7F 03 's' 00 83 00 40 'a' 00 41 'b' 00 42 'c' 00 80 05 81 06 82 07 C0 C1 C2 C3 00 \
         04 00 44 04 03 'x' 00 01 84 00 05 01 C4 04 06 01 C3 01 00 01 43 05 01 \
         00 07 09 01 43 06 86 01",
        &Options::STRICT,
        EVERY,
    );
}

/// A copy keeps references into the middle of a string, to a string with a byte order mark, and to one without an end.
#[test]
fn references_stay_what_they_are() {
    check(
        "03 01 6A 05 'ab' 00 'cd' 44 01 83 01 83 03 83 04 01",
        &Options::STRICT,
        &["<b", "\"b\"@1", "\"cd\"@3", "\"d\"@4", "/b"],
    );
    check(
        "03 01 87 77 08 FF FE 'a' 00 00 00 00 'b' 45 83 00 83 02 83 06 01",
        &Options::STRICT,
        &["<0:0x05", "\"a\"@0", "\"\u{6100}\"@2", "\"b\"@6", "/0:0x05"],
    );
}

/// An element without content and one with empty content are told apart, and so is an empty string.
#[test]
fn empty_content_keeps_its_form() {
    check(
        "03 01 6A 00 45 46 01 06 46 03 00 01 C6 07 01 01 01",
        &Options::STRICT,
        &[
            "<0:0x05", "<0:0x06", "/0:0x06", "<0:0x06", "/0:0x06", "<0:0x06", "\"\"", "/0:0x06",
            "<0:0x06", "@0:0x07=", ">", "/0:0x06", "/0:0x05",
        ],
    );
}

#[test]
fn the_language_is_found_by_number_by_text_or_given() {
    for (head, id) in [
        ("02 A4 01 6A 00", Some("syncml12")),
        ("02 9F 53 6A 00", Some("syncml11")),
        // As captured from SyncML 1.0: the identifier fills the table and has no end.
        ("02 00 00 6A 1D '-//SYNCML//DTD SyncML 1.0//EN'", Some("syncml10")),
        ("03 00 00 6A 1E '-//SYNCML//DTD SyncML 1.2//EN' 00", Some("syncml12")),
        ("03 00 02 6A 20 'x' 00 '-//SYNCML//DTD SyncML 1.2//EN' 00", Some("syncml12")),
        ("03 11 6A 00", Some("wv-csp12")),
        ("03 84 0B 6A 00", Some("ota-settings")),
        ("03 01 6A 00", None),
        ("03 00 00 6A 04 'none'", None),
    ] {
        let document = bytes(&format!("{head} 2D"));
        let reader = Reader::new(&document).unwrap();
        assert_eq!(reader.language().map(Language::id), id, "{head}");
        assert_eq!(copy(&document, &Options::STRICT), document, "{head}");
    }
    let document = bytes("03 05 6A 00 05");
    let options = Options::STRICT.with_language(&languages::ACTIVESYNC);
    assert_eq!(events(&document, &options).unwrap(), ["<Sync", "/Sync"]);
}

#[test]
fn the_prologue_says_what_the_document_says() {
    let document = bytes("02 00 02 04 07 'x' 00 'fpi' E9 00 05");
    let reader = Reader::new(&document).unwrap();
    let prologue = reader.prologue();
    assert_eq!(prologue.version, Version::V1_2);
    assert_eq!(prologue.charset, Charset::Iso8859_1);
    assert_eq!(prologue.public_id, PublicId::Text { index: 2, text: "fpi\u{E9}".into() });
    assert_eq!(prologue.string_table, b"x\0fpi\xE9\0");
    assert_eq!((prologue.body, reader.offset()), (12, 12));
}

#[test]
fn character_sets() {
    for (document, text) in [
        ("03 01 6A 00 45 03 C3 A9 E2 82 AC 00 01", "\u{E9}\u{20AC}"),
        ("03 01 00 00 45 03 C3 A9 00 01", "\u{E9}"),
        ("03 01 03 00 45 03 'abc' 00 01", "abc"),
        ("03 01 04 00 45 03 'a' E9 00 01", "a\u{E9}"),
        ("03 01 87 77 00 45 03 FE FF 00 'a' 20 AC 00 00 01", "a\u{20AC}"),
        ("03 01 87 77 00 45 03 FF FE 'a' 00 AC 20 00 00 01", "a\u{20AC}"),
        ("03 01 87 77 00 45 03 01 00 00 'a' 00 00 01", "\u{100}a"),
        ("03 01 87 75 00 45 03 D8 3D DE 00 00 00 01", "\u{1F600}"),
        ("03 01 87 76 00 45 03 'a' 00 3D D8 00 DE 00 00 01", "a\u{1F600}"),
        ("03 01 87 68 00 45 03 20 AC 00 00 01", "\u{20AC}"),
    ] {
        let expected = format!("\"{text}\"");
        assert_eq!(events(&bytes(document), &Options::STRICT).unwrap()[1], expected, "{document}");
    }
    // A string of the table, its end on an even byte of its own.
    let table = bytes("03 01 87 75 07 00 01 00 'a' 00 00 00 45 83 00 01");
    assert_eq!(events(&table, &Options::STRICT).unwrap()[1], "\"\u{1}a\"@0");
    // Where the document is silent the caller's word counts.
    let options = Options::STRICT.with_charset(Charset::Iso8859_1);
    for document in ["00 01 00 45 03 E9 00 01", "03 01 00 00 45 03 E9 00 01"] {
        assert_eq!(events(&bytes(document), &options).unwrap()[1], "\"\u{E9}\"", "{document}");
    }
    let shown = error(&bytes("03 01 11 00 45 01"), &options).to_string();
    assert!(shown.contains("Shift_JIS (MIBenum 17)"), "{shown}");
    let shown = error(&bytes("03 01 8F 7F 00 45 01"), &options).to_string();
    assert!(shown.contains("unknown MIBenum 2047"), "{shown}");
}

/// What each version forbids (WBXML 1.3, section 2.5 and the changes of its predecessors).
#[test]
fn versions() {
    let lenient = Options::STRICT.with_tolerance(Tolerance::LENIENT);
    for (body, since) in [
        ("45 C3 01 00 01", Version::V1_1),
        ("00 01 05", Version::V1_2),
        ("45 00 01 06 01", Version::V1_2),
        ("85 00 01 05 01", Version::V1_2),
        ("85 05 00 01 90 01", Version::V1_2),
        ("85 05 C3 01 00 01", Version::V1_2),
        ("43 00 01 05 01 05", Version::V1_2),
    ] {
        for version in [Version::V1_0, Version::V1_1, Version::V1_2, Version::V1_3] {
            let charset = if version > Version::V1_0 { "6A" } else { "" };
            let document = bytes(&format!("{:02X} 01 {charset} 00 {body}", version.byte()));
            let accepted = events(&document, &Options::STRICT);
            assert_eq!(accepted.is_ok(), version >= since, "{body} in {version}: {accepted:?}");
            if let Err(error) = accepted {
                assert!(error.to_string().contains("version_rules"), "{error}");
            }
            assert!(events(&document, &lenient).is_ok(), "{body} in {version}");
        }
    }
}

#[test]
fn tolerances() {
    let lenient = Options::STRICT.with_tolerance(Tolerance::LENIENT);
    for (document, expected) in [
        ("03 01 6A 00 05 00 00 FF", &["<0:0x05", "/0:0x05"][..]),
        ("03 01 6A 00 C5 01 01", &["<0:0x05", ">", "/0:0x05"]),
        (
            "02 A4 01 6A 00 ED 04 00 03 'SYNCML:SYNCML1.2' 00 01 01",
            &["<SyncML", "@xmlns=", "\"SYNCML:SYNCML1.2\"", ">", "/SyncML"],
        ),
    ] {
        let document = bytes(document);
        assert_eq!(events(&document, &lenient).unwrap(), expected);
        error(&document, &Options::STRICT);
    }
}
