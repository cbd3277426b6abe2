//! OpenSSL's errors in our own words.

use std::io;

use bindery_tls::{TlsError, TlsErrorKind as Kind};
use openssl::{
    error::ErrorStack,
    ssl::{self, SslAlert, SslRef},
    x509::X509VerifyResult,
};

use crate::verdict::{Noted, Verdict};

/// Which side this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Side {
    /// The other end, for messages.
    pub(crate) const fn peer(self) -> &'static str {
        match self {
            Self::Server => "client",
            Self::Client => "server",
        }
    }
}

/// OpenSSL's reasons that are told apart (`sslerr.h`).
mod reason {
    pub(super) const CERTIFICATE_VERIFY_FAILED: i32 = 134;
    pub(super) const DECRYPTION_FAILED_OR_BAD_RECORD_MAC: i32 = 281;
    pub(super) const HTTPS_PROXY_REQUEST: i32 = 155;
    pub(super) const HTTP_REQUEST: i32 = 156;
    pub(super) const NO_APPLICATION_PROTOCOL: i32 = 235;
    pub(super) const NO_CIPHERS_AVAILABLE: i32 = 181;
    pub(super) const NO_PROTOCOLS_AVAILABLE: i32 = 191;
    pub(super) const NO_SHARED_CIPHER: i32 = 193;
    pub(super) const NO_SHARED_GROUPS: i32 = 410;
    pub(super) const NO_SUITABLE_KEY_SHARE: i32 = 101;
    pub(super) const NO_SHARED_SIGNATURE_ALGORITHMS: i32 = 376;
    pub(super) const PEER_DID_NOT_RETURN_A_CERTIFICATE: i32 = 199;
    pub(super) const UNEXPECTED_EOF_WHILE_READING: i32 = 294;
    pub(super) const UNSUPPORTED_PROTOCOL: i32 = 258;
    pub(super) const VERSION_TOO_LOW: i32 = 396;
    pub(super) const WRONG_SSL_VERSION: i32 = 266;
    pub(super) const WRONG_VERSION_NUMBER: i32 = 267;
}

/// The error of a handshake. `began` tells whether the peer sent anything, `takes` what this side
/// takes.
pub(crate) fn of_handshake(
    error: ssl::Error,
    side: Side,
    connection: (&SslRef, &Verdict),
    began: bool,
    takes: &str,
) -> TlsError {
    let (ssl, verdict) = connection;
    let Noted { error: known, shown, identity } = std::mem::take(&mut *verdict.noted());
    let failed = known.unwrap_or_else(|| of_openssl(error, side, ssl, (began, takes), identity));
    match shown {
        Some(shown) => failed.with_certificate(shown),
        None => failed,
    }
}

fn of_openssl(
    error: ssl::Error,
    side: Side,
    ssl: &SslRef,
    (began, takes): (bool, &str),
    identity: Option<(String, bool)>,
) -> TlsError {
    let code = error.ssl_error().and_then(first_reason);
    match (code, identity) {
        (Some(reason::DECRYPTION_FAILED_OR_BAD_RECORD_MAC), Some((identity, known))) => {
            return of_identity(&identity, known).with_source(error);
        }
        (Some(reason::CERTIFICATE_VERIFY_FAILED), _) => {
            return of_code(ssl.verify_result(), side).with_source(error);
        }
        _ => {}
    }
    match code {
        Some(code) if code != reason::UNEXPECTED_EOF_WHILE_READING => {
            of_reason(code, &error.to_string(), side, takes).with_source(error)
        }
        _ if error.io_error().is_none() => ended(side, began),
        _ => broken_off(error.into_io_error().unwrap_or_else(io::Error::other), side),
    }
}

/// A client that named a PSK identity and proved no key of it. Only this side is told which it was.
fn of_identity(identity: &str, known: bool) -> TlsError {
    let (message, hint) = match known {
        true => (
            format!("the client names the PSK identity {identity} and holds another key"),
            "compare the keys of both sides",
        ),
        false => (
            format!("the client names the PSK identity {identity}, which has no key here"),
            "add its key to the pre-shared keys, or correct the identity at the client",
        ),
    };
    TlsError::new(Kind::Refused, message, hint).by_peer()
}

fn ended(side: Side, began: bool) -> TlsError {
    let peer = side.peer();
    let (message, hint) = match began {
        false => (
            format!("the {peer} closed the connection without sending anything"),
            "a port scan or health check does this; otherwise check that TLS is spoken there",
        ),
        true => (
            format!("the {peer} closed the connection inside the handshake"),
            "its own log says why",
        ),
    };
    TlsError::new(Kind::Io, message, hint).by_environment()
}

fn broken_off(error: io::Error, side: Side) -> TlsError {
    let message = format!("the connection to the {} broke: {error}", side.peer());
    TlsError::new(Kind::Io, message, "check the network between the two")
        .by_environment()
        .with_source(error)
}

/// The first of OpenSSL's errors that its TLS part made: what stands before it is a detail of a
/// cipher, and what follows a consequence.
fn first_reason(stack: &ErrorStack) -> Option<i32> {
    const OF_TLS: i32 = 20;
    let errors = stack.errors();
    let of_tls = errors.iter().find(|error| error.library_code() == OF_TLS);
    of_tls.or_else(|| errors.first()).map(openssl::error::Error::reason_code)
}

/// An IO error of a stream after its handshake.
pub(crate) fn of_io(error: io::Error, side: Side, ended: bool) -> io::Error {
    if ended {
        return cut_short(side);
    }
    let kind = error.kind();
    match error.downcast::<ssl::Error>() {
        Ok(error) => {
            let code = error.ssl_error().and_then(first_reason);
            match code {
                Some(reason::UNEXPECTED_EOF_WHILE_READING) => cut_short(side),
                Some(code) => io::Error::new(kind, of_reason(code, &error.to_string(), side, "")),
                None => error.into_io_error().unwrap_or_else(io::Error::other),
            }
        }
        Err(error) => error,
    }
}

/// The connection ended without a closure alert.
pub(crate) fn cut_short(side: Side) -> io::Error {
    let message = format!(
        "the {} closed the connection without a closure alert; what was received last may be cut \
         short (RFC 2818, 2.2)",
        side.peer()
    );
    let hint = "do not take an incomplete message for a whole one";
    let error = TlsError::new(Kind::Io, message, hint).by_environment();
    io::Error::new(io::ErrorKind::UnexpectedEof, error)
}

fn of_reason(code: i32, words: &str, side: Side, takes: &str) -> TlsError {
    let peer = side.peer();
    if let Some(alert) = SslAlert::from_reason_code(code) {
        return of_alert(alert, side);
    }
    let takes = if takes.is_empty() { String::new() } else { format!("; {takes}") };
    let (kind, message, hint) = match code {
        reason::HTTP_REQUEST | reason::HTTPS_PROXY_REQUEST => (
            Kind::PlainHttp,
            format!("the {peer} spoke plain HTTP to a TLS port"),
            "use an https URL; the listener of this port takes TLS only",
        ),
        reason::WRONG_VERSION_NUMBER
        | reason::WRONG_SSL_VERSION
        | reason::UNSUPPORTED_PROTOCOL
        | reason::VERSION_TOO_LOW
        | reason::NO_PROTOCOLS_AVAILABLE => (
            Kind::NoSharedVersion,
            format!("the {peer} has no TLS version in common with the policy{takes}"),
            "let both sides speak a version that the policy permits",
        ),
        reason::NO_SHARED_CIPHER
        | reason::NO_CIPHERS_AVAILABLE
        | reason::NO_SHARED_GROUPS
        | reason::NO_SUITABLE_KEY_SHARE
        | reason::NO_SHARED_SIGNATURE_ALGORITHMS => (
            Kind::NoSharedSuite,
            format!("the {peer} has no suite, group or signature in common{takes}"),
            "compare what the two sides offer; the suite must also fit the certificate's key",
        ),
        reason::PEER_DID_NOT_RETURN_A_CERTIFICATE => (
            Kind::NoClientCertificate,
            format!("the {peer} showed no certificate, and the policy requires one"),
            "give the client a certificate of an authority that this server trusts, and its key",
        ),
        reason::NO_APPLICATION_PROTOCOL => (
            Kind::NoSharedProtocol,
            format!("the {peer} offers no application protocol (ALPN) that is spoken here"),
            "offer http/1.1, or no ALPN at all",
        ),
        reason::DECRYPTION_FAILED_OR_BAD_RECORD_MAC => (
            Kind::Refused,
            format!("the {peer} proved no key that is known here"),
            "with pre-shared keys: compare the identity and the key of both sides",
        ),
        _ => (
            Kind::Protocol,
            format!("the handshake with the {peer} failed: {words}"),
            "check what stands at the other end",
        ),
    };
    TlsError::new(kind, message, hint).by_peer()
}

fn of_alert(alert: SslAlert, side: Side) -> TlsError {
    let said =
        format!("the {} ended the connection with an alert ({})", side.peer(), alert_name(alert));
    let (kind, hint) = match alert {
        SslAlert::CERTIFICATE_REQUIRED | SslAlert::NO_CERTIFICATE => (
            Kind::NoClientCertificate,
            "configure a client certificate and its key (--cert, --key)",
        ),
        SslAlert::UNKNOWN_CA => {
            (Kind::UnknownAuthority, "show a certificate of an authority that the other end trusts")
        }
        SslAlert::CERTIFICATE_EXPIRED => {
            (Kind::CertificateExpired, "renew our certificate; check both clocks")
        }
        SslAlert::CERTIFICATE_REVOKED => {
            (Kind::CertificateRevoked, "ask the authority for a new certificate")
        }
        SslAlert::BAD_CERTIFICATE
        | SslAlert::UNSUPPORTED_CERTIFICATE
        | SslAlert::CERTIFICATE_UNKNOWN
        | SslAlert::ACCESS_DENIED => (Kind::BadCertificate, "the log at the other end says why"),
        SslAlert::PROTOCOL_VERSION => {
            (Kind::NoSharedVersion, "let both sides speak a version that the policy permits")
        }
        SslAlert::HANDSHAKE_FAILURE | SslAlert::INSUFFICIENT_SECURITY => {
            (Kind::NoSharedSuite, "compare what the two sides offer")
        }
        SslAlert::NO_APPLICATION_PROTOCOL => {
            (Kind::NoSharedProtocol, "offer http/1.1, or no ALPN at all")
        }
        SslAlert::BAD_RECORD_MAC | SslAlert::DECRYPT_ERROR | SslAlert::UNKNOWN_PSK_IDENTITY => {
            (Kind::Refused, "with pre-shared keys: compare the identity and the key of both sides")
        }
        _ => (Kind::Refused, "the log at the other end says why"),
    };
    TlsError::new(kind, said, hint).by_peer()
}

fn alert_name(alert: SslAlert) -> String {
    let number = alert.reason_code() - 1000;
    let names = [
        (0, "close_notify"),
        (10, "unexpected_message"),
        (20, "bad_record_mac"),
        (40, "handshake_failure"),
        (41, "no_certificate"),
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (47, "illegal_parameter"),
        (48, "unknown_ca"),
        (49, "access_denied"),
        (50, "decode_error"),
        (51, "decrypt_error"),
        (70, "protocol_version"),
        (71, "insufficient_security"),
        (80, "internal_error"),
        (86, "inappropriate_fallback"),
        (115, "unknown_psk_identity"),
        (116, "certificate_required"),
        (120, "no_application_protocol"),
    ];
    let name = names.iter().find(|(one, _)| *one == number).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| number.to_string())
}

/// The certificate that OpenSSL refused, by its code (`x509_vfy.h`).
pub(crate) fn of_code(result: X509VerifyResult, side: Side) -> TlsError {
    let peer = side.peer();
    let (kind, what, hint) = match result.as_raw() {
        9 => (Kind::CertificateNotYetValid, "is not valid yet", "check both clocks"),
        10 => (Kind::CertificateExpired, "has expired", "renew the certificate"),
        2 | 18..=21 => (
            Kind::UnknownAuthority,
            "is of an authority not trusted here",
            "add the authority to the trusted ones; a chain must hold its intermediate certificates",
        ),
        23 => (
            Kind::CertificateRevoked,
            "is revoked",
            "its authority took it back: give the other side a new one",
        ),
        26 => {
            let message = format!("the {peer}'s certificate is not for a {peer}");
            let hint = match side {
                Side::Server => "issue one whose Extended Key Usage has clientAuth",
                Side::Client => "issue one whose Extended Key Usage has serverAuth",
            };
            return TlsError::new(Kind::BadCertificate, message, hint).by_peer();
        }
        62 | 64 => (
            Kind::NameMismatch,
            "is not for the name that was asked",
            "use a host name or address of the certificate in the URL, or issue one with that name \
             as subjectAltName (the Common Name does not count)",
        ),
        _ => {
            let message = format!("the {peer}'s certificate is refused: {}", result.error_string());
            return TlsError::new(Kind::BadCertificate, message, "issue it anew").by_peer();
        }
    };
    TlsError::new(kind, format!("the {peer}'s certificate {what}"), hint).by_peer()
}
