//! Policies as they are seen from outside: one handshake per suite.

use std::sync::{Arc, Mutex};

use bindery_core::{CipherSuite, TlsVersion};
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, Policy, Restriction, Resumption, ServerConfig,
    TlsErrorKind,
    pki::Leaf,
    registry::{self, groups, signatures, suites},
};
use rustls::client::ResolvesClientCert;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};

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

fn asking(policy: Policy) -> Policy {
    policy.with_client_auth(ClientAuth::Required)
}

/// proves: SUB-SEC-2
#[tokio::test]
async fn a_listener_takes_what_its_policy_names_and_nothing_else() {
    let mut world = World::new();
    let narrow = |names: &[&str]| {
        Policy::modern()
            .restricted(Restriction::new().with_suites_named(names.iter().copied()).unwrap())
            .with_client_auth(ClientAuth::Required)
    };
    let new = Restriction::new().with_versions([TlsVersion::TLS_1_3]);
    for (policy, count) in [
        (Policy::kmip(), 4),
        (Policy::kmip_2_1().restricted(new), 2),
        (Policy::modern(), 6),
        (asking(Policy::omadm()), 6),
        (asking(Policy::taxii()), 6),
        (narrow(&["TLS_AES_256_GCM_SHA384"]), 1),
        (narrow(&["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]), 1),
    ] {
        let taken = scan(&world, &world.acceptor(&policy)).await;
        assert_eq!(taken, planned(&policy, "ECDSA"), "{}", policy.name);
        assert_eq!(taken.len(), count);
    }
    world.server = world.authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    for (policy, count) in
        [(Policy::kmip(), 2), (Policy::modern(), 6), (Policy::omadm(), 6), (Policy::taxii(), 6)]
    {
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

/// Each group of the backend, offered alone.
#[tokio::test]
async fn a_listener_takes_the_groups_of_its_policy_and_no_others() {
    let world = World::new();
    let mut narrow = Policy::kmip();
    narrow.groups.retain(|row| row.what != groups::SECP384R1);
    for policy in [Policy::kmip(), asking(Policy::omadm()), asking(Policy::taxii()), narrow] {
        let acceptor = world.acceptor(&policy);
        let mut taken = Vec::new();
        let mut wide = Policy::modern();
        let all = backend().capabilities().groups;
        assert!(all.contains(&groups::X25519MLKEM768));
        for group in all {
            wide.groups = vec![bindery_tls::Row::permitted(group, "a test")];
            let (near, far) = pipe();
            let connector = world.connector(&wide);
            let (server, _) = soon(async {
                tokio::join!(
                    acceptor.accept(Box::new(near)),
                    connector.connect(localhost(), Box::new(far))
                )
            })
            .await;
            match server {
                Ok(server) => taken.push(server.info.group.unwrap()),
                Err(error) => assert_eq!(error.kind(), TlsErrorKind::NoSharedSuite, "{error}"),
            }
        }
        let plan = policy.resolve(&backend().capabilities()).unwrap();
        let mut declared: Vec<_> = plan.groups.iter().map(|group| group.name).collect();
        declared.sort_unstable();
        taken.sort_unstable();
        assert_eq!(taken, declared, "{}", policy.name);
    }
}

/// A client's certificate and key, which notes what the server would take as a signature.
#[derive(Debug)]
struct Noting(Arc<rustls::sign::SingleCertAndKey>, Mutex<Vec<u16>>);

impl ResolvesClientCert for Noting {
    fn resolve(
        &self,
        hints: &[&[u8]],
        schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        *self.1.lock().unwrap() = schemes.iter().map(|scheme| u16::from(*scheme)).collect();
        ResolvesClientCert::resolve(&*self.0, hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What each side says that it takes as the other's signature, in both versions.
#[tokio::test]
async fn a_listener_asks_for_the_signatures_of_its_policy_and_no_others() {
    let world = World::new();
    let two = [signatures::ECDSA_SECP256R1_SHA256, signatures::ECDSA_SECP384R1_SHA384];
    let mut policy = Policy::kmip();
    policy.signatures = two.map(|one| bindery_tls::Row::permitted(one, "a test")).into();
    let declared = two.map(|scheme| scheme.id);
    let identity = world.client.identity().unwrap();
    for suite in [suites::TLS_AES_256_GCM_SHA384, suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] {
        let mut config = raw::client(&world, &[suite]);
        let own = raw::show(identity.chain().to_vec(), &identity);
        let noting = Arc::new(Noting(own, Mutex::default()));
        config.client_auth_cert_resolver = Arc::clone(&noting) as Arc<_>;
        let (near, far) = pipe();
        let (acceptor, connector) = (world.acceptor(&policy), TlsConnector::from(Arc::new(config)));
        let (server, _) = soon(async {
            tokio::join!(acceptor.accept(Box::new(near)), connector.connect(localhost(), far))
        })
        .await;
        server.unwrap();
        assert_eq!(*noting.1.lock().unwrap(), declared, "{}", suite.name);
    }
    let connector = world.connector(&policy);
    let (near, far) = pipe();
    let hello = async {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), near).await;
        let start = start.unwrap();
        let hello = start.client_hello();
        let schemes = hello.signature_schemes().iter().map(|one| u16::from(*one));
        schemes.collect::<Vec<_>>()
    };
    let (offered, _) =
        soon(async { tokio::join!(hello, connector.connect(localhost(), Box::new(far))) }).await;
    assert_eq!(offered, declared);
}

/// What a policy does not permit is neither signed with nor taken as the other side's signature.
#[tokio::test]
async fn signature_schemes_are_those_of_the_policy() {
    let world = World::new();
    let with = |scheme| {
        let mut policy = Policy::kmip();
        policy.signatures = vec![bindery_tls::Row::permitted(scheme, "a test")];
        policy
    };
    let fits = with(signatures::ECDSA_SECP256R1_SHA256);
    crate::support::secured(&world.acceptor(&fits), &world.connector(&fits)).await;
    // A key that can sign with nothing that is permitted is told of at start.
    let error = backend().acceptor(&with(signatures::ED25519), world.server_config()).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
    assert!(error.to_string().contains("signs with no scheme of the policy"), "{error}");
    // The client takes RSA only, the server has ECDSA.
    let rsa = with(signatures::RSA_PSS_RSAE_SHA256);
    let roots = world.authority.roots().unwrap();
    let connector = backend().connector(&rsa, bindery_tls::ClientConfig::new(roots)).unwrap();
    let (server, client) =
        crate::support::both(&world.acceptor(&Policy::kmip()), &connector, localhost()).await;
    assert_eq!(server.unwrap_err().kind(), TlsErrorKind::NoSharedSuite);
    client.unwrap_err();
}

#[tokio::test]
async fn nothing_is_resumed_where_the_policy_or_the_operator_forbids_it() {
    let world = World::new();
    let mut without = Policy::kmip();
    without.resumption = Resumption::none();
    let restricted = Policy::kmip().restricted(Restriction::new().without_resumption());
    for policy in [without, restricted] {
        for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
            let only = Restriction::new().with_versions([version]);
            let policy = policy.clone().restricted(only);
            // Each side alone is enough.
            for (server, client) in [(&policy, &Policy::kmip()), (&Policy::kmip(), &policy)] {
                let (acceptor, connector) = (world.acceptor(server), world.connector(client));
                for _ in 0..2 {
                    let (server, _) = crate::support::secured(&acceptor, &connector).await;
                    assert!(!server.info.resumed);
                    assert_eq!(server.info.version, version);
                    assert_eq!(server.peer_certificates.len(), 1);
                }
            }
        }
    }
}

#[tokio::test]
async fn application_protocols_are_those_that_policy_and_configuration_share() {
    let world = World::new();
    let mut policy = Policy::kmip();
    policy.alpn = Some(vec![b"http/1.1".to_vec()]);
    crate::support::secured(&world.acceptor(&policy), &world.connector(&policy)).await;
    policy.alpn = Some(vec![b"kmip".to_vec()]);
    let error = backend().acceptor(&policy, world.server_config()).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
    assert!(error.to_string().contains("permits the application protocols kmip"), "{error}");
    let error = backend().connector(&policy, world.client_config()).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
}

/// proves: TAXII-SEC-C3
#[tokio::test]
async fn a_client_certificate_is_shown_in_tls_1_2_or_higher_only() {
    let world = World::new();
    for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
        let policy =
            asking(Policy::taxii()).restricted(Restriction::new().with_versions([version]));
        let pair = (world.acceptor(&policy), world.connector(&policy));
        let (server, client) = crate::support::secured(&pair.0, &pair.1).await;
        assert_eq!(server.peer_certificates.len(), 1);
        assert_eq!(client.info.version, version);
    }
    let old = Restriction::new().with_versions([TlsVersion::TLS_1_1, TlsVersion::TLS_1_0]);
    let error =
        backend().connector(&Policy::taxii().restricted(old), world.client_config()).unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::PolicyNotMet);
}
