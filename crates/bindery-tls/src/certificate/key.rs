//! What key a certificate is for.

use std::fmt;

use x509_parser::{
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_DSA, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384,
        OID_NIST_EC_P521, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS, OID_SIG_ED448,
        OID_SIG_ED25519,
    },
    x509::SubjectPublicKeyInfo,
};

/// The kind of a certificate's key, as far as TLS tells kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA (rsaEncryption).
    Rsa,
    /// RSA for PSS signatures alone (id-RSASSA-PSS).
    RsaPss,
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// ECDSA on another curve.
    EcdsaOther,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa,
    /// Another kind.
    Other,
}

impl KeyKind {
    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = &key.algorithm;
        let curve = || algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        match &algorithm.algorithm {
            oid if *oid == OID_PKCS1_RSAENCRYPTION => Self::Rsa,
            oid if *oid == OID_PKCS1_RSASSAPSS => Self::RsaPss,
            oid if *oid == OID_KEY_TYPE_EC_PUBLIC_KEY => match curve() {
                Some(curve) if curve == OID_EC_P256 => Self::EcdsaP256,
                Some(curve) if curve == OID_NIST_EC_P384 => Self::EcdsaP384,
                Some(curve) if curve == OID_NIST_EC_P521 => Self::EcdsaP521,
                _ => Self::EcdsaOther,
            },
            oid if *oid == OID_SIG_ED25519 => Self::Ed25519,
            oid if *oid == OID_SIG_ED448 => Self::Ed448,
            oid if *oid == OID_KEY_TYPE_DSA => Self::Dsa,
            _ => Self::Other,
        }
    }

    /// Whether a server with such a key can prove itself in a suite of TLS 1.2 or older with this
    /// key exchange and authentication, in the words of the registry.
    pub(crate) fn serves(self, key_exchange: &str, authentication: &str) -> bool {
        match authentication {
            // With RSA as key exchange the key decrypts, which a key for PSS must not.
            "RSA" if key_exchange.starts_with("RSA") => self == Self::Rsa,
            // Static DH takes a certificate with a DH key.
            "RSA" | "DSS" if key_exchange == "DH" => false,
            "RSA" if key_exchange == "ECDH" => self.is_ecdsa(),
            "RSA" => matches!(self, Self::Rsa | Self::RsaPss),
            // RFC 8422, section 5.10: EdDSA goes by the name of ECDSA.
            "ECDSA" if key_exchange == "ECDH" => self.is_ecdsa(),
            "ECDSA" => self.is_ecdsa() || matches!(self, Self::Ed25519 | Self::Ed448),
            "DSS" => self == Self::Dsa,
            "GOST" => self == Self::Other,
            _ => true,
        }
    }

    /// Whether such a key can make a signature of this scheme, by IANA's name, in TLS 1.3.
    pub(crate) fn signs(self, scheme: &str) -> bool {
        match self {
            Self::Rsa => scheme.starts_with("rsa_pss_rsae"),
            Self::RsaPss => scheme.starts_with("rsa_pss_pss"),
            Self::EcdsaP256 => scheme == "ecdsa_secp256r1_sha256",
            Self::EcdsaP384 => scheme == "ecdsa_secp384r1_sha384",
            Self::EcdsaP521 => scheme == "ecdsa_secp521r1_sha512",
            Self::EcdsaOther => scheme.starts_with("ecdsa_brainpool"),
            Self::Ed25519 => scheme == "ed25519",
            Self::Ed448 => scheme == "ed448",
            Self::Dsa => false,
            // What is not known is left to the library.
            Self::Other => true,
        }
    }

    /// Whether a scheme, by IANA's name, is of such a key in TLS 1.2, where the curve is its own
    /// matter.
    pub(crate) fn is_of_scheme(self, scheme: &str) -> bool {
        match self {
            Self::Rsa => scheme.starts_with("rsa_pkcs1") || scheme.starts_with("rsa_pss_rsae"),
            one if one.is_ecdsa() => scheme.starts_with("ecdsa_"),
            // IANA's schemes have none for such keys, which only one hash and TLS 1.2 could name.
            Self::Dsa => true,
            other => other.signs(scheme),
        }
    }

    const fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 | Self::EcdsaOther)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::RsaPss => "RSA (PSS only)",
            Self::EcdsaP256 => "ECDSA (P-256)",
            Self::EcdsaP384 => "ECDSA (P-384)",
            Self::EcdsaP521 => "ECDSA (P-521)",
            Self::EcdsaOther => "ECDSA (another curve)",
            Self::Ed25519 => "Ed25519",
            Self::Ed448 => "Ed448",
            Self::Dsa => "DSA",
            Self::Other => "unknown kind",
        })
    }
}
