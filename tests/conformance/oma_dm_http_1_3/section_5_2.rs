//! Section 5.2: exchanging messages.

use bindery_core::ClientBinding as _;
use bindery_omadm::DmHttp;
use bindery_syncml::{Command, Form, SyncMl};

use super::desk::{
    Desk, Post, Told, WBXML, XML, call, clear, code, message, outgoing, read, response,
};

/// proves: DM-MSG-1, DM-METH-1, DM-METH-4, DSDM-HTTP-C-005-O
#[tokio::test]
async fn the_client_posts_messages_and_nothing_else() {
    let server = Told::start(vec![response("", &message(1, Form::Xml, true))]).await;
    for form in [Form::Xml, Form::Wbxml] {
        call(server.address, &DmHttp::new(&clear()), outgoing(form)).await.unwrap();
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    for (head, kind) in heads.iter().zip([XML, WBXML]) {
        assert!(head.starts_with("POST /omadm HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains(&format!("\r\ncontent-type: {kind}")), "{head}");
    }
    let requests = server.requests.lock().unwrap().clone();
    for (request, form) in requests.iter().zip([Form::Xml, Form::Wbxml]) {
        assert!(request.ends_with(&message(1, form, true)), "the body is the message");
    }
}

/// proves: DM-MSG-2, DM-MSG-6, DM-METH-1, DSDM-HTTP-S-005-O
#[tokio::test]
async fn each_message_of_a_package_gets_an_answer_that_is_one_message() {
    let desk = Desk::start().await;
    let asks = |answer: &SyncMl| {
        answer.body.commands.iter().any(|command| {
            matches!(command, Command::Alert(alert)
            if alert.code().is_some_and(|code| code.0 == 1222))
        })
    };
    for msg in 1..=3 {
        let answer = desk.ask(&Post::of(message(msg, Form::Xml, false), XML)).await;
        assert_eq!(
            answer.field("content-type"),
            Some("application/vnd.syncml.dm+xml; charset=\"utf-8\"")
        );
        let answer = read(&answer);
        assert!(!answer.body.is_final && asks(&answer), "message {msg}: the package goes on");
    }
    let answer = read(&desk.ask(&Post::new(4)).await);
    assert!(answer.body.is_final && !asks(&answer));
    assert!(answer.body.commands.iter().any(|command| matches!(command, Command::Get(_))));
    // What is wrong inside a message is told inside a message.
    let text = String::from_utf8(message(5, Form::Xml, true)).unwrap();
    let broken = text.replace("<SyncBody>", "<SyncBody><Add>");
    let answer = desk.ask(&Post::new(1).body(broken.into_bytes())).await;
    assert_eq!(code(&read(&answer)), 400);
}

/// proves: DM-MSG-3, DM-MSG-8, DM-HDR-4, DSDM-HTTP-S-019-O
#[tokio::test]
async fn the_answer_is_of_the_type_that_accept_asks_for() {
    let desk = Desk::start().await;
    let ds = "application/vnd.syncml+xml";
    for (msg, (body, kind, accept, expected)) in (1..).zip([
        (Form::Xml, XML, XML, XML),
        (Form::Xml, XML, WBXML, WBXML),
        (Form::Wbxml, WBXML, XML, XML),
        (Form::Wbxml, WBXML, "*/*", WBXML),
        (Form::Xml, "application/vnd.syncml.dm+xml; charset=\"utf-8\"", "*/*", XML),
        (Form::Xml, ds, "*/*", ds),
        (Form::Xml, ds, XML, XML),
        (Form::Xml, XML, "text/html, application/vnd.syncml.dm+wbxml;q=0.2", WBXML),
    ]) {
        let post = Post::of(message(msg, body, false), kind).set("Accept", accept);
        let answer = desk.ask(&post).await;
        let found = answer.field("content-type").unwrap_or_default();
        assert_eq!(found.split(';').next(), Some(expected), "{kind}, {accept}");
        let form = if expected == WBXML { Form::Wbxml } else { Form::Xml };
        assert_eq!(Form::detect(&answer.body), form);
        read(&answer);
    }
    // Nobody names a type: the request's own.
    let post = Post::of(message(9, Form::Wbxml, false), WBXML).without("Accept");
    assert_eq!(desk.ask(&post).await.field("content-type"), Some(WBXML));
    assert_eq!(desk.heard().len(), 9);
}

/// proves: DM-MSG-7, DM-MSG-8
#[tokio::test]
async fn a_body_of_another_type_is_no_message() {
    let desk = Desk::start().await;
    for kind in [
        "multipart/mixed; boundary=x",
        "multipart/related; boundary=\"x\"",
        "text/xml",
        "application/octet-stream",
        "application/vnd.syncml.dm+json",
    ] {
        let answer = desk.ask(&Post::new(1).set("Content-Type", kind)).await;
        assert_eq!((answer.status, answer.body.len()), (415, 0), "{kind}");
        assert!(answer.field("accept").unwrap().contains(XML));
    }
    assert_eq!(desk.ask(&Post::new(1).without("Content-Type")).await.status, 415);
    assert!(desk.heard().is_empty());
}

/// proves: DM-MSG-4
#[tokio::test]
async fn the_target_is_the_path_or_a_star_and_nothing_that_is_no_http() {
    let desk = Desk::start().await;
    for line in [
        "POST /omadm HTTP/1.1",
        "POST * HTTP/1.1",
        "POST /omadm?session=x HTTP/1.1",
        "POST http://localhost/omadm HTTP/1.1",
    ] {
        let answer = desk.ask(&Post::new(1).line(line)).await;
        assert_eq!(answer.status, 200, "{line}");
    }
    let before = desk.heard().len();
    assert_eq!(desk.ask(&Post::new(1).line("POST ./servlet/dm HTTP/1.1")).await.status, 400);
    assert_eq!(desk.ask(&Post::new(1).set("Host", "http://www.dm.host.com")).await.status, 400);
    assert_eq!(desk.ask(&Post::new(1).line("POST /elsewhere HTTP/1.1")).await.status, 404);
    assert_eq!(desk.heard().len(), before);
}

/// proves: DM-MSG-5
#[tokio::test]
async fn wbxml_needs_no_content_coding() {
    let desk = Desk::start().await;
    let answer = desk.ask(&Post::of(message(1, Form::Wbxml, true), WBXML)).await;
    assert_eq!(code(&read(&answer)), 212);
    assert_eq!(answer.field("content-encoding"), None);
    let server = Told::start(vec![response("", &message(1, Form::Xml, true))]).await;
    call(server.address, &DmHttp::new(&clear()), outgoing(Form::Wbxml)).await.unwrap();
    assert!(!server.heads()[0].to_ascii_lowercase().contains("content-encoding"));
}

/// proves: DM-MSG-9
#[tokio::test]
async fn content_transfer_encoding_is_not_sent_and_changes_nothing() {
    let desk = Desk::start().await;
    for coding in ["base64", "quoted-printable", "binary"] {
        let answer = desk.ask(&Post::new(1).with("Content-Transfer-Encoding", coding)).await;
        assert_eq!(code(&read(&answer)), 212, "{coding}");
        assert_eq!(answer.field("content-transfer-encoding"), None);
    }
    let mut message = outgoing(Form::Xml);
    message.headers.insert("content-transfer-encoding", http::HeaderValue::from_static("base64"));
    let target = "http://localhost/omadm".parse().unwrap();
    assert!(DmHttp::new(&clear()).encode_request(&target, message).is_err());
}
