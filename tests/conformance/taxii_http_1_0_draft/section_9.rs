//! Section 9: security mechanisms.

use bindery_auth::Login;
use bindery_taxii::{Client, ClientError, Service};
use bindery_taxii_xml::{Body, Dialect, StatusType};
use bindery_tests::{
    feeds::{FeedSetup, FeedSite, PASSWORD, draft, ids},
    pki::Pki,
    raw::Raw,
    script::{Recorded, Say, Script},
};

use super::{ask, ask_tls, error_message, good, message, say};

/// A client of the draft with this certificate, or this login for the site's TLS side and its clear side.
fn client(site: &FeedSite, name: Option<&str>, login: Option<Login>) -> Client {
    let mut builder = Client::builder(ids()).dialect(Dialect::Draft).allow_clear();
    if let Some(login) = login {
        for url in [site.secure_url(Service::Discovery), site.url(Service::Discovery)] {
            builder = builder.login(&url, login.clone()).unwrap();
        }
    }
    builder.build(site.transport(name))
}

/// proves: TAXII-SEC-C1
#[tokio::test]
async fn a_client_offers_nothing_basic_or_a_certificate() {
    let open = FeedSite::start().await;
    let url = open.secure_url(Service::Discovery);
    client(&open, None, None).discovery(&url).await.unwrap();
    let guarded = FeedSite::with(FeedSetup { guarded: true, ..FeedSetup::default() }).await;
    let url = guarded.secure_url(Service::Discovery);
    let error = client(&guarded, None, None).discovery(&url).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Unauthorized), "{error}");
    client(&guarded, Some("alice"), None).discovery(&url).await.unwrap();
    let login = Login::new("alice", PASSWORD);
    client(&guarded, None, Some(login)).discovery(&url).await.unwrap();
}

/// proves: TAXII-SEC-C2
#[tokio::test]
async fn basic_is_not_sent_in_clear() {
    let setup = FeedSetup { guarded: true, basic_in_clear: true, ..FeedSetup::default() };
    let site = FeedSite::with(setup).await;
    let url = site.url(Service::Discovery);
    let login = Login::new("alice", PASSWORD);
    client(&site, None, Some(login.clone())).discovery(&url).await.unwrap_err();
    let preemptive = login.clone().with_preemptive_basic();
    client(&site, None, Some(preemptive)).discovery(&url).await.unwrap_err();
    // The server would have taken it: who allows it by name is served.
    let allowed = login.dangerous_basic_in_clear();
    client(&site, None, Some(allowed)).discovery(&url).await.unwrap();
}

/// proves: TAXII-SEC-C4
#[tokio::test]
async fn basic_is_that_of_rfc_2617() {
    let pki = Pki::new();
    let script =
        Script::start(pki.acceptor_taxii(), |request, _| match request.field("authorization") {
            Some(_) => say(&error_message()),
            None => Say::octets(
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\
                 Content-Length: 0\r\n\r\n",
            ),
        })
        .await;
    let url: http::Uri = script.url().parse().unwrap();
    let transport = bindery_transport::Client::builder();
    let transport = transport.connector(pki.connector_taxii(None)).build();
    let builder = Client::builder(ids()).dialect(Dialect::Draft);
    // RFC 2617's own example.
    let login = Login::new("Aladdin", "open sesame");
    let mut client = builder.login(&url, login).unwrap().build(transport);
    let error = client.discovery(&url).await.unwrap_err();
    assert!(matches!(error, ClientError::Status { .. }), "{error}");
    let [first, second] = <[Recorded; 2]>::try_from(script.requests()).unwrap();
    assert_eq!(first.field("authorization"), None);
    assert_eq!(second.field("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

/// The protocol bindings that discovery and feed information name.
async fn named(site: &FeedSite, tls: bool) -> Vec<String> {
    let ask = async |request| match tls {
        true => ask_tls(site, None, request).await,
        false => ask(site, request).await,
    };
    let discovery = draft::get(Service::Discovery, &draft::discovery());
    let Body::DiscoveryResponse(found) = message(&ask(discovery).await.body).body else { panic!() };
    let scheme = if tls { "https://" } else { "http://" };
    assert!(found.services.iter().all(|one| one.address.starts_with(scheme)), "{found:?}");
    let mut ids: Vec<String> = found.services.into_iter().map(|one| one.protocol_binding).collect();
    assert_eq!(ids.len(), 4);
    let information = draft::get(Service::CollectionManagement, &draft::information());
    let Body::CollectionInformationResponse(found) = message(&ask(information).await.body).body
    else {
        panic!()
    };
    let methods = found.collections.into_iter().flat_map(|one| one.delivery_methods);
    ids.extend(methods.filter(|method| method != "POLL"));
    ids
}

/// proves: TAXII-SEC-S1
#[tokio::test]
async fn services_in_clear_are_named_so() {
    let site = FeedSite::start().await;
    for id in named(&site, false).await {
        assert_eq!(id, "TAXII_HTTP_BINDING_1.0");
    }
    for (what, request) in good() {
        let answer = ask(&site, request).await;
        assert_eq!(answer.field("x-taxii-protocol"), Some("TAXII_HTTP_BINDING_1.0"), "{what}");
    }
}

/// A ClientHello of TLS 1.1 or less, written by hand.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x14, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

/// proves: TAXII-SEC-S2
#[tokio::test]
async fn services_over_tls_show_a_certificate_and_are_named_so() {
    let site = FeedSite::start().await;
    for id in named(&site, true).await {
        assert_eq!(id, "TAXII_HTTPS_BINDING_1.0");
    }
    let mut connection =
        site.transport(None).connection(site.secure_url(Service::Discovery).try_into().unwrap());
    connection.open().await.unwrap();
    assert_eq!(connection.peer().unwrap().certificate(), Some(&site.pki.server_certificate()));
    // RFC 2818: the certificate is for the name in the URL, and by an authority that is trusted.
    let stranger = Pki::stranger().connector_taxii(None);
    assert!(Raw::tls(site.tls, &stranger).await.is_err());
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut raw = Raw::clear(site.tls).await;
        raw.send(hello(version)).await;
        let (said, _) = raw.rest().await;
        assert_eq!(said.first(), Some(&0x15), "an alert: {said:02x?}");
    }
}

/// proves: TAXII-SEC-S0
#[tokio::test]
async fn the_server_offers_nothing_and_tls() {
    let site = FeedSite::start().await;
    for (what, request) in good() {
        assert_eq!(ask(&site, request.clone()).await.status, 200, "{what}");
        assert_eq!(ask_tls(&site, None, request).await.status, 200, "{what}");
    }
}

/// proves: TAXII-SEC-S3
#[tokio::test]
async fn a_mechanism_that_does_not_suffice_ends_the_connection() {
    let site = FeedSite::start().await;
    // A certificate of an authority that is not trusted here.
    let other = Pki::stranger().client("alice");
    let connector = site.pki.connector_taxii(Some(&other));
    match Raw::tls(site.tls, &connector).await {
        Err(_) => {}
        Ok(mut raw) => {
            raw.try_send(draft::get(Service::Discovery, &draft::discovery()).octets()).await;
            assert!(raw.maybe_answer().await.is_none(), "no answer");
        }
    }
    assert_eq!(ask_tls(&site, None, good().remove(0).1).await.status, 200, "it goes on");
}

/// proves: TAXII-SEC-1
#[tokio::test]
async fn where_https_is_required_nothing_goes_in_clear() {
    let site = FeedSite::with(FeedSetup { clear: false, ..FeedSetup::default() }).await;
    for (what, request) in good() {
        let answer = ask(&site, request.clone()).await;
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{what}: {answer:?}");
        assert_eq!(ask_tls(&site, None, request).await.status, 200, "{what}");
    }
    // A client that was not told otherwise sends nothing in clear.
    let open = FeedSite::start().await;
    let mut secure = Client::builder(ids()).dialect(Dialect::Draft).build(open.transport(None));
    let error = secure.discovery(&open.url(Service::Discovery)).await.unwrap_err();
    assert!(error.is_unsent(), "{error}");
    assert_eq!(open.counters.snapshot().requests.values().sum::<u64>(), 0);
    secure.discovery(&open.secure_url(Service::Discovery)).await.unwrap();
}
