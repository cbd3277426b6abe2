use x509_parser::prelude::FromDer as _;

use super::*;

/// A DER element; contents here are shorter than 128 octets, or 65,536 with the long form.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut out = vec![tag];
    if length < 128 {
        out.push(u8::try_from(length).unwrap());
    } else {
        out.push(0x82);
        out.extend(length.to_be_bytes());
    }
    out.extend(content);
    out
}

const CN: &[u8] = &[0x55, 4, 3];
const O: &[u8] = &[0x55, 4, 10];
const C: &[u8] = &[0x55, 4, 6];
const SERIAL: &[u8] = &[0x55, 4, 5];
const UTF8: u8 = 12;
const PRINTABLE: u8 = 19;
const T61: u8 = 20;
const BMP: u8 = 30;

/// A part of a name: types, tags and values.
type Part<'a> = &'a [(&'a [u8], u8, &'a [u8])];

/// A name from its parts.
fn name(parts: &[Part<'_>]) -> Vec<u8> {
    let parts: Vec<u8> = parts
        .iter()
        .flat_map(|part| {
            let attributes: Vec<u8> = part
                .iter()
                .flat_map(|(oid, tag, value)| der(0x30, &[der(6, oid), der(*tag, value)].concat()))
                .collect();
            der(0x31, &attributes)
        })
        .collect();
    der(0x30, &parts)
}

fn text(parts: &[Part<'_>]) -> Result<String, String> {
    let der = name(parts);
    let (_, name) = X509Name::from_der(&der).unwrap();
    rfc4514(&name)
}

fn cn(value: &str) -> String {
    text(&[&[(CN, UTF8, value.as_bytes())]]).unwrap()
}

#[test]
fn the_last_part_stands_first_and_several_values_are_joined() {
    let written = text(&[
        &[(C, PRINTABLE, b"DE")],
        &[(O, UTF8, "Bücher".as_bytes())],
        &[(CN, UTF8, b"alice"), (SERIAL, PRINTABLE, b"7")],
    ]);
    assert_eq!(written.unwrap(), "CN=alice+2.5.4.5=#130137,O=Bücher,C=DE");
    assert_eq!(text(&[]).unwrap(), "");
}

#[test]
fn special_characters_are_escaped() {
    for (value, written) in [
        ("a,b", r"CN=a\,b"),
        (r#"a"+;<>\"#, r#"CN=a\"\+\;\<\>\\"#),
        ("#a#", r"CN=\#a#"),
        (" a b ", r"CN=\ a b\ "),
        (" ", r"CN=\ "),
        ("a=b", "CN=a=b"),
        ("a\nb\0c", r"CN=a\0Ab\00c"),
        ("\u{85}", r"CN=\C2\85"),
        ("", "CN="),
    ] {
        assert_eq!(cn(value), written);
    }
}

#[test]
fn two_names_that_differ_give_two_texts() {
    let names = [
        cn("alice,O=Example"),
        text(&[&[(O, UTF8, b"Example")], &[(CN, UTF8, b"alice")]]).unwrap(),
        text(&[&[(O, UTF8, b"Example"), (CN, UTF8, b"alice")]]).unwrap(),
        cn("alice+O=Example"),
        cn("#0c05616c696365"),
        text(&[&[(CN, T61, b"alice")]]).unwrap(),
        cn("#1405616c696365"),
    ];
    for (index, one) in names.iter().enumerate() {
        assert!(!names[index + 1..].contains(one), "{one} twice");
    }
    assert_eq!(names[5], "CN=#1405616c696365");
}

#[test]
fn the_encoding_of_a_string_does_not_matter() {
    let bmp: Vec<u8> = "alice".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let written = [(UTF8, b"alice".to_vec()), (PRINTABLE, b"alice".to_vec()), (BMP, bmp)]
        .map(|(tag, value)| text(&[&[(CN, tag, &value)]]).unwrap());
    assert_eq!(written, ["CN=alice", "CN=alice", "CN=alice"]);
    // Broken encodings stay what they are.
    assert_eq!(text(&[&[(CN, UTF8, &[0xff])]]).unwrap(), "CN=#0c01ff");
    assert_eq!(text(&[&[(CN, BMP, &[0xd8, 0])]]).unwrap(), "CN=#1e02d800");
    assert_eq!(text(&[&[(CN, BMP, &[0])]]).unwrap(), "CN=#1e0100");
    assert_eq!(text(&[&[(CN, PRINTABLE, &[0xe9])]]).unwrap(), "CN=#1301e9");
}

#[test]
fn a_name_has_a_limit() {
    let long = "a".repeat(LIMIT);
    assert!(text(&[&[(CN, UTF8, long.as_bytes())]]).unwrap_err().contains("1024 octets"));
    let fits = "a".repeat(LIMIT - 3);
    assert_eq!(cn(&fits).len(), LIMIT);
}

fn only_cn(parts: &[Part<'_>]) -> Result<String, String> {
    let der = name(parts);
    let (_, name) = X509Name::from_der(&der).unwrap();
    common_name(&name)?.ok_or_else(|| "none".to_owned())
}

#[test]
fn the_common_name_is_the_only_one_and_readable() {
    let (alice, o): (Part<'_>, Part<'_>) = (&[(CN, UTF8, b"alice")], &[(O, UTF8, b"Example")]);
    assert_eq!(only_cn(&[o, alice]).unwrap(), "alice");
    assert!(only_cn(&[o]).unwrap_err().contains("none"));
    assert!(only_cn(&[alice, alice]).unwrap_err().contains("more than one"));
    for (tag, value) in [(UTF8, &b""[..]), (UTF8, b"a\0b"), (UTF8, b"a\nb"), (T61, b"alice")] {
        only_cn(&[&[(CN, tag, value)]]).unwrap_err();
    }
    let long = "a".repeat(LIMIT + 1);
    assert!(only_cn(&[&[(CN, UTF8, long.as_bytes())]]).unwrap_err().contains("longer"));
}

/// The parser drops what stands behind a part, an attribute or a value that it cannot read; two
/// names would then be one account.
#[test]
fn a_name_that_is_read_in_part_only_is_refused() {
    let alice: Part<'_> = &[(CN, UTF8, b"alice")];
    let pair = |rest: &[u8]| der(0x30, &[der(6, CN), der(UTF8, b"alice"), rest.to_vec()].concat());
    let broken = der(0x30, &der(6, O));
    let refused = [
        name(&[alice, &[]]),
        name(&[&[], alice]),
        name(&[alice, &[], &[(O, UTF8, b"Other")]]),
        der(0x30, &[der(0x31, &pair(&[])), der(0x31, &broken)].concat()),
        der(0x30, &der(0x31, &[pair(&[]), broken.clone()].concat())),
        der(0x30, &der(0x31, &pair(&der(UTF8, b"more")))),
    ];
    for der in refused {
        // Where the parser itself refuses, so much the better.
        if let Ok((_, name)) = X509Name::from_der(&der) {
            rfc4514(&name).unwrap_err();
            common_name(&name).unwrap_err();
        }
    }
    let whole = name(&[alice, &[(O, UTF8, &[b'x'; 300])]]);
    let (_, name) = X509Name::from_der(&whole).unwrap();
    assert_eq!(common_name(&name).unwrap().as_deref(), Some("alice"));
    assert!(rfc4514(&name).unwrap().starts_with("O=xxx"));
}
