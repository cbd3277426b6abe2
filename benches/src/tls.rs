//! TLS handshakes with client certificates over in-memory streams: ours beside bare rustls.
//!
//! Both sides of a handshake are of one implementation, and both implementations have the same
//! certificates, provider, suites, groups and ticket size, on tokio's duplex pipe.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bindery_core::TlsVersion;
use bindery_tls::pki::{Authority, Leaf, Validity};
use bindery_tls::{
    Acceptor, Backend as _, ClientConfig, Connector, Identity, Policy, Provider, Restriction,
    Roots, RustlsBackend, ServerConfig, TlsError,
};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, ALL_KX_GROUPS, Ticketer, default_provider};
use rustls::server::WebPkiClientVerifier;
use rustls::{NamedGroup, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How much an in-memory stream holds: a whole flight.
const PIPE: usize = 64 * 1024;

/// What a benchmark's certificates could not be made with.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A server and a client with certificates of one authority.
#[derive(Debug)]
pub struct World {
    roots: Roots,
    server: Identity,
    client: Identity,
}

impl World {
    /// New certificates, ECDSA P-256.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn new() -> Result<Self, TlsError> {
        let authority = Authority::new("Bench CA", Validity::default())?;
        let server = authority.issue(&Leaf::server("localhost"))?.identity()?;
        let client = authority.issue(&Leaf::client("alice"))?.identity()?;
        Ok(Self { roots: authority.roots()?, server, client })
    }
}

/// Both sides of bindery's TLS.
#[derive(Debug)]
pub struct Ours {
    acceptor: Arc<dyn Acceptor>,
    connector: Arc<dyn Connector>,
}

impl Ours {
    /// The policy `kmip` with one version and the group x25519. Without `resumed` every handshake
    /// is a full one: the server gives tickets, and the client forgets them.
    ///
    /// # Errors
    /// It cannot be set up.
    pub fn new(world: &World, version: TlsVersion, resumed: bool) -> Result<Self, Failed> {
        let backend = RustlsBackend::new(Provider::aws_lc_rs());
        let only = Restriction::new().with_versions([version]).with_groups_named(["x25519"])?;
        let policy = Policy::kmip().restricted(only);
        let config = ServerConfig::new(world.server.clone());
        let acceptor = backend.acceptor(&policy, config.with_client_roots(world.roots.clone()))?;
        let policy = match resumed {
            true => policy,
            false => policy.restricted(Restriction::new().without_resumption()),
        };
        let config = ClientConfig::new(world.roots.clone()).with_identity(world.client.clone());
        Ok(Self { acceptor, connector: backend.connector(&policy, config)? })
    }

    /// The server's side.
    pub(crate) fn acceptor(&self) -> Arc<dyn Acceptor> {
        Arc::clone(&self.acceptor)
    }

    /// One connection: handshake, one octet from the server, closure. Whether it was resumed.
    ///
    /// # Errors
    /// It failed.
    pub fn connection(&self) -> Result<bool, Failed> {
        let (near, far) = duplex(PIPE);
        let name = ServerName::try_from("localhost")?;
        let server = async {
            let mut secured = self.acceptor.accept(Box::new(near)).await?;
            secured.io.write_all(b"x").await?;
            secured.io.shutdown().await?;
            Ok::<bool, Failed>(secured.info.resumed)
        };
        let client = async {
            let mut secured = self.connector.connect(name, Box::new(far)).await?;
            secured.io.read_exact(&mut [0]).await?;
            Ok::<(), Failed>(())
        };
        both(server, client)
    }
}

/// Both sides of bare rustls, set up in the same way.
pub struct Bare {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bare")
    }
}

impl Bare {
    /// The same suites, group, version and resumption as [`Ours::new`].
    ///
    /// # Errors
    /// It cannot be set up.
    pub fn new(world: &World, version: TlsVersion, resumed: bool) -> Result<Self, Failed> {
        let wanted: Vec<u16> = Policy::kmip().suites.iter().map(|row| row.what.id).collect();
        let suites = ALL_CIPHER_SUITES.iter().filter(|s| wanted.contains(&s.suite().into()));
        let groups = ALL_KX_GROUPS.iter().filter(|g| g.name() == NamedGroup::X25519);
        let provider = Arc::new(CryptoProvider {
            cipher_suites: suites.copied().collect(),
            kx_groups: groups.copied().collect(),
            ..default_provider()
        });
        let versions = match version {
            TlsVersion::TLS_1_2 => [&rustls::version::TLS12],
            _ => [&rustls::version::TLS13],
        };
        let mut roots = RootCertStore::empty();
        for root in world.roots.certificates() {
            roots.add(root.clone())?;
        }
        let roots = Arc::new(roots);
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let (chain, key) = (world.server.chain().to_vec(), world.server.key().clone_key());
        let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(verifier.build()?)
            .with_single_cert(chain, key)?;
        server.ticketer = Ticketer::new()?;
        server.ignore_client_order = true;
        server.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        let (chain, key) = (world.client.chain().to_vec(), world.client.key().clone_key());
        let mut client = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        if !resumed {
            client.resumption = rustls::client::Resumption::disabled();
        }
        Ok(Self { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() })
    }

    /// The server's side.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// The client's side.
    pub(crate) fn connector(&self) -> TlsConnector {
        self.connector.clone()
    }

    /// As [`Ours::connection`].
    ///
    /// # Errors
    /// It failed.
    pub fn connection(&self) -> Result<bool, Failed> {
        let (near, far) = duplex(PIPE);
        let name = ServerName::try_from("localhost")?;
        let server = async {
            let mut stream = self.acceptor.accept(near).await?;
            stream.write_all(b"x").await?;
            stream.shutdown().await?;
            let kind = stream.get_ref().1.handshake_kind();
            Ok::<bool, Failed>(kind == Some(rustls::HandshakeKind::Resumed))
        };
        let client = async {
            let mut stream = self.connector.connect(name, far).await?;
            stream.read_exact(&mut [0]).await?;
            Ok::<(), Failed>(())
        };
        both(server, client)
    }
}

/// Runs two futures by turns, without a runtime: nothing but the two is measured.
fn both(
    server: impl Future<Output = Result<bool, Failed>>,
    client: impl Future<Output = Result<(), Failed>>,
) -> Result<bool, Failed> {
    let (mut server, mut client) = (pin!(server), pin!(client));
    let mut cx = Context::from_waker(Waker::noop());
    let (mut resumed, mut done) = (None, false);
    // A handshake takes a handful of turns; more means that both wait for each other.
    for _ in 0..1000 {
        if !done && let Poll::Ready(end) = client.as_mut().poll(&mut cx) {
            end?;
            done = true;
        }
        if resumed.is_none()
            && let Poll::Ready(end) = server.as_mut().poll(&mut cx)
        {
            resumed = Some(end?);
        }
        if let (Some(resumed), true) = (resumed, done) {
            return Ok(resumed);
        }
    }
    Err("both sides wait".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured is what it is called: full, or resumed with the peer still known.
    #[test]
    fn connections_are_full_or_resumed_on_both() {
        let world = World::new().unwrap();
        for version in [TlsVersion::TLS_1_2, TlsVersion::TLS_1_3] {
            for resumed in [false, true] {
                let ours = Ours::new(&world, version, resumed).unwrap();
                let bare = Bare::new(&world, version, resumed).unwrap();
                for round in 0..3 {
                    let expected = resumed && round > 0;
                    assert_eq!(ours.connection().unwrap(), expected, "{version} ours {round}");
                    assert_eq!(bare.connection().unwrap(), expected, "{version} bare {round}");
                }
            }
        }
    }
}
