//! The binding without a socket: values in, values out.

use bindery_core::{
    Body, Channel, ClientBinding as _, Context, Peer, Refusal, ServerBinding as _, Timestamp,
    Unexpected,
};
use bindery_omadm::{DmHttp, DmProfile, Hmac, Outgoing};
use bindery_syncml::{Form, SyncMl, WriteOptions};
use http::{HeaderValue, Request, Response, header};

fn message(form: Form) -> Outgoing {
    let mut message = SyncMl::default();
    (message.hdr.ver_dtd, message.hdr.ver_proto) = ("1.2".into(), "DM/1.2".into());
    (message.hdr.session_id, message.hdr.msg_id) = ("1".into(), "1".into());
    (message.hdr.target, message.hdr.source) = ("https://dm.example/omadm".into(), "phone".into());
    message.body.is_final = true;
    let mut octets = Vec::new();
    message.encode(&mut octets, &WriteOptions::new(form)).unwrap();
    Outgoing::new(octets, form)
}

fn binding() -> DmHttp {
    DmHttp::default()
}

fn request(form: Form) -> Request<Body> {
    let target = "https://dm.example/omadm".parse().unwrap();
    binding().encode_request(&target, message(form)).unwrap().0
}

fn context() -> Context {
    Context::new(Channel::Clear, Peer::default(), Timestamp::UNIX_EPOCH)
}

fn refusal(request: Request<Body>) -> Refusal {
    binding().decode_request(&context(), request).unwrap_err().refusal
}

fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    request
}

#[test]
fn what_the_client_writes_the_server_reads_and_answers() {
    for form in [Form::Xml, Form::Wbxml] {
        let target = "https://dm.example/omadm".parse().unwrap();
        let mut sent = message(form);
        let digest = bindery_omadm::CredentialDigest::new("a \"b\", c", "secret");
        sent.hmac = Some(Hmac::sign("a \"b\", c", &digest, b"n", &sent.octets));
        let client = binding().with_content_md5(true);
        let (request, expect) = client.encode_request(&target, sent.clone()).unwrap();
        assert!(request.headers().contains_key("content-md5"));
        let (incoming, reply) = binding().decode_request(&context(), request).unwrap();
        assert_eq!((incoming.form, incoming.answer), (form, form));
        assert_eq!(incoming.octets, sent.octets);
        assert_eq!(incoming.hmac, sent.hmac);
        assert!(incoming.user_agent().unwrap().starts_with("bindery/"));
        let response = binding().encode_response(&context(), reply, sent.clone());
        let came = binding().decode_response(expect, response).unwrap();
        assert_eq!((came.octets, came.hmac), (sent.octets, sent.hmac));
    }
}

#[test]
fn a_body_has_to_be_what_its_fields_say() {
    let cases = [
        with(request(Form::Xml), "content-type", "application/vnd.syncml.dm+wbxml"),
        with(request(Form::Wbxml), "content-type", "application/vnd.syncml.dm+xml"),
        with(request(Form::Xml), "content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
        with(request(Form::Xml), "content-md5", "nonsense"),
        request(Form::Xml).map(|_| Body::empty()),
        request(Form::Xml).map(|_| Body::from(b"<html/>".to_vec())),
        request(Form::Xml).map(|_| Body::from(b"<SyncML>".to_vec())),
    ];
    for case in cases {
        let shown = format!("{case:?}");
        assert!(matches!(refusal(case), Refusal::MalformedBody { .. }), "{shown}");
    }
    for bad in [
        "",
        "MD5",
        "username=a",
        "mac=AAAAAAAAAAAAAAAAAAAAAA==",
        "username=a, mac=AA",
        "username=\"a, mac=AAAAAAAAAAAAAAAAAAAAAA==",
        "username=a, username=b, mac=AAAAAAAAAAAAAAAAAAAAAA==",
    ] {
        let case = with(request(Form::Xml), "x-syncml-hmac", bad);
        assert!(matches!(refusal(case), Refusal::MalformedHeader { .. }), "{bad}");
    }
    let charset =
        with(request(Form::Xml), "content-type", "application/vnd.syncml.dm+xml; charset=klingon");
    assert!(matches!(refusal(charset), Refusal::MediaType { .. }));
}

#[test]
fn the_mac_field_is_read_as_others_write_it() {
    let digest = bindery_omadm::CredentialDigest::new("Robert Jordan", "secret");
    let nonce = [0, 1, 2, 3, b'n', b'o', b'n', b'c', b'e', 0xff];
    let field = "algorithm=MD5, username=\"Robert Jordan\", mac=2ABPXJu+oUZ/JPnCa944BQ==";
    let hmac = Hmac::parse(&HeaderValue::from_static(field)).unwrap();
    assert_eq!(hmac.username, "Robert Jordan");
    let ours = Hmac::sign("Robert Jordan", &digest, &nonce, b"");
    assert_eq!(ours.value().unwrap().to_str().unwrap().split("mac=").count(), 2);
    for same in [
        "username=\"Robert Jordan\",mac=2ABPXJu+oUZ/JPnCa944BQ==",
        "MAC = \"2ABPXJu+oUZ/JPnCa944BQ==\" , UserName=Robert Jordan , algorithm = md5, more=\"x,y\"",
    ] {
        let read = Hmac::parse(&HeaderValue::from_static(same)).unwrap();
        assert_eq!((read.username, read.mac), (hmac.username.clone(), hmac.mac.clone()));
    }
    let unknown = "algorithm=SHA1, username=\"Robert Jordan\", mac=2ABPXJu+oUZ/JPnCa944BQ==";
    let unknown = Hmac::parse(&HeaderValue::from_static(unknown)).unwrap();
    assert!(!unknown.verify(&digest, &nonce, b""));
}

#[test]
fn the_client_sends_nothing_that_it_should_not() {
    let target = "https://dm.example/omadm".parse().unwrap();
    let encode = |message: Outgoing| binding().encode_request(&target, message);
    assert!(encode(Outgoing::new(Vec::new(), Form::Xml)).is_err(), "a body is a message");
    let mut wrong = message(Form::Xml);
    wrong.form = Form::Wbxml;
    assert!(encode(wrong).is_err());
    let mut nameless = message(Form::Xml);
    nameless.headers.insert(header::USER_AGENT, HeaderValue::from_static(" "));
    assert!(encode(nameless).is_err());
    let mut coded = message(Form::Xml);
    coded.headers.insert("content-transfer-encoding", HeaderValue::from_static("base64"));
    assert!(encode(coded).is_err());
    assert!(binding().with_accept([]).encode_request(&target, message(Form::Xml)).is_err());
    let clear = "http://dm.example/omadm".parse().unwrap();
    assert!(binding().encode_request(&clear, message(Form::Xml)).is_err());
    let mut profile = DmProfile::default();
    profile.dangerous_clear = true;
    assert!(DmHttp::new(&profile).encode_request(&clear, message(Form::Xml)).is_ok());
}

#[test]
fn the_client_takes_messages_only() {
    let (_, expect) = binding()
        .encode_request(&"https://dm.example/".parse().unwrap(), message(Form::Xml))
        .unwrap();
    let answer = |status: u16, kind: &str, body: &[u8]| {
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
        let response = response.body(Body::from(body.to_vec())).unwrap();
        binding().decode_response(expect.clone(), response)
    };
    let good = message(Form::Xml).octets;
    assert!(answer(200, "application/vnd.syncml.dm+xml; charset=\"UTF-8\"", &good).is_ok());
    assert!(answer(200, "application/vnd.syncml+xml", &good).is_ok());
    assert!(matches!(answer(200, "text/html", &good), Err(Unexpected::MediaType { .. })));
    assert!(matches!(
        answer(406, "application/vnd.syncml.dm+xml", &good),
        Err(Unexpected::Status { .. })
    ));
    assert!(matches!(
        answer(200, "application/vnd.syncml.dm+xml", b"<x>"),
        Err(Unexpected::Malformed(_))
    ));
    let only_xml = binding().with_accept([Form::Xml]);
    let target = "https://dm.example/".parse().unwrap();
    let (request, expect) = only_xml.encode_request(&target, message(Form::Xml)).unwrap();
    assert_eq!(request.headers()[header::ACCEPT], "application/vnd.syncml.dm+xml");
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/vnd.syncml.dm+wbxml")
        .body(Body::from(message(Form::Wbxml).octets))
        .unwrap();
    assert!(matches!(only_xml.decode_response(expect, response), Err(Unexpected::Mismatch(_))));
}
