//! ClientHellos written octet by octet, for what no library offers any more.

use std::sync::Arc;

use bindery_core::{CipherSuite, TlsVersion};
use bindery_tls::{
    Acceptor, Backend as _, Characteristics, Policy, ServerConfig,
    pki::Leaf,
    registry::{self, suites},
};
use rustls::{ContentType, HandshakeType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{World, backend, localhost, pipe, soon};

/// A vector of TLS: its length in so many octets, then itself.
fn vector(length: usize, content: &[u8]) -> Vec<u8> {
    let octets = content.len().to_be_bytes();
    [&octets[octets.len() - length..], content].concat()
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector(2, content)].concat()
}

/// A ClientHello (RFC 8446, 4.1.2) that offers one suite in one version.
fn hello(suite: CipherSuite, version: TlsVersion) -> Vec<u8> {
    let groups: Vec<u8> = [0x001d_u16, 0x0017, 0x0018, 0x0100].map(u16::to_be_bytes).concat();
    let schemes = [0x0403_u16, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0203, 0x0201];
    let mut extensions = [
        extension(10, &vector(2, &groups)),
        extension(11, &vector(1, &[0])),
        extension(13, &vector(2, &schemes.map(u16::to_be_bytes).concat())),
    ]
    .concat();
    if version == TlsVersion::TLS_1_3 {
        // The base point of X25519 is a public key like any other.
        let mut key = [0; 32];
        key[0] = 9;
        let share = [&[0, 0x1d][..], &vector(2, &key)].concat();
        extensions.extend(extension(43, &vector(1, &version.0.to_be_bytes())));
        extensions.extend(extension(51, &vector(2, &share)));
    }
    let legacy = version.0.min(TlsVersion::TLS_1_2.0).to_be_bytes();
    let body = [
        &legacy[..],
        &[7; 32],
        &vector(1, &[]),
        &vector(2, &suite.id.to_be_bytes()),
        &vector(1, &[0]),
        &vector(2, &extensions),
    ]
    .concat();
    let message = [&[1][..], &vector(3, &body)].concat();
    [&[22, 3, 1][..], &vector(2, &message)].concat()
}

/// What a server answers first: the content type of its record, and for a handshake its message.
async fn answer(acceptor: &Arc<dyn Acceptor>, octets: &[u8]) -> Option<(u8, u8)> {
    let (near, mut far) = pipe();
    let acceptor = Arc::clone(acceptor);
    let server = tokio::spawn(async move { acceptor.accept(Box::new(near)).await.is_ok() });
    far.write_all(octets).await.unwrap();
    let mut first = [0; 6];
    let read = soon(far.read_exact(&mut first)).await;
    drop(far);
    assert!(!soon(server).await.unwrap(), "nobody finished this handshake");
    read.ok().map(|_| (first[0], first[5]))
}

const SERVER_HELLO: Option<(u8, u8)> = Some((22, 2));

/// The suites that a listener takes, of the whole registry, each offered alone in every version
/// that a hello can name.
async fn taken(acceptor: &Arc<dyn Acceptor>) -> Vec<(TlsVersion, &'static str)> {
    let mut taken = Vec::new();
    for version in (0x0300..=0x0304).map(TlsVersion) {
        for row in suites::ALL {
            if answer(acceptor, &hello(row.suite, version)).await == SERVER_HELLO {
                taken.push((version, row.suite.name));
            }
        }
    }
    taken.sort_unstable();
    taken
}

fn declared(policy: &Policy, key: &str) -> Vec<(TlsVersion, &'static str)> {
    let plan = policy.resolve(&backend().capabilities()).unwrap();
    let mut declared = Vec::new();
    for &version in &plan.versions {
        let fits = |suite: &CipherSuite| {
            let row = registry::suite(suite.id).unwrap();
            row.authentication == "any" || row.authentication == key
        };
        let suites = plan.suites_of(version).into_iter().filter(fits);
        declared.extend(suites.map(|suite| (version, suite.name)));
    }
    declared.sort_unstable();
    declared
}

/// Every suite of the registry in every version, NULL, anonymous, export and DES among them: what
/// is declared is taken, and nothing else.
///
/// proves: SUB-SEC-2, DM-TLS-8
#[tokio::test]
async fn of_the_whole_registry_a_listener_takes_what_its_policy_declares() {
    assert_eq!(u8::from(ContentType::Handshake), 22);
    assert_eq!(u8::from(HandshakeType::ServerHello), 2);
    let mut world = World::new();
    for key in ["ECDSA", "RSA"] {
        for policy in [Policy::kmip(), Policy::modern(), Policy::omadm(), Policy::taxii()] {
            let found = taken(&world.acceptor(&policy)).await;
            assert_eq!(found, declared(&policy, key), "{} with {key}", policy.name);
            assert!(!found.is_empty());
            for (_, name) in found {
                let row = registry::suite_named(name).unwrap();
                assert_eq!(Characteristics::oma_dm().lack(row), None, "{name}");
            }
        }
        world.server = world.authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
    }
}

/// An SSL 2.0 hello (CLIENT-HELLO of the SSL 2.0 draft, and the form that SSL 3.0 and TLS 1.0 allow
/// for it) gets no session; what our client sends first is a TLS record, and names TLS 1.2.
///
/// proves: DM-TLS-5
#[tokio::test]
async fn ssl_2_0_is_neither_taken_nor_offered() {
    let world = World::new();
    let plain = ServerConfig::new(world.server.identity().unwrap());
    let acceptor = backend().acceptor(&Policy::omadm(), plain).unwrap();
    for version in [[0, 2], [3, 0], [3, 1], [3, 3]] {
        let challenge = [5; 16];
        let specs = [0x01, 0x00, 0x80, 0x07, 0x00, 0xc0, 0x00, 0x00, 0x2f];
        let message = [&[1][..], &version, &[0, 9, 0, 0, 0, 16], &specs, &challenge].concat();
        let length = u16::try_from(message.len()).unwrap() | 0x8000;
        let octets = [&length.to_be_bytes()[..], &message].concat();
        let answer = answer(&acceptor, &octets).await;
        assert!(answer.is_none() || answer.is_some_and(|(kind, _)| kind == 21), "{answer:?}");
    }
    let connector = world.connector(&Policy::omadm());
    let (near, mut far) = pipe();
    let client = tokio::spawn(async move {
        connector.connect(localhost(), Box::new(near)).await.unwrap_err();
    });
    let mut first = [0; 11];
    soon(far.read_exact(&mut first)).await.unwrap();
    drop(far);
    soon(client).await.unwrap();
    // A record of a handshake, version 3.x; ClientHello; 3.3.
    assert_eq!((first[0], first[1], first[5]), (22, 3, 1));
    assert_eq!(first[9..11], [3, 3]);
}

/// TLS 1.2 is one of the mechanisms that 5.4 lists; each side uses it and names it.
///
/// proves: DSDM-HTTP-C-051-O, DSDM-HTTP-S-051-O
#[tokio::test]
async fn omadm_runs_over_tls_1_2() {
    let world = World::new();
    let only = bindery_tls::Restriction::new().with_versions([TlsVersion::TLS_1_2]);
    let policy = Policy::omadm().restricted(only);
    let (server, client) =
        crate::support::secured(&world.acceptor(&policy), &world.connector(&policy)).await;
    assert_eq!(
        (server.info.version, client.info.version),
        (TlsVersion::TLS_1_2, TlsVersion::TLS_1_2)
    );
}
