//! Messages in both encodings.

use bindery_syncml::{
    Alert, AlertCode, Atomic, Command, Content, Cred, Get, Item, Meta, Options, Replace, Status,
    StatusCode, SyncMl, WriteOptions,
};
use bytes::Bytes;

use crate::{both, encoded, message};

#[test]
fn wbxml_is_canonical() {
    let mut value = SyncMl::default();
    value.hdr.ver_dtd = "1.2".into();
    value.hdr.ver_proto = "DM/1.2".into();
    value.hdr.session_id = "0".into();
    value.hdr.msg_id = 1_u32.into();
    value.hdr.target = "a".into();
    value.hdr.source = "b".into();
    value.hdr.meta = Some(Box::new(Meta { max_msg_size: Some(10), ..Meta::default() }));
    value.body.commands.push(Alert::new(1_u32, AlertCode(1201)).into());
    value.body.is_final = true;
    let expected = b"\x02\xa4\x01\x6a\x00\x6d\x6c\x71\x031.2\0\x01\x72\x03DM/1.2\0\x01\x65\x030\0\x01\
        \x5b\x031\0\x01\x6e\x57\x03a\0\x01\x01\x67\x57\x03b\0\x01\x01\x5a\x00\x01\x4c\x0310\0\x01\x01\x01\
        \x00\x00\x6b\x46\x4b\x031\0\x01\x4f\x031201\0\x01\x01\x12\x01\x01";
    assert_eq!(encoded(&value, &WriteOptions::WBXML), &expected[..]);
    assert_eq!(value.encoded_len(&WriteOptions::WBXML), expected.len());
    let xml = encoded(&value, &WriteOptions::XML);
    assert_eq!(value.encoded_len(&WriteOptions::XML), xml.len());
    assert!(xml.ends_with(
        b"<Meta><MaxMsgSize xmlns=\"syncml:metinf\">10</MaxMsgSize></Meta></SyncHdr><SyncBody>\
        <Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Final/></SyncBody></SyncML>"
    ));
}

#[test]
fn versions_have_their_own_document_types() {
    for (version, head, namespace) in [
        ("1.0", &b"\x02\x00\x00\x6a\x1e-//SYNCML//DTD SyncML 1.0//EN\0"[..], "SYNCML:SYNCML1.0"),
        ("1.1", b"\x02\x9f\x53\x6a\x00", "SYNCML:SYNCML1.1"),
        ("1.2", b"\x02\xa4\x01\x6a\x00", "SYNCML:SYNCML1.2"),
    ] {
        let mut value = SyncMl::default();
        value.hdr.ver_dtd = version.into();
        let wbxml = encoded(&value, &WriteOptions::WBXML);
        assert!(wbxml.starts_with(head), "{version}: {wbxml:02x?}");
        assert_eq!(value.encoded_len(&WriteOptions::WBXML), wbxml.len());
        let xml = String::from_utf8(encoded(&value, &WriteOptions::XML).to_vec()).unwrap();
        assert!(xml.contains(namespace));
        let strict = Options::STRICT;
        assert_eq!(SyncMl::decode(&wbxml, &strict).unwrap().version().dtd(), version);
        assert_eq!(SyncMl::decode(&xml.into(), &strict).unwrap().version().dtd(), version);
    }
}

#[test]
fn every_command_is_typed() {
    let item = "<Item><Target><LocURI>./a</LocURI><LocName>n</LocName></Target><Source><LocURI>b</LocURI></Source>\
                <SourceParent><LocURI>p</LocURI></SourceParent><TargetParent><LocURI>q</LocURI></TargetParent>\
                <Meta><Format xmlns='syncml:metinf'>chr</Format><Type xmlns='syncml:metinf'>text/plain</Type>\
                <Mark xmlns='syncml:metinf'>critical</Mark><Size xmlns='syncml:metinf'>5</Size>\
                <Anchor xmlns='syncml:metinf'><Last>1</Last><Next>2</Next></Anchor>\
                <EMI xmlns='syncml:metinf'>x</EMI><EMI xmlns='syncml:metinf'>y</EMI>\
                <Mem xmlns='syncml:metinf'><SharedMem/><FreeMem>1</FreeMem><FreeID>2</FreeID></Mem></Meta>\
                <Data>v</Data><MoreData/></Item>";
    let simple: String = ["Add", "Copy", "Delete", "Exec", "Get", "Move", "Put", "Replace"]
        .iter()
        .zip(10..)
        .map(|(name, id)| format!("<{name}><CmdID>{id}</CmdID><NoResp/>{item}</{name}>"))
        .collect();
    let value = both(&message(&format!(
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><TargetRef>t</TargetRef>\
         <SourceRef>s</SourceRef><Chal><Meta><Format xmlns='syncml:metinf'>b64</Format><NextNonce \
         xmlns='syncml:metinf'>Tm9uY2U=</NextNonce></Meta></Chal><Data>212</Data>{item}</Status>\
         <Alert><CmdID>2</CmdID><Data>1226</Data><Correlator>c</Correlator>{item}</Alert>{simple}\
         <Results><CmdID>3</CmdID><MsgRef>1</MsgRef><CmdRef>1</CmdRef><TargetRef>t</TargetRef>{item}</Results>\
         <Map><CmdID>4</CmdID><Target><LocURI>a</LocURI></Target><Source><LocURI>b</LocURI></Source><MapItem>\
         <Target><LocURI>a</LocURI></Target><Source><LocURI>b</LocURI></Source></MapItem></Map>\
         <Search><CmdID>5</CmdID><NoResults/><Source><LocURI>b</LocURI></Source><Meta/><Data>q</Data></Search>\
         <Sequence><CmdID>6</CmdID><Atomic><CmdID>7</CmdID>{simple}</Atomic></Sequence>\
         <Sync><CmdID>8</CmdID><NumberOfChanges>1</NumberOfChanges><Add><CmdID>9</CmdID></Add></Sync><Final/>"
    )));
    assert!(value.body.commands.iter().all(|command| command.tag().is_some()));
    assert!(value.body.commands.iter().all(|command| !matches!(command, Command::Other(_))));
    let Some(Command::Status(status)) = value.body.commands.first() else { panic!() };
    assert_eq!(status.code(), Some(StatusCode(212)));
    assert_eq!(status.chal.as_ref().unwrap().nonce().unwrap(), &b"Nonce"[..]);
    assert_eq!(status.items.len(), 1);
    assert!(status.items[0].more_data);
    for options in [WriteOptions::XML, WriteOptions::WBXML] {
        assert_eq!(value.encoded_len(&options), encoded(&value, &options).len());
    }
}

#[test]
fn the_kinds_of_data_are_kept_apart() {
    let data = |body: &str| {
        let value = both(&message(&format!(
            "<Results><CmdID>1</CmdID><CmdRef>1</CmdRef><Item><Data>{body}</Data></Item></Results>"
        )));
        match value.body.commands.into_iter().next() {
            Some(Command::Results(mut results)) => results.items.remove(0).data.unwrap().content,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(data("a &lt; b"), Content::from("a < b"));
    assert_eq!(data(""), Content::default());
    assert_eq!(data("  "), Content::from("  "));
    assert_eq!(data("<![CDATA[a < b]]>"), Content::Opaque(Bytes::from_static(b"a < b")));
    assert_eq!(data("<![CDATA[]]>"), Content::Opaque(Bytes::new()));
    assert_eq!(
        data("<![CDATA[a]]>&#xD;<![CDATA[\nb]]>"),
        Content::Opaque(Bytes::from_static(b"a\r\nb"))
    );
    assert_eq!(data("a<![CDATA[b]]>"), Content::from("ab"));
    assert!(matches!(
        data("<Anchor xmlns='syncml:metinf'><Next>1</Next></Anchor>"),
        Content::Meta(_)
    ));
    assert!(matches!(
        data("<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><DevID>d</DevID></DevInf>"),
        Content::DevInf(_)
    ));
    assert!(matches!(
        data("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD></MgmtTree>"),
        Content::MgmtTree(_)
    ));
    assert!(matches!(data("<x xmlns='urn:x' y='1'>a<z/>b</x>"), Content::Elements(_)));
}

#[test]
fn a_raw_digest_of_syncml_1_0_stays_octets() {
    let digest =
        Bytes::from_static(b"\x00\x01\xff\xfe\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0\x10\x20\x30\x40");
    let mut value = SyncMl::default();
    value.hdr.ver_dtd = "1.0".into();
    let meta = Meta { kind: Some("syncml:auth-md5".into()), ..Meta::default() };
    let cred = Cred { meta: Some(Box::new(meta)), data: digest.clone().into(), ..Cred::default() };
    value.hdr.cred = Some(Box::new(cred));
    let wbxml = encoded(&value, &WriteOptions::WBXML);
    let again = SyncMl::decode(&wbxml, &Options::STRICT).unwrap();
    assert_eq!(again.hdr.cred.as_ref().unwrap().octets().unwrap(), digest);
    assert_eq!(again, value);
    let mut buffer = vec![7];
    let error = value.encode(&mut buffer, &WriteOptions::XML).unwrap_err();
    assert!(error.to_string().contains("base64"), "{error}");
    assert_eq!(buffer, [7]);
    let cred = value.hdr.cred.as_mut().unwrap();
    cred.data = Content::base64(&digest).into();
    cred.meta.as_mut().unwrap().format = Some("b64".into());
    assert_eq!(cred.octets().unwrap(), digest);
}

#[test]
fn secrets_are_not_shown() {
    let cred = Cred { data: "c2VjcmV0".into(), ..Cred::default() };
    assert!(!format!("{cred:?}").contains("c2VjcmV0"));
}

#[test]
fn unknown_elements_keep_their_place() {
    let value = both(&message(
        "<Add><CmdID>1</CmdID><x:New xmlns:x='urn:x' x:a='1' b='2'>t<x:In/>u</x:New><Item><Meta>\
         <Odd xmlns='syncml:metinf'>1</Odd></Meta><Strange>s</Strange></Item></Add><Future/><Final/>",
    ));
    let Some(Command::Add(add)) = value.body.commands.first() else { panic!() };
    assert_eq!(add.others.elements()[0].after, 1);
    assert!(matches!(value.body.commands[1], Command::Other(_)));
    let xml = String::from_utf8(encoded(&value, &WriteOptions::XML).to_vec()).unwrap();
    assert!(xml.contains("<CmdID>1</CmdID><New xmlns=\"urn:x\""), "{xml}");
    assert!(
        xml.contains("<Odd>1</Odd>") || xml.contains("<Odd xmlns=\"syncml:metinf\">1</Odd>"),
        "{xml}"
    );
}

#[test]
fn windows_attributes_are_kept() {
    let value = both(&message(
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>2</CmdRef><Cmd>Replace</Cmd><Data \
         xmlns:msft='http://schemas.microsoft.com/MobileDevice/MDM' msft:originalerror='0x86000002'>500</Data></Status>",
    ));
    let Some(Command::Status(status)) = value.body.commands.first() else { panic!() };
    assert_eq!(status.data.attributes[0].value, "0x86000002");
    assert_eq!(status.code(), Some(StatusCode(500)));
}

#[test]
fn an_answer_is_made_of_plain_values() {
    let mut reply = SyncMl::default();
    let get =
        Get { cmd_id: 2_u32.into(), items: vec![Item::to("./DevInfo/Man")], ..Get::default() };
    let replace = Replace {
        items: vec![Item { data: Some("1".into()), ..Item::to("./x") }],
        ..Replace::default()
    };
    let atomic = Atomic { commands: vec![replace.into(), get.into()], ..Atomic::default() };
    reply.body.commands.push(Status::of(1_u32, 1_u32, 0_u32, "SyncHdr", StatusCode::OK).into());
    reply.body.commands.push(atomic.into());
    let mut id = 0_u32;
    for command in &mut reply.body.commands {
        id += 1;
        command.set_cmd_id(id);
    }
    assert_eq!(reply.body.commands[1].cmd_id().unwrap(), "2");
    assert_eq!(reply.body.commands[1].commands().len(), 2);
    assert_eq!(reply.body.commands[1].commands()[1].tag().unwrap().name(), "Get");
    let wbxml = encoded(&reply, &WriteOptions::WBXML);
    assert_eq!(SyncMl::decode(&wbxml, &Options::LENIENT).unwrap(), reply);
}

#[test]
fn long_texts_are_slices_of_the_message() {
    let long = "x".repeat(1000);
    let text = Bytes::from(message(&format!(
        "<Add><CmdID>1</CmdID><Item><Data>{long}</Data></Item></Add>"
    )));
    let value = SyncMl::decode(&text, &Options::STRICT).unwrap();
    let Some(Command::Add(add)) = value.body.commands.first() else { panic!() };
    let inside = add.items[0].data.as_ref().unwrap().as_str().unwrap().as_ptr().addr();
    let start = text.as_ptr().addr();
    assert!((start..start + text.len()).contains(&inside));
}
