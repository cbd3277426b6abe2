//! How connections begin and end.

use bindery_core::TlsVersion;
use bindery_tls::{Backend as _, TlsError, TlsErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{World, backend, meet, pipe, policy, within};

#[tokio::test]
async fn an_end_without_a_closure_alert_is_no_clean_end() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_1], &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    let ends = meet((&policy, world.server_config()), (&policy, world.client_config())).await;
    let (mut server, client) = (ends.0.unwrap(), ends.1.unwrap());
    drop(client.io);
    let error = within(server.io.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(TlsError::in_io(&error).unwrap().kind(), TlsErrorKind::Io);
}

#[tokio::test]
async fn what_is_no_tls_is_named() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_1], &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
    for (octets, expected) in [
        (&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], TlsErrorKind::PlainHttp),
        (&b""[..], TlsErrorKind::Io),
        (&b"\x16\x03\x01"[..], TlsErrorKind::Io),
    ] {
        let (near, mut far) = pipe();
        far.write_all(octets).await.unwrap();
        far.shutdown().await.unwrap();
        let error = within(acceptor.accept(Box::new(near))).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
    }
}

/// Many small and one large message, in both directions.
#[tokio::test]
async fn a_mebibyte_goes_through() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_2], &["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
    let ends = meet((&policy, world.server_config()), (&policy, world.client_config())).await;
    let (mut server, mut client) = (ends.0.unwrap(), ends.1.unwrap());
    let octets: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[0]).collect();
    let sent = octets.clone();
    let sending = tokio::spawn(async move {
        client.io.write_all(&sent).await.unwrap();
        client.io.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    within(server.io.read_to_end(&mut received)).await.unwrap();
    sending.await.unwrap();
    assert!(received == octets);
}
