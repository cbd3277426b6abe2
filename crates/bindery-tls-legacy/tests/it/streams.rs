//! How connections begin and end.

use bindery_core::TlsVersion;
use bindery_tls::{Backend as _, ClientConfig, TlsError, TlsErrorKind};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_openssl::SslStream;

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

/// Two connections of one client to one server; the first is cut off, on either side.
#[tokio::test]
async fn no_session_outlives_a_connection_that_was_cut_off() {
    let world = World::shared();
    for version in versions() {
        let suites = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"];
        let policy = policy(&[version], &suites);
        let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
        let connector = backend().connector(&policy, world.client_config()).unwrap();
        for server_cuts in [true, false] {
            for _ in 0..2 {
                let (near, far) = pipe();
                let name = ServerName::try_from("localhost").unwrap();
                let (server, client) = within(async {
                    tokio::join!(
                        acceptor.accept(Box::new(near)),
                        connector.connect(name, Box::new(far))
                    )
                })
                .await;
                let (mut server, mut client) = (server.unwrap(), client.unwrap());
                assert!(!server.info.resumed && !client.info.resumed, "{version}");
                client.io.write_all(b"abc").await.unwrap();
                client.io.flush().await.unwrap();
                let mut read = [0; 3];
                within(server.io.read_exact(&mut read)).await.unwrap();
                // One side leaves without its alert, and the other is told.
                let (cut, mut left) = if server_cuts { (server, client) } else { (client, server) };
                drop(cut);
                within(left.io.read_to_end(&mut Vec::new())).await.unwrap_err();
            }
        }
    }
}

/// What is never given cannot be used again: an OpenSSL that would keep every session gets neither the name of one nor a
/// ticket (a client makes a name of the ticket), whatever becomes of the connection.
///
/// proves: HTTPS-11
#[tokio::test]
async fn nothing_of_a_session_is_given_to_come_back_with() {
    let world = World::shared();
    for version in versions() {
        let suites = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"];
        let policy = policy(&[version], &suites);
        let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
        let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
        context.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        context.set_min_proto_version(None).unwrap();
        context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        context.clear_options(SslOptions::NO_TICKET | SslOptions::NO_SSLV3);
        let ssl = Ssl::new(&context.build()).unwrap();
        let (near, far) = pipe();
        let mut client = Box::pin(SslStream::new(ssl, far).unwrap());
        let ends =
            async { tokio::join!(acceptor.accept(Box::new(near)), client.as_mut().connect()) };
        let (server, connected) = within(ends).await;
        connected.unwrap();
        drop(server.unwrap());
        let session = client.ssl().session().unwrap();
        assert!(session.id().is_empty(), "{version}: a session to come back with");
    }
}

/// The versions in which a session must not be used again then: SSL 3.0 where it is built in, and TLS 1.0.
fn versions() -> Vec<TlsVersion> {
    let mut versions = vec![TlsVersion::TLS_1_0];
    if cfg!(feature = "vendored") {
        versions.push(TlsVersion::SSL_3_0);
    }
    versions
}

/// A client that takes any server tells which one it took.
#[tokio::test]
async fn a_server_that_is_not_checked_is_told() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_1], &["TLS_RSA_WITH_AES_128_CBC_SHA"]);
    let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
    let any = ClientConfig::dangerous_any_server();
    let connector = backend().connector(&policy, any).unwrap();
    for (asked, fits) in [("localhost", true), ("other.example", false)] {
        let (near, far) = pipe();
        let name = ServerName::try_from(asked).unwrap();
        let (server, client) = within(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(name, Box::new(far)))
        })
        .await;
        server.unwrap();
        let mismatch = client.unwrap().unchecked.unwrap().mismatch;
        assert_eq!(mismatch.is_none(), fits, "{mismatch:?}");
        if let Some(mismatch) = mismatch {
            assert!(mismatch.contains(asked) && mismatch.contains("localhost"), "{mismatch}");
        }
    }
}
