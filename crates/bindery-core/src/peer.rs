//! Who is on the other end of a connection, and the account behind it.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use rustls_pki_types::CertificateDer;
use thiserror::Error;

/// What counts as one address where peers are limited by address: one of IPv4, also where it is written as one of IPv6; of
/// IPv6 the first 64 bits, which are one subscriber's, who has all the others to choose from.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four @ IpAddr::V4(_) => four,
    }
}

/// What the connection itself shows of the other end.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Peer {
    /// The address that the connection comes from or goes to; `None` for an in-memory stream.
    pub address: Option<SocketAddr>,
    /// The certificate chain that the peer showed and the handshake verified, leaf first; empty
    /// without one. Kept when a session is resumed.
    pub certificates: Arc<[CertificateDer<'static>]>,
    /// The PSK identity that the peer proved to hold the key of.
    pub psk_identity: Option<Bytes>,
}

impl Peer {
    /// A peer of which only the address is known.
    pub fn from_address(address: SocketAddr) -> Self {
        Self { address: Some(address), ..Self::default() }
    }

    /// The same peer with the certificate chain that it showed, leaf first.
    #[must_use]
    pub fn with_certificates(mut self, chain: impl Into<Arc<[CertificateDer<'static>]>>) -> Self {
        self.certificates = chain.into();
        self
    }

    /// The same peer with the PSK identity of which it proved to hold the key.
    #[must_use]
    pub fn with_psk_identity(mut self, identity: Option<Bytes>) -> Self {
        self.psk_identity = identity;
        self
    }

    /// The peer's own certificate, DER.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificates.first()
    }
}

/// A TLS or SSL protocol version, by its number on the wire (`0x0303` is TLS 1.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// SSL 3.0 (RFC 6101); forbidden by RFC 7568.
    pub const SSL_3_0: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246); forbidden by RFC 8996.
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346); forbidden by RFC 8996.
    pub const TLS_1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS_1_3: Self = Self(0x0304);

    /// The version's usual name, such as `TLS 1.2`; `None` for a number that has none.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::SSL_3_0 => Some("SSL 3.0"),
            Self::TLS_1_0 => Some("TLS 1.0"),
            Self::TLS_1_1 => Some("TLS 1.1"),
            Self::TLS_1_2 => Some("TLS 1.2"),
            Self::TLS_1_3 => Some("TLS 1.3"),
            _ => None,
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "TLS version {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A cipher suite that a handshake settled on: its IANA number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct CipherSuite {
    /// The number on the wire.
    pub id: u16,
    /// The name in the IANA registry, such as `TLS_AES_256_GCM_SHA384`.
    pub name: &'static str,
}

impl CipherSuite {
    /// A suite from its number and IANA name.
    pub const fn new(id: u16, name: &'static str) -> Self {
        Self { id, name }
    }
}

/// What a TLS handshake settled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol version.
    pub version: TlsVersion,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The key exchange group's IANA name, where the handshake had one.
    pub group: Option<&'static str>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The host name that the client asked for (SNI), on the server's side.
    pub server_name: Option<Arc<str>>,
    /// The certificate chain that this side showed, leaf first; empty without one.
    pub local_certificates: Arc<[CertificateDer<'static>]>,
}

impl TlsInfo {
    /// What every handshake settles; the other fields start empty.
    pub fn new(version: TlsVersion, suite: CipherSuite) -> Self {
        Self {
            version,
            suite,
            group: None,
            resumed: false,
            server_name: None,
            local_certificates: Arc::from([]),
        }
    }
}

/// An account: what permissions and ownership are given to.
///
/// One peer may reach the same account by certificate, by password or by a shared key; services
/// compare principals and never certificates.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// An account by its name. Names are compared octet by octet.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The account's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Principal({:?})", &*self.0)
    }
}

/// How a connection's peer becomes an account: configuration, given to the server as a value.
pub trait IdentityMap: fmt::Debug + Send + Sync {
    /// The account behind a peer; `Ok(None)` for a peer that shows no identity at all.
    ///
    /// # Errors
    /// The peer shows an identity that cannot be mapped; it gets no service.
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError>;
}

/// An identity that a peer showed and that stands for no account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the peer's identity maps to no account: {reason}; {hint}")]
#[non_exhaustive]
pub struct IdentityError {
    /// What is wrong with the identity.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl IdentityError {
    /// An error from what is wrong and what to do about it.
    pub fn new(reason: impl Into<String>, hint: &'static str) -> Self {
        Self { reason: reason.into(), hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_with_those_that_its_owner_may_choose() {
        for (address, counts_as) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
            ("::1", "::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(neighbourhood(address), counts_as.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
