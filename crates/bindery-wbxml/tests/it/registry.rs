//! Private languages, and what the registry says of opaque data.

use bindery_wbxml::{Language, LanguageError, OpaqueForm, Row, languages};

#[test]
fn a_private_language_may_use_every_token_and_page() {
    let mut builder =
        Language::builder("private").number(0x7F01).root("t0-5").namespace(9, "urn:nine");
    for page in [255, 0, 9] {
        for token in 0x05..=0x3F {
            builder = builder.tag(page, token, format!("t{page}-{token}"));
        }
        for token in (0x05..=0x3F).chain(0x45..=0x7F) {
            builder = builder.attribute(page, token, format!("a{page}"), format!("{token}"));
        }
        for token in (0x85..=0xBF).chain(0xC5..=0xFF) {
            builder = builder.value(page, token, format!("v{page}-{token}-"));
        }
    }
    for number in 0x00..=0x7F {
        builder = builder.extension(number, format!("e{number}"));
    }
    let language = builder.build().unwrap();
    assert_eq!(language.tag(9, 0x3F).map(Row::name), Some("t9-63"));
    assert_eq!(language.tag_by_name("t255-5", 0).map(|r| (r.page(), r.token())), Some((255, 5)));
    assert_eq!(language.attribute_for("a9", "127", 0).map(Row::token), Some(127));
    assert_eq!(language.value_for("v0-255-rest", 3).map(Row::token), Some(255));
    assert_eq!(language.extension(127).map(Row::name), Some("e127"));
    assert_eq!(language.extension(128), None);
    assert_eq!((language.number(), language.page_of("urn:nine")), (Some(0x7F01), Some(9)));
    assert_eq!((language.fpi(), language.system_id()), (None, None));
}

#[test]
fn what_makes_no_language_is_refused() {
    let new = || Language::builder("bad");
    for (builder, expected) in [
        (new().tag(0, 0x04, "a"), LanguageError::Token { space: "tag", page: 0, token: 0x04 }),
        (new().tag(1, 0x40, "a"), LanguageError::Token { space: "tag", page: 1, token: 0x40 }),
        (
            new().attribute(0, 0x44, "a", ""),
            LanguageError::Token { space: "attribute", page: 0, token: 0x44 },
        ),
        (
            new().attribute(0, 0x85, "a", ""),
            LanguageError::Token { space: "attribute", page: 0, token: 0x85 },
        ),
        (new().value(0, 0xC4, "a"), LanguageError::Token { space: "value", page: 0, token: 0xC4 }),
        (new().value(0, 0x05, "a"), LanguageError::Token { space: "value", page: 0, token: 0x05 }),
        (
            new().extension(0x80, "a"),
            LanguageError::Token { space: "extension", page: 0, token: 0x80 },
        ),
        (
            new().tag(2, 5, "a").tag(2, 5, "b"),
            LanguageError::Twice { space: "tag", page: 2, token: 5 },
        ),
        (new().value(0, 0x85, ""), LanguageError::Name { space: "value", page: 0, token: 0x85 }),
        (new().number(1), LanguageError::PublicId { number: 1 }),
    ] {
        assert_eq!(builder.build().unwrap_err(), expected);
        assert!(expected.to_string().starts_with("WBXML language: "), "{expected}");
    }
}

#[test]
fn the_registry_says_what_opaque_data_means() {
    let form = |row: Option<&Row>| row.map(Row::form);
    let (si, wv) = (&languages::SI10, &languages::WV_CSP11);
    assert_eq!(form(si.attribute_for("created", "", 0)), Some(OpaqueForm::DateTime));
    assert_eq!(
        form(languages::EMN10.attribute_for("timestamp", "", 0)),
        Some(OpaqueForm::DateTime)
    );
    assert_eq!(form(wv.tag_by_name("Code", 0)), Some(OpaqueForm::WvInteger));
    assert_eq!(form(wv.tag_by_name("DateTime", 0)), Some(OpaqueForm::WvDateTime));
    assert_eq!(form(languages::SYNCML12.tag_by_name("NextNonce", 1)), Some(OpaqueForm::Base64));
    assert_eq!(form(languages::SYNCML12.tag_by_name("Data", 0)), Some(OpaqueForm::ByType));
    assert_eq!(
        form(languages::ACTIVESYNC.tag_by_name("ConversationId", 22)),
        Some(OpaqueForm::Base64)
    );
    assert_eq!(form(languages::SYNCML12.tag_by_name("CmdID", 0)), Some(OpaqueForm::Text));
}
