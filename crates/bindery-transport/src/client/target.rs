//! Where requests go.

use std::{fmt, str::FromStr};

use bindery_core::Scheme;
use http::{
    HeaderValue, Uri,
    uri::{Authority, PathAndQuery},
};
use rustls_pki_types::ServerName;

use crate::{TransportError, host};

/// An `http` or `https` URL, taken apart: scheme, host, port, path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    scheme: Scheme,
    authority: Authority,
    port: u16,
    path: PathAndQuery,
}

impl Target {
    /// A target from its URL. Without a port it is the scheme's, 80 or 443.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind): no absolute http or https URL, or one whose host
    /// or port is malformed. User information is not taken (RFC 9110, section 4.2.4).
    pub fn new(uri: Uri) -> Result<Self, TransportError> {
        let fault = |what: &str| {
            TransportError::request(format!("{what} in the URL"))
                .with_hint("write it as https://host:port/path")
        };
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) => return Err(fault("another scheme than http and https")),
            None => return Err(fault("no scheme")),
        };
        let Some(authority) = uri.authority().cloned() else { return Err(fault("no host")) };
        if authority.as_str().contains('@') {
            return Err(fault("user information"));
        }
        if let Some(reason) = host::fault(authority.as_str().as_bytes()) {
            return Err(fault(&format!("a malformed host ({reason})")));
        }
        let default = if scheme == Scheme::Https { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(default);
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { uri, scheme, authority, port, path })
    }

    /// The URL.
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the connection is secured by TLS.
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The host: a name or an address, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The host, in brackets where it is an IPv6 address, and the port: what a tunnel is asked for.
    pub(super) fn authority_and_port(&self) -> String {
        format!("{}:{}", self.authority.host(), self.port)
    }

    /// The URL with the scheme https, and its port written out.
    pub(super) fn as_https(&self) -> Uri {
        let authority = self.authority_and_port();
        let uri =
            Uri::builder().scheme("https").authority(authority).path_and_query(self.path.clone());
        uri.build().unwrap_or_else(|_| self.uri.clone())
    }

    pub(super) const fn path_and_query(&self) -> &PathAndQuery {
        &self.path
    }

    /// What `Host` says: the port only where the URL has one (RFC 9110, section 7.2).
    pub(super) fn host_field(&self) -> Result<HeaderValue, TransportError> {
        HeaderValue::from_str(self.authority.as_str())
            .map_err(|_| TransportError::request("the URL's host fits no header field"))
    }

    /// The name that the server's certificate has to be for.
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, TransportError> {
        ServerName::try_from(self.host().to_owned()).map_err(|_| {
            TransportError::request(format!("{} is no DNS name and no address", self.host()))
                .with_hint("name the host as its certificate does")
        })
    }

    /// Whether another URL leads to the same server; with `upgraded` also by the other scheme at the same port.
    pub(super) fn is_same_server(&self, other: &Self, upgraded: bool) -> bool {
        (self.scheme == other.scheme || upgraded)
            && self.port == other.port
            && self.host().eq_ignore_ascii_case(other.host())
    }
}

impl TryFrom<Uri> for Target {
    type Error = TransportError;

    fn try_from(uri: Uri) -> Result<Self, TransportError> {
        Self::new(uri)
    }
}

impl FromStr for Target {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, TransportError> {
        let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| {
            TransportError::request(format!("{text:?} is no URL"))
                .with_source(error)
                .with_hint("write it as https://host:port/path")
        })?;
        Self::new(uri)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}
