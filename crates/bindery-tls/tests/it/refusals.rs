//! Handshakes that fail, each with its own reason on both sides.

use std::sync::Arc;

use bindery_core::{Timestamp, TlsVersion};
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, ClientConfig, Policy, Restriction, ServerConfig, TlsError,
    TlsErrorKind as Kind,
    pki::{Leaf, Validity},
    registry::suites,
};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::support::{VERSIONS, World, backend, both, kmip_with, localhost, pipe, raw, soon};

fn validity(not_before: i64, not_after: i64) -> Validity {
    Validity {
        not_before: Timestamp::from_unix_seconds(not_before),
        not_after: Timestamp::from_unix_seconds(not_after),
    }
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn a_client_without_a_certificate_gets_no_connection() {
    let world = World::new();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let config = ClientConfig::new(world.authority.roots().unwrap());
        let connector = backend().connector(&policy, config).unwrap();
        let (server, client) = both(&world.acceptor(&policy), &connector, localhost()).await;
        let server = server.unwrap_err();
        assert_eq!(server.kind(), Kind::NoClientCertificate);
        assert!(server.is_peer_fault() && server.is_certificate());
        let client = client.unwrap_err();
        assert_eq!(client.kind(), Kind::NoClientCertificate, "{version}: {client}");
        assert!(client.is_our_fault());
        assert!(client.hint().contains("--cert"));
    }
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn a_client_of_another_authority_gets_no_connection() {
    let (world, other) = (World::new(), World::of("Other Authority"));
    for version in VERSIONS {
        let policy = kmip_with(version);
        let config = world.client_config().with_identity(other.client.identity().unwrap());
        let connector = backend().connector(&policy, config).unwrap();
        let (server, client) = both(&world.acceptor(&policy), &connector, localhost()).await;
        let server = server.unwrap_err();
        assert_eq!(server.kind(), Kind::UnknownAuthority);
        assert!(server.is_peer_fault());
        let client = client.unwrap_err();
        assert_eq!(client.kind(), Kind::UnknownAuthority, "{client}");
        assert!(client.is_our_fault());
    }
}

/// proves: KMIP-TLS-1
#[tokio::test]
async fn a_server_of_another_authority_is_not_talked_to() {
    let (world, other) = (World::new(), World::of("Other Authority"));
    for version in VERSIONS {
        let policy = kmip_with(version);
        let (server, client) =
            both(&other.acceptor(&policy), &world.connector(&policy), localhost()).await;
        let client = client.unwrap_err();
        assert_eq!(client.kind(), Kind::UnknownAuthority);
        assert!(client.is_peer_fault());
        assert!(client.hint().contains("--cacert"), "{}", client.hint());
        let server = server.unwrap_err();
        assert_eq!(server.kind(), Kind::UnknownAuthority, "{server}");
        assert!(server.is_our_fault());
    }
}

/// The same server, and a client that was told in so many words to take anybody.
#[tokio::test]
async fn a_client_takes_any_server_only_when_told_so() {
    let (world, other) = (World::new(), World::of("Other Authority"));
    for version in VERSIONS {
        let policy = kmip_with(version).with_client_auth(ClientAuth::None);
        let config = ClientConfig::dangerous_any_server();
        let connector = backend().connector(&policy, config).unwrap();
        let name = ServerName::try_from("elsewhere.example").unwrap();
        let (server, client) = both(&other.acceptor(&policy), &connector, name).await;
        assert_eq!(client.unwrap().info.version, version);
        server.unwrap();
        let strict = backend().connector(&policy, world.client_config()).unwrap();
        assert!(both(&other.acceptor(&policy), &strict, localhost()).await.1.is_err());
    }
}

/// Two authorities of one name, as when an authority was made anew and its old certificate stayed.
#[tokio::test]
async fn an_authority_of_the_same_name_and_another_key_is_told_apart() {
    let (world, other) = (World::new(), World::new());
    for version in VERSIONS {
        let policy = kmip_with(version);
        let (_, client) =
            both(&other.acceptor(&policy), &world.connector(&policy), localhost()).await;
        let error = client.unwrap_err();
        assert_eq!(error.kind(), Kind::BadCertificate);
        assert!(error.hint().contains("made anew"), "{}", error.hint());
    }
}

#[tokio::test]
async fn certificates_that_are_out_of_date_are_refused_with_their_dates() {
    let mut world = World::new();
    let past = validity(1_000_000_000, 1_100_000_000);
    let future = validity(2_400_000_000, 2_500_000_000);
    for version in VERSIONS {
        let policy = kmip_with(version);
        for (dates, kind, date) in [
            (past, Kind::CertificateExpired, "expired at 2004-11-09T11:33:20Z"),
            (future, Kind::CertificateNotYetValid, "not valid before 2046-01-19T18:40:00Z"),
        ] {
            world.client =
                world.authority.issue(&Leaf::client("old").with_validity(dates)).unwrap();
            let (server, _) =
                both(&world.acceptor(&policy), &world.connector(&policy), localhost()).await;
            let error = server.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains("the client's certificate"), "{error}");
            assert!(error.to_string().contains(date), "{error}");
            world.client = world.authority.issue(&Leaf::client("alice")).unwrap();

            let leaf = Leaf::server("localhost").with_validity(dates);
            world.server = world.authority.issue(&leaf).unwrap();
            let (_, client) =
                both(&world.acceptor(&policy), &world.connector(&policy), localhost()).await;
            let error = client.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains("the server's certificate"), "{error}");
            assert!(error.to_string().contains(date), "{error}");
            world.server = world.authority.issue(&Leaf::server("localhost")).unwrap();
        }
    }
}

#[tokio::test]
async fn a_certificate_for_servers_is_no_client_certificate() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    let wrong = world.authority.issue(&Leaf::server("localhost")).unwrap().identity().unwrap();
    // Our client does not even start with it, so a plain one shows it.
    let config = world.client_config().with_identity(wrong.clone());
    let error = backend().connector(&Policy::kmip(), config).unwrap_err();
    assert!(error.to_string().contains("lacks clientAuth"), "{error}");
    let raw = raw::client_as(&world, &[suites::TLS_AES_256_GCM_SHA384], &wrong);
    let (near, far) = pipe();
    let connector = TlsConnector::from(Arc::new(raw));
    let (server, _) = soon(async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
    })
    .await;
    let error = server.unwrap_err();
    assert_eq!(error.kind(), Kind::BadCertificate);
    assert!(error.hint().contains("clientAuth"), "{}", error.hint());
}

#[tokio::test]
async fn a_client_certificate_marked_as_authority_is_refused() {
    let world = World::new();
    let wrong = world.authority.issue(&Leaf::client("ca").marked_as_authority()).unwrap();
    let raw = raw::client_as(&world, &[suites::TLS_AES_256_GCM_SHA384], &wrong.identity().unwrap());
    let (near, far) = pipe();
    let acceptor = world.acceptor(&Policy::kmip());
    let connector = TlsConnector::from(Arc::new(raw));
    let (server, _) = soon(async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
    })
    .await;
    let error = server.unwrap_err();
    assert_eq!(error.kind(), Kind::BadCertificate);
    assert!(error.to_string().contains("CaUsedAsEndEntity"), "{error}");
}

#[tokio::test]
async fn two_sides_without_a_version_in_common_say_so() {
    let world = World::new();
    let [old, new] = VERSIONS.map(kmip_with);
    for (ours, theirs) in [(&old, &new), (&new, &old)] {
        let (server, client) =
            both(&world.acceptor(ours), &world.connector(theirs), localhost()).await;
        let server = server.unwrap_err();
        assert_eq!(server.kind(), Kind::NoSharedVersion, "{server}");
        assert!(server.to_string().contains("this side takes TLS 1."), "{server}");
        let client = client.unwrap_err();
        assert_eq!(client.kind(), Kind::NoSharedVersion, "{client}");
    }
}

#[tokio::test]
async fn an_rsa_certificate_does_not_fit_the_ecdsa_suites_of_tls_1_2() {
    let mut world = World::new();
    world.server = world.authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    let policy = kmip_with(TlsVersion::TLS_1_2);
    let (server, client) =
        both(&world.acceptor(&Policy::kmip()), &world.connector(&policy), localhost()).await;
    let server = server.unwrap_err();
    assert_eq!(server.kind(), Kind::NoSharedSuite, "{server}");
    assert!(server.hint().contains("ECDSA certificate"));
    assert_eq!(client.unwrap_err().kind(), Kind::NoSharedSuite);
}

/// What an acceptor says to octets, after which the client closes.
async fn accept_octets(acceptor: &Arc<dyn Acceptor>, octets: &[u8]) -> TlsError {
    let (near, mut far) = pipe();
    let sending = async {
        // The server may have hung up by now.
        let _ = far.write_all(octets).await;
        let _ = far.shutdown().await;
        let mut answer = Vec::new();
        let _ = far.read_to_end(&mut answer).await;
        drop(far);
    };
    let (server, ()) = soon(async { tokio::join!(acceptor.accept(Box::new(near)), sending) }).await;
    server.unwrap_err()
}

#[tokio::test]
async fn what_is_no_tls_is_told_apart() {
    let acceptor = World::new().acceptor(&Policy::kmip());
    let post = b"POST /kmip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    let error = accept_octets(&acceptor, post).await;
    assert_eq!(error.kind(), Kind::PlainHttp);
    assert!(error.hint().contains("https"), "{}", error.hint());
    let error = accept_octets(&acceptor, b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert_eq!(error.kind(), Kind::NotTls);
    assert!(error.to_string().contains("it began with \"SSH-2.0-\""), "{error}");
    // The first octets of a raw KMIP request.
    let kmip = [0x42, 0, 0x78, 1, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(accept_octets(&acceptor, &kmip).await.kind(), Kind::NotTls);
    let error = accept_octets(&acceptor, b"").await;
    assert_eq!(error.kind(), Kind::Io);
    assert!(error.to_string().contains("without sending anything"), "{error}");
    assert!(!error.is_peer_fault() && !error.is_our_fault());
    // A record that claims more than a record may hold.
    let error = accept_octets(&acceptor, &[22, 3, 1, 0xff, 0xff, 1, 0, 0, 0]).await;
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    // A handshake message that claims 16 MiB, in a record that is too small for it.
    let error = accept_octets(&acceptor, &[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]).await;
    assert!(matches!(error.kind(), Kind::Protocol | Kind::Io), "{error}");
}

/// A ClientHello of the time before signature_algorithms, such as old software sends.
#[tokio::test]
async fn a_client_that_is_older_than_tls_1_2_is_told_apart() {
    let acceptor = World::new().acceptor(&Policy::kmip());
    for (minor, name) in [(0, "SSL 3.0"), (1, "TLS 1.0"), (2, "TLS 1.1")] {
        let mut body = vec![3, minor];
        body.extend([7; 32]);
        body.extend([0, 0, 4, 0xc0, 0x09, 0x00, 0x2f, 1, 0]);
        let length = u8::try_from(body.len()).unwrap();
        let head = [22, 3, 1, 0, length + 4, 1, 0, 0, length];
        let error = accept_octets(&acceptor, &[head.as_slice(), &body].concat()).await;
        assert_eq!(error.kind(), Kind::NoSharedVersion, "{error}");
        assert!(error.to_string().contains(name) && error.is_peer_fault(), "{error}");
    }
}

#[tokio::test]
async fn a_client_tells_a_plain_http_server_apart() {
    let connector = World::new().connector(&Policy::kmip());
    for (answer, kind) in [
        (&b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..], Kind::PlainHttp),
        (b"220 mail.example ESMTP\r\n", Kind::NotTls),
    ] {
        let (near, mut far) = pipe();
        let answering = async {
            far.write_all(answer).await.unwrap();
            let mut hello = Vec::new();
            let _ = far.read_to_end(&mut hello).await;
        };
        let connecting = async {
            // Dropping the stream ends the other side's read.
            connector.connect(localhost(), Box::new(near)).await.unwrap_err().kind()
        };
        let (found, ()) = soon(async { tokio::join!(connecting, answering) }).await;
        assert_eq!(found, kind);
    }
}

/// Every prefix of a ClientHello, and every single octet of it changed: an error and nothing worse.
#[tokio::test]
async fn broken_client_hellos_are_errors() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    let config = raw::client(&world, &[suites::TLS_AES_256_GCM_SHA384]);
    let mut connection = rustls::ClientConnection::new(Arc::new(config), localhost()).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    assert!(hello.len() > 200);
    for length in 0..hello.len() {
        let error = accept_octets(&acceptor, &hello[..length]).await;
        assert_eq!(error.kind(), Kind::Io, "prefix of {length}: {error}");
    }
    for at in 0..hello.len() {
        let mut changed = hello.clone();
        changed[at] ^= 0xff;
        // A change in a random or a key share is no error of its own; then the client's silence is.
        accept_octets(&acceptor, &changed).await;
    }
}

#[tokio::test]
async fn a_server_is_not_started_with_an_authority_or_a_client_certificate() {
    let world = World::new();
    let roots = world.authority.roots().unwrap();
    for (leaf, reason) in [
        (Leaf::server("localhost").marked_as_authority(), "CaUsedAsEndEntity"),
        (Leaf::client("alice"), "lacks serverAuth"),
    ] {
        let identity = world.authority.issue(&leaf).unwrap().identity().unwrap();
        let config = ServerConfig::new(identity).with_client_roots(roots.clone());
        let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_policy_that_comes_to_nothing_does_not_start() {
    let world = World::new();
    let nothing = Policy::kmip().restricted(Restriction::new().with_suites([]));
    let error = backend().acceptor(&nothing, world.server_config()).unwrap_err();
    assert_eq!(error.kind(), Kind::PolicyNotMet);
    let error = backend().connector(&nothing, world.client_config()).unwrap_err();
    assert_eq!(error.kind(), Kind::PolicyNotMet);
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_apart_from_a_refusal() {
    let world = World::new();
    let (near, far) = pipe();
    drop(far);
    let name = ServerName::try_from("localhost").unwrap();
    let error = soon(world.connector(&Policy::kmip()).connect(name, Box::new(near))).await;
    assert_eq!(error.unwrap_err().kind(), Kind::Io);
}

/// A ticket holds the client's chain. One that is too long for a ticket means full handshakes in
/// TLS 1.3, and one that is too long for a handshake message is refused.
#[tokio::test]
async fn a_client_with_a_very_long_chain_does_no_harm() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    let identity = world.client.identity().unwrap();
    let authority = world.authority.roots().unwrap().certificates()[0].clone();
    for (octets, resumed) in
        [(8_000, Some(true)), (20_000, Some(false)), (60_000, Some(false)), (70_000, None)]
    {
        let copies = octets / authority.len();
        let chain: Vec<_> = std::iter::once(identity.chain()[0].clone())
            .chain(std::iter::repeat_n(authority.clone(), copies))
            .collect();
        for suite in
            [suites::TLS_AES_256_GCM_SHA384, suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
        {
            let mut raw = raw::client(&world, &[suite]);
            raw.client_auth_cert_resolver = raw::show(chain.clone(), &identity);
            let connector = TlsConnector::from(Arc::new(raw));
            for round in 0..2 {
                let (near, far) = tokio::io::duplex(256 * 1024);
                let (server, client) = soon(async {
                    tokio::join!(
                        acceptor.accept(Box::new(near)),
                        connector.connect(localhost(), far)
                    )
                })
                .await;
                let Some(resumed) = resumed else {
                    assert_eq!(server.unwrap_err().kind(), Kind::Protocol);
                    continue;
                };
                let (mut server, mut client) = (server.unwrap(), client.unwrap());
                assert_eq!(server.peer_certificates.len(), chain.len());
                assert_eq!(server.info.resumed, resumed && round == 1, "{octets} {suite:?}");
                server.io.write_all(b"x").await.unwrap();
                server.io.flush().await.unwrap();
                assert_eq!(soon(client.read(&mut [0])).await.unwrap(), 1);
            }
        }
    }
}

/// OpenSSL says handshake_failure in TLS 1.2, which may mean anything: what was asked for tells.
#[tokio::test]
async fn a_missing_certificate_is_told_apart_from_a_missing_suite_in_tls_1_2() {
    let world = World::new();
    let policy = kmip_with(TlsVersion::TLS_1_2);
    let mut config = world.client_config();
    config.identity = None;
    let connector = backend().connector(&policy, config).unwrap();
    let (server, client) = both(&world.acceptor(&policy), &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), Kind::NoClientCertificate);
    let client = client.unwrap_err();
    assert_eq!(client.kind(), Kind::NoClientCertificate, "{client}");
    assert!(client.hint().contains("--cert"), "{}", client.hint());
}
