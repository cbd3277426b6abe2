//! An authority with a server's and clients' certificates, and what TLS makes of them.

use std::sync::Arc;

use bindery_core::TlsVersion;
use bindery_tls::{
    Acceptor, Backend as _, ClientAuth, ClientConfig, Connector, Identity, Policy, Provider,
    Restriction, RustlsBackend, ServerConfig,
    pki::{Authority, Leaf, Validity},
};
use rustls_pki_types::CertificateDer;

/// An authority, and a server that it knows as `localhost` and `127.0.0.1`.
#[derive(Debug)]
pub struct Pki {
    authority: Authority,
    server: Identity,
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

impl Pki {
    /// A new authority with a new server certificate.
    #[must_use]
    pub fn new() -> Self {
        let server = Leaf::server("localhost").with_name("127.0.0.1");
        Self::with_server(&server)
    }

    /// A new authority with a server certificate of the test's choice. All authorities of tests have one name, as
    /// those have that were made anew.
    #[must_use]
    pub fn with_server(leaf: &Leaf) -> Self {
        Self::named("Test Authority", leaf)
    }

    /// A new authority of another name.
    #[must_use]
    pub fn stranger() -> Self {
        Self::named("Another Authority", &Leaf::server("127.0.0.1"))
    }

    fn named(name: &str, leaf: &Leaf) -> Self {
        let authority = Authority::new(name, Validity::default()).unwrap();
        let server = authority.issue(leaf).unwrap().identity().unwrap();
        Self { authority, server }
    }

    /// A new certificate and key.
    #[must_use]
    pub fn issue(&self, leaf: &Leaf) -> Identity {
        self.authority.issue(leaf).unwrap().identity().unwrap()
    }

    /// A new client certificate with this Common Name.
    #[must_use]
    pub fn client(&self, name: &str) -> Identity {
        self.issue(&Leaf::client(name))
    }

    /// The certificate that the server shows.
    #[must_use]
    pub fn server_certificate(&self) -> CertificateDer<'static> {
        self.server.chain()[0].clone()
    }

    /// The server's side under the policy `kmip`.
    #[must_use]
    pub fn acceptor(&self) -> Arc<dyn Acceptor> {
        let config = ServerConfig::new(self.server.clone())
            .with_client_roots(self.authority.roots().unwrap());
        backend().acceptor(&Policy::kmip(), config).unwrap()
    }

    /// The server's side under the policy `taxii`, which asks for a certificate and takes a client without one.
    #[must_use]
    pub fn acceptor_taxii(&self) -> Arc<dyn Acceptor> {
        let config = ServerConfig::new(self.server.clone())
            .with_client_roots(self.authority.roots().unwrap());
        let policy = Policy::taxii().with_client_auth(ClientAuth::Optional);
        backend().acceptor(&policy, config).unwrap()
    }

    /// The client's side under the policy `taxii`, with this certificate or none.
    #[must_use]
    pub fn connector_taxii(&self, identity: Option<&Identity>) -> Arc<dyn Connector> {
        self.connector_with(&Policy::taxii(), identity)
    }

    /// The client's side under the policy `kmip`, with this certificate or none.
    #[must_use]
    pub fn connector(&self, identity: Option<&Identity>) -> Arc<dyn Connector> {
        self.connector_with(&Policy::kmip(), identity)
    }

    /// The same for one version of TLS only.
    #[must_use]
    pub fn connector_of(&self, version: TlsVersion, identity: &Identity) -> Arc<dyn Connector> {
        let policy = Policy::kmip().restricted(Restriction::new().with_versions([version]));
        self.connector_with(&policy, Some(identity))
    }

    fn connector_with(&self, policy: &Policy, identity: Option<&Identity>) -> Arc<dyn Connector> {
        let mut config = ClientConfig::new(self.authority.roots().unwrap());
        config.identity = identity.cloned();
        backend().connector(policy, config).unwrap()
    }
}

fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}
