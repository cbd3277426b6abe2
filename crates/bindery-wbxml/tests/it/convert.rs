//! WBXML to XML and back.

mod infoset;
mod peers;

use bindery_wbxml::{
    ConvertError, ErrorKind, FromXml, Identifier, Language, Limit, Options, Version, WriteOptions,
    Writer, from_xml, languages, to_xml,
};

use super::bytes;

fn xml_of(document: &[u8], options: &Options<'_>) -> String {
    let mut out = Vec::new();
    to_xml(document, options, &mut out).unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8(out).unwrap()
}

fn wbxml_of(xml: &str, options: &FromXml<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    from_xml(xml.as_bytes(), options, &mut out).unwrap_or_else(|e| panic!("{e}: {xml}"));
    out
}

/// The document behind the declaration and the DOCTYPE.
fn body(xml: &str) -> &str {
    let rest = xml.split_once("?>").unwrap().1;
    if rest.starts_with("<!DOCTYPE") { rest.split_once('>').unwrap().1 } else { rest }
}

/// There and back: the body is this XML, and the way back gives the same bytes.
#[track_caller]
fn both_ways(document: &[u8], options: &Options<'_>, expected: &str) {
    let xml = xml_of(document, options);
    assert_eq!(body(&xml), expected);
    let mut from = FromXml::default();
    from.language = options.language;
    assert_eq!(wbxml_of(&xml, &from), document, "{xml}");
}

fn written(language: &Language, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let options = WriteOptions::new(language);
    let mut writer = Writer::new(&mut out, &options);
    write(&mut writer);
    writer.finish().unwrap();
    out
}

#[test]
fn the_document_type_names_the_language() {
    let document = bytes("03 05 6A 00 45 C6 08 01 03 'Mail' 00 01 01");
    let xml = xml_of(&document, &Options::STRICT);
    assert_eq!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE si PUBLIC \"-//WAPFORUM//DTD SI \
         1.0//EN\" \"http://www.wapforum.org/DTD/si.dtd\"><si><indication \
         action=\"signal-high\">Mail</indication></si>"
    );
    assert_eq!(wbxml_of(&xml, &FromXml::default()), document);
}

#[test]
fn code_pages_are_namespaces() {
    let document = written(&languages::SYNCML12, |w| {
        w.start_element("SyncML");
        w.start_element("Meta");
        w.start_element_in("syncml:metinf", "Type");
        w.text("text/plain");
        w.end_element();
        w.start_element_in("syncml:metinf", "Format");
        w.end_element();
        w.end_element();
        w.start_element("Data");
        w.end_element();
        w.end_element();
    });
    let expected = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><Meta><Type \
                    xmlns=\"syncml:metinf\">text/plain</Type><Format \
                    xmlns=\"syncml:metinf\"/></Meta><Data/></SyncML>";
    both_ways(&document, &Options::STRICT, expected);
    // A prefix says the same.
    let prefixed = "<s:SyncML xmlns:s='SYNCML:SYNCML1.2' xmlns:m='syncml:metinf'><s:Meta><m:Type>\
                    text/plain</m:Type><m:Format/></s:Meta><s:Data/></s:SyncML>";
    assert_eq!(wbxml_of(prefixed, &FromXml::default()), document);
}

#[test]
fn opaque_text_is_a_cdata_section_with_its_carriage_returns() {
    for (data, section) in [
        (&b"a<b"[..], "<![CDATA[a<b]]>"),
        (b"", "<![CDATA[]]>"),
        (b"\r", "<![CDATA[]]>&#xD;<![CDATA[]]>"),
        (b"BEGIN\r\nEND\r\n", "<![CDATA[BEGIN]]>&#xD;<![CDATA[\nEND]]>&#xD;<![CDATA[\n]]>"),
        (b"]]>", "<![CDATA[]]]]><![CDATA[>]]>"),
    ] {
        let document = written(&languages::SYNCML12, |w| {
            w.start_element("SyncML");
            w.start_element("Data");
            w.text("before");
            w.opaque(data);
            w.text("behind");
            w.end_element();
            w.end_element();
        });
        let expected = format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><Data>before{section}behind</Data></SyncML>"
        );
        both_ways(&document, &Options::STRICT, &expected);
    }
}

/// The raw digest of SyncML 1.0, of which libwbxml makes XML that is not well-formed.
#[test]
fn opaque_data_that_is_no_text_is_an_instruction() {
    let document = written(&languages::SYNCML10, |w| {
        w.start_element("SyncML");
        w.start_element("Data");
        w.opaque(b"\x00\xff\x01");
        w.end_element();
        w.end_element();
    });
    let expected =
        "<SyncML xmlns=\"SYNCML:SYNCML1.0\"><Data><?bindery-opaque AP8B?></Data></SyncML>";
    both_ways(&document, &Options::STRICT, expected);
}

#[test]
fn a_document_inside_data_is_its_elements() {
    for (outer, inner, namespace) in [
        (&languages::SYNCML12, &languages::DEVINF12, "SYNCML:SYNCML1.2"),
        (&languages::SYNCML11, &languages::DEVINF11, "SYNCML:SYNCML1.1"),
        (&languages::SYNCML10, &languages::DEVINF10, "SYNCML:SYNCML1.0"),
    ] {
        let devinf = written(inner, |w| {
            w.start_element("DevInf");
            w.start_element("Man");
            w.text("A & B");
            w.end_element();
            w.end_element();
        });
        let document = written(outer, |w| {
            w.start_element("SyncML");
            w.start_element("Data");
            w.opaque(&devinf);
            w.end_element();
            w.end_element();
        });
        let expected = format!(
            "<SyncML xmlns=\"{namespace}\"><Data><DevInf xmlns=\"syncml:devinf\"><Man>A &amp; \
             B</Man></DevInf></Data></SyncML>"
        );
        both_ways(&document, &Options::STRICT, &expected);
    }
}

#[test]
fn forms_of_opaque_data_are_text() {
    let document = bytes("03 05 6A 00 45 C6 0A C3 04 19 99 06 30 01 03 'x' 00 01 01");
    both_ways(
        &document,
        &Options::STRICT,
        "<si><indication created=\"1999-06-30T00:00:00Z\">x</indication></si>",
    );
    let document = written(&languages::SYNCML12, |w| {
        w.start_element("SyncML");
        w.start_element_in("syncml:metinf", "NextNonce");
        w.opaque(b"\x01\x02\x03");
        w.end_element();
        w.end_element();
    });
    both_ways(
        &document,
        &Options::STRICT,
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><NextNonce \
         xmlns=\"syncml:metinf\">AQID</NextNonce></SyncML>",
    );
}

#[test]
fn variables_and_extensions_are_text() {
    let document = bytes("03 0A 6A 00 7F 67 60 03 'a' 00 40 'v' 00 03 'b' 00 42 'w' 00 01 01 01");
    both_ways(
        &document,
        &Options::STRICT,
        "<wml><card><p>a$(v:escape)b$(w:noesc)</p></card></wml>",
    );
    // The same by the string table.
    let table = bytes("03 0A 6A 02 'v' 00 7F 67 60 81 00 01 01 01");
    assert_eq!(
        body(&xml_of(&table, &Options::STRICT)),
        "<wml><card><p>$(v:unesc)</p></card></wml>"
    );
}

#[test]
fn activesync_is_named_by_the_caller() {
    let options = Options::STRICT.with_language(&languages::ACTIVESYNC);
    let mut document = Vec::new();
    let write = WriteOptions::new(&languages::ACTIVESYNC).with_public_id(Identifier::Number(1));
    let mut writer = Writer::new(&mut document, &write);
    writer.start_tag(0x07, 0x16);
    writer.start_tag(0x07, 0x12);
    writer.text("0");
    writer.end_element();
    writer.end_element();
    writer.finish().unwrap();
    let xml = xml_of(&document, &options);
    assert!(body(&xml).contains("<SyncKey>0</SyncKey>"), "{xml}");
    let from = FromXml::default()
        .with_language(&languages::ACTIVESYNC)
        .with_public_id(Identifier::Number(1));
    assert_eq!(wbxml_of(&xml, &from), document);
}

#[test]
fn an_unknown_language_is_tokens_and_literals() {
    let document = bytes("03 01 6A 05 'name' 00 D7 3F 03 'v' 00 01 00 02 45 03 'x' 00 01 04 00 01");
    both_ways(
        &document,
        &Options::STRICT,
        "<token-00-17 token-00-3f=\"v\"><token-02-05>x</token-02-05><name/></token-00-17>",
    );
}

#[test]
fn a_private_language_goes_both_ways() {
    let language = Language::builder("private")
        .root("tree")
        .tag(0, 0x05, "tree")
        .tag(1, 0x06, "leaf")
        .namespace(1, "urn:leaf")
        .build()
        .unwrap();
    let document = written(&language, |w| {
        w.start_element("tree");
        w.start_element_in("urn:leaf", "leaf");
        w.text("1");
        w.end_element();
        w.end_element();
    });
    let options = Options::STRICT.with_language(&language);
    both_ways(&document, &options, "<tree><leaf xmlns=\"urn:leaf\">1</leaf></tree>");
}

#[test]
fn blank_text_is_left_out_when_asked() {
    let indented = "<si>\n  <indication>a b</indication>\n</si>";
    let options = FromXml::default().with_skip_blank(true);
    assert_eq!(wbxml_of(indented, &options), bytes("03 05 6A 00 45 46 03 'a b' 00 01 01"));
    let kept = wbxml_of(indented, &FromXml::default());
    assert_eq!(body(&xml_of(&kept, &Options::STRICT)), indented);
}

#[track_caller]
fn refused(xml: &str, options: &FromXml<'_>) -> ConvertError {
    let mut out = b"kept".to_vec();
    let Err(error) = from_xml(xml.as_bytes(), options, &mut out) else {
        panic!("accepted: {out:02X?}");
    };
    assert_eq!(out, b"kept");
    error
}

#[track_caller]
fn not_xml(document: &[u8], options: &Options<'_>) -> ConvertError {
    let mut out = b"kept".to_vec();
    let Err(error) = to_xml(document, options, &mut out) else { panic!("accepted: {out:?}") };
    assert_eq!(out, b"kept");
    error
}

#[test]
fn what_xml_cannot_carry_is_refused_with_its_place() {
    let error = not_xml(&bytes("03 05 6A 00 45 46 03 01 00 01 01"), &Options::STRICT);
    assert!(matches!(error, ConvertError::ToXml { offset: 6, .. }), "{error}");
    // Two of one attribute.
    let twice = bytes("03 05 6A 00 45 86 08 06 01 01");
    assert!(matches!(not_xml(&twice, &Options::STRICT), ConvertError::ToXml { .. }));
    let error = not_xml(&bytes("03 01 6A 00 85 05 85 01"), &Options::STRICT);
    assert!(matches!(error, ConvertError::Value { offset: 6, .. }), "{error}");
    let error = not_xml(&bytes("03 05 6A 00 45 80 00 01"), &Options::STRICT);
    assert!(matches!(error, ConvertError::Extension { number: 0, .. }), "{error}");
}

#[test]
fn what_wbxml_cannot_carry_is_refused_with_its_place() {
    let options = FromXml::default();
    let error = refused("<unheard-of/>", &options);
    assert!(matches!(error, ConvertError::Language { .. }), "{error}");
    let error = refused("<si>\n<?bindery-opaque ???x?></si>", &options);
    assert!(matches!(&error, ConvertError::Opaque { position } if position.line == 2), "{error}");
    let error = refused("<si><![CDATA[x]]></si>", &options.with_version(Version::V1_0));
    assert!(matches!(error, ConvertError::FromXml { .. }), "{error}");
    assert!(matches!(refused("<si>", &FromXml::default()), ConvertError::Xml(_)));
    assert!(matches!(refused("<token-00-01/>", &FromXml::default()), ConvertError::FromXml { .. }));
}

/// Every beginning of a document is refused, and so is a tree as deep as memory.
#[test]
fn hostile_documents_are_refused() {
    let document = bytes("03 0A 6A 02 'v' 00 7F 67 60 81 00 03 'a' 00 01 01 01");
    for end in 0..document.len() {
        not_xml(document.get(..end).unwrap(), &Options::STRICT);
    }
    let mut deep = bytes("03 05 6A 00");
    deep.resize(1_000_000, 0x45);
    let error = not_xml(&deep, &Options::STRICT);
    let ConvertError::Wbxml(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind(), ErrorKind::Limit { limit: Limit::Depth, .. }), "{error}");
    let xml = "<si>".repeat(1_000_000);
    assert!(matches!(refused(&xml, &FromXml::default()), ConvertError::Xml(_)));
}

/// Text of several pieces of opaque data would be one text: only what stands alone in its element is shown by its form.
#[test]
fn opaque_data_with_a_form_beside_other_content_comes_back() {
    for (pieces, expected) in [
        (&[Err(&b"a&"[..])][..], "YSY="),
        (&[Err(b"a&"), Ok("x"), Err(b"b")], "<![CDATA[a&]]>x<![CDATA[b]]>"),
        (&[Err(b"a&"), Err(b"\x00")], "<![CDATA[a&]]><?bindery-opaque AA==?>"),
        (&[Err(b"YSY="), Ok("x")], "<?bindery-opaque WVNZPQ==?>x"),
        (&[Err(b"")], "<?bindery-opaque?>"),
    ] {
        let document = written(&languages::SYNCML12, |w| {
            w.start_element("SyncML");
            w.start_element_in("syncml:metinf", "NextNonce");
            for piece in pieces {
                match piece {
                    Ok(text) => w.text(text),
                    Err(bytes) => w.opaque(bytes),
                }
            }
            w.end_element();
            w.end_element();
        });
        let expected = format!(
            "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><NextNonce \
             xmlns=\"syncml:metinf\">{expected}</NextNonce></SyncML>"
        );
        both_ways(&document, &Options::STRICT, &expected);
    }
}

/// The declaration of a namespace that a page stands for is left out, but where an attribute needs its prefix.
#[test]
fn an_attribute_in_a_namespace_of_the_language_keeps_its_prefix() {
    let xml =
        "<s:SyncML xmlns:s='SYNCML:SYNCML1.1' s:a='1' s:b='2'><s:SyncHdr s:c='3'/></s:SyncML>";
    let document = wbxml_of(xml, &FromXml::default());
    let back = xml_of(&document, &Options::STRICT);
    let declared = "xmlns:s=\"SYNCML:SYNCML1.1\"";
    let expected = format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.1\" {declared} s:a=\"1\" s:b=\"2\"><SyncHdr {declared} \
         s:c=\"3\"/></SyncML>"
    );
    assert_eq!(body(&back), expected);
    assert_eq!(wbxml_of(&back, &FromXml::default()), document);
}
