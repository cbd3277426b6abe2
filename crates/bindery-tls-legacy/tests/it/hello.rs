//! Hellos written octet by octet, for what OpenSSL's own client does not offer.

use std::sync::Arc;

use bindery_core::{CipherSuite, TlsVersion};
use bindery_tls::{
    Acceptor, Backend as _, Characteristics, KeyKind, Policy, ServerConfig, TlsErrorKind,
    registry::{self, suites},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{World, backend, key, pipe, within};

/// Something behind its length in so many octets.
fn counted(octets: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let (_, length) = length.split_at(length.len() - octets);
    [length, content].concat()
}

/// A ClientHello of one suite up to one version (RFC 5246, section 7.4.1.2), without what TLS 1.3 adds.
fn hello(version: TlsVersion, suite: CipherSuite) -> Vec<u8> {
    let list = |name: u16, content: &[u8]| [&name.to_be_bytes()[..], &counted(2, content)].concat();
    let groups = list(10, &counted(2, &[0x00, 0x1d, 0x00, 0x17]));
    let formats = list(11, &counted(1, &[0]));
    // RSA with SHA-256 and SHA-1, PKCS#1 and PSS.
    let signatures = list(13, &counted(2, &[4, 1, 8, 4, 2, 1]));
    let mut message = version.0.to_be_bytes().to_vec();
    message.extend_from_slice(&[9; 32]);
    message.extend(counted(1, &[]));
    message.extend(counted(2, &suite.id.to_be_bytes()));
    message.extend(counted(1, &[0]));
    if version > TlsVersion::SSL_3_0 {
        message.extend(counted(2, &[groups, formats, signatures].concat()));
    }
    let message = [&[1][..], &counted(3, &message)].concat();
    [&[22, 3, 0][..], &counted(2, &message)].concat()
}

/// The content type of the first record that a server answers with, and the first octet in it.
async fn answer(acceptor: &Arc<dyn Acceptor>, octets: &[u8]) -> (Option<[u8; 2]>, TlsErrorKind) {
    let (near, mut far) = pipe();
    let handshake = async { acceptor.accept(Box::new(near)).await.unwrap_err().kind() };
    let client = async {
        far.write_all(octets).await.unwrap();
        far.shutdown().await.unwrap();
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        Some([*all.first()?, *all.get(5)?])
    };
    let (kind, answer) = within(async { tokio::join!(handshake, client) }).await;
    (answer, kind)
}

/// A record of a handshake with a ServerHello in it.
const SERVER_HELLO: Option<[u8; 2]> = Some([22, 2]);
const ALERT: u8 = 21;

fn oma() -> (Policy, Arc<dyn Acceptor>) {
    let policy = Policy::named("omadm-1.3").unwrap();
    let mut server = ServerConfig::new(World::shared().server.identity().unwrap());
    server.psk.keys.push(key());
    let acceptor = backend().acceptor(&policy, server).unwrap();
    (policy, acceptor)
}

/// All suites of the registry, each alone in every version below TLS 1.3, at the policy to the letter: what is declared
/// and the key can serve is taken, and nothing else; and what is taken has 128 bits or is one of the two that OMA names.
///
/// proves: DM-TLS-8
#[tokio::test]
async fn of_the_whole_registry_the_letter_takes_what_it_declares() {
    let (policy, acceptor) = oma();
    let plan = policy.resolve(&backend().capabilities()).unwrap();
    let versions =
        [TlsVersion::SSL_3_0, TlsVersion::TLS_1_0, TlsVersion::TLS_1_1, TlsVersion::TLS_1_2];
    for version in versions {
        let mut declared: Vec<&str> = match plan.versions.contains(&version) {
            true => plan.servable(version, KeyKind::Rsa, true).iter().map(|one| one.name).collect(),
            false => Vec::new(),
        };
        let mut taken = Vec::new();
        for row in suites::ALL {
            if answer(&acceptor, &hello(version, row.suite)).await.0 == SERVER_HELLO {
                taken.push(row.suite.name);
            }
        }
        declared.sort_unstable();
        taken.sort_unstable();
        assert_eq!(taken, declared, "{version}");
        assert_eq!(taken.is_empty(), !plan.versions.contains(&version), "{version}");
        for name in taken {
            let row = registry::suite_named(name).unwrap();
            let named = version == TlsVersion::SSL_3_0 && name.contains("3DES");
            assert!(named || row.bits >= Characteristics::oma_dm().min_bits, "{name} in {version}");
        }
    }
}

/// A hello in the form of SSL 2.0, for that version and for those that old clients asked for in this way.
///
/// proves: DM-TLS-5
#[tokio::test]
async fn a_hello_of_ssl_2_0_gets_no_session() {
    let (_, acceptor) = oma();
    for version in [[0, 2], [3, 0], [3, 1], [3, 2], [3, 3]] {
        // TLS_RSA_WITH_AES_128_CBC_SHA, which the listener takes in a hello of its own time.
        let specs = [0x00, 0x00, 0x2f];
        let message = [&[1][..], &version, &[0, 3, 0, 0, 0, 16], &specs, &[5; 16]].concat();
        let length = u16::try_from(message.len()).unwrap() | 0x8000;
        let octets = [&length.to_be_bytes()[..], &message].concat();
        let (answer, kind) = answer(&acceptor, &octets).await;
        assert!(answer.is_none_or(|[content, _]| content == ALERT), "{version:?}: {answer:?}");
        assert_eq!(kind, TlsErrorKind::NoSharedVersion, "{version:?}");
    }
}
