//! An authority with a server and a client, and handshakes over in-memory streams.

use std::{future::Future, sync::LazyLock, time::Duration};

use bindery_core::{CipherSuite, TlsVersion};
use bindery_tls::{
    Backend as _, ClientConfig, Policy, Psk, Row, Secured, ServerConfig, TlsError,
    pki::{Authority, Issued, Leaf, Validity},
    registry,
};
use bindery_tls_legacy::LegacyBackend;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) server: Issued,
    pub(crate) client: Issued,
}

impl World {
    /// The one that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static WORLD: LazyLock<World> = LazyLock::new(World::new);
        &WORLD
    }

    /// RSA certificates: what RSA and RSA_PSK suites need.
    pub(crate) fn new() -> Self {
        let authority = Authority::new("Test Authority", Validity::default()).unwrap();
        let server = authority.issue(&Leaf::server("localhost").with_rsa_key()).unwrap();
        let client = authority.issue(&Leaf::client("alice")).unwrap();
        Self { authority, server, client }
    }

    pub(crate) fn server_config(&self) -> ServerConfig {
        ServerConfig::new(self.server.identity().unwrap())
            .with_client_roots(self.authority.roots().unwrap())
    }

    pub(crate) fn client_config(&self) -> ClientConfig {
        ClientConfig::new(self.authority.roots().unwrap())
    }
}

pub(crate) fn backend() -> LegacyBackend {
    LegacyBackend::new().unwrap()
}

pub(crate) fn key() -> Psk {
    Psk::new("device-17", [7; 32]).unwrap()
}

pub(crate) fn suite(name: &str) -> CipherSuite {
    registry::suite_named(name).unwrap().suite
}

/// A policy of one version and these suites, with the groups and signatures that anybody has.
pub(crate) fn policy(versions: &[TlsVersion], suites: &[&str]) -> Policy {
    let mut policy = Policy::new("test", "a test's policy");
    policy.versions = versions.iter().map(|v| Row::permitted(*v, "test")).collect();
    policy.suites = suites.iter().map(|name| Row::permitted(suite(name), "test")).collect();
    let groups = ["x25519", "secp256r1"].map(|name| registry::group_named(name).unwrap());
    policy.groups = groups.into_iter().map(|group| Row::permitted(group, "test")).collect();
    let signatures = [
        "ecdsa_secp256r1_sha256",
        "rsa_pss_rsae_sha256",
        "rsa_pkcs1_sha256",
        "rsa_pkcs1_sha1",
        "ecdsa_sha1",
    ]
    .map(|name| registry::signature_named(name).unwrap());
    policy.signatures = signatures.into_iter().map(|one| Row::permitted(one, "test")).collect();
    policy
}

/// Both ends of a connection, each with its handshake's outcome.
pub(crate) type Ends = (Result<Secured, TlsError>, Result<Secured, TlsError>);

/// A handshake between a server and a client of this backend: the server's end, the client's end.
pub(crate) async fn meet(server: (&Policy, ServerConfig), client: (&Policy, ClientConfig)) -> Ends {
    let acceptor = backend().acceptor(server.0, server.1).unwrap();
    let connector = backend().connector(client.0, client.1).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("localhost").unwrap();
    let ends = async {
        tokio::join!(acceptor.accept(Box::new(near)), connector.connect(name, Box::new(far)))
    };
    within(ends).await
}

/// The outcome, unless both sides wait for each other.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap()
}

/// Sends octets both ways and closes both ends in order.
pub(crate) async fn talk(mut server: Secured, mut client: Secured) {
    let talking = async {
        client.io.write_all(b"ping").await.unwrap();
        let mut octets = [0; 4];
        server.io.read_exact(&mut octets).await.unwrap();
        assert_eq!(&octets, b"ping");
        server.io.write_all(b"pong").await.unwrap();
        server.io.shutdown().await.unwrap();
        let mut all = Vec::new();
        client.io.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"pong");
    };
    within(talking).await;
}

/// A pipe whose far end is the test's.
pub(crate) fn pipe() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(1 << 16)
}
