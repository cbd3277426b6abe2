//! What a certificate says, and whether it can do its work.

mod key;
mod name;

use std::net::IpAddr;

use bindery_core::Timestamp;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::{
    asn1_rs::{Any, Class},
    certificate::{Validity, X509Certificate},
    extensions::{GeneralName, ParsedExtension},
    oid_registry::{OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_SUBJECT_ALT_NAME},
    prelude::FromDer as _,
};

use crate::{TlsError, TlsErrorKind, pem::configuration};

pub use key::KeyKind;
pub(crate) use name::{LIMIT as NAME_LIMIT, common_name, rfc4514};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The subject, as RFC 4514 writes it: `CN=alice,O=Example`.
    pub subject: String,
    /// The issuer, as RFC 4514 writes it.
    pub issuer: String,
    /// The serial number, in lower-case hexadecimal digits.
    pub serial: String,
    /// The first moment of validity.
    pub not_before: Timestamp,
    /// The last moment of validity.
    pub not_after: Timestamp,
    /// The host names that it is for (dNSName).
    pub dns_names: Vec<String>,
    /// The addresses that it is for (iPAddress).
    pub ip_addresses: Vec<IpAddr>,
    /// The mail addresses that it is for (rfc822Name).
    pub mail_addresses: Vec<String>,
    /// The URIs that it is for (uniformResourceIdentifier).
    pub uris: Vec<String>,
    /// Whether it has a subjectAltName at all.
    pub has_names: bool,
    /// Whether it has an Extended Key Usage at all.
    pub usage_stated: bool,
    /// Whether it is marked as an authority (Basic Constraints).
    pub is_authority: bool,
    /// Whether a server may show it (Extended Key Usage; true without the extension).
    pub for_servers: bool,
    /// Whether a client may show it (Extended Key Usage; true without the extension).
    pub for_clients: bool,
    /// The kind of its key.
    pub key: KeyKind,
    /// SHA-256 of the DER form, in lower-case hexadecimal digits.
    pub fingerprint: String,
}

/// Who shows a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A server.
    Server,
    /// A client.
    Client,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// What is wrong with its DER form.
    pub fn from_der(der: &CertificateDer<'_>) -> Result<Self, TlsError> {
        Self::read(der, "certificate")
    }

    /// Reads a certificate that messages call `origin`.
    pub(crate) fn read(der: &CertificateDer<'_>, origin: &str) -> Result<Self, TlsError> {
        let read = parse(der).and_then(|parsed| Self::from_parsed(&parsed, der));
        read.map_err(|reason| {
            let message = format!("{origin}: not a certificate that can be read: {reason}");
            configuration(message, "check that it is an X.509 certificate, or issue it anew")
        })
    }

    pub(crate) fn from_parsed(
        parsed: &X509Certificate<'_>,
        der: &CertificateDer<'_>,
    ) -> Result<Self, String> {
        let validity = parsed.validity();
        let mut found = Self {
            subject: rfc4514(parsed.subject())?,
            issuer: rfc4514(parsed.issuer())?,
            serial: hex(parsed.raw_serial()),
            not_before: Timestamp::from_unix_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_unix_seconds(validity.not_after.timestamp()),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            mail_addresses: Vec::new(),
            uris: Vec::new(),
            has_names: false,
            usage_stated: false,
            is_authority: parsed.is_ca(),
            for_servers: true,
            for_clients: true,
            key: KeyKind::of(parsed.public_key()),
            fingerprint: fingerprint(der),
        };
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    found.has_names = !names.general_names.is_empty();
                    for name in &names.general_names {
                        found.add_name(name)?;
                    }
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    found.usage_stated = true;
                    found.for_servers = usage.server_auth || usage.any;
                    found.for_clients = usage.client_auth || usage.any;
                }
                // A name that is passed over would leave another one to say who somebody is.
                _ if extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME => {
                    return Err("its subjectAltName cannot be read".into());
                }
                _ if extension.oid == OID_X509_EXT_EXTENDED_KEY_USAGE => {
                    return Err("its Extended Key Usage cannot be read".into());
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn add_name(&mut self, name: &GeneralName<'_>) -> Result<(), String> {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => self.mail_addresses.push((*name).to_owned()),
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::IPAddress(octets) => {
                let address = <[u8; 4]>::try_from(*octets)
                    .map(IpAddr::from)
                    .or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from));
                self.ip_addresses.extend(address);
            }
            GeneralName::Invalid(..) => {
                return Err("a name of its subjectAltName cannot be read".into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the certificate can do its work apart from its dates: not marked as an authority,
    /// and for this role. `origin` names it in the message.
    ///
    /// # Errors
    /// [`TlsErrorKind::Configuration`], with the field that is at fault.
    pub fn check_role(&self, role: Role, origin: &str) -> Result<(), TlsError> {
        let subject = &self.subject;
        if self.is_authority {
            let message = format!(
                "{origin}: the first certificate ({subject}) is marked as an authority (Basic \
                 Constraints CA:TRUE), and peers refuse that (CaUsedAsEndEntity)"
            );
            let hint = "use the authority to issue a certificate of its own for this side, and \
                        name that one (openssl req -x509 makes an authority)";
            return Err(configuration(message, hint));
        }
        let (fits, usage) = match role {
            Role::Server => (self.for_servers, "serverAuth"),
            Role::Client => (self.for_clients, "clientAuth"),
        };
        if fits {
            return Ok(());
        }
        let message =
            format!("{origin}: Extended Key Usage of {subject} lacks {usage}, so peers refuse it");
        Err(configuration(message, format!("issue a certificate whose usage has {usage}")))
    }

    /// Whether the certificate is valid at a time. `origin` names it in the message.
    ///
    /// # Errors
    /// [`TlsErrorKind::CertificateExpired`] or [`TlsErrorKind::CertificateNotYetValid`], with both
    /// dates.
    pub fn check_dates(&self, now: Timestamp, origin: &str) -> Result<(), TlsError> {
        let subject = &self.subject;
        let (kind, what, bound, hint) = if now > self.not_after {
            let hint = "renew the certificate";
            (TlsErrorKind::CertificateExpired, "expired at", self.not_after, hint)
        } else if now < self.not_before {
            let hint = "check this machine's clock, or wait";
            (TlsErrorKind::CertificateNotYetValid, "is not valid before", self.not_before, hint)
        } else {
            return Ok(());
        };
        let message =
            format!("{origin}: {subject} {what} {}; it is {}", rfc3339(bound), rfc3339(now));
        Err(TlsError::new(kind, message, hint))
    }
}

/// Reads a certificate and nothing behind it.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, String> {
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    if rest.is_empty() { Ok(parsed) } else { Err(format!("{} octets after its end", rest.len())) }
}

/// Whether a certificate that was checked before is valid at a time. Nothing but its dates is read:
/// this is done for every resumed session.
pub(crate) fn is_valid_at(der: &CertificateDer<'_>, now: Timestamp) -> bool {
    let now = now.unix_seconds();
    dates(der).is_some_and(|v| v.not_before.timestamp() <= now && now <= v.not_after.timestamp())
}

/// The last second of a certificate's validity.
pub(crate) fn valid_until(der: &CertificateDer<'_>) -> Option<Timestamp> {
    Some(Timestamp::from_unix_seconds(dates(der)?.not_after.timestamp()))
}

fn dates(der: &CertificateDer<'_>) -> Option<Validity> {
    let (_, certificate) = Any::from_der(der).ok()?;
    let (_, signed) = Any::from_der(certificate.data).ok()?;
    let (mut rest, first) = Any::from_der(signed.data).ok()?;
    // The version is left out of a certificate of version 1, and the serial number comes first.
    let before = if first.class() == Class::ContextSpecific { 3 } else { 2 };
    for _ in 0..before {
        rest = Any::from_der(rest).ok()?.0;
    }
    Some(Validity::from_der(rest).ok()?.1)
}

pub(crate) fn fingerprint(der: &CertificateDer<'_>) -> String {
    hex(&Sha256::digest(der))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// A time as RFC 3339 writes it, in whole seconds.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let seconds = time.unix_seconds();
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days to a date of the proleptic Gregorian calendar: years that begin on 1 March, so that the
    // leap day is the last of its year, in eras of 400 years (146,097 days).
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests;
