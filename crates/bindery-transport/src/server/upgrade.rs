//! The upgrade to TLS within a connection (RFC 2817), the server's side.

mod apart;
mod replay;

use std::sync::Arc;

use bindery_core::{Body, Endpoint, Refusal, TlsVersion};
use bindery_tls::{Acceptor, BoxIo};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, Version, header, request};
use tokio::{io::AsyncWriteExt as _, time::timeout};

use crate::{Limits, upgrade_field};
pub(super) use apart::check as check_apart;
pub(super) use replay::replay;

/// How a listener in clear becomes TLS within a connection (RFC 2817): what
/// [`Listener::upgrade`](crate::Listener::upgrade) takes. Off unless a listener has one.
///
/// A request that offers `Upgrade: TLS/1.x` is answered with 101, the handshake follows on the same connection, the
/// request is answered within TLS, and the connection goes on there. The offered version is not the handshake's: a client
/// that offers `TLS/1.0` means TLS, and what the handshake may settle is the acceptor's policy alone.
///
/// **The risk (CVE-2025-49812).** Whoever is between a client of the implicit kind (https) and this listener can send a
/// request of their own in clear, take the 101, and then let the client's TLS handshake through: the client's first
/// request is answered by the answer to theirs, within a TLS connection that the client has verified, and every answer
/// after it is one too early. It takes nothing but this listener and one https client, anywhere, that trusts the
/// listener's certificate for the name that it asked for. So a certificate for an upgrade must have a name that no client
/// uses in an https URL, and a server does not start with a listener whose certificate, or a name in it, is also that of
/// one of its listeners of implicit TLS, unless [`Upgrade::dangerous_beside_implicit_tls`] says so. What others on the
/// same host serve it cannot know.
#[derive(Clone, Debug)]
pub struct Upgrade {
    acceptor: Arc<dyn Acceptor>,
    required: bool,
    options_only: bool,
    beside_implicit_tls: bool,
}

impl Upgrade {
    /// Upgrades to TLS by this acceptor where a client offers it; who does not is answered in clear, with an advertisement.
    pub const fn new(acceptor: Arc<dyn Acceptor>) -> Self {
        Self { acceptor, required: false, options_only: false, beside_implicit_tls: false }
    }

    /// Serves nothing in clear: a request gets 101, or 426 (Upgrade Required) with an explanation. One that is
    /// no sound request gets the status of its fault, as it does elsewhere.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Takes an offer from `OPTIONS *` without a body only, as clients send it that insist on TLS; any other offer is
    /// ignored, or refused with 426 where TLS is [`required`](Self::required).
    ///
    /// Of the attack that [`Upgrade`] tells of it leaves this: the victim's first answer is an empty 200 that the attacker
    /// did not choose, and its further answers are one too early.
    #[must_use]
    pub const fn options_only(mut self) -> Self {
        self.options_only = true;
        self
    }

    /// Refuses this upgrade beside listeners of implicit TLS that have its certificate, or a name in it, in common with it;
    /// a server does so when it binds.
    ///
    /// # Errors
    /// [`ErrorKind::Bind`](crate::ErrorKind): they have something in common, or cannot be told apart.
    pub fn check_beside(&self, implicit: &[&dyn Acceptor]) -> Result<(), crate::TransportError> {
        apart::check([self], implicit)
    }

    /// Starts although the certificate, or a name in it, is also that of a listener of implicit TLS: the attack that
    /// [`Upgrade`] tells of then works on every client of that listener.
    #[must_use]
    pub const fn dangerous_beside_implicit_tls(mut self) -> Self {
        self.beside_implicit_tls = true;
        self
    }
}

/// An [`Upgrade`] in use.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) acceptor: Arc<dyn Acceptor>,
    required: bool,
    options_only: bool,
    /// The minor versions of TLS 1.x that are taken, best first.
    minors: Vec<u8>,
    /// The same as a value of `Upgrade`.
    protocols: HeaderValue,
}

/// What becomes of a request in clear.
pub(super) enum Verdict {
    /// It is answered in clear.
    Clear,
    /// The connection becomes TLS: the value of the 101's `Upgrade`.
    Switch(HeaderValue),
    /// It is refused: [`Refusal::UpgradeRequired`].
    Required,
}

impl Gate {
    pub(super) fn new(upgrade: &Upgrade) -> Self {
        let versions = upgrade.acceptor.shown().map(|shown| shown.versions);
        let versions = versions.unwrap_or_else(|| vec![TlsVersion::TLS_1_3, TlsVersion::TLS_1_2]);
        // On the wire TLS 1.0 is 3.1.
        let minor = |version: &TlsVersion| (version.0 & 0xFF).checked_sub(1)?.try_into().ok();
        let mut minors: Vec<u8> = versions.iter().filter_map(minor).collect();
        if minors.is_empty() {
            // Nothing newer than SSL 3.0, for which there is no token.
            minors.push(0);
        }
        let list: Vec<String> = minors.iter().map(|minor| format!("TLS/1.{minor}")).collect();
        let protocols = HeaderValue::try_from(list.join(", "));
        Self {
            acceptor: Arc::clone(&upgrade.acceptor),
            required: upgrade.required,
            options_only: upgrade.options_only,
            minors,
            protocols: protocols.unwrap_or_else(|_| HeaderValue::from_static("TLS/1.2")),
        }
    }

    /// What becomes of a request with a sound head.
    pub(super) fn judge(
        &self,
        parts: &request::Parts,
        endpoint: Option<&dyn Endpoint>,
        body: &Body,
    ) -> Verdict {
        let fits = if self.options_only {
            is_ping(parts) && is_empty(body)
        } else {
            // A body for nobody has no limit that it could be read under.
            endpoint.is_some() || is_empty(body)
        };
        match self.offered(parts) {
            Some(protocols) if fits => Verdict::Switch(protocols),
            _ if self.required => Verdict::Required,
            _ => Verdict::Clear,
        }
    }

    /// The protocols of the 101, where TLS is offered. An upgrade in HTTP/1.0 is ignored (RFC 9110, section 7.8).
    fn offered(&self, parts: &request::Parts) -> Option<HeaderValue> {
        if parts.version != Version::HTTP_11 {
            return None;
        }
        let offered: Vec<u8> = upgrade_field::tls_minors(&parts.headers).collect();
        let ours = self.minors.iter().copied().find(|minor| offered.contains(minor));
        let minor = ours.or_else(|| offered.into_iter().max())?;
        HeaderValue::try_from(format!("TLS/1.{minor}, HTTP/1.1")).ok()
    }

    pub(super) fn refusal(&self) -> Refusal {
        Refusal::UpgradeRequired { protocols: self.protocols.clone() }
    }

    /// Says in an answer what the connection can become.
    pub(super) fn advertise(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        if upgrade_field::connection_lists(headers, "upgrade") {
            return;
        }
        headers.append(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, self.protocols.clone());
    }
}

/// `OPTIONS *`: about the server as a whole (RFC 9110, section 9.3.7).
pub(super) fn is_ping(parts: &request::Parts) -> bool {
    parts.method == Method::OPTIONS && parts.uri.path() == "*"
}

fn is_empty(body: &Body) -> bool {
    body.as_bytes().is_some_and(Bytes::is_empty)
}

/// The answer after which the connection is TLS.
pub(super) fn switching(protocols: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(header::UPGRADE, protocols);
    response
}

/// The alert `unexpected_message`, in clear: no key is agreed on yet (RFC 8446, section 6.2).
const UNEXPECTED_MESSAGE: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 10];

/// Ends a connection on which octets came behind the request, before the 101 could be seen: an honest client waits for
/// it, and whose octets these are nobody can say.
pub(super) async fn refuse_early(mut io: BoxIo, limits: &Limits) -> BoxIo {
    let alert = async {
        let _ = io.write_all(&UNEXPECTED_MESSAGE).await;
        let _ = io.flush().await;
    };
    let _ = timeout(limits.linger, alert).await;
    io
}
