//! The TAXII HTTP Protocol Binding Specification 1.0, draft of 16 November 2012.

mod section_1;
mod section_2;
mod section_4;
mod section_5;
mod section_6;
mod section_7;
mod section_8;
mod section_9;

use bindery_taxii::{Client, Service};
use bindery_taxii_xml::{
    Action, Body, Content, ContentBinding, ContentBlock, Dialect, Message, Options,
    SubscriptionRequest, Terms, read,
};
use bindery_tests::{
    feeds::{FeedSite, GUID, ids},
    pki::Pki,
    raw::{Answer, Post},
    script::{Recorded, Say, Script},
};
use bindery_xml::Source;

/// Sends a request in clear, over a connection of its own.
async fn ask(site: &FeedSite, request: Post) -> Answer {
    let mut raw = site.raw().await;
    raw.send(request.octets()).await;
    raw.answer().await
}

/// The same over TLS, with a certificate of this name or none.
async fn ask_tls(site: &FeedSite, name: Option<&str>, request: Post) -> Answer {
    let mut raw = site.raw_tls(name).await;
    raw.send(request.set("X-TAXII-Protocol", "TAXII_HTTPS_BINDING_1.0").octets()).await;
    raw.answer().await
}

/// The one message of the draft that a body is, by schema and rules.
fn message(body: &[u8]) -> Message<'static> {
    let source = Source::new(body);
    let (dialect, message) = read(&source, &Options::STRICT)
        .unwrap_or_else(|error| panic!("{error}: {}", body.escape_ascii()));
    assert_eq!(dialect, Dialect::Draft);
    message.into_owned()
}

/// What an answer says: the type of an Error Message.
fn error_type(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    match message(&answer.body).body {
        Body::Status(status) => status.status_type.name(Dialect::Draft).unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// An answer of the draft over TLS.
fn say(body: &str) -> Say {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nX-TAXII-Protocol: TAXII_HTTPS_BINDING_1.0\r\n\
         X-TAXII-Content-Type: TAXII_1.0/TAXII_XML_1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Say::message(&head, body.as_bytes())
}

/// An Error Message.
fn error_message() -> String {
    format!(
        r#"<d:TAXII_ErrorMessage xmlns:d="http://taxii.mitre.org/messages/xml/1" message-id="{GUID}" error-type="DENIED"/>"#
    )
}

fn element(text: &str) -> Content<'static> {
    let source = Source::new(text.as_bytes());
    let mut reader = source.reader();
    while !matches!(reader.next_event().unwrap(), Some(bindery_xml::Event::Start(_))) {}
    Content::Element(reader.subtree().unwrap().into_owned())
}

/// A block as the draft sends it.
fn block() -> ContentBlock<'static> {
    let stix = element(r#"<s:STIX xmlns:s="http://stix.mitre.org"><s:a/></s:STIX>"#);
    ContentBlock::new(ContentBinding::new("urn:b"), stix)
}

fn subscription() -> SubscriptionRequest {
    SubscriptionRequest {
        collection: "open".to_owned(),
        action: Action::Subscribe,
        subscription_id: None,
        parameters: None,
        push: None,
        terms: Some(Terms {
            protect: None,
            delivery_method: "POLL".to_owned(),
            message_binding: "TAXII_XML_BINDING_1.0".to_owned(),
            content_binding: "urn:b".to_owned(),
            send_to: String::new(),
        }),
    }
}

/// A client of the draft over TLS, without certificate.
fn client(pki: &Pki) -> Client {
    let transport = bindery_transport::Client::builder();
    let transport = transport.connector(pki.connector_taxii(None)).build();
    Client::builder(ids()).dialect(Dialect::Draft).build(transport)
}

/// All five messages that a client sends, as they came to a server: discovery, feed information, subscription, poll, STIX
/// message.
async fn sent() -> [Recorded; 5] {
    let pki = Pki::new();
    let script = Script::start(pki.acceptor_taxii(), |_, _| say(&error_message())).await;
    let url: http::Uri = script.url().parse().unwrap();
    let mut client = client(&pki);
    let mut options = bindery_taxii::PollOptions::default();
    options.content_bindings = vec![ContentBinding::new("urn:b")];
    client.discovery(&url).await.unwrap_err();
    client.collections(&url).await.unwrap_err();
    client.subscription(&url, subscription()).await.unwrap_err();
    client.poll(&url, "open", &options).await.unwrap_err();
    client.push(&url, Vec::new(), vec![block()]).await.unwrap_err();
    script.requests().try_into().unwrap()
}

/// A request's method, path and parameters.
fn line(request: &Recorded) -> (String, String, Vec<(String, String)>) {
    let mut words = request.line.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    (method, path.to_owned(), pairs.collect())
}

/// Every service in the order of [`Service::ALL`], and a good request to it: discovery, collection management, poll, inbox.
fn good() -> Vec<(&'static str, Post)> {
    use bindery_tests::feeds::draft;
    vec![
        ("discovery", draft::get(Service::Discovery, &draft::discovery())),
        ("information", draft::get(Service::CollectionManagement, &draft::information())),
        ("subscription", draft::post(Service::CollectionManagement, &draft::subscribe("open"))),
        ("poll", draft::post(Service::Poll, &draft::poll("open"))),
        ("STIX message", draft::post(Service::Inbox, &draft::stix())),
    ]
}

/// Requests that are refused by HTTP, and with what status.
fn refused() -> Vec<(&'static str, Post, u16)> {
    use bindery_tests::feeds::draft;
    let poll = || draft::post(Service::Poll, &draft::poll("open"));
    let get = |query: &str| draft::get(Service::Discovery, query);
    vec![
        ("no protocol", poll().without("X-TAXII-Protocol"), 400),
        ("an unknown protocol", poll().set("X-TAXII-Protocol", "TAXII_FTP_1.0"), 400),
        ("the other channel", poll().set("X-TAXII-Protocol", "TAXII_HTTPS_BINDING_1.0"), 400),
        ("not XML", draft::post(Service::Poll, "feed"), 400),
        ("half a message", draft::post(Service::Poll, &draft::poll("open")[..100]), 400),
        ("no message", draft::post(Service::Poll, ""), 400),
        (
            "a message of no schema",
            draft::post(Service::Poll, &draft::message("TAXII_PollRequest", "")),
            400,
        ),
        ("no message type", get("message_id=3"), 400),
        ("an unknown message type", get("message_type=poll&message_id=3"), 400),
        ("no message id", get("message_type=discovery_request"), 400),
        ("a body in a GET", get(&draft::discovery()).with("Content-Length", "1").body("x"), 400),
        ("GET of a poll", draft::get(Service::Poll, &draft::discovery()), 405),
        ("DELETE", poll().line("DELETE /taxii/poll HTTP/1.1"), 405),
        ("an unknown path", poll().line("POST /taxii/elsewhere HTTP/1.1"), 404),
        ("HTML is wanted", poll().set("Accept", "text/html"), 406),
        ("TAXII 2.0 is wanted", poll().set("X-TAXII-Accept", "TAXII_2.0/TAXII_XML_2.0"), 406),
        ("text", poll().set("Content-Type", "text/xml"), 415),
        ("another binding", poll().set("X-TAXII-Content-Type", "TAXII_1.0/TAXII_JSON_1.0"), 415),
        ("no media type", poll().set("X-TAXII-Content-Type", "TAXII"), 415),
        ("a long body", poll().set("Content-Length", "99999999999"), 413),
        ("an expectation", poll().with("Expect", "coffee"), 417),
    ]
}
