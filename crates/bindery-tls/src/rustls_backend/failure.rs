//! rustls' errors in our own words: what was expected, what came, who can mend it.

use std::io;

use bindery_core::{Timestamp, TlsVersion};
use rustls::{
    AlertDescription, CertificateError, Error, PeerIncompatible, client::verify_server_name,
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{TlsError, TlsErrorKind as Kind, certificate::rfc3339};

/// Which side this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

impl Side {
    /// The other end, for messages.
    const fn peer(self) -> &'static str {
        match self {
            Self::Server => "client",
            Self::Client => "server",
        }
    }
}

/// What is known of a handshake that failed.
pub(super) struct Seen<'a> {
    /// The first octets that the peer sent.
    pub(super) first: &'a [u8],
    /// What the peer offered and what this side takes, where that is known.
    pub(super) offer: Option<&'a str>,
}

/// The error of a handshake, or with `seen` absent of a stream after it.
pub(super) fn failure(error: io::Error, side: Side, seen: Option<Seen<'_>>) -> TlsError {
    let kind = error.kind();
    match error.downcast::<Error>() {
        Ok(error) => of_rustls(error, side, seen),
        Err(error) if kind == io::ErrorKind::UnexpectedEof => ended(error, side, seen.as_ref()),
        Err(error) => {
            let message = format!("the connection to the {} broke: {error}", side.peer());
            TlsError::new(Kind::Io, message, "check the network between the two")
                .by_environment()
                .with_source(error)
        }
    }
}

fn ended(error: io::Error, side: Side, seen: Option<&Seen<'_>>) -> TlsError {
    let peer = side.peer();
    let (message, hint) = match seen {
        Some(seen) if seen.first.is_empty() => (
            format!("the {peer} closed the connection without sending anything"),
            "a port scan or health check does this; otherwise check that TLS is spoken there",
        ),
        Some(_) => (
            format!("the {peer} closed the connection inside the handshake"),
            "its own log says why",
        ),
        None => (
            format!(
                "the {peer} closed the connection without a closure alert; what was received last \
                 may be cut short (RFC 2818, 2.2)"
            ),
            "do not take an incomplete message for a whole one",
        ),
    };
    TlsError::new(Kind::Io, message, hint).by_environment().with_source(error)
}

fn of_rustls(error: Error, side: Side, seen: Option<Seen<'_>>) -> TlsError {
    let peer = side.peer();
    let ours = match &error {
        Error::NoCertificatesPresented => TlsError::new(
            Kind::NoClientCertificate,
            format!("the {peer} showed no certificate, and the policy requires one"),
            "give the client a certificate of an authority that this server trusts, and its key",
        )
        .by_peer(),
        Error::InvalidCertificate(reason) => {
            let error = of_certificate(reason, side);
            // The lists in which nothing was found are this side's own.
            match error.kind() {
                Kind::RevocationUnknown => error,
                _ => error.by_peer(),
            }
        }
        Error::PeerIncompatible(reason) => match seen.as_ref().and_then(old_version) {
            Some(found) => of_old_version(found),
            None => of_incompatible(reason, side, seen.and_then(|seen| seen.offer)),
        }
        .by_peer(),
        Error::AlertReceived(alert) => of_alert(*alert, side),
        Error::NoApplicationProtocol => TlsError::new(
            Kind::NoSharedProtocol,
            format!("the {peer} offers no application protocol (ALPN) that is spoken here"),
            "offer http/1.1, or no ALPN at all",
        )
        .by_peer(),
        Error::InvalidMessage(_) => of_message(&error, side, seen),
        Error::General(_)
        | Error::FailedToGetCurrentTime
        | Error::FailedToGetRandomBytes
        | Error::EncryptError
        | Error::Other(_) => TlsError::new(
            Kind::Protocol,
            format!("the handshake with the {peer} failed: {error}"),
            "check this machine's clock and source of random numbers",
        )
        .by_environment(),
        _ => broken(&error, side),
    };
    ours.with_source(error)
}

fn broken(error: &Error, side: Side) -> TlsError {
    let message = format!("the {} broke the protocol: {error}", side.peer());
    TlsError::new(Kind::Protocol, message, "check what stands at the other end").by_peer()
}

/// The newest version that a ClientHello offers, if that is older than TLS 1.2 (RFC 5246, section
/// 7.4.1.2). Such a client lacks extensions that came later, which is not what to tell of it.
fn old_version(seen: &Seen<'_>) -> Option<TlsVersion> {
    match *seen.first {
        [22, 3, _, _, _, 1, _, _, _, 3, minor @ 0..=2, ..] => {
            Some(TlsVersion(u16::from_be_bytes([3, minor])))
        }
        _ => None,
    }
}

fn of_old_version(found: TlsVersion) -> TlsError {
    TlsError::new(
        Kind::NoSharedVersion,
        format!("the client speaks {found} at most, and the policy nothing older than TLS 1.2"),
        "let the client speak TLS 1.2 or 1.3; older versions are broken (RFC 8996)",
    )
}

/// Octets that are no TLS, most often a clear-text request to a TLS port.
fn of_message(error: &Error, side: Side, seen: Option<Seen<'_>>) -> TlsError {
    const METHODS: [&[u8]; 11] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"OPTIONS ",
        b"DELETE ",
        b"CONNECT ",
        b"PATCH ",
        b"TRACE ",
        b"PRI ",
        b"HTTP/",
    ];
    let Some(Seen { first, .. }) = seen else { return broken(error, side) };
    let peer = side.peer();
    let http = |method: &&[u8]| first.starts_with(method) || method.starts_with(first);
    if !first.is_empty() && METHODS.iter().any(http) {
        let (message, hint) = match side {
            Side::Server => (
                "the client spoke plain HTTP to a TLS port".to_owned(),
                "use an https URL; the listener of this port takes TLS only",
            ),
            Side::Client => (
                "the server answered in plain HTTP on what should be a TLS port".to_owned(),
                "check the port; a server that begins in clear and upgrades to TLS (RFC 2817) is reached \
                 by an http URL with --upgrade required, or by tls probe with --starttls http",
            ),
        };
        return TlsError::new(Kind::PlainHttp, message, hint).by_peer();
    }
    // A TLS record begins with a content type of 20 to 24 and the major version 3.
    if matches!(first, [20..=24, 3, ..]) {
        return broken(error, side);
    }
    let start = first.get(..8).unwrap_or(first).escape_ascii();
    let message = format!("the {peer} does not speak TLS; it began with \"{start}\"");
    TlsError::new(Kind::NotTls, message, "check the port and what stands at the other end")
        .by_peer()
}

fn of_incompatible(reason: &PeerIncompatible, side: Side, offer: Option<&str>) -> TlsError {
    use PeerIncompatible as P;
    let peer = side.peer();
    let offer = offer.map(|offer| format!("; {offer}")).unwrap_or_default();
    match reason {
        P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::ServerDoesNotSupportTls12Or13
        | P::SupportedVersionsExtensionRequired => TlsError::new(
            Kind::NoSharedVersion,
            format!("the {peer} has no TLS version in common with the policy ({reason:?}){offer}"),
            "let both sides speak TLS 1.3 or, where the policy permits it, TLS 1.2",
        ),
        P::NoCipherSuitesInCommon
        | P::NoKxGroupsInCommon
        | P::NoSignatureSchemesInCommon
        | P::NoCertificateRequestSignatureSchemesInCommon
        | P::NamedGroupsExtensionRequired
        | P::NoEcPointFormatsInCommon => TlsError::new(
            Kind::NoSharedSuite,
            format!("the {peer} has no suite, group or signature in common ({reason:?}){offer}"),
            "compare what the two sides offer; in TLS 1.2 the suite must also fit the \
             certificate's key (an ECDSA suite needs an ECDSA certificate)",
        ),
        _ => TlsError::new(
            Kind::Protocol,
            format!("the {peer} lacks something that TLS needs: {reason:?}{offer}"),
            "update the software at the other end",
        ),
    }
}

/// What the check of a server's name says of the certificate that it showed: `None` if they fit.
pub(crate) fn name_mismatch(
    name: &ServerName<'_>,
    certificate: Option<&CertificateDer<'_>>,
) -> Option<String> {
    let Some(certificate) = certificate else {
        return Some("the server showed no certificate".to_owned());
    };
    let checked = ParsedCertificate::try_from(certificate)
        .and_then(|certificate| verify_server_name(&certificate, name));
    match checked {
        Ok(()) => None,
        Err(Error::InvalidCertificate(reason)) => {
            Some(of_certificate(&reason, Side::Client).message().to_owned())
        }
        Err(other) => Some(format!("the server's certificate cannot be read: {other}")),
    }
}

fn of_certificate(reason: &CertificateError, side: Side) -> TlsError {
    use CertificateError as C;
    let peer = side.peer();
    match reason {
        C::UnknownIssuer => of_unknown_issuer(side),
        C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. } => {
            of_dates(reason, peer)
        }
        C::NotValidForNameContext { expected, presented } => {
            // The library shows names as its own types: `DnsName("one.example")`.
            let name = |shown: &String| {
                let inside = shown.split_once('(').map(|(_, inside)| inside.trim_end_matches(')'));
                inside.unwrap_or(shown).trim_matches('"').to_owned()
            };
            let names: Vec<String> = presented.iter().map(name).collect();
            let offered = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            let message = format!(
                "the {peer}'s certificate is not for {}; it is for {offered}",
                expected.to_str()
            );
            TlsError::new(Kind::NameMismatch, message, NAME_HINT)
        }
        C::NotValidForName => {
            let message = format!("the {peer}'s certificate is not for the name that was asked");
            TlsError::new(Kind::NameMismatch, message, NAME_HINT)
        }
        C::Revoked => TlsError::new(
            Kind::CertificateRevoked,
            format!("the {peer}'s certificate is revoked"),
            "its authority took it back: give the other side a new one",
        ),
        C::Other(other) if other.0.is::<TlsError>() => {
            let rule = other.0.downcast_ref::<TlsError>();
            let kind = rule.map_or(Kind::BadCertificate, TlsError::kind);
            let (message, hint) = rule.map_or(("", ""), |rule| (rule.message(), rule.hint()));
            TlsError::new(kind, message, hint.to_owned())
        }
        C::BadSignature => {
            let message = format!(
                "the {peer}'s certificate or handshake is not signed by the key that it names"
            );
            let hint = "most likely the authority was made anew under the same name: trust its \
                        present certificate, or issue the other side's certificate anew";
            TlsError::new(Kind::BadCertificate, message, hint)
        }
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            let usage = match side {
                Side::Server => "clientAuth",
                Side::Client => "serverAuth",
            };
            let message = format!("the {peer}'s certificate is not for a {peer}: {reason}");
            let hint = format!("issue one whose Extended Key Usage has {usage}");
            TlsError::new(Kind::BadCertificate, message, hint)
        }
        _ => {
            let message = format!("the {peer}'s certificate is refused: {reason}");
            let hint = "issue it anew; one that is marked as an authority (CaUsedAsEndEntity) \
                        cannot be shown by a server or a client";
            TlsError::new(Kind::BadCertificate, message, hint)
        }
    }
}

fn of_unknown_issuer(side: Side) -> TlsError {
    let peer = side.peer();
    let message = format!("the {peer}'s certificate is of an authority not trusted here");
    let hint = match side {
        Side::Server => {
            "add the authority to the client authorities, or give the client another \
             certificate; a chain must hold its intermediate certificates"
        }
        Side::Client => {
            "add the authority to the trusted ones (--cacert); the server's chain must \
             hold its intermediate certificates"
        }
    };
    TlsError::new(Kind::UnknownAuthority, message, hint)
}

fn of_dates(reason: &CertificateError, peer: &str) -> TlsError {
    use CertificateError as C;
    let (kind, what, hint) = match reason {
        C::ExpiredContext { time, not_after } => (
            Kind::CertificateExpired,
            format!("expired at {}; it is {}", date(*not_after), date(*time)),
            "renew the certificate",
        ),
        C::NotValidYetContext { time, not_before } => (
            Kind::CertificateNotYetValid,
            format!("is not valid before {}; it is {}", date(*not_before), date(*time)),
            "check both clocks",
        ),
        C::NotValidYet => {
            (Kind::CertificateNotYetValid, "is not valid yet".to_owned(), "check both clocks")
        }
        _ => (Kind::CertificateExpired, "has expired".to_owned(), "renew the certificate"),
    };
    TlsError::new(kind, format!("the {peer}'s certificate {what}"), hint)
}

const NAME_HINT: &str = "use a host name or address of the certificate in the URL, or issue one \
                         with that name as subjectAltName (the Common Name does not count)";

/// The peer's verdict on what this side sent.
fn of_alert(alert: AlertDescription, side: Side) -> TlsError {
    use AlertDescription as A;
    let peer = side.peer();
    let said = format!("the {peer} ended the connection with the alert {alert:?}");
    let (kind, meaning, hint) = match alert {
        A::CertificateRequired | A::NoCertificate => (
            Kind::NoClientCertificate,
            "it requires a client certificate and got none",
            "configure a client certificate and its key (--cert, --key)",
        ),
        A::UnknownCA => (
            Kind::UnknownAuthority,
            "it does not trust the authority of our certificate",
            "show a certificate of an authority that the other end trusts",
        ),
        A::CertificateExpired => (
            Kind::CertificateExpired,
            "our certificate is out of date, or one of the clocks is wrong",
            "renew our certificate",
        ),
        A::CertificateRevoked => (
            Kind::CertificateRevoked,
            "our certificate is revoked",
            "ask the authority for a new one",
        ),
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateUnknown
        | A::DecryptError
        | A::AccessDenied => (
            Kind::BadCertificate,
            "it refuses our certificate: wrong name, wrong purpose, signed by another authority of \
             the same name, or another fault",
            "the log at the other end says which",
        ),
        A::ProtocolVersion => (
            Kind::NoSharedVersion,
            "no TLS version in common",
            "let both sides speak TLS 1.3 or TLS 1.2",
        ),
        A::HandshakeFailure | A::InsufficientSecurity => (
            Kind::NoSharedSuite,
            "most likely no cipher suite in common, or in TLS 1.2 no acceptable certificate",
            "compare what the two sides offer",
        ),
        A::NoApplicationProtocol => (
            Kind::NoSharedProtocol,
            "no application protocol (ALPN) in common",
            "offer http/1.1, or no ALPN at all",
        ),
        A::InternalError | A::UserCanceled => {
            let hint = "the log at the other end says why";
            return TlsError::new(Kind::Refused, said, hint).by_peer();
        }
        _ => return TlsError::new(Kind::Refused, said, "the log at the other end says why"),
    };
    TlsError::new(kind, format!("{said}: {meaning}"), hint)
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    rfc3339(Timestamp::from_unix_seconds(seconds))
}
