//! A small certificate authority for development, demonstrations and tests.
//!
//! Keys are ECDSA P-256 unless asked otherwise, serial numbers are random, and everything comes out
//! as PEM. It keeps no record of what it issued; what a revocation list shall take back it has to be
//! told each time. Do not use it for more.

use std::{fmt, net::IpAddr, time::Duration};

use bindery_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RevokedCertParams, RsaKeySize, SanType, SerialNumber,
};
use zeroize::Zeroizing;

use crate::{Identity, Role, Roots, TlsError, pem::configuration};

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Timestamp,
    /// The last moment.
    pub not_after: Timestamp,
}

impl Default for Validity {
    /// 2000-01-01T00:00:00Z to 2049-12-31T23:59:59Z: every test's present, and the years that
    /// UTCTime can hold.
    fn default() -> Self {
        Self {
            not_before: Timestamp::from_unix_seconds(946_684_800),
            not_after: Timestamp::from_unix_seconds(2_524_607_999),
        }
    }
}

/// An authority that issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    key: Zeroizing<String>,
}

impl Authority {
    /// A new authority with a new key.
    ///
    /// # Errors
    /// The machine gives no random numbers, or the validity is out of range.
    pub fn new(common_name: &str, validity: Validity) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut params = parameters(common_name, None, validity)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?.pem();
        let pem = Zeroizing::new(key.serialize_pem());
        Ok(Self { issuer: Issuer::new(params, key), certificate, key: pem })
    }

    /// An authority that was saved as PEM.
    ///
    /// # Errors
    /// The text is not the certificate and key of an authority.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let pair = KeyPair::from_pem(key).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_pem(certificate, pair).map_err(failed)?;
        let (certificate, key) = (certificate.to_owned(), Zeroizing::new(key.to_owned()));
        Ok(Self { issuer, certificate, key })
    }

    /// Issues a certificate with a new key.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate, or no random numbers.
    pub fn issue(&self, leaf: &Leaf) -> Result<Issued, TlsError> {
        let key = match leaf.rsa {
            true => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            false => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        };
        let key = key.map_err(failed)?;
        let mut params =
            parameters(&leaf.common_name, leaf.organization.as_deref(), leaf.validity)?;
        params.subject_alt_names =
            leaf.names.iter().map(|name| subject_name(name)).collect::<Result<_, _>>()?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match (leaf.usage, leaf.role) {
            (false, _) => Vec::new(),
            (true, Role::Server) => vec![ExtendedKeyUsagePurpose::ServerAuth],
            (true, Role::Client) => vec![ExtendedKeyUsagePurpose::ClientAuth],
        };
        if leaf.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?.pem();
        Ok(Issued { certificate, key: Zeroizing::new(key.serialize_pem()) })
    }

    /// A revocation list (PEM) that takes back what is given, from one moment until another, when
    /// the next list is promised.
    ///
    /// # Errors
    /// A certificate that cannot be read, or dates out of range.
    pub fn revocation_list(
        &self,
        revoked: &[&Issued],
        validity: Validity,
    ) -> Result<String, TlsError> {
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let this_update = epoch + since_epoch(validity.not_before)?;
        let next_update = epoch + since_epoch(validity.not_after)?;
        let serials = revoked.iter().map(|issued| {
            let serial = issued.identity()?.certificate()?.serial;
            let digits = serial.as_bytes().chunks(2).map(|pair| {
                std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
            });
            Ok(digits.collect::<Option<Vec<u8>>>().unwrap_or_default())
        });
        let serials = serials.collect::<Result<Vec<_>, TlsError>>()?;
        let params = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials
                .into_iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&serial),
                    revocation_time: this_update,
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).map_err(failed)?;
        list.pem().map_err(failed)
    }

    /// The authority's certificate, for those who shall trust it.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The authority's private key (PKCS#8). Whoever has it can issue certificates.
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// The authority as the one that is trusted.
    ///
    /// # Errors
    /// A certificate that was given to [`Authority::from_pem`] and is none.
    pub fn roots(&self) -> Result<Roots, TlsError> {
        Roots::from_pem(self.certificate.as_bytes())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// What a certificate shall say.
#[derive(Clone, Debug)]
pub struct Leaf {
    role: Role,
    common_name: String,
    organization: Option<String>,
    names: Vec<String>,
    validity: Validity,
    authority: bool,
    usage: bool,
    rsa: bool,
}

impl Leaf {
    /// A server's certificate for a host name or an address. More are added by [`Leaf::with_name`].
    pub fn server(name: &str) -> Self {
        Self::new(Role::Server, name).with_name(name)
    }

    /// A client's certificate: the Common Name, and clientAuth as its usage.
    pub fn client(common_name: &str) -> Self {
        Self::new(Role::Client, common_name)
    }

    fn new(role: Role, common_name: &str) -> Self {
        Self {
            role,
            common_name: common_name.to_owned(),
            organization: None,
            names: Vec::new(),
            validity: Validity::default(),
            authority: false,
            usage: true,
            rsa: false,
        }
    }

    /// The same with one more host name (dNSName) or address (iPAddress).
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// The same without any subjectAltName: no client accepts such a server.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        self.names.clear();
        self
    }

    /// The same with an organization in the subject.
    #[must_use]
    pub fn with_organization(mut self, organization: &str) -> Self {
        self.organization = Some(organization.to_owned());
        self
    }

    /// The same with other dates.
    #[must_use]
    pub const fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// The same, marked as an authority: a common mistake, which peers refuse.
    #[must_use]
    pub const fn marked_as_authority(mut self) -> Self {
        self.authority = true;
        self
    }

    /// The same without Extended Key Usage.
    #[must_use]
    pub const fn without_usage(mut self) -> Self {
        self.usage = false;
        self
    }

    /// The same with an RSA key of 2048 bits.
    #[must_use]
    pub const fn with_rsa_key(mut self) -> Self {
        self.rsa = true;
        self
    }
}

/// A certificate and its private key.
#[derive(Clone)]
pub struct Issued {
    certificate: String,
    key: Zeroizing<String>,
}

impl Issued {
    /// A certificate and key that were saved as PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Self {
        Self { certificate: certificate.to_owned(), key: Zeroizing::new(key.to_owned()) }
    }

    /// The certificate, without its authority's.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// The private key (PKCS#8).
    pub fn key_pem(&self) -> &str {
        &self.key
    }

    /// Both, ready for a backend.
    ///
    /// # Errors
    /// None that can be provoked: what was issued can be read.
    pub fn identity(&self) -> Result<Identity, TlsError> {
        Identity::from_pem(self.certificate.as_bytes(), self.key.as_bytes())
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn parameters(
    common_name: &str,
    organization: Option<&str>,
    validity: Validity,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    params.distinguished_name.push(DnType::CommonName, common_name);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(validity.not_before)?;
    params.not_after = epoch + since_epoch(validity.not_after)?;
    params.serial_number = Some(random_serial()?);
    Ok(params)
}

/// A moment as rcgen takes it: a span since 1970.
fn since_epoch(time: Timestamp) -> Result<Duration, TlsError> {
    let seconds = u64::try_from(time.unix_seconds()).ok();
    seconds.filter(|seconds| *seconds <= LAST_SECOND).map(Duration::from_secs).ok_or_else(|| {
        let message = "a certificate's dates must lie between 1970 and 9999";
        configuration(message, "give other dates")
    })
}

/// 9999-12-31T23:59:59Z: the last moment of GeneralizedTime, and of rcgen's time type.
const LAST_SECOND: u64 = 253_402_300_799;

/// 128 random bits, of which the first two are fixed: positive, and never shorter.
fn random_serial() -> Result<SerialNumber, TlsError> {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| {
        configuration("no random numbers for a serial number", "check this machine's entropy")
    })?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&serial))
}

fn subject_name(name: &str) -> Result<SanType, TlsError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    // An asterisk may stand anywhere: certificates that peers refuse are wanted in tests.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._*".contains(c);
    let dns = Some(name).filter(|name| !name.is_empty() && name.chars().all(plain));
    let dns = dns.and_then(|name| name.try_into().ok()).ok_or_else(|| {
        let message = format!("{name:?} is no host name");
        configuration(message, "use ASCII letters, digits, hyphens and dots, or an IP address")
    })?;
    Ok(SanType::DnsName(dns))
}

fn failed(error: rcgen::Error) -> TlsError {
    let message = format!("a certificate cannot be made or read: {error}");
    configuration(message, "check the names, dates and PEM files that it is made from")
        .with_source(error)
}
