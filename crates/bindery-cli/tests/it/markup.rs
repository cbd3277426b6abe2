//! `decode` and `convert` of WBXML, XML, SyncML and TAXII.

use std::path::Path;

use crate::support::{Ran, folder, run, run_with_input};

/// A SyncML 1.2 message without white space, as the WBXML carries it.
const SYNCML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
<SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>http://s</LocURI></Target>\
<Source><LocURI>IMEI:1</LocURI></Source>\
<Cred><Data>c2VzYW1l</Data></Cred></SyncHdr>\
<SyncBody><Alert><CmdID>1</CmdID><Data>1201</Data></Alert>\
<Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>1</CmdRef><Cmd>Get</Cmd><Data>404</Data></Status>\
<Final/></SyncBody></SyncML>";

/// A TAXII 1.1 request.
const DISCOVERY: &str = "<taxii_11:Discovery_Request \
xmlns:taxii_11=\"http://taxii.mitre.org/messages/taxii_xml_binding-1.1\" message_id=\"1\"/>";

/// The head of a SyncML 1.2 document: version 1.2, public identifier 0x1201, UTF-8, no string table.
const HEAD: [u8; 5] = [0x02, 0xa4, 0x01, 0x6a, 0x00];

fn wbxml(path: &Path, xml: &str) -> Vec<u8> {
    run_with_input(path, "convert --from xml --to wbxml", xml.as_bytes()).exits(0).stdout
}

fn fails(path: &Path, line: &str, input: &[u8]) -> Ran {
    let ran = run_with_input(path, &format!("{line} -o json"), input).exits(5);
    let error = ran.error();
    assert_eq!((&error["code"], &error["layer"]), (&5.into(), &"codec".into()), "{error}");
    assert!(error["offset"].is_u64(), "{error}");
    assert!(!error["hint"].as_str().unwrap().is_empty(), "{error}");
    ran
}

#[test]
fn wbxml_and_xml_turn_into_each_other_exactly() {
    let folder = folder();
    let path = folder.path();
    let binary = wbxml(path, SYNCML);
    assert_eq!(binary.first(), Some(&0x03));
    let back = run_with_input(path, "convert --from wbxml --to xml", &binary).exits(0);
    assert!(back.text().contains("<Data>c2VzYW1l</Data>"), "{}", back.text());
    assert_eq!(wbxml(path, back.text()), binary);
    let again = run_with_input(path, "convert --from wbxml --to wbxml", &binary).exits(0);
    assert_eq!(again.stdout, binary);
}

#[test]
fn the_language_is_named_where_the_document_does_not_say() {
    let folder = folder();
    let path = folder.path();
    // Public identifier 1, unknown: one element with the text "a".
    let unknown = b"\x03\x01\x6a\x00\x45\x03a\x00\x01";
    let raw = run_with_input(path, "convert --from wbxml --to xml", unknown).exits(0);
    assert!(raw.text().contains("<token-00-05>a</token-00-05>"), "{}", raw.text());
    let line = "convert --from wbxml --to xml --lang SI10";
    let named = run_with_input(path, line, unknown).exits(0);
    assert!(named.text().contains("<si>a</si>"), "{}", named.text());
    let tree = run_with_input(path, "decode --lang si10", unknown).exits(0);
    assert!(tree.text().contains("       4  si (0:0x05)\n"), "{}", tree.text());
    let ran = run_with_input(path, "convert --from xml --to wbxml", b"<nobody/>").exits(5);
    assert!(ran.stderr.contains("--lang"), "{}", ran.stderr);
    let ran = run(path, "convert --from xml --to wbxml --lang klingon").exits(2);
    assert!(ran.stderr.contains("klingon"), "{}", ran.stderr);
    run_with_input(path, "convert --from xml --to ttlv", b"<a/>").exits(2);
    run(path, "convert --from xml").exits(2);
}

#[test]
fn a_language_of_ones_own_is_in_a_file() {
    let folder = folder();
    let path = folder.path();
    let file = path.join("acme.toml");
    let tables = "root = \"order\"\nfpi = \"-//ACME//DTD Order 1.0//EN\"\nsystem_id = \"order.dtd\"\n\
                  [[namespace]]\npage = 1\nname = \"urn:acme:item\"\n\
                  [[tag]]\ntoken = 0x05\nname = \"order\"\n\
                  [[tag]]\npage = 1\ntoken = 0x06\nname = \"key\"\nform = \"base64\"\n\
                  [[attribute]]\ntoken = 0x05\nname = \"href\"\nvalue = \"https://\"\n\
                  [[value]]\ntoken = 0x85\ntext = \".example/\"\n";
    std::fs::write(&file, tables).unwrap();
    let xml = b"<order href=\"https://a.example/\"><key xmlns=\"urn:acme:item\">AAH/</key></order>";
    let line = format!("convert --from xml --to wbxml --lang {}", file.display());
    let binary = run_with_input(path, &line, xml).exits(0).stdout;
    let body = b"\xc5\x05\x03a\x00\x85\x01\x00\x01\x46\xc3\x03\x00\x01\xff\x01\x01";
    assert!(binary.ends_with(body), "{binary:02x?}");
    let line = format!("convert --from wbxml --to xml --lang {}", file.display());
    let back = run_with_input(path, &line, &binary).exits(0);
    assert!(
        back.text().contains("\"-//ACME//DTD Order 1.0//EN\" \"order.dtd\""),
        "{}",
        back.text()
    );
    assert!(back.text().ends_with(std::str::from_utf8(xml).unwrap()), "{}", back.text());
    for wrong in ["root = 1", "root = \"a\"\n[[tag]]\ntoken = 3\nname = \"b\"", "x = 1", "\u{0}"] {
        std::fs::write(&file, wrong).unwrap();
        let error = run_with_input(path, &format!("{line} -o json"), &binary).exits(2).error();
        assert!(error["message"].as_str().unwrap().contains("acme.toml"), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    run_with_input(path, &line, &binary).exits(2);
}

#[test]
fn languages_are_listed() {
    let folder = folder();
    let table = run(folder.path(), "convert --list-languages").exits(0);
    assert!(table.text().starts_with("NAME"), "{}", table.text());
    let json = run(folder.path(), "convert --list-languages -o json").exits(0).json();
    let syncml = json.as_array().unwrap().iter().find(|row| row["name"] == "syncml12").unwrap();
    assert_eq!(syncml["public_id"], 0x1201);
    assert_eq!(syncml["root"], "SyncML");
    for row in json.as_array().unwrap() {
        assert!(table.text().contains(row["name"].as_str().unwrap()), "{row}");
    }
}

#[test]
fn decode_explains_syncml_in_both_encodings() {
    let folder = folder();
    let path = folder.path();
    let binary = wbxml(path, SYNCML);
    for (input, place) in [(SYNCML.as_bytes(), "    1:39  SyncML"), (&*binary, "  SyncML (0:0x2D)")]
    {
        let tree = run_with_input(path, "decode", input).exits(0);
        for said in [place, "\"404\"  -- Not found", "\"1201\"  -- ", "text (hidden)", "SyncML"] {
            assert!(tree.text().contains(said), "{said}\n{}", tree.text());
        }
        assert!(!tree.text().contains("c2VzYW1l"), "{}", tree.text());
        let json = run_with_input(path, "decode -o json", input).exits(0).json();
        assert_eq!(json["protocol"], "SyncML");
        let body = &json["items"][0]["items"][1];
        assert_eq!(body["name"], "SyncBody");
        let data = &body["items"][1]["items"][4]["items"][0];
        assert_eq!(data["value"], "404");
        assert!(data["meaning"].as_str().unwrap().starts_with("Not found"), "{data}");
        assert!(data["offset"].as_u64().unwrap() > 100, "{data}");
        run_with_input(path, "decode -o raw", input).exits(2);
        let raw = run_with_input(path, "decode -o raw --show-secrets", input).exits(0);
        assert_eq!(raw.stdout, input);
        let shown = run_with_input(path, "decode --show-secrets", input).exits(0);
        assert!(shown.text().contains("c2VzYW1l"), "{}", shown.text());
    }
}

#[test]
fn decode_shows_a_document_inside_another_one() {
    let folder = folder();
    let path = folder.path();
    // SyncML, Data: opaque with DevInf 1.2 that holds one element VerDTD.
    let inner = b"\x02\xa4\x03\x6a\x00\x4a\x65\x03\x31\x00\x01\x01";
    let mut document = HEAD.to_vec();
    document.extend([0x6d, 0x4f, 0xc3, u8::try_from(inner.len()).unwrap()]);
    document.extend(inner);
    document.extend([0x01, 0x01]);
    // The tree is complete; that Data has no place there is said after it.
    let lenient = run_with_input(path, "decode --lenient", &document).exits(0);
    let tree = run_with_input(path, "decode", &document).exits(5);
    assert_eq!(tree.text(), lenient.text());
    assert!(tree.text().contains("      14      DevInf (0:0x0A)"), "{}", tree.text());
    assert!(tree.text().contains("      15        VerDTD (0:0x25)"), "{}", tree.text());
    assert!(tree.stderr.contains("at offset 6, SyncML/Data"), "{}", tree.stderr);
}

#[test]
fn decode_checks_taxii_and_takes_any_other_xml() {
    let folder = folder();
    let path = folder.path();
    let tree = run_with_input(path, "decode", DISCOVERY.as_bytes()).exits(0);
    assert!(tree.text().starts_with("XML, TAXII 1.1 Discovery_Request\n"), "{}", tree.text());
    assert!(tree.text().contains("@message_id \"1\""), "{}", tree.text());
    let wrong = DISCOVERY.replace("message_id", "message_ix");
    let error = fails(path, "decode", wrong.as_bytes()).error();
    assert_eq!(error["line"], 1, "{error}");
    assert!(error["message"].as_str().unwrap().contains("message_i"), "{error}");
    let plain = "<a>\n  <b c='d'>t<![CDATA[<u>]]></b><!-- v -->\n</a>";
    let tree = run_with_input(path, "decode", plain.as_bytes()).exits(0);
    let expected = "XML\n     1:1  a\n     2:3    b\n     2:3      @c \"d\"\n    2:12      \"t\"\n    \
                    2:13      cdata \"<u>\"\n    2:32    comment \" v \"\n";
    assert_eq!(tree.text(), expected);
}

#[test]
fn a_document_that_is_cut_says_where() {
    let folder = folder();
    let path = folder.path();
    let small = "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><MsgID>1</MsgID></SyncHdr></SyncML>";
    let binary = wbxml(path, small);
    for length in 1..binary.len() {
        let cut = binary.get(..length).unwrap();
        for line in ["decode", "convert --from wbxml --to xml"] {
            let error = fails(path, line, cut).error();
            let offset = error["offset"].as_u64().unwrap();
            assert!(offset <= length as u64, "{length}: {error}");
            assert!(error["message"].as_str().unwrap().contains("at offset"), "{length}: {error}");
        }
    }
    for length in 1..small.len() {
        let cut = small.get(..length).unwrap();
        let error = fails(path, "decode --from xml", cut.as_bytes()).error();
        assert_eq!(error["line"], 1, "{length}: {error}");
    }
}

#[test]
fn hostile_documents_are_refused() {
    let folder = folder();
    let path = folder.path();
    let with_head = |body: &[u8]| [&HEAD, body].concat();
    // Number of the opaque data's length without end.
    let number = [&[0x6d, 0xc3][..], &[0x81; 64]].concat();
    let storm = [&[0x6d][..], &[0x00, 0x01].repeat(1_000_000)].concat();
    let cases = [
        (with_head(&[0x6d].repeat(1_000_000)), "depth"),
        (with_head(&[0x6d, 0x83, 0x7f, 0x01]), "reference to byte 127"),
        (with_head(&number), "more than 32 bits"),
        (with_head(&storm), "page_switches"),
        (vec![0x03, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81], "more than 32 bits"),
        (vec![0x03, 0x01, 0x6a, 0x8f, 0xff, 0xff, 0xff, 0x7f], "string_table"),
        ("<a>".repeat(1_000_000).into_bytes(), "depth"),
    ];
    for (input, said) in cases {
        let from = if input.first() == Some(&b'<') { "xml" } else { "wbxml" };
        let to = if from == "xml" { "wbxml --lang si10" } else { "xml" };
        for line in ["decode", &format!("convert --from {from} --to {to}")] {
            let error = fails(path, line, &input).error();
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(said), "{said}: {message}");
            assert!(message.len() < 2000, "{said}: {message}");
        }
    }
}
