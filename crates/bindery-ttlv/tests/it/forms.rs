//! The XML and JSON forms: known texts, everything exact both ways, and every fault with its place.
//!
//! The texts of the known answers are written from KMIP Profiles 2.1, sections 5.4 and 5.5, and KMIP Additional Message
//! Encodings 1.0, sections 4 and 6.

use bindery_ttlv::{
    FormErrorKind, Limits, Options, Tag, XmlMessages, from_json, from_xml, to_json,
    to_json_indented, to_xml, to_xml_indented,
};
use bytes::Bytes;

use crate::{bytes, write};

type To = fn(&[u8], &Options, &mut Vec<u8>) -> Result<(), bindery_ttlv::FormError>;
type From = fn(&[u8], &Options, &mut Vec<u8>) -> Result<usize, bindery_ttlv::FormError>;

fn text(to: To, message: &[u8]) -> String {
    let mut out = Vec::new();
    to(message, &Options::STRICT, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn binary(from: From, text: &str) -> Bytes {
    let mut out = Vec::new();
    let length = from(text.as_bytes(), &Options::STRICT, &mut out).unwrap();
    assert_eq!(length, out.len());
    out.into()
}

/// A message goes through both forms, with and without indentation, and comes back the same.
pub(crate) fn survives(message: &[u8]) {
    for (to, from) in [
        (to_xml as To, from_xml as From),
        (to_xml_indented, from_xml),
        (to_json, from_json),
        (to_json_indented, from_json),
    ] {
        let text = text(to, message);
        assert_eq!(binary(from, &text), message, "{text}");
    }
}

/// An item under a tag that the registry does not have.
const MINE: Tag = Tag::from_low_bits(0x54_0001);

/// One item of each type, with the XML and JSON texts.
#[expect(clippy::too_many_lines, reason = "a table")]
fn known() -> Vec<(Bytes, &'static str, &'static str)> {
    vec![
        (
            write(|w| w.integer(Tag::BATCH_COUNT, -7)),
            r#"<BatchCount type="Integer" value="-7"/>"#,
            r#"{"tag":"BatchCount","type":"Integer","value":-7}"#,
        ),
        (
            write(|w| w.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 12)),
            r#"<CryptographicUsageMask type="Integer" value="Encrypt Decrypt"/>"#,
            r#"{"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|Decrypt"}"#,
        ),
        (
            write(|w| w.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0x4000_0004)),
            r#"<CryptographicUsageMask type="Integer" value="Encrypt 0x40000000"/>"#,
            r#"{"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|0x40000000"}"#,
        ),
        (
            write(|w| w.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0)),
            r#"<CryptographicUsageMask type="Integer" value="0"/>"#,
            r#"{"tag":"CryptographicUsageMask","type":"Integer","value":0}"#,
        ),
        (
            write(|w| w.long_integer(Tag::USAGE_LIMITS_TOTAL, 16)),
            r#"<UsageLimitsTotal type="LongInteger" value="16"/>"#,
            r#"{"tag":"UsageLimitsTotal","type":"LongInteger","value":16}"#,
        ),
        (
            write(|w| w.long_integer(Tag::USAGE_LIMITS_TOTAL, 1 << 52)),
            r#"<UsageLimitsTotal type="LongInteger" value="4503599627370496"/>"#,
            r#"{"tag":"UsageLimitsTotal","type":"LongInteger","value":"0x0010000000000000"}"#,
        ),
        (
            write(|w| w.big_integer(Tag::PUBLIC_EXPONENT, &[1, 0, 1])),
            r#"<PublicExponent type="BigInteger" value="0000000000010001"/>"#,
            r#"{"tag":"PublicExponent","type":"BigInteger","value":"0x0000000000010001"}"#,
        ),
        (
            write(|w| w.enumeration(Tag::OPERATION, 1)),
            r#"<Operation type="Enumeration" value="Create"/>"#,
            r#"{"tag":"Operation","type":"Enumeration","value":"Create"}"#,
        ),
        (
            write(|w| w.enumeration(Tag::OPERATION, 0x8000_0001)),
            r#"<Operation type="Enumeration" value="0x80000001"/>"#,
            r#"{"tag":"Operation","type":"Enumeration","value":"0x80000001"}"#,
        ),
        (
            write(|w| w.enumeration(Tag::ATTRIBUTE_REFERENCE, 0x42_0028)),
            r#"<AttributeReference type="Enumeration" value="CryptographicAlgorithm"/>"#,
            r#"{"tag":"AttributeReference","type":"Enumeration","value":"CryptographicAlgorithm"}"#,
        ),
        (
            write(|w| w.boolean(Tag::BATCH_ORDER_OPTION, true)),
            r#"<BatchOrderOption type="Boolean" value="true"/>"#,
            r#"{"tag":"BatchOrderOption","type":"Boolean","value":true}"#,
        ),
        (
            write(|w| w.text_string(Tag::UNIQUE_IDENTIFIER, "a<b & \"c\"\té")),
            r#"<UniqueIdentifier type="TextString" value="a&lt;b &amp; &quot;c&quot;&#x9;é"/>"#,
            r#"{"tag":"UniqueIdentifier","type":"TextString","value":"a<b & \"c\"\té"}"#,
        ),
        (
            write(|w| w.byte_string(MINE, &[0xab, 1])),
            r#"<TTLV tag="0x540001" type="ByteString" value="ab01"/>"#,
            r#"{"tag":"0x540001","type":"ByteString","value":"ab01"}"#,
        ),
        (
            write(|w| w.date_time(Tag::TIME_STAMP, 1_335_514_341)),
            r#"<TimeStamp type="DateTime" value="2012-04-27T08:12:21+00:00"/>"#,
            r#"{"tag":"TimeStamp","type":"DateTime","value":"2012-04-27T08:12:21+00:00"}"#,
        ),
        (
            write(|w| w.date_time(Tag::TIME_STAMP, i64::MAX)),
            r#"<TimeStamp type="DateTime" value="0x7fffffffffffffff"/>"#,
            r#"{"tag":"TimeStamp","type":"DateTime","value":"0x7fffffffffffffff"}"#,
        ),
        (
            write(|w| w.interval(Tag::LEASE_TIME, 3600)),
            r#"<LeaseTime type="Interval" value="3600"/>"#,
            r#"{"tag":"LeaseTime","type":"Interval","value":3600}"#,
        ),
        (
            write(|w| w.date_time_extended(Tag::TIME_STAMP, 1)),
            r#"<TimeStamp type="DateTimeExtended" value="1970-01-01T00:00:00.000001+00:00"/>"#,
            r#"{"tag":"TimeStamp","type":"DateTimeExtended","value":"1970-01-01T00:00:00.000001+00:00"}"#,
        ),
        (
            write(|w| w.structure(Tag::REQUEST_PAYLOAD, |_| {})),
            "<RequestPayload/>",
            r#"{"tag":"RequestPayload","value":[]}"#,
        ),
        (
            write(|w| {
                w.structure(Tag::ATTRIBUTE, |w| {
                    w.text_string(Tag::ATTRIBUTE_NAME, "Cryptographic Usage Mask");
                    w.integer(Tag::ATTRIBUTE_INDEX, 0);
                    w.integer(Tag::ATTRIBUTE_VALUE, 4);
                });
            }),
            concat!(
                r#"<Attribute><AttributeName type="TextString" value="Cryptographic Usage Mask"/>"#,
                r#"<AttributeIndex type="Integer" value="0"/>"#,
                r#"<AttributeValue type="Integer" value="Encrypt"/></Attribute>"#
            ),
            concat!(
                r#"{"tag":"Attribute","value":["#,
                r#"{"tag":"AttributeName","type":"TextString","value":"Cryptographic Usage Mask"},"#,
                r#"{"tag":"AttributeIndex","type":"Integer","value":0},"#,
                r#"{"tag":"AttributeValue","type":"Integer","value":"Encrypt"}]}"#
            ),
        ),
    ]
}

#[test]
fn every_type_has_the_text_of_the_specification() {
    for (message, xml, json) in known() {
        assert_eq!(text(to_xml, &message), xml);
        assert_eq!(text(to_json, &message), json);
        survives(&message);
    }
}

#[test]
fn other_spellings_of_the_same_values_are_read_from_xml() {
    let xml = |value: &str, message: Bytes| assert_eq!(binary(from_xml, value), message, "{value}");
    xml(
        r#"<TTLV tag="BatchCount" type="Integer" value="0xfffffff9"/>"#,
        write(|w| w.integer(Tag::BATCH_COUNT, -7)),
    );
    xml(
        r#"<TTLV tag="0x42000D" type="0x02" value="1"/>"#,
        write(|w| w.integer(Tag::BATCH_COUNT, 1)),
    );
    xml(
        r#"<Operation type="Enumeration" value="0x00000001"/>"#,
        write(|w| w.enumeration(Tag::OPERATION, 1)),
    );
    xml(
        r#"<BatchOrderOption type="Boolean" value="0x0000000000000001"/>"#,
        write(|w| w.boolean(Tag::BATCH_ORDER_OPTION, true)),
    );
    xml(
        r#"<TimeStamp type="DateTime" value="2000-02-01T00:00:00+10:00"/>"#,
        write(|w| w.date_time(Tag::TIME_STAMP, 949_327_200)),
    );
    xml(
        r#"<RequestPayload type="Structure"></RequestPayload>"#,
        write(|w| w.structure(Tag::REQUEST_PAYLOAD, |_| {})),
    );
    xml(
        "<?xml version=\"1.0\"?>\n<!-- one -->\n<RequestPayload>\n  <!-- two --><BatchCount value='1' type='Integer'></BatchCount>\n</RequestPayload>\n",
        write(|w| w.structure(Tag::REQUEST_PAYLOAD, |w| w.integer(Tag::BATCH_COUNT, 1))),
    );
}

#[test]
fn other_spellings_of_the_same_values_are_read_from_json() {
    let json =
        |value: &str, message: Bytes| assert_eq!(binary(from_json, value), message, "{value}");
    json(
        r#"{"value":"0xfffffff9","type":"Integer","tag":"0x42000d"}"#,
        write(|w| w.integer(Tag::BATCH_COUNT, -7)),
    );
    json(
        r#"{"tag":"Operation","type":"Enumeration","value":1}"#,
        write(|w| w.enumeration(Tag::OPERATION, 1)),
    );
    json(
        r#"{"tag":"RequestPayload","value":null}"#,
        write(|w| w.structure(Tag::REQUEST_PAYLOAD, |_| {})),
    );
    json(
        r#" { "value" : [ {"value":[{"value":1,"tag":"BatchCount","type":"Integer"}],"tag":"Attribute"} ] , "name":"x", "tag":"RequestPayload" } "#,
        write(|w| {
            w.structure(Tag::REQUEST_PAYLOAD, |w| {
                w.structure(Tag::ATTRIBUTE, |w| w.integer(Tag::BATCH_COUNT, 1));
            });
        }),
    );
    json(
        r#"{"tag":"UniqueIdentifier","type":"TextString","value":"\u0041\ud83d\ude00"}"#,
        write(|w| w.text_string(Tag::UNIQUE_IDENTIFIER, "A😀")),
    );
    json(
        r#"{"tag":"UsageLimitsTotal","type":"LongInteger","value":"0xffffffffffffffff"}"#,
        write(|w| w.long_integer(Tag::USAGE_LIMITS_TOTAL, -1)),
    );
    json(
        r#"{"tag":"PublicExponent","type":"BigInteger","value":-2}"#,
        write(|w| w.big_integer(Tag::PUBLIC_EXPONENT, &[0xfe])),
    );
}

#[track_caller]
fn refused(from: From, text: &str, word: &str) {
    let mut out = b"before".to_vec();
    let error = from(text.as_bytes(), &Options::STRICT, &mut out).unwrap_err();
    assert_eq!(out, b"before", "{text}");
    assert!(error.to_string().contains(word), "{text}: {error}");
}

#[test]
fn faults_of_xml_are_told() {
    for (text, word) in [
        ("", "XML"),
        ("<RequestPayload>", "XML"),
        ("<RequestPayload/><RequestPayload/>", "XML"),
        ("<Nonsense/>", "no item"),
        ("<KMIP><Nonsense/></KMIP>", "Nonsense is no tag"),
        ("<KMIP/>", "no item"),
        ("<KMIP><RequestPayload/><RequestPayload/></KMIP>", "more than one item"),
        ("<TTLV/>", "no item"),
        (r#"<RequestPayload><TTLV tag="0x42"/></RequestPayload>"#, "TTLV is no tag"),
        (r#"<TTLV tag="0x430001"/>"#, "neither 42xxxx"),
        (r#"<BatchCount type="Integer"/>"#, "BatchCount has no value"),
        (r#"<BatchCount type="Number" value="1"/>"#, "no known type"),
        (r#"<BatchCount type="Integer" value="1.5"/>"#, "expected an Integer"),
        (r#"<BatchCount type="Integer" value="2147483648"/>"#, "expected an Integer"),
        (r#"<BatchCount type="Integer" value="0x1"/>"#, "expected an Integer"),
        (r#"<BatchCount type="Integer" value="Encrypt"/>"#, "expected an Integer"),
        (
            r#"<CryptographicUsageMask type="Integer" value="Encrypt Nothing"/>"#,
            "expected an Integer",
        ),
        (r#"<Operation type="Enumeration" value="Creat"/>"#, "expected an Enumeration"),
        (r#"<BatchOrderOption type="Boolean" value="yes"/>"#, "expected a Boolean"),
        (r#"<BatchOrderOption type="Boolean" value="0x0000000000000002"/>"#, "expected a Boolean"),
        (r#"<Data type="ByteString" value="abc"/>"#, "expected a Byte String"),
        (r#"<Data type="ByteString" value="0xab"/>"#, "expected a Byte String"),
        (r#"<PublicExponent type="BigInteger" value="010001"/>"#, "expected a Big Integer"),
        (r#"<PublicExponent type="BigInteger" value=""/>"#, "expected a Big Integer"),
        (r#"<TimeStamp type="DateTime" value="yesterday"/>"#, "expected a date"),
        (r#"<TimeStamp type="DateTime" value="2012-04-27T08:12:21.5Z"/>"#, "expected a date"),
        (r#"<LeaseTime type="Interval" value="-1"/>"#, "expected an Interval"),
        ("<RequestPayload>text</RequestPayload>", "values are attributes"),
        (
            r#"<BatchCount type="Integer" value="1"><BatchCount type="Integer" value="1"/></BatchCount>"#,
            "inside an item",
        ),
    ] {
        refused(from_xml, text, word);
    }
    let text = "<RequestPayload>\n  <Attribute>\n    <BatchCount type=\"Integer\" value=\"x\"/>";
    let error = from_xml(text.as_bytes(), &Options::STRICT, &mut Vec::new()).unwrap_err();
    assert_eq!(error.line_and_column(), Some((3, 5)));
    assert!(error.to_string().contains("in RequestPayload/Attribute"), "{error}");
    assert!(!error.to_string().contains("\"x\""), "the value may be a secret: {error}");
}

#[test]
fn faults_of_json_are_told() {
    for (text, word) in [
        ("", "the text is empty"),
        ("[]", "a message is an object"),
        ("{", "the text ends"),
        ("{}", "without the member \"value\""),
        (r#"{"tag":"BatchCount"}"#, "without the member \"value\""),
        (r#"{"value":[]}"#, "without the member \"tag\""),
        (r#"{"tag":"Nonsense","value":[]}"#, "no tag"),
        (r#"{"tag":1,"value":[]}"#, "no tag"),
        (r#"{"tag":"BatchCount","type":"Number","value":1}"#, "no type"),
        (r#"{"tag":"BatchCount","value":1}"#, "the value of a structure is an array"),
        (r#"{"tag":"BatchCount","type":"Integer","value":[]}"#, "only a structure"),
        (r#"{"tag":"BatchCount","type":"Integer","value":null}"#, "only a structure"),
        (r#"{"tag":"BatchCount","type":"Integer","value":1.0}"#, "expected an Integer"),
        (r#"{"tag":"BatchCount","type":"Integer","value":"1"}"#, "expected an Integer"),
        (r#"{"tag":"BatchCount","type":"Integer","value":true}"#, "expected an Integer"),
        (r#"{"tag":"BatchCount","type":"Integer","value":{}}"#, "a value is"),
        (r#"{"tag":"Attribute","value":[1]}"#, "an array of objects"),
        (r#"{"tag":"Attribute","value":[[]]}"#, "an array of objects"),
        (
            r#"{"tag":"PublicExponent","type":"BigInteger","value":"0000000000010001"}"#,
            "expected a Big Integer",
        ),
        (
            r#"{"tag":"BatchCount","type":"Integer","value":1,"more":2}"#,
            "tag, type, name and value only",
        ),
        (r#"{"tag":"BatchCount","tag":"BatchCount","value":[]}"#, "twice"),
        (r#"{"tag":"Attribute","value":[],"value":[]}"#, "twice"),
        (r#"{"tag":"Attribute","type":"Structure","type":"Structure","value":[]}"#, "twice"),
        (r#"{"tag":"Attribute" "value":[]}"#, "a comma"),
        (r#"{"tag":"Attribute","value":[],}"#, "a member begins"),
        (r#"{,"tag":"Attribute","value":[]}"#, "a member begins"),
        (r#"{"tag","Attribute"}"#, "a colon"),
        (
            r#"{"tag":"Attribute","value":[{"tag":"Attribute","value":[]} {"tag":"Attribute","value":[]}]}"#,
            "a comma",
        ),
        (r#"{"tag":"Attribute","value":[{"tag":"Attribute","value":[]},]}"#, "an array of objects"),
        (r#"{"tag":"Attribute","value":[]} {}"#, "behind the message"),
        (r#"{"tag":"Attribute","value":[}"#, "an array of objects"),
        (r#"{"tag":"UniqueIdentifier","type":"TextString","value":"\ud83d"}"#, "surrogate"),
    ] {
        refused(from_json, text, word);
    }
    let text = "{\"tag\":\"RequestPayload\",\"value\":[\n  {\"tag\":\"BatchCount\",\"type\":\"Integer\",\"value\":\"x\"}]}";
    let error = from_json(text.as_bytes(), &Options::STRICT, &mut Vec::new()).unwrap_err();
    assert_eq!(error.line_and_column(), Some((2, 3)));
    assert!(error.to_string().contains("in RequestPayload"), "{error}");
    let error = from_json(b"{\"tag\":\"\xff\"", &Options::STRICT, &mut Vec::new()).unwrap_err();
    assert_eq!(error.offset(), Some(8));
}

#[test]
fn limits_hold_in_both_forms() {
    let limited = |limits| Options::STRICT.with_limits(limits);
    let nested = |depth: usize| {
        let xml = "<Attribute>".repeat(depth) + &"</Attribute>".repeat(depth);
        let json = "{\"tag\":\"Attribute\",\"value\":[".repeat(depth) + &"]}".repeat(depth);
        (xml, json)
    };
    let (xml, json) = nested(64);
    assert_eq!(binary(from_xml, &xml), binary(from_json, &json));
    for depth in [65, 1000, 1_000_000] {
        let (xml, json) = nested(depth);
        let xml = from_xml(xml.as_bytes(), &Options::STRICT, &mut Vec::new()).unwrap_err();
        let json = from_json(json.as_bytes(), &Options::STRICT, &mut Vec::new()).unwrap_err();
        assert!(matches!(json.kind(), FormErrorKind::Limit("depth", 64)), "{json}");
        assert!(xml.to_string().contains("depth"), "{xml}");
    }
    let message = write(|w| {
        w.structure(Tag::ATTRIBUTE, |w| {
            w.text_string(Tag::ATTRIBUTE_NAME, "0123456789");
            w.byte_string(Tag::ATTRIBUTE_VALUE, &[7; 10]);
        });
    });
    let forms = [(text(to_xml, &message), from_xml as From), (text(to_json, &message), from_json)];
    for (text, from) in forms {
        let try_with = |limits| from(text.as_bytes(), &limited(limits), &mut Vec::new());
        let length = u32::try_from(message.len()).unwrap();
        assert!(try_with(Limits::DEFAULT.with_items(3).with_message_length(length)).is_ok());
        for limits in [
            Limits::DEFAULT.with_items(2),
            Limits::DEFAULT.with_text_length(9),
            Limits::DEFAULT.with_bytes_length(9),
            Limits::DEFAULT.with_message_length(length - 1),
        ] {
            try_with(limits).unwrap_err();
        }
    }
}

#[test]
fn what_is_no_message_is_not_written() {
    for to in [to_xml as To, to_json] {
        let mut out = b"before".to_vec();
        to(&bytes("42000D 02 00000004 00000001 0000"), &Options::STRICT, &mut out).unwrap_err();
        let two =
            [write(|w| w.integer(Tag::BATCH_COUNT, 1)), write(|w| w.integer(Tag::BATCH_COUNT, 1))];
        to(&two.concat(), &Options::STRICT, &mut out).unwrap_err();
        to(&[], &Options::STRICT, &mut out).unwrap_err();
        assert_eq!(out, b"before");
    }
    // XML has no way to say it; JSON has.
    let control = write(|w| w.text_string(Tag::UNIQUE_IDENTIFIER, "a\u{1}"));
    let error = to_xml(&control, &Options::STRICT, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("U+0001"), "{error}");
    assert_eq!(binary(from_json, &text(to_json, &control)), control);
}

#[test]
fn test_cases_are_read_message_by_message() {
    let document = "<KMIP>\n<!-- a case -->\n<RequestPayload><UniqueIdentifier type='TextString' value='$UID'/></RequestPayload>\
                    <BatchCount type='Integer' value='2'/></KMIP>";
    let substitute = |_: Tag, _: bindery_ttlv::ItemType, value: &str| {
        (value == "$UID").then(|| "uid-1".to_owned())
    };
    let mut messages = XmlMessages::new(document, &Options::STRICT).with_substitute(&substitute);
    let mut found = Vec::new();
    loop {
        let mut message = Vec::new();
        if !messages.next_message(&mut message).unwrap() {
            break;
        }
        found.push(Bytes::from(message));
    }
    let first = write(|w| {
        w.structure(Tag::REQUEST_PAYLOAD, |w| w.text_string(Tag::UNIQUE_IDENTIFIER, "uid-1"));
    });
    assert_eq!(found, [first, write(|w| w.integer(Tag::BATCH_COUNT, 2))]);
}
