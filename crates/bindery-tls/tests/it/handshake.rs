//! Handshakes that succeed, and what is known after them.

use std::sync::Arc;

use bindery_core::{Channel, Context, IdentityMap as _, Peer, Timestamp, TlsVersion};
use bindery_tls::{
    Backend as _, CertificateIdentity, ClientAuth, ClientConfig, Policy, ServerConfig, TlsError,
    TlsErrorKind, registry::suites,
};
use rustls::crypto::CryptoProvider;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use crate::support::{
    VERSIONS, World, backend, both, kmip_with, localhost, pipe, raw, secured, soon,
};

/// proves: KMIP-TLS-1, HTTPS-7
#[tokio::test]
async fn each_side_knows_the_other_by_certificate_in_both_versions() {
    let world = World::new();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let (server, client) = secured(&world.acceptor(&policy), &world.connector(&policy)).await;
        for info in [&server.info, &client.info] {
            assert_eq!(info.version, version);
            assert!(!info.resumed);
            // The hybrid groups are of TLS 1.3 only.
            let group = if version == TlsVersion::TLS_1_3 { "X25519MLKEM768" } else { "x25519" };
            assert_eq!(info.group, Some(group));
        }
        let suite = match version {
            TlsVersion::TLS_1_2 => suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            _ => suites::TLS_AES_256_GCM_SHA384,
        };
        assert_eq!((server.info.suite, client.info.suite), (suite, suite));
        assert_eq!(server.info.server_name.as_deref(), Some("localhost"));
        assert_eq!(client.info.server_name, None);
        let identities = [world.server.identity().unwrap(), world.client.identity().unwrap()];
        let [server_chain, client_chain] = identities.each_ref().map(|i| i.chain());
        assert_eq!(&server.peer_certificates, client_chain);
        assert_eq!(&client.peer_certificates, server_chain);
        assert_eq!(&server.info.local_certificates, server_chain);
        assert_eq!(&client.info.local_certificates, client_chain);

        let peer = Peer::default().with_certificates(Arc::clone(&server.peer_certificates));
        let account = CertificateIdentity::subject().principal(&peer).unwrap().unwrap();
        assert_eq!(account.as_str(), "CN=alice,O=Example");
        let channel = Channel::Tls(Arc::clone(&server.info));
        assert!(Context::new(channel, peer, Timestamp::UNIX_EPOCH).channel.is_tls());
    }
}

#[tokio::test]
async fn data_flows_and_an_end_with_an_alert_differs_from_one_without() {
    let world = World::new();
    for version in VERSIONS {
        let policy = kmip_with(version);
        let (acceptor, connector) = (world.acceptor(&policy), world.connector(&policy));
        for alert in [true, false] {
            let (mut server, mut client) = secured(&acceptor, &connector).await;
            let big = vec![7; 200_000];
            let writing = async {
                client.io.write_all(&big).await.unwrap();
                client.io.flush().await.unwrap();
                if alert {
                    client.io.shutdown().await.unwrap();
                }
                drop(client);
            };
            let mut read = Vec::new();
            let (end, ()) =
                soon(async { tokio::join!(server.io.read_to_end(&mut read), writing) }).await;
            assert_eq!(read, big);
            if alert {
                assert_eq!(end.unwrap(), big.len());
                continue;
            }
            let error = end.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
            let error = TlsError::in_io(&error).unwrap();
            assert_eq!(error.kind(), TlsErrorKind::Io);
            assert!(error.to_string().contains("without a closure alert"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_taken_where_the_policy_lets_it() {
    let world = World::new();
    let bare = ClientConfig::new(world.authority.roots().unwrap());
    for (demand, bare_chain, own_chain) in [(ClientAuth::None, 0, 0), (ClientAuth::Optional, 0, 1)]
    {
        let policy = Policy::modern().with_client_auth(demand);
        let acceptor = world.acceptor(&policy);
        let connector = backend().connector(&policy, bare.clone()).unwrap();
        let (server, client) = secured(&acceptor, &connector).await;
        assert_eq!(server.peer_certificates.len(), bare_chain, "{demand:?}");
        assert!(client.info.local_certificates.is_empty());
        let (server, client) = secured(&acceptor, &world.connector(&policy)).await;
        assert_eq!(server.peer_certificates.len(), own_chain, "{demand:?}");
        // What is configured counts as shown only when the server asked for it.
        assert_eq!(client.info.local_certificates.len(), own_chain, "{demand:?}");
    }
}

#[tokio::test]
async fn an_optional_certificate_of_another_authority_is_refused_all_the_same() {
    let (world, other) = (World::new(), World::of("Other Authority"));
    let policy = Policy::modern().with_client_auth(ClientAuth::Optional);
    let config = world.client_config().with_identity(other.client.identity().unwrap());
    let connector = backend().connector(&policy, config).unwrap();
    let (server, _) = both(&world.acceptor(&policy), &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), TlsErrorKind::UnknownAuthority);
}

#[tokio::test]
async fn the_application_protocol_is_http_1_1_or_nothing() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    for (offered, agreed) in
        [(vec![b"h2".to_vec(), b"http/1.1".to_vec()], Some(b"http/1.1".to_vec())), (vec![], None)]
    {
        let mut config = raw::client(&world, &[suites::TLS_AES_256_GCM_SHA384]);
        config.alpn_protocols = offered;
        let (near, far) = pipe();
        let connector = TlsConnector::from(Arc::new(config));
        let (server, client) = soon(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
        })
        .await;
        server.unwrap();
        let client = client.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol().map(<[u8]>::to_vec), agreed);
    }
    let config = world.client_config().with_alpn(vec![b"h2".to_vec()]);
    let connector = backend().connector(&Policy::kmip(), config).unwrap();
    let (server, client) = both(&acceptor, &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), TlsErrorKind::NoSharedProtocol);
    assert_eq!(client.unwrap_err().kind(), TlsErrorKind::NoSharedProtocol);
}

#[tokio::test]
async fn an_address_is_checked_and_not_sent_as_a_host_name() {
    let world = World::new();
    let policy = Policy::kmip();
    for address in ["127.0.0.1", "::1"] {
        let name = ServerName::try_from(address).unwrap();
        let (server, client) =
            both(&world.acceptor(&policy), &world.connector(&policy), name).await;
        assert_eq!(server.unwrap().info.server_name, None);
        client.unwrap();
    }
}

#[tokio::test]
async fn no_process_wide_provider_is_installed() {
    let world = World::new();
    secured(&world.acceptor(&Policy::kmip()), &world.connector(&Policy::kmip())).await;
    assert!(CryptoProvider::get_default().is_none());
}

/// With both features on, rustls could not guess a provider: anything that relied on one panics.
#[cfg(feature = "ring")]
#[tokio::test]
async fn two_providers_meet_in_one_process() {
    use bindery_tls::{Provider, RustlsBackend};

    let world = World::new();
    let ring = RustlsBackend::new(Provider::ring());
    let plan = Policy::kmip().resolve(&ring.capabilities()).unwrap();
    assert!(plan.dropped.iter().any(|d| d.to_string().starts_with("X25519MLKEM768: the backend")));
    let acceptor = ring.acceptor(&Policy::kmip(), world.server_config()).unwrap();
    let (server, _) = secured(&acceptor, &world.connector(&Policy::kmip())).await;
    assert_eq!(server.info.group, Some("x25519"));
    assert!(CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn client_certificates_without_an_authority_to_trust_are_a_fault_of_the_configuration() {
    let world = World::new();
    let config = ServerConfig::new(world.server.identity().unwrap());
    let error = backend().acceptor(&Policy::kmip(), config).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::Configuration);
    assert!(error.is_our_fault());
    assert!(error.to_string().contains("no client authority is configured"), "{error}");
}
