//! From a client's certificate to an account.

#[cfg(feature = "toml")]
mod form;

use bindery_core::{IdentityError, IdentityMap, Peer, Principal};

use crate::{
    Certificate,
    certificate::{NAME_LIMIT, common_name, fingerprint, parse},
};

/// Maps the certificate that a peer showed to the account of a name in it.
///
/// The name is taken from the certificate as it stands, octet by octet; a host name in lower case.
/// Where several rules are given, the first that finds a name decides. A Common Name that reads like
/// a name of another kind (`dns:example`, `psk:device`, `alice;issuer=CN=CA`; and `O=Example` where
/// subjects name accounts too) is refused: what one rule finds cannot be taken for what another
/// finds.
///
/// A peer without a certificate that proved a pre-shared key is the account `psk:` and the key's
/// identity, such as `psk:device-17`; the rules do not speak of it.
///
/// Authorities that a server trusts decide who is who: two of them may give the same name to
/// different clients, which are then one account. [`CertificateIdentity::with_issuer`] keeps them
/// apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateIdentity {
    rules: Vec<Naming>,
    issuer: bool,
}

/// What of a certificate names the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Naming {
    /// The whole subject, as RFC 4514 writes it: `CN=alice,O=Example`. An empty subject names
    /// nobody.
    #[default]
    Subject,
    /// The subject's only Common Name: `alice`. A subject without one names nobody; one with
    /// several is refused.
    CommonName,
    /// The SHA-256 of the certificate: `sha256:` and 64 lower-case hexadecimal digits. A renewed
    /// certificate is another account.
    Fingerprint,
    /// The only host name of the subjectAltName: `dns:device.example`.
    DnsName,
    /// The only mail address of the subjectAltName: `mail:alice@example.com`.
    MailAddress,
    /// The only URI of the subjectAltName, such as a SPIFFE id: `uri:spiffe://example/alice`.
    Uri,
}

impl Default for CertificateIdentity {
    /// By the subject.
    fn default() -> Self {
        Self::subject()
    }
}

impl CertificateIdentity {
    /// By the whole subject. The default.
    pub fn subject() -> Self {
        Self::by([Naming::Subject])
    }

    /// By the subject's Common Name.
    ///
    /// Authorities that give the same Common Name to different clients make them one account.
    pub fn common_name() -> Self {
        Self::by([Naming::CommonName])
    }

    /// By the certificate's fingerprint.
    pub fn fingerprint() -> Self {
        Self::by([Naming::Fingerprint])
    }

    /// By the first of these rules that finds a name. Without any it is the subject.
    pub fn by(rules: impl Into<Vec<Naming>>) -> Self {
        let mut rules = rules.into();
        if rules.is_empty() {
            rules.push(Naming::Subject);
        }
        Self { rules, issuer: false }
    }

    /// The same, with the certificate's issuer as part of the account's name:
    /// `CN=alice,O=Example;issuer=CN=Plant CA`. The same name from two authorities is then two
    /// accounts. A fingerprint needs no issuer and stays as it is.
    ///
    /// The issuer is the authority's name. The handshake has checked that the certificate is signed
    /// by one of that name; two trusted authorities must not share one.
    #[must_use]
    pub const fn with_issuer(mut self) -> Self {
        self.issuer = true;
        self
    }

    fn name(&self, certificate: &Certificate, peer: &Peer) -> Result<String, String> {
        for rule in &self.rules {
            let Some(name) = rule.name(certificate, peer)? else { continue };
            let subjects = self.rules.contains(&Naming::Subject);
            if *rule == Naming::CommonName && subjects && name.contains('=') {
                return Err(format!("the {} reads like a whole subject", rule.what()));
            }
            // An unescaped semicolon stands in no name of RFC 4514, and the other kinds have it
            // escaped here: what follows it is the issuer and nothing else.
            return Ok(match self.issuer && *rule != Naming::Fingerprint {
                true if *rule == Naming::Subject => format!("{name};issuer={}", certificate.issuer),
                true => {
                    let name = name.replace('\\', "\\5C").replace(';', "\\3B");
                    format!("{name};issuer={}", certificate.issuer)
                }
                false => name,
            });
        }
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.what()).collect();
        Err(format!("it has no {}", rules.join(" and no ")))
    }
}

impl Naming {
    /// Every rule.
    pub const ALL: [Self; 6] = [
        Self::Subject,
        Self::CommonName,
        Self::Fingerprint,
        Self::DnsName,
        Self::MailAddress,
        Self::Uri,
    ];

    /// The rule's name in configurations, such as `common-name`. With the feature `toml` it is read
    /// and written so by serde, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::CommonName => "common-name",
            Self::Fingerprint => "fingerprint",
            Self::DnsName => "dns-name",
            Self::MailAddress => "mail-address",
            Self::Uri => "uri",
        }
    }

    /// The rule of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::CommonName => "Common Name in its subject",
            Self::Fingerprint => "fingerprint",
            Self::DnsName => "host name in its subjectAltName",
            Self::MailAddress => "mail address in its subjectAltName",
            Self::Uri => "URI in its subjectAltName",
        }
    }

    /// The name by this rule; nothing where the certificate has none of the kind.
    fn name(self, certificate: &Certificate, peer: &Peer) -> Result<Option<String>, String> {
        let (prefix, names) = match self {
            Self::Subject => {
                let subject = &certificate.subject;
                return Ok((!subject.is_empty()).then(|| subject.clone()));
            }
            Self::CommonName => {
                let Some(der) = peer.certificate() else { return Ok(None) };
                let name = common_name(parse(der)?.subject())?;
                if name.as_deref().is_some_and(is_of_another_kind) {
                    return Err(format!("the {} reads like a name of another kind", self.what()));
                }
                return Ok(name);
            }
            Self::Fingerprint => return Ok(Some(format!("sha256:{}", certificate.fingerprint))),
            Self::DnsName => ("dns:", &certificate.dns_names),
            Self::MailAddress => ("mail:", &certificate.mail_addresses),
            Self::Uri => ("uri:", &certificate.uris),
        };
        match names.as_slice() {
            [] => Ok(None),
            [only] if only.is_empty() || !only.chars().all(|c| c.is_ascii_graphic()) => {
                Err(format!("the {} is empty or no plain text", self.what()))
            }
            [only] if only.len() > NAME_LIMIT => {
                Err(format!("the {} is longer than {NAME_LIMIT} octets", self.what()))
            }
            [only] if self == Self::DnsName && only.contains('*') => {
                Err(format!("the {} stands for many hosts", self.what()))
            }
            [only] if self == Self::DnsName => {
                Ok(Some(format!("{prefix}{}", only.to_ascii_lowercase())))
            }
            [only] => Ok(Some(format!("{prefix}{only}"))),
            _ => Err(format!("it has more than one {}", self.what())),
        }
    }
}

/// Whether a Common Name could be taken for an account that another rule, or a shared key, gives.
fn is_of_another_kind(name: &str) -> bool {
    ["dns:", "mail:", "uri:", "sha256:", "psk:"].iter().any(|prefix| name.starts_with(prefix))
        || name.contains(";issuer=")
}

impl IdentityMap for CertificateIdentity {
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
        let Some(der) = peer.certificate() else {
            return Ok(peer.psk_identity.as_deref().map(of_psk));
        };
        if self.rules.first() == Some(&Naming::Fingerprint) {
            return Ok(Some(Principal::new(format!("sha256:{}", fingerprint(der)))));
        }
        let unreadable = |reason: String| {
            IdentityError::new(
                format!("the client's certificate: {reason}"),
                "show a certificate with the name that the server asks for (map under [identity] there)",
            )
        };
        let parsed = parse(der).map_err(unreadable)?;
        let certificate = Certificate::from_parsed(&parsed, der).map_err(unreadable)?;
        let name = self.name(&certificate, peer).map_err(unreadable)?;
        Ok(Some(Principal::new(name)))
    }
}

/// The account of a pre-shared key: `psk:` and its identity, octets that are no plain text escaped.
fn of_psk(identity: &[u8]) -> Principal {
    Principal::new(format!("psk:{}", identity.escape_ascii()))
}

#[cfg(test)]
mod tests;
