//! Why TLS could not be set up, or a connection not be secured.

use std::{borrow::Cow, error::Error, fmt, io, ops::Range};

use rustls_pki_types::CertificateDer;

use crate::{Certificate, Group, certificate::fingerprint};

/// An error of TLS: of the configuration, of the policy, or of one handshake.
///
/// Its text says what was expected and what was found; [`TlsError::hint`] says what to do.
#[derive(Debug)]
pub struct TlsError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: TlsErrorKind,
    message: String,
    hint: Cow<'static, str>,
    fault: Fault,
    span: Option<Range<usize>>,
    certificate: Option<ShownCertificate>,
    group: Option<Group>,
    setting: Option<Setting>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Peer,
    Ours,
    Environment,
}

/// What of a side's configuration an error is about, so that a program can name its own key for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// The certificate chain that this side shows.
    Certificate,
    /// Its private key.
    Key,
    /// The passphrase of the key.
    Passphrase,
    /// The authorities that vouch for the other side: the configuration's or, without them, the
    /// policy's.
    Authorities,
    /// The revocation lists.
    RevocationLists,
    /// The pre-shared keys.
    PresharedKeys,
    /// Whether clients show a certificate.
    ClientCertificates,
    /// The protocol versions: the policy's rows, or a restriction's names.
    Versions,
    /// The cipher suites, likewise.
    Suites,
    /// The key exchange groups, likewise.
    Groups,
    /// The signature schemes, likewise.
    Signatures,
    /// The application protocols (ALPN).
    ApplicationProtocols,
}

/// What went wrong, as a label for counters, exit codes and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsErrorKind {
    /// A file, a key, a certificate or a setting of this side.
    Configuration,
    /// The backend lacks what the policy requires, or nothing of the policy is left.
    PolicyNotMet,
    /// The connection broke, or ended without a closure alert.
    Io,
    /// The other end did not speak TLS but, most likely, plain HTTP.
    PlainHttp,
    /// The other end did not speak TLS.
    NotTls,
    /// The client showed no certificate where one is required.
    NoClientCertificate,
    /// A certificate of an authority that is not trusted.
    UnknownAuthority,
    /// A certificate that has expired.
    CertificateExpired,
    /// A certificate that is not valid yet.
    CertificateNotYetValid,
    /// The server's certificate is not for the name that the client asked for.
    NameMismatch,
    /// A certificate that its authority revoked.
    CertificateRevoked,
    /// Whether a certificate was revoked cannot be told: no revocation list speaks of it, or the one
    /// that does has run out or is not its authority's. The lists are those of the side that says so.
    RevocationUnknown,
    /// A certificate with another fault.
    BadCertificate,
    /// The two sides have no protocol version in common.
    NoSharedVersion,
    /// The two sides have no cipher suite, group or signature scheme in common.
    NoSharedSuite,
    /// The two sides have no application protocol (ALPN) in common.
    NoSharedProtocol,
    /// The other end ended the handshake with an alert that fits no other kind.
    Refused,
    /// The other end broke the protocol.
    Protocol,
}

impl TlsErrorKind {
    /// A short, stable label, such as `unknown-authority`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::PolicyNotMet => "policy-not-met",
            Self::Io => "io",
            Self::PlainHttp => "plain-http",
            Self::NotTls => "not-tls",
            Self::NoClientCertificate => "no-client-certificate",
            Self::UnknownAuthority => "unknown-authority",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::NameMismatch => "name-mismatch",
            Self::CertificateRevoked => "certificate-revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::BadCertificate => "bad-certificate",
            Self::NoSharedVersion => "no-shared-version",
            Self::NoSharedSuite => "no-shared-suite",
            Self::NoSharedProtocol => "no-shared-protocol",
            Self::Refused => "refused",
            Self::Protocol => "protocol",
        }
    }
}

/// What names a certificate that was refused. The peer has shown it; that it is the peer's is not
/// proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownCertificate {
    /// The subject, as RFC 4514 writes it; empty where it cannot be read. At most 512 characters
    /// of it.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The serial number, in lower-case hexadecimal digits.
    pub serial: String,
    /// SHA-256 of the DER form, in lower-case hexadecimal digits.
    pub fingerprint: String,
}

/// The longest name of a refused certificate that is kept, in characters.
const SHOWN: usize = 512;

impl ShownCertificate {
    /// What names this certificate.
    pub fn of(der: &CertificateDer<'_>) -> Self {
        let cut = |name: String| match name.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()),
            None => name,
        };
        match Certificate::from_der(der) {
            Ok(Certificate { subject, issuer, serial, fingerprint, .. }) => Self {
                subject: cut(subject),
                issuer: cut(issuer),
                serial: cut(serial),
                fingerprint,
            },
            Err(_) => Self {
                subject: String::new(),
                issuer: String::new(),
                serial: String::new(),
                fingerprint: fingerprint(der),
            },
        }
    }
}

impl fmt::Display for TlsErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TlsError {
    /// An error from its kind, what was expected and found, and what to do. It counts as this
    /// side's fault; for another, see [`TlsError::by_peer`] and [`TlsError::by_environment`].
    pub fn new(
        kind: TlsErrorKind,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self(Box::new(Inner {
            kind,
            message,
            hint,
            fault: Fault::Ours,
            span: None,
            certificate: None,
            group: None,
            setting: None,
            source: None,
        }))
    }

    /// The same error as the peer's fault.
    #[must_use]
    pub fn by_peer(mut self) -> Self {
        self.0.fault = Fault::Peer;
        self
    }

    /// The same error as the fault of the network or the machine.
    #[must_use]
    pub fn by_environment(mut self) -> Self {
        self.0.fault = Fault::Environment;
        self
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with its place in the text that was read.
    #[cfg(feature = "toml")]
    #[must_use]
    pub(crate) fn with_span(mut self, span: Option<Range<usize>>) -> Self {
        self.0.span = span;
        self
    }

    /// Where in the text that was read the fault stands, in octets; of policies as TOML
    /// (`Policy::from_toml_table`).
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }

    /// The same error with what it is about, unless it says so already.
    #[must_use]
    pub fn about(mut self, setting: Setting) -> Self {
        self.0.setting.get_or_insert(setting);
        self
    }

    /// What of the configuration the error is about, where that is known.
    pub fn setting(&self) -> Option<Setting> {
        self.0.setting
    }

    /// The same error with the certificate that the peer showed.
    #[must_use]
    pub fn with_certificate(mut self, shown: ShownCertificate) -> Self {
        self.0.certificate = Some(shown);
        self
    }

    /// The certificate that the peer showed, where it was refused for it: for logs. Nothing in it
    /// is proved.
    pub fn certificate(&self) -> Option<&ShownCertificate> {
        self.0.certificate.as_ref()
    }

    /// The same error with the key exchange group that the two sides had agreed on.
    #[must_use]
    pub fn with_group(mut self, group: Option<Group>) -> Self {
        self.0.group = group;
        self
    }

    /// The key exchange group that the two sides had agreed on when the handshake failed, where a
    /// client's backend knows it.
    pub fn group(&self) -> Option<Group> {
        self.0.group
    }

    /// What went wrong.
    pub const fn kind(&self) -> TlsErrorKind {
        self.0.kind
    }

    /// What went wrong, without the layer in front.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// Whether the peer is to blame: what it sent, showed, or failed to show.
    pub fn is_peer_fault(&self) -> bool {
        self.0.fault == Fault::Peer
    }

    /// Whether this side's files or settings are to blame.
    pub fn is_our_fault(&self) -> bool {
        self.0.fault == Fault::Ours
    }

    /// Whether it is about a certificate: missing, not trusted, out of date, for another name.
    pub const fn is_certificate(&self) -> bool {
        matches!(
            self.0.kind,
            TlsErrorKind::NoClientCertificate
                | TlsErrorKind::UnknownAuthority
                | TlsErrorKind::CertificateExpired
                | TlsErrorKind::CertificateNotYetValid
                | TlsErrorKind::NameMismatch
                | TlsErrorKind::CertificateRevoked
                | TlsErrorKind::RevocationUnknown
                | TlsErrorKind::BadCertificate
        )
    }

    /// The TLS error inside an IO error that came out of a secured stream.
    pub fn in_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TLS: ")?;
        f.write_str(&self.0.message)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.0.source.as_ref()?)
    }
}
