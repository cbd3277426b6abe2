//! What OpenSSL calls things that IANA has other names for.

use bindery_core::TlsVersion;
use openssl::ssl::SslVersion;

/// Versions, newest first.
pub(crate) const VERSIONS: [(TlsVersion, SslVersion); 5] = [
    (TlsVersion::TLS_1_3, SslVersion::TLS1_3),
    (TlsVersion::TLS_1_2, SslVersion::TLS1_2),
    (TlsVersion::TLS_1_1, SslVersion::TLS1_1),
    (TlsVersion::TLS_1_0, SslVersion::TLS1),
    (TlsVersion::SSL_3_0, SslVersion::SSL3),
];

/// OpenSSL's value of a version.
pub(crate) fn version(version: TlsVersion) -> Option<SslVersion> {
    VERSIONS.iter().find(|(one, _)| *one == version).map(|(_, value)| *value)
}

/// The version that OpenSSL means.
pub(crate) fn version_of(version: SslVersion) -> Option<TlsVersion> {
    VERSIONS.iter().find(|(_, value)| *value == version).map(|(one, _)| *one)
}

/// A suite by its IANA name; `None` where the library that is linked does not know it.
pub(crate) fn suite(name: &str) -> Option<&'static str> {
    // Some of OpenSSL's own "standard" names have the prefix of SSL's time.
    [name.to_owned(), name.replacen("TLS_", "SSL_", 1)]
        .iter()
        .map(|name| openssl::ssl::cipher_name(name))
        .find(|found| *found != "(NONE)")
}

/// A group by its IANA name.
pub(crate) fn group(name: &str) -> &str {
    match name {
        "secp256r1" => "P-256",
        "secp384r1" => "P-384",
        "secp521r1" => "P-521",
        "x25519" => "X25519",
        "x448" => "X448",
        other => other,
    }
}

/// A signature scheme by its IANA name; `None` where OpenSSL has no name for it.
pub(crate) fn signature(name: &str) -> Option<&'static str> {
    Some(match name {
        "rsa_pkcs1_sha1" => "RSA+SHA1",
        "ecdsa_sha1" => "ECDSA+SHA1",
        "rsa_pkcs1_sha256" => "RSA+SHA256",
        "rsa_pkcs1_sha384" => "RSA+SHA384",
        "rsa_pkcs1_sha512" => "RSA+SHA512",
        "ecdsa_secp256r1_sha256" => "ECDSA+SHA256",
        "ecdsa_secp384r1_sha384" => "ECDSA+SHA384",
        "ecdsa_secp521r1_sha512" => "ECDSA+SHA512",
        "rsa_pss_rsae_sha256" => "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384" => "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512" => "rsa_pss_rsae_sha512",
        "rsa_pss_pss_sha256" => "rsa_pss_pss_sha256",
        "rsa_pss_pss_sha384" => "rsa_pss_pss_sha384",
        "rsa_pss_pss_sha512" => "rsa_pss_pss_sha512",
        "ed25519" => "ed25519",
        "ed448" => "ed448",
        _ => return None,
    })
}
