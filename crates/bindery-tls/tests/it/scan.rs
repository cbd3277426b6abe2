//! Policies as they are seen from outside: one handshake per suite.

use std::sync::Arc;

use bindery_core::CipherSuite;
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, Policy, Restriction, ServerConfig, TlsErrorKind,
    pki::Leaf,
    registry::{self, suites},
};
use tokio_rustls::TlsConnector;

use crate::support::{World, backend, localhost, pipe, raw, soon};

/// The suites that a listener takes when each is offered alone.
async fn scan(world: &World, acceptor: &Arc<dyn Acceptor>) -> Vec<CipherSuite> {
    let mut taken = Vec::new();
    for suite in backend().capabilities().suites {
        let connector = TlsConnector::from(Arc::new(raw::client(world, &[suite])));
        let (near, far) = pipe();
        let (server, client) = soon(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
        })
        .await;
        match server {
            Ok(server) => {
                client.unwrap();
                assert_eq!(server.info.suite, suite);
                taken.push(suite);
            }
            Err(error) => {
                client.unwrap_err();
                let expected = [TlsErrorKind::NoSharedSuite, TlsErrorKind::NoSharedVersion];
                assert!(expected.contains(&error.kind()), "{suite:?}: {error}");
                assert!(error.to_string().contains(suite.name), "{error}");
                assert!(error.is_peer_fault());
            }
        }
    }
    taken.sort();
    taken
}

/// The suites of a policy's plan that fit the server's key.
fn planned(policy: &Policy, authentication: &str) -> Vec<CipherSuite> {
    let plan = policy.resolve(&backend().capabilities()).unwrap();
    let fits = |suite: &CipherSuite| {
        let row = registry::suite(suite.id).unwrap();
        row.authentication == "any" || row.authentication == authentication
    };
    let mut suites: Vec<_> = plan.suites.into_iter().filter(fits).collect();
    suites.sort();
    suites
}

#[tokio::test]
async fn a_listener_takes_what_its_policy_names_and_nothing_else() {
    let mut world = World::new();
    let narrow = |names: &[&str]| {
        Policy::modern()
            .restricted(Restriction::new().with_suites_named(names.iter().copied()).unwrap())
            .with_client_auth(ClientAuth::Required)
    };
    for (policy, count) in [
        (Policy::kmip(), 4),
        (Policy::modern(), 6),
        (narrow(&["TLS_AES_256_GCM_SHA384"]), 1),
        (narrow(&["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]), 1),
    ] {
        let taken = scan(&world, &world.acceptor(&policy)).await;
        assert_eq!(taken, planned(&policy, "ECDSA"), "{}", policy.name);
        assert_eq!(taken.len(), count);
    }
    world.server = world.authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    for (policy, count) in [(Policy::kmip(), 2), (Policy::modern(), 6)] {
        let taken = scan(&world, &world.acceptor(&policy)).await;
        assert_eq!(taken, planned(&policy, "RSA"), "{} with RSA", policy.name);
        assert_eq!(taken.len(), count);
    }
}

#[tokio::test]
async fn the_refusal_names_what_was_offered_and_what_is_taken() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    let offered = suites::TLS_AES_128_GCM_SHA256;
    let connector = TlsConnector::from(Arc::new(raw::client(&world, &[offered])));
    let (near, far) = pipe();
    let (server, _) = soon(async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
    })
    .await;
    let text = server.unwrap_err().to_string();
    assert!(text.contains("it offers TLS_AES_128_GCM_SHA256"), "{text}");
    assert!(
        text.contains("this side takes TLS 1.3, TLS 1.2 with TLS_AES_256_GCM_SHA384"),
        "{text}"
    );
}

#[tokio::test]
async fn the_server_prefers_in_the_order_of_its_policy() {
    let world = World::new();
    let acceptor = world.acceptor(&Policy::kmip());
    // rustls' client offers in the provider's order; ours is put the other way round.
    let mut config = raw::client(
        &world,
        &[suites::TLS_AES_256_GCM_SHA384, suites::TLS_CHACHA20_POLY1305_SHA256],
    );
    let mut provider = rustls::crypto::CryptoProvider::clone(config.crypto_provider());
    provider.cipher_suites.reverse();
    let roots = world.authority.roots().unwrap();
    let mut store = rustls::RootCertStore::empty();
    store.add(roots.certificates()[0].clone()).unwrap();
    let identity = world.client.identity().unwrap();
    config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(store)
        .with_client_auth_cert(identity.chain().to_vec(), identity.key().clone_key())
        .unwrap();
    let (near, far) = pipe();
    let connector = TlsConnector::from(Arc::new(config));
    let (server, _) = soon(async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
    })
    .await;
    assert_eq!(server.unwrap().info.suite, suites::TLS_AES_256_GCM_SHA384);
}

#[tokio::test]
async fn a_client_offers_what_its_policy_names_and_nothing_else() {
    // The other way round: the server takes everything, the client is narrow.
    let world = World::new();
    let acceptor = backend()
        .acceptor(&Policy::modern(), ServerConfig::new(world.server.identity().unwrap()))
        .unwrap();
    for name in ["TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] {
        let restriction = Restriction::new().with_suites_named([name]).unwrap();
        let connector = world.connector(&Policy::modern().restricted(restriction));
        let (near, far) = pipe();
        let (server, client) = soon(async {
            tokio::join!(
                acceptor.accept(Box::new(near)),
                connector.connect(localhost(), Box::new(far))
            )
        })
        .await;
        client.unwrap();
        assert_eq!(server.unwrap().info.suite.name, name);
    }
}
