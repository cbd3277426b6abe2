//! What is no TLS, and who is nobody.

use bindery_core::TlsVersion;
use bindery_tests::{
    logs,
    pki::Pki,
    raw::{Post, Raw},
    site::soon,
    wire,
};
use bindery_tls::TlsErrorKind;
use bindery_transport::Layer;

use super::Fort;

/// The line that the log has of a failed handshake from this address.
async fn logged(raw: &Raw) -> String {
    let peer = format!("peer={}", raw.local());
    let line = || logs::lines_with(&peer).into_iter().find(|line| line.contains("no handshake"));
    soon("the failure is logged", || line().is_some()).await;
    line().unwrap()
}

#[tokio::test]
async fn octets_that_are_no_tls() {
    logs::record();
    let fort = Fort::new().await;
    let http = Post::new(wire::query()).octets();
    let ttlv = wire::query();
    let garbage = [0x9c; 4096];
    let record = [&b"\x16\x03\x01\xff\xff"[..], &garbage].concat();
    for (what, octets, label, said) in [
        ("HTTP", http.as_slice(), "plain-http", "use an https URL"),
        ("plain KMIP", ttlv.as_slice(), "not-tls", "does not speak TLS"),
        ("garbage", garbage.as_slice(), "not-tls", "does not speak TLS"),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n", "not-tls", "SSH-2.0"),
        ("a record that is too long", record.as_slice(), "protocol", "TLS"),
        ("an alert", b"\x15\x03\x03\x00\x02\x02\x28", "protocol", "got Alert"),
    ] {
        let before = failures(&fort, label);
        let mut raw = Raw::clear(fort.site.address).await;
        raw.send(octets).await;
        let (answer, _) = raw.rest().await;
        assert!(answer.is_empty() || answer.starts_with(&[0x15, 0x03]), "{what}: {answer:02x?}");
        let line = logged(&raw).await;
        assert!(line.contains(said) && line.contains(label), "{what}: {line}");
        assert_eq!(failures(&fort, label), before + 1, "{what}");
        fort.site.goes_on().await;
    }
    fort.holds().await;
}

fn failures(fort: &Fort, label: &str) -> u64 {
    fort.site.counters.snapshot().handshakes_failed.get(label).copied().unwrap_or_default()
}

/// A ClientHello that knows nothing newer than a version.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x2b, 0xc0, 0x09, 0x00, 0x2f];
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 6]);
    body.extend(suites);
    body.extend([1, 0]);
    let mut octets = vec![0x16, 0x03, 0x01, 0, u8::try_from(body.len() + 4).unwrap()];
    octets.extend([0x01, 0, 0, u8::try_from(body.len()).unwrap()]);
    octets.extend(body);
    octets
}

#[tokio::test]
async fn versions_of_tls_that_are_too_old() {
    logs::record();
    let fort = Fort::new().await;
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut raw = Raw::clear(fort.site.address).await;
        raw.send(hello(version)).await;
        let (answer, _) = raw.rest().await;
        // A fatal alert: protocol_version, or handshake_failure.
        assert!(matches!(answer.as_slice(), [0x15, 3, _, 0, 2, 2, 70 | 40]), "{answer:02x?}");
        let line = logged(&raw).await;
        assert!(line.contains("no-shared-version"), "{line}");
    }
    fort.holds().await;
}

/// What a client of ours is told, with the layer and a hint.
#[tokio::test]
async fn a_client_learns_why_it_is_refused() {
    let fort = Fort::new().await;
    let site = &fort.site;
    let (forged, strange) = (Pki::new().client("alice"), Pki::stranger().client("alice"));
    let refused = |connector| async move {
        let transport = bindery_transport::Client::builder().connector(connector).build();
        let mut connection = transport.connection(site.url().parse().unwrap());
        let error = connection.send(http::Request::default()).await.unwrap_err();
        assert_eq!((error.layer(), error.address()), (Layer::Tls, Some(site.address)), "{error}");
        assert!(!error.hint().is_empty());
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        (error.tls_kind(), format!("{error}: {}", cause.unwrap_or_default()))
    };
    let (kind, said) = refused(site.pki.connector(None)).await;
    assert_eq!(kind, Some(TlsErrorKind::NoClientCertificate), "{said}");
    for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
        let (kind, said) = refused(site.pki.connector_of(version, &strange)).await;
        assert_eq!(kind, Some(TlsErrorKind::UnknownAuthority), "{said}");
        // An authority that was made anew under its old name.
        let (kind, said) = refused(site.pki.connector_of(version, &forged)).await;
        assert_eq!(kind, Some(TlsErrorKind::BadCertificate), "{said}");
        assert!(said.contains("another authority of the same name"), "{said}");
    }
    let (kind, said) = refused(Pki::stranger().connector(Some(&forged))).await;
    assert_eq!(kind, Some(TlsErrorKind::UnknownAuthority), "{said}");
    fort.holds().await;
}

/// A cut connection is no end of a message: what was half sent is not done.
#[tokio::test]
async fn a_connection_cut_without_a_closure_alert() {
    let fort = Fort::new().await;
    let whole = Post::new(wire::create("never there")).octets();
    for end in [0, 10, whole.len() / 2, whole.len() - 1] {
        let mut raw = fort.raw().await;
        raw.send(&whole[..end]).await;
        drop(raw);
    }
    soon("they are gone", || fort.site.counters.snapshot().connections_open == 0).await;
    fort.holds().await;
}
