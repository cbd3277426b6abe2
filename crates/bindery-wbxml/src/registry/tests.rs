use super::{Language, Row, Use, in_page, languages};

type Range = fn(u8) -> bool;

/// The four code spaces of every language, with the range that a token may have in each.
fn spaces(language: &'static Language) -> [(&'static [Row], Range); 4] {
    [
        (language.tags(), |t| (0x05..=0x3F).contains(&t)),
        (language.attributes(), |t| t < 0x80 && t & 0x3F >= 0x05),
        (language.values(), |t| t >= 0x80 && t & 0x3F >= 0x05),
        (language.extensions(), |t| t < 0x80),
    ]
}

#[test]
fn every_token_of_every_language_is_found_by_token_and_by_name() {
    let mut count = 0;
    for language in Language::all().iter().copied() {
        let id = language.id();
        for (rows, range) in spaces(language) {
            assert!(rows.iter().all(|row| range(row.token)), "{id}");
        }
        for row in language.tags() {
            count += 1;
            if row.usage != Use::Write {
                assert_eq!(language.tag(row.page, row.token), Some(row), "{id}");
            }
            let by_name = language.tag_by_name(&row.name, row.page);
            match row.usage {
                Use::Both => assert_eq!(by_name, Some(row), "{id}"),
                Use::Read => assert_ne!(by_name, Some(row), "{id}"),
                Use::Write => assert_eq!(by_name.map(|r| r.token), Some(row.token), "{id}"),
            }
        }
        for row in language.attributes() {
            count += 1;
            assert_eq!(language.attribute(row.page, row.token), Some(row), "{id}");
            let found = language.attribute_for(&row.name, &row.value, row.page);
            assert_eq!(found, Some(row), "{id}");
        }
        for row in language.values() {
            count += 1;
            assert_eq!(language.value(row.page, row.token), Some(row), "{id}");
            let found = language.value_for(&row.name, row.page);
            assert_eq!(found == Some(row), row.usage == Use::Both, "{id}: {row:?}");
        }
        for row in language.extensions() {
            count += 1;
            assert_eq!(language.extension(u32::from(row.token)), Some(row), "{id}");
            let found = language.extension_for(&row.name);
            assert_eq!(found == Some(row), row.usage == Use::Both, "{id}: {row:?}");
        }
        for namespace in language.namespaces() {
            assert_eq!(language.namespace(namespace.page()), Some(namespace.name()), "{id}");
            assert_eq!(language.page_of(namespace.name()), Some(namespace.page()), "{id}");
        }
    }
    // 3,191 rows of tokens.csv, AirSync's tables again (646), and the pages of DM DDF in SyncML 1.2 (56).
    assert_eq!(count, 3_191 + 646 + 56);
}

#[test]
fn tokens_that_are_in_no_table_are_not_found() {
    for language in Language::all() {
        for page in (0..30).chain([u8::MAX]) {
            for token in 0..=u8::MAX {
                let listed = |rows: &[Row]| rows.iter().any(|r| (r.page, r.token) == (page, token));
                assert_eq!(language.tag(page, token).is_some(), listed(language.tags()));
                assert_eq!(
                    language.attribute(page, token).is_some(),
                    listed(language.attributes())
                );
                assert_eq!(language.value(page, token).is_some(), listed(language.values()));
            }
        }
    }
    assert_eq!(in_page(&[], 5), None);
}

#[test]
fn languages_are_found_by_what_names_them() {
    for language in Language::all().iter().copied() {
        assert_eq!(Language::by_id(language.id()), Some(language));
        assert!(Language::by_root(language.root()).any(|l| l == language));
        if let Some(number) = language.number() {
            assert_eq!(Language::by_public_id(number), Some(language));
        }
        if let Some(fpi) = language.fpi() {
            assert_eq!(Language::by_fpi(fpi), Some(language));
            assert_eq!(Language::by_fpi(&fpi.to_ascii_lowercase()), Some(language));
            let spaced = format!(" {}\n", fpi.replace(' ', "\t  "));
            assert_eq!(Language::by_fpi(&spaced), Some(language));
        }
    }
    assert_eq!(Language::by_fpi("-//SYNCML//DTDSyncML 1.2//EN"), None);
    assert_eq!(Language::by_fpi("-//SYNCML//DTD SyncML 1.2//EN x"), None);
    assert_eq!(Language::by_fpi("-//SYNCML//DTD SyncML"), None);
    assert_eq!(Language::by_fpi(" "), None);
    assert_eq!((Language::by_public_id(0), Language::by_public_id(1)), (None, None));
    assert_eq!((Language::by_fpi(""), Language::by_id("")), (None, None));
    assert_eq!(Language::by_root("SyncML").count(), 3);
}

#[test]
fn the_longest_beginning_wins_and_the_page_in_force_breaks_the_tie() {
    let si = &languages::SI10;
    for (value, token) in [
        ("http://www.xyz.com", 0x0D),
        ("http://xyz.com", 0x0C),
        ("https://www.x", 0x0F),
        ("ftp://x", 0x0B),
        ("", 0x0B),
    ] {
        assert_eq!(si.attribute_for("href", value, 0).map(Row::token), Some(token), "{value}");
    }
    assert_eq!(si.attribute_for("action", "signal", 0), None, "no row without a value");
    let prov = &languages::PROV10;
    for (page, found) in [(0, 0), (1, 1), (7, 0)] {
        assert_eq!(prov.tag_by_name("parm", page).map(Row::page), Some(found));
        assert_eq!(prov.attribute_for("name", "PORTNBR", page).map(Row::page), Some(found));
        assert_eq!(prov.value_for("IPV6!", page).map(Row::page), Some(found));
    }
    assert_eq!(prov.value_for("HTTP-DIGEST", 0).map(Row::token), Some(0x9D));
    assert_eq!(prov.value_for("HTTP-DIGEST", 1).map(Row::token), Some(0x9D), "the longest first");
    assert_eq!(prov.value_for("X", 0), None);
    assert_eq!(prov.value_for("", 0), None);
}

/// The corrections that registry/README.md lists.
#[test]
fn corrections() {
    let name = |row: Option<&'static Row>| row.map(Row::name);
    let prov = &languages::PROV10;
    assert_eq!(name(prov.value(0, 0xB5)), Some("TETRA-SDS"));
    assert_eq!(name(prov.value(1, 0xE0)), Some("AAA"));
    assert_eq!(prov.value_for("AAA", 1).map(Row::page), Some(0), "written on page 0");
    assert_eq!(
        name(languages::SYNCML12.tag(2, 0x60 & 0x3F)),
        name(languages::DMDDF12.tag(2, 0x20))
    );
    assert_eq!(languages::SYNCML12.namespace(2), Some("syncml:dmddf1.2"));
    for tag in ["NumberOfChanges", "MoreData"] {
        assert_eq!(languages::SYNCML10.tag_by_name(tag, 0), None);
        assert!(languages::SYNCML11.tag_by_name(tag, 0).is_some());
        assert!(languages::SYNCML10.tags().iter().any(|r| r.name() == tag && r.is_read_only()));
    }
    assert_eq!(name(languages::METINF12.tag(1, 0x17)), Some("FP"));
    let encryption = languages::ACTIVESYNC.tag_by_name("RequireStorageCardEncryption", 14);
    assert_eq!(encryption.map(Row::token), Some(0x10));
    assert_eq!(name(languages::ACTIVESYNC.tag(14, 0x10)), Some("DeviceEncryptionEnabled"));
}
