//! Section 5.4: security.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_auth::{Accounts, Authenticator, Login, hash, secret};
use bindery_core::{Account, ClientBinding as _, DigestAlgorithm, Principal};
use bindery_omadm::{DmHttp, mount, mount_guarded};
use bindery_syncml::Form;
use bindery_tests::pki::Pki;
use bindery_transport::{Client, Listener, Router, Server};
use http::HeaderMap;

use super::desk::{
    Desk, Post, Told, call, clear, code, message, outgoing, prepare, read, response, service,
};

/// proves: DM-INT-1
#[tokio::test]
async fn a_body_that_was_changed_is_noticed_by_content_md5() {
    let desk = Desk::with(DmHttp::new(&clear()).with_content_md5(true), HeaderMap::new()).await;
    let md5 = |body: &[u8]| {
        // As RFC 1864 has it, by another implementation: the binding's own client.
        let target = "http://localhost/omadm".parse().unwrap();
        let binding = DmHttp::new(&clear()).with_content_md5(true);
        let sent = bindery_omadm::Outgoing::new(body.to_vec(), Form::Xml);
        let (request, _) = binding.encode_request(&target, sent).unwrap();
        request.headers()["content-md5"].to_str().unwrap().to_owned()
    };
    let good = md5(&message(1, Form::Xml, true));
    assert_eq!(STANDARD.decode(&good).unwrap().len(), 16);
    let answer = desk.ask(&Post::new(1).with("Content-MD5", &good)).await;
    assert_eq!(code(&read(&answer)), 212);
    assert_eq!(answer.field("content-md5"), Some(&*md5(&answer.body)));
    // Of a coded one it speaks of the octets that travel (RFC 2616, section 14.15).
    let coded = desk.ask(&Post::new(1).with("Accept-Encoding", "gzip")).await;
    assert_eq!(coded.field("content-encoding"), Some("gzip"));
    assert_eq!(coded.field("content-md5"), Some(&*md5(&coded.body)));
    let heard = desk.heard().len();
    let changed = md5(&message(2, Form::Xml, true));
    assert_eq!(desk.ask(&Post::new(1).with("Content-MD5", &changed)).await.status, 400);
    assert_eq!(desk.heard().len(), heard, "no command is run");
    // The known answer of RFC 1864's algorithm for this text (Python's hashlib).
    assert_eq!(md5(b"<SyncML/>"), "p7fHQr43AfxW0tZLC6QiAA==");

    let body = message(1, Form::Xml, true);
    for (sum, is_good) in [(good, true), (changed, false)] {
        let server = Told::start(vec![response(&format!("Content-MD5: {sum}\r\n"), &body)]).await;
        let came = call(server.address, &DmHttp::new(&clear()), outgoing(Form::Xml)).await;
        assert_eq!(came.is_ok(), is_good);
    }
}

fn authenticator() -> Authenticator {
    let mut account = Account::new(Principal::new("phone"));
    account.password = Some(hash("moth", &[7; 16]).unwrap());
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        account.digests.push(secret(algorithm, "eve", "devices", "moth"));
    }
    let accounts = Arc::new(Accounts::new().with("eve", account));
    Authenticator::new("devices", accounts, [9; 32]).unwrap()
}

/// HTTP's own authentication before the message is read; the account is the device's.
///
/// proves: DM-AUTH-1, DM-AUTH-4, DM-AUTH-9
#[tokio::test]
async fn a_server_may_ask_for_http_authentication_first() {
    let heard = service(HeaderMap::new()).await;
    let router = mount_guarded(
        Router::new(),
        DmHttp::new(&clear()),
        Arc::clone(&heard),
        Arc::new(authenticator().dangerous_basic_in_clear()),
    )
    .unwrap();
    let listener = Listener::clear("127.0.0.1:0".parse().unwrap());
    let server = Server::builder().listen(listener).router(router).bind().await.unwrap();
    let address = server.local_addrs()[0];
    let task = tokio::spawn(async { server.serve(std::future::pending()).await });
    let binding = DmHttp::new(&clear());
    let mut raw = bindery_tests::raw::Raw::clear(address).await;
    raw.send(Post::new(1).octets()).await;
    let answer = raw.answer().await;
    assert_eq!(answer.status, 401);
    assert!(
        answer
            .fields
            .iter()
            .any(|(name, value)| name == "www-authenticate" && value.starts_with("Digest"))
    );
    assert!(heard.messages.lock().unwrap().is_empty());
    for _ in 0..2 {
        let (request, expect) = prepare(address, &binding, outgoing(Form::Xml));
        let mut connection = Client::builder()
            .build()
            .connection(format!("http://{address}/omadm").parse().unwrap());
        connection.set_login(Login::new("eve", "moth"));
        let response = connection.send(request).await.unwrap();
        let came = binding.decode_response(expect, response).unwrap();
        // The account is the device's, so the message needs no credentials of its own.
        assert_eq!(code(&came.message), 200);
    }
    // Correct credentials are taken at once.
    let basic = format!("Basic {}", STANDARD.encode("eve:moth"));
    // The body of what was refused was not read, so the connection is over.
    let mut raw = bindery_tests::raw::Raw::clear(address).await;
    raw.send(Post::new(1).with("Authorization", &basic).octets()).await;
    assert_eq!(code(&read(&raw.answer().await)), 200);
    task.abort();
}

/// proves: DM-TLS-2, DM-TLS-10, DSDM-HTTP-S-049b-O, DSDM-HTTP-C-049b-O
#[tokio::test]
async fn a_session_runs_over_tls_and_not_in_clear_unless_that_is_turned_on() {
    let pki = Pki::new();
    let heard = service(HeaderMap::new()).await;
    let router = mount(Router::new(), DmHttp::default(), Arc::clone(&heard)).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::builder()
        .listen(Listener::tls(any, pki.acceptor()))
        .listen(Listener::clear(any))
        .router(router)
        .bind()
        .await
        .unwrap();
    let addresses = server.local_addrs();
    let task = tokio::spawn(async { server.serve(std::future::pending()).await });
    let mut raw = bindery_tests::raw::Raw::clear(addresses[1]).await;
    raw.send(Post::new(1).octets()).await;
    assert_eq!(raw.answer().await.status, 403);
    assert!(heard.messages.lock().unwrap().is_empty());

    let client = Client::builder().connector(pki.connector(Some(&pki.client("phone")))).build();
    let url = format!("https://{}/omadm", addresses[0]);
    let mut connection = client.connection(url.parse().unwrap());
    let binding = DmHttp::default();
    let (request, expect) =
        binding.encode_request(&url.parse().unwrap(), outgoing(Form::Wbxml)).unwrap();
    let response = connection.send(request).await.unwrap();
    let came = binding.decode_response(expect, response).unwrap();
    assert_eq!(code(&came.message), 212);
    assert!(connection.channel().unwrap().is_tls());
    // Nor does the client send one in clear.
    let target = format!("http://{}/omadm", addresses[1]).parse().unwrap();
    assert!(binding.encode_request(&target, outgoing(Form::Wbxml)).is_err());
    task.abort();
}
