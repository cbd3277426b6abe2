use super::{Tree, civil, date_time};
use crate::registry::Operation;
use crate::{Tag, Writer};

fn print(write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer);
    write(&mut writer);
    writer.finish().unwrap();
    Tree::new(&buffer).to_string()
}

#[test]
fn names_and_types() {
    let text = print(|w| {
        w.structure(Tag::BATCH_ITEM, |w| {
            w.enumeration(Tag::OPERATION, Operation::QUERY.0);
            w.enumeration(Tag::RESULT_REASON, 0x8000_0001);
            w.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0x4000_000C);
            w.text_string(Tag::RESULT_MESSAGE, "a\x1b[2Jb");
            w.date_time(Tag::TIME_STAMP, 1_205_495_800);
            w.interval(Tag::LEASE_TIME, 60);
            w.enumeration(Tag::from_low_bits(0x54_0001), 7);
        });
    });
    assert_eq!(
        text,
        "BatchItem (Structure)\n\
         \x20 Operation (Enumeration): Query (0x00000018)\n\
         \x20 ResultReason (Enumeration): 0x80000001\n\
         \x20 CryptographicUsageMask (Integer): Encrypt|Decrypt|0x40000000 (0x4000000c)\n\
         \x20 ResultMessage (Text String): \"a\\u{1b}[2Jb\"\n\
         \x20 TimeStamp (Date-Time): 2008-03-14T11:56:40Z (1205495800)\n\
         \x20 LeaseTime (Interval): 60 s\n\
         \x20 0x540001 (Enumeration): 0x00000007\n"
    );
}

#[test]
fn attribute_values_by_attribute_name() {
    let text = print(|w| {
        w.structure(Tag::ATTRIBUTE, |w| {
            w.text_string(Tag::ATTRIBUTE_NAME, "Cryptographic Algorithm");
            w.integer(Tag::ATTRIBUTE_INDEX, 0);
            w.enumeration(Tag::ATTRIBUTE_VALUE, 3);
        });
        w.structure(Tag::ATTRIBUTE, |w| w.enumeration(Tag::ATTRIBUTE_VALUE, 3));
    });
    assert!(text.contains("AttributeValue (Enumeration): AES (0x00000003)\n"), "{text}");
    assert!(text.ends_with("AttributeValue (Enumeration): 0x00000003\n"), "{text}");
}

#[test]
fn secrets_are_hidden_unless_asked_for() {
    let mut buffer = Vec::new();
    Writer::new(&mut buffer).structure(Tag::KEY_BLOCK, |w| {
        w.structure(Tag::KEY_VALUE, |w| {
            w.structure(Tag::KEY_MATERIAL, |w| {
                w.byte_string(Tag::KEY, b"\xAB\xCD");
                w.structure(Tag::ATTRIBUTE, |w| w.text_string(Tag::COMMENT, "inside"));
            });
            w.text_string(Tag::COMMENT, "beside");
        });
        w.byte_string(Tag::KEY_VALUE, b"wrapped");
    });
    let hidden = Tree::new(&buffer).to_string();
    assert!(hidden.contains("Key (Byte String): (hidden, 2 bytes)"), "{hidden}");
    assert!(!hidden.contains("abcd") && !hidden.contains("inside"), "{hidden}");
    assert!(hidden.contains("KeyValue (Byte String): (hidden, 7 bytes)"), "{hidden}");
    assert!(hidden.contains("\"beside\""), "{hidden}");
    let shown = Tree::new(&buffer).with_secrets().to_string();
    assert!(shown.contains("Key (Byte String): abcd"), "{shown}");
}

#[test]
fn long_values_are_cut_unless_full() {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer);
    writer.byte_string(Tag::CERTIFICATE_VALUE, &[0x11; 65]);
    writer.text_string(Tag::COMMENT, &"é".repeat(200));
    let cut = Tree::new(&buffer).to_string();
    assert!(cut.contains(&format!("{}... (65 bytes)", "11".repeat(64))), "{cut}");
    assert!(cut.contains(&format!("{}\"... (400 bytes)", "é".repeat(128))), "{cut}");
    let full = Tree::new(&buffer).full(true).to_string();
    assert!(full.contains(&"11".repeat(65)) && full.contains(&"é".repeat(200)), "{full}");
}

#[test]
fn a_malformed_message_is_printed_to_the_fault() {
    let mut buffer = Vec::new();
    Writer::new(&mut buffer).structure(Tag::BATCH_ITEM, |w| w.integer(Tag::BATCH_COUNT, 1));
    buffer[11] = 0x0C;
    let text = Tree::new(&buffer).to_string();
    assert!(
        text.starts_with(
            "BatchItem (Structure)\n! TTLV: at offset 8, BatchItem/BatchCount: 0C is no"
        ),
        "{text}"
    );
}

#[test]
fn dates() {
    let show = |seconds, micros| {
        let mut text = String::new();
        date_time(seconds, micros, &mut text).unwrap();
        text
    };
    assert_eq!(show(0, None), "1970-01-01T00:00:00Z (0)");
    assert_eq!(show(-1, Some(999_999)), "1969-12-31T23:59:59.999999Z (-1.999999)");
    assert_eq!(show(951_782_400, None), "2000-02-29T00:00:00Z (951782400)");
    assert_eq!(show(253_402_300_799, None), "9999-12-31T23:59:59Z (253402300799)");
    assert_eq!(show(253_402_300_800, None), "(253402300800)");
    assert_eq!(show(i64::MIN, None), format!("({})", i64::MIN));
    // Every day of the range follows the one before it.
    let mut before = civil(-719_529);
    for day in -719_528..=2_932_896 {
        let (y, m, d) = civil(day);
        let next = (y, m, d - 1) == before
            || (d == 1 && (y, m - 1) == (before.0, before.1))
            || (m, d) == (1, 1);
        assert!(next, "{day}");
        before = (y, m, d);
    }
}

#[test]
fn a_piece_of_key_material_is_hidden_without_what_stands_around_it() {
    let text = print(|w| {
        w.byte_string(Tag::KEY, &[0xAB; 16]);
        for tag in [Tag::PRIVATE_EXPONENT, Tag::D, Tag::X, Tag::P, Tag::Q, Tag::CRT_COEFFICIENT] {
            w.big_integer(tag, &[0x12; 8]);
        }
        w.big_integer(Tag::MODULUS, &[0x34; 8]);
    });
    assert_eq!(text.matches("(hidden, ").count(), 7, "{text}");
    assert!(!text.contains("abab") && !text.contains("1212") && text.contains("3434"), "{text}");
}
