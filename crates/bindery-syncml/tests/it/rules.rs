//! Strict mode, and each tolerance by its name.

use bindery_syncml::{ErrorKind, Options, SyncMl, Tolerance};
use bytes::Bytes;

use crate::{both, lenient, message, strict};

/// A message that strict reading refuses for this reason, and that is read with the one tolerance.
fn tolerated(text: &str, kind: fn(&ErrorKind) -> bool, allow: fn(&mut Tolerance)) {
    let error = strict(text).unwrap_err();
    assert!(kind(error.kind()), "{error}");
    assert!(!error.remedy().is_empty());
    assert!(error.place().line.is_some(), "{error}");
    let mut tolerance = Tolerance::STRICT;
    allow(&mut tolerance);
    let options = Options::STRICT.with_tolerance(tolerance);
    SyncMl::decode(&Bytes::copy_from_slice(text.as_bytes()), &options).unwrap();
    both(text);
}

#[test]
fn order() {
    for body in [
        "<Add><Item/><CmdID>1</CmdID></Add>",
        "<Final/><Alert><CmdID>1</CmdID></Alert>",
        "<Atomic><CmdID>1</CmdID><Get><CmdID>2</CmdID></Get><NoResp/></Atomic>",
        "<Get><CmdID>1</CmdID><Item><Data>1</Data><Meta/></Item></Get>",
    ] {
        tolerated(&message(body), |k| matches!(k, ErrorKind::Order { .. }), |t| t.order = true);
    }
}

#[test]
fn missing() {
    for body in [
        "<Add><Item/></Add>",
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>1</CmdRef><Cmd>Add</Cmd></Status>",
        "<Map><CmdID>1</CmdID></Map>",
        "<Sync></Sync>",
        "<Get><CmdID>1</CmdID><Item><Target/></Item></Get>",
    ] {
        tolerated(&message(body), |k| matches!(k, ErrorKind::Missing { .. }), |t| t.missing = true);
    }
}

#[test]
fn repeated() {
    for body in [
        "<Add><CmdID>1</CmdID><CmdID>2</CmdID></Add>",
        "<Final/><Final/>",
        "<Get><CmdID>1</CmdID><Item><Data>1</Data><Data>2</Data></Item></Get>",
    ] {
        tolerated(
            &message(body),
            |k| matches!(k, ErrorKind::Repeated { .. }),
            |t| t.repeated = true,
        );
    }
}

#[test]
fn misplaced() {
    for body in [
        "<Item/>",
        "<Add><CmdID>1</CmdID><LocURI>x</LocURI></Add>",
        "<Atomic><CmdID>1</CmdID><Status><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>1</CmdRef><Cmd>Add</Cmd>\
         <Data>200</Data></Status></Atomic>",
        "<Sync><CmdID>1</CmdID><Add><CmdID>2</CmdID></Add><Item/></Sync>",
    ] {
        tolerated(
            &message(body),
            |k| matches!(k, ErrorKind::Misplaced { .. }),
            |t| t.misplaced = true,
        );
    }
    let number = message("<Sync><CmdID>1</CmdID><NumberOfChanges>many</NumberOfChanges></Sync>");
    tolerated(&number, |k| matches!(k, ErrorKind::Number), |t| t.misplaced = true);
}

#[test]
fn attributes() {
    let text = message("<Add><CmdID id='1'>1</CmdID></Add>");
    tolerated(&text, |k| matches!(k, ErrorKind::Attribute { .. }), |t| t.attributes = true);
}

#[test]
fn namespaces() {
    let text = message("<Add><CmdID>1</CmdID><Meta><Type>text/plain</Type></Meta></Add>");
    for text in [
        text.clone(),
        text.replace(" xmlns=\"SYNCML:SYNCML1.2\"", ""),
        text.replace("SYNCML:SYNCML1.2", "syncml:SYNCML1.2"),
    ] {
        tolerated(&text, |k| matches!(k, ErrorKind::Namespace { .. }), |t| t.namespaces = true);
        assert_eq!(
            both(&text),
            both(&message(
                "<Add><CmdID>1</CmdID><Meta><Type xmlns='syncml:metinf'>text/plain</Type></Meta></Add>"
            ))
        );
    }
}

#[test]
fn version() {
    let text = message("").replace("<VerDTD>1.2", "<VerDTD>1.1");
    tolerated(&text, |k| matches!(k, ErrorKind::Version), |t| t.version = true);
}

#[test]
fn what_nobody_means_is_refused_always() {
    for body in [
        "stray",
        "<Add><CmdID>1</CmdID>stray</Add>",
        "<Add><CmdID>1<b/></CmdID></Add>",
        "<Get><CmdID>1</CmdID><Item><Target><LocURI>a<b/></LocURI></Target></Item></Get>",
        "<Final>text</Final>",
        "<![CDATA[x]]>",
    ] {
        let error = lenient(&message(body)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Text | ErrorKind::Element { .. }),
            "{body}: {error}"
        );
        assert!(error.to_string().contains("SyncML/SyncBody"), "{error}");
    }
}

#[test]
fn another_document_is_named() {
    let error = lenient("<DevInf xmlns='syncml:devinf'/>").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Root { expected: "SyncML", .. }), "{error}");
    assert!(error.to_string().contains("DevInf"), "{error}");
}

#[test]
fn an_error_says_place_path_and_remedy() {
    let error = strict(&message("\n<Add><Item/></Add>")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SyncML: at line 2, column 13 (offset 308), SyncML/SyncBody: CmdID is missing; write the element"
    );
}

#[test]
fn wbxml_of_no_known_type_is_tolerated_by_name() {
    let document = Bytes::from_static(b"\x02\x01\x6a\x00\x6d\x6c\x01\x6b\x12\x01\x01");
    let error = SyncMl::decode(&document, &Options::STRICT).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::PublicId));
    assert!(SyncMl::decode(&document, &Options::LENIENT).unwrap().body.is_final);
}
