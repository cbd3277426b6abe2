//! The writer: known answers, canonical form, and what it refuses.

use bindery_wbxml::{
    Charset, EncodeError, Event, Extension, ExtensionValue, Identifier, Language, Options, Reader,
    Strings, Version, WriteOptions, Writer, languages,
};

use super::{bytes, events};

type Call = fn(&mut Writer<'_>);

/// What a writer makes of these calls.
fn write(
    options: &WriteOptions<'_>,
    calls: impl FnOnce(&mut Writer<'_>),
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = b"before".to_vec();
    let mut writer = Writer::new(&mut buffer, options);
    calls(&mut writer);
    let length = writer.finish();
    let document = buffer.split_off(6);
    assert_eq!(buffer, b"before");
    match length {
        Ok(length) => assert_eq!(length, document.len()),
        Err(_) => assert!(document.is_empty(), "nothing is left of a document that failed"),
    }
    length.map(|_| document)
}

/// SI 1.0, appendix: `href`, `created` and `si-expires` by tokens and opaque dates.
#[test]
fn a_service_indication() {
    let document = write(&WriteOptions::new(&languages::SI10), |w| {
        w.start_element("si");
        w.start_element("indication");
        w.attribute("href", "http://www.xyz.com/email/123/abc.wml");
        w.attribute_start(0, 0x0A);
        w.opaque(&[0x19, 0x99, 0x06, 0x25, 0x15, 0x23, 0x15]);
        w.attribute_start(0, 0x10);
        w.opaque(&[0x19, 0x99, 0x06, 0x30]);
        w.end_attributes();
        w.text("You have 4 new emails");
        w.end_element();
        w.end_element();
    });
    let expected = "03 05 6A 00 45 C6 0D 03 'xyz' 00 85 03 'email/123/abc.wml' 00 0A C3 07 19 99 06 25 15 23 15 \
                    10 C3 04 19 99 06 30 01 03 'You have 4 new emails' 00 01 01";
    assert_eq!(document.unwrap(), bytes(expected));
}

/// The head of a captured SyncML 1.2 message; pages change only where they must.
#[test]
fn a_syncml_message_in_canonical_form() {
    let document =
        write(&WriteOptions::new(&languages::SYNCML12).with_version(Version::V1_2), |w| {
            w.start_element("SyncML");
            w.start_element("SyncHdr");
            for (name, text) in [("VerDTD", "1.2"), ("VerProto", "DM/1.2")] {
                w.start_element(name);
                w.text(text);
                w.end_element();
            }
            w.start_element("Meta");
            w.start_element_in("syncml:metinf", "MaxMsgSize");
            w.text("16384");
            w.end_element();
            w.start_element_in("syncml:metinf", "MaxObjSize");
            w.text("4000");
            w.end_element();
            w.end_element();
            w.end_element();
            w.start_element_in("SYNCML:SYNCML1.2", "SyncBody");
            w.start_element("Final");
            w.end_element();
            w.end_element();
            w.end_element();
        });
    let expected = "02 A4 01 6A 00 6D 6C 71 03 '1.2' 00 01 72 03 'DM/1.2' 00 01 5A 00 01 4C 03 '16384' 00 01 55 03 '4000' 00 01 01 01 \
                    00 00 6B 12 01 01";
    assert_eq!(document.unwrap(), bytes(expected));
}

/// Names that the language lacks become literals, each once in the table; a type without a number is said in text.
#[test]
fn literals_and_the_formal_identifier_share_the_table() {
    let document = write(&WriteOptions::new(&languages::DMDDF12), |w| {
        w.start_instruction("target");
        w.value("v");
        w.end_instruction();
        w.start_element("MgmtTree");
        w.start_element("Foo");
        w.attribute("a", "b");
        w.text("x");
        w.end_element();
        w.start_element("Foo");
        w.end_element();
        w.end_element();
    })
    .unwrap();
    let options = Options::STRICT;
    assert_eq!(Reader::new(&document).unwrap().language().map(Language::id), Some("dmddf12"));
    assert_eq!(
        events(&document, &options).unwrap(),
        [
            "?target=",
            "\"v\"",
            "?/",
            "<MgmtTree",
            "<Foo",
            "@a=",
            "\"b\"",
            ">",
            "\"x\"",
            "/Foo",
            "<Foo",
            "/Foo",
            "/MgmtTree"
        ]
    );
    let table = "'-//OMA//DTD-DM-DDF 1.2//EN' 00 'target' 00 'Foo' 00 'a' 00";
    let expected = format!(
        "03 00 00 6A 28 {table} 43 04 1B 03 'v' 00 01 00 02 {:02X} C4 22 04 26 03 'b' 00 01 03 'x' 00 01 04 22 01",
        languages::DMDDF12.tag_by_name("MgmtTree", 2).unwrap().token() | 0x40
    );
    assert_eq!(document, bytes(&expected));
}

#[test]
fn values_become_tokens_wherever_they_stand() {
    let document = write(&WriteOptions::new(&languages::SL10), |w| {
        w.start_element("sl");
        w.attribute("href", "http://www.a.com/b.org/");
        w.end_element();
    })
    .unwrap();
    assert_eq!(
        events(&document, &Options::STRICT).unwrap(),
        ["<sl", "@href=http://www.", "\"a\"", "+.com/", "\"b\"", "+.org/", ">", "/sl"]
    );
}

#[test]
fn repeated_strings_move_into_the_table_when_it_pays() {
    let options = WriteOptions::raw().with_strings(Strings::Shared);
    let shared = write(&options, |w| {
        w.start_tag(0, 5);
        for text in ["text/plain", "once", "text/plain", "a", "a", "text/plain"] {
            w.text(text);
        }
        w.start_tag(0, 6);
        w.attribute("href", "text/plain");
        w.end_element();
        w.end_element();
    })
    .unwrap();
    let expected = "03 01 6A 10 'href' 00 'text/plain' 00 45 83 05 03 'once' 00 83 05 03 'a' 00 03 'a' 00 83 05 \
                    86 04 00 83 05 01 01";
    assert_eq!(shared, bytes(expected));
    let plain = write(&WriteOptions::raw(), |w| {
        for event in Reader::new(&shared).unwrap() {
            w.event(&event.unwrap());
        }
    });
    assert!(plain.unwrap().len() > shared.len());
}

#[test]
fn character_sets_and_what_they_lack() {
    let text = "a\u{E9}\u{20AC}\u{1F600}\0b";
    for (charset, body) in [
        (Charset::Utf8, "03 'a' C3 A9 E2 82 AC F0 9F 98 80 00 02 00 03 'b' 00"),
        (Charset::UsAscii, "03 'a' 00 02 81 69 02 C1 2C 02 87 EC 00 02 00 03 'b' 00"),
        (Charset::Iso8859_1, "03 'a' E9 00 02 C1 2C 02 87 EC 00 02 00 03 'b' 00"),
        (Charset::Utf16, "03 00 'a' 00 E9 20 AC D8 3D DE 00 00 00 02 00 03 00 'b' 00 00"),
        (Charset::Utf16Le, "03 'a' 00 E9 00 AC 20 3D D8 00 DE 00 00 02 00 03 'b' 00 00 00"),
        (Charset::Ucs2, "03 00 'a' 00 E9 20 AC 00 00 02 87 EC 00 02 00 03 00 'b' 00 00"),
    ] {
        let document = write(&WriteOptions::raw().with_charset(charset), |w| {
            w.start_tag(0, 5);
            w.text(text);
            w.end_element();
        })
        .unwrap();
        let mib = match charset.mib() {
            mib @ 0..0x80 => format!("{mib:02X}"),
            mib => format!("{:02X} {:02X}", mib >> 7 | 0x80, mib & 0x7F),
        };
        assert_eq!(document, bytes(&format!("03 01 {mib} 00 45 {body} 01")), "{charset}");
        let mut read = String::new();
        for event in Reader::new(&document).unwrap() {
            match event.unwrap() {
                Event::Text(text) => read += &text.value,
                Event::Entity(c) => read.push(c),
                _ => {}
            }
        }
        assert_eq!(read, text, "{charset}");
    }
    let refused = write(&WriteOptions::raw().with_charset(Charset::UsAscii), |w| {
        w.start_literal("\u{E9}");
        w.end_element();
    });
    assert_eq!(refused, Err(EncodeError::Charset { charset: Charset::UsAscii }));
}

/// A byte order mark that is text stays text.
#[test]
fn a_mark_at_the_start_of_text_is_text() {
    for text in ["\u{FEFF}a", "\u{FFFE}a"] {
        let document = write(&WriteOptions::raw().with_charset(Charset::Utf16), |w| {
            w.start_tag(0, 5);
            w.text(text);
            w.end_element();
        });
        assert_eq!(events(&document.unwrap(), &Options::STRICT).unwrap()[1], format!("\"{text}\""));
    }
}

#[test]
fn extensions_and_table_strings() {
    let document = write(&WriteOptions::raw().with_public_id(Identifier::Number(4)), |w| {
        w.start_tag(0, 5);
        w.extension(&Extension::new(0, ExtensionValue::Text("var".into())));
        let place = w.table_string("name").unwrap();
        w.extension(&Extension::new(1, ExtensionValue::Number(place)));
        w.extension(&Extension::new(9, ExtensionValue::None));
        w.end_element();
    });
    assert_eq!(document.unwrap(), bytes("03 04 6A 05 'name' 00 45 40 'var' 00 81 00 C2 01"));
}

#[test]
fn what_is_no_document_is_refused() {
    let order = |calls: fn(&mut Writer<'_>)| match write(&WriteOptions::raw(), calls) {
        Err(EncodeError::Order { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(order(|_| {}), "there is no document element");
    assert_eq!(order(|w| w.end_element()), "no element is open");
    assert_eq!(order(|w| w.start_tag(0, 5)), "an element is not ended");
    assert_eq!(order(|w| w.text("x")), "content stands in an element");
    let twice = order(|w| {
        for _ in 0..2 {
            w.start_tag(0, 5);
            w.end_element();
        }
    });
    assert_eq!(twice, "content stands in an element");
    let late = order(|w| {
        w.start_tag(0, 5);
        w.text("x");
        w.attribute("a", "b");
        w.end_element();
    });
    assert_eq!(late, "an attribute stands behind a tag or another attribute");
    let open = order(|w| {
        w.start_instruction("a");
        w.start_tag(0, 5);
        w.end_element();
    });
    assert_eq!(open, "an instruction is not ended");
    let closed = order(|w| {
        w.start_tag(0, 5);
        w.attribute("a", "b");
        w.value_token(0, 0x85);
        w.end_element();
    });
    assert_eq!(closed, "a value stands behind an attribute's start");
}

#[test]
fn tokens_and_versions_are_checked() {
    for (what, token, call) in [
        ("the tag space", 0x04, (|w, t| w.start_tag(0, t)) as fn(&mut Writer<'_>, u8)),
        ("the tag space", 0x40, |w, t| w.start_tag(0, t)),
        ("attribute starts", 0x44, |w, t| w.attribute_start(0, t)),
        ("attribute starts", 0x85, |w, t| w.attribute_start(0, t)),
        ("attribute values", 0xC3, |w, t| w.value_token(0, t)),
        ("attribute values", 0x05, |w, t| w.value_token(0, t)),
    ] {
        let refused = write(&WriteOptions::raw(), |w| {
            w.start_tag(0, 5);
            call(w, token);
            w.end_element();
        });
        assert_eq!(refused, Err(EncodeError::Token { what, token }));
    }
    let calls: [(Version, Call); 3] = [
        (Version::V1_1, |w| w.opaque(b"x")),
        (Version::V1_2, |w| {
            w.attribute_start(0, 5);
            w.opaque(b"x");
        }),
        (Version::V1_2, |w| {
            w.start_tag(1, 5);
            w.end_element();
        }),
    ];
    for (since, call) in calls {
        for version in [Version::V1_0, Version::V1_1, Version::V1_2, Version::V1_3] {
            let result = write(&WriteOptions::raw().with_version(version), |w| {
                w.start_tag(0, 5);
                call(w);
                w.end_element();
            });
            assert_eq!(result.is_ok(), version >= since, "{version}: {result:?}");
            if let Ok(document) = result {
                events(&document, &Options::STRICT).unwrap();
            }
        }
    }
}

#[test]
fn a_maximum_is_kept_to_the_byte() {
    let document = |maximum| {
        write(&WriteOptions::raw().with_maximum(maximum), |w| {
            w.start_literal("root");
            w.text("text");
            w.opaque(b"bytes");
            w.end_element();
        })
    };
    let length = u32::try_from(document(u32::MAX).unwrap().len()).unwrap();
    assert!(document(length).is_ok());
    for less in 0..length {
        assert_eq!(document(less), Err(EncodeError::TooLong { maximum: less }));
    }
}
