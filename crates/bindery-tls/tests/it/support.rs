//! An authority with a server and a client, and handshakes over in-memory streams.

use std::{future::Future, sync::Arc, time::Duration};

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend as _, ClientConfig, Connector, Policy, Provider, Restriction, RustlsBackend,
    Secured, ServerConfig, TlsError, TlsErrorKind,
    pki::{Authority, Issued, Leaf, Validity},
};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::mutation::mutated;

pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) server: Issued,
    pub(crate) client: Issued,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of("Test Authority")
    }

    pub(crate) fn of(name: &str) -> Self {
        let authority = Authority::new(name, Validity::default()).unwrap();
        let server = Leaf::server("localhost").with_name("127.0.0.1").with_name("::1");
        let server = authority.issue(&server).unwrap();
        let client = authority.issue(&Leaf::client("alice").with_organization("Example")).unwrap();
        Self { authority, server, client }
    }

    pub(crate) fn server_config(&self) -> ServerConfig {
        ServerConfig::new(self.server.identity().unwrap())
            .with_client_roots(self.authority.roots().unwrap())
    }

    pub(crate) fn client_config(&self) -> ClientConfig {
        ClientConfig::new(self.authority.roots().unwrap())
            .with_identity(self.client.identity().unwrap())
    }

    pub(crate) fn acceptor(&self, policy: &Policy) -> Arc<dyn Acceptor> {
        backend().acceptor(&mutated(policy), self.server_config()).unwrap()
    }

    pub(crate) fn connector(&self, policy: &Policy) -> Arc<dyn Connector> {
        backend().connector(&mutated(policy), self.client_config()).unwrap()
    }
}

pub(crate) fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

/// The policy `kmip` with one version only.
pub(crate) fn kmip_with(version: TlsVersion) -> Policy {
    Policy::kmip().restricted(Restriction::new().with_versions([version]))
}

pub(crate) const VERSIONS: [TlsVersion; 2] = [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3];

pub(crate) fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

/// A hang is a failure, also on a slow machine.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it hangs")
}

pub(crate) fn pipe() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(16 * 1024)
}

/// Both sides of a handshake. The client reads once after its side is done, because in TLS 1.3 only
/// then it learns whether the server took its certificate.
pub(crate) async fn both(
    acceptor: &Arc<dyn Acceptor>,
    connector: &Arc<dyn Connector>,
    name: ServerName<'static>,
) -> (Result<Secured, TlsError>, Result<Secured, TlsError>) {
    let (near, far) = pipe();
    let server = async {
        let mut secured = acceptor.accept(Box::new(near)).await?;
        secured.io.write_all(b"hello").await.unwrap();
        secured.io.flush().await.unwrap();
        Ok(secured)
    };
    let client = async {
        let mut secured = connector.connect(name, Box::new(far)).await?;
        let mut greeting = [0; 5];
        match secured.io.read_exact(&mut greeting).await {
            Ok(_) => assert_eq!(&greeting, b"hello"),
            Err(error) if error.get_ref().is_some_and(|e| !e.is::<TlsError>()) => {
                return Err(TlsError::new(TlsErrorKind::Io, error.to_string(), "none"));
            }
            Err(error) => {
                assert!(TlsError::in_io(&error).is_some(), "not an error of TLS: {error}");
                let inner = error.into_inner().unwrap().downcast::<TlsError>().unwrap();
                return Err(*inner);
            }
        }
        Ok(secured)
    };
    soon(async { tokio::join!(server, client) }).await
}

/// A handshake that has to succeed: server's side, client's side.
pub(crate) async fn secured(
    acceptor: &Arc<dyn Acceptor>,
    connector: &Arc<dyn Connector>,
) -> (Secured, Secured) {
    let (server, client) = both(acceptor, connector, localhost()).await;
    (server.unwrap(), client.unwrap())
}

/// A plain rustls client, to offer what ours would not.
pub(crate) mod raw {
    use std::sync::Arc;

    use bindery_core::CipherSuite;
    use rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::CryptoProvider,
        sign::{CertifiedKey, SingleCertAndKey},
        version::{TLS12, TLS13},
    };

    use rustls_pki_types::CertificateDer;

    use super::World;

    /// A client that offers these suites; it shows the world's client certificate.
    pub(crate) fn client(world: &World, suites: &[CipherSuite]) -> ClientConfig {
        client_as(world, suites, &world.client.identity().unwrap())
    }

    pub(crate) fn client_as(
        world: &World,
        suites: &[CipherSuite],
        identity: &bindery_tls::Identity,
    ) -> ClientConfig {
        let all = rustls::crypto::aws_lc_rs::default_provider();
        let offered: Vec<_> = all
            .cipher_suites
            .iter()
            .copied()
            .filter(|s| suites.iter().any(|wanted| u16::from(s.suite()) == wanted.id))
            .collect();
        assert_eq!(offered.len(), suites.len(), "rustls does not have one of {suites:?}");
        let versions: Vec<&'static SupportedProtocolVersion> = [&TLS13, &TLS12]
            .into_iter()
            .filter(|v| offered.iter().any(|s| s.version().version == v.version))
            .collect();
        let provider = Arc::new(CryptoProvider { cipher_suites: offered, ..all });
        let mut roots = RootCertStore::empty();
        for root in world.authority.roots().unwrap().certificates() {
            roots.add(root.clone()).unwrap();
        }
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(identity.chain().to_vec(), identity.key().clone_key())
            .unwrap()
    }

    /// Shows a chain and not the identity's own; the key is the identity's.
    pub(crate) fn show(
        chain: Vec<CertificateDer<'static>>,
        identity: &bindery_tls::Identity,
    ) -> Arc<SingleCertAndKey> {
        let keys = rustls::crypto::aws_lc_rs::default_provider().key_provider;
        let key = keys.load_private_key(identity.key().clone_key()).unwrap();
        Arc::new(CertifiedKey::new(chain, key).into())
    }
}
