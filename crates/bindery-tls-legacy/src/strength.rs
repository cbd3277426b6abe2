//! How strong a chain has to be, whatever the versions and suites.
//!
//! Old versions need OpenSSL's security level 0, which asks nothing of certificates either.

use bindery_tls::{TlsError, TlsErrorKind};
use openssl::{
    error::ErrorStack,
    nid::Nid,
    stack::StackRef,
    x509::{X509, X509Ref},
};

/// The shortest RSA key that is taken, in bits: what devices of OMA DM's time had.
const RSA_BITS: u32 = 1024;

/// Signatures that can be forged: a certificate with another content and the same signature can be made.
const FORGEABLE: [Nid; 4] = [
    Nid::MD5WITHRSAENCRYPTION,
    Nid::MD5WITHRSA,
    Nid::MD2WITHRSAENCRYPTION,
    Nid::MD4WITHRSAENCRYPTION,
];

/// Checks every certificate's key, and every signature but the trusted certificate's own, which proves nothing.
pub(crate) fn check(chain: &StackRef<X509>, peer: &str) -> Result<(), TlsError> {
    let unreadable = |error: ErrorStack| {
        let message = format!("a key of the {peer}'s chain cannot be read: {error}");
        TlsError::new(TlsErrorKind::BadCertificate, message, "issue it anew").by_peer()
    };
    let last = chain.len().saturating_sub(1);
    for (place, certificate) in chain.iter().enumerate() {
        let bits = rsa_bits(certificate).map_err(unreadable)?;
        if let Some(bits) = bits.filter(|bits| *bits < RSA_BITS) {
            return Err(weak(certificate, peer, &format!("has an RSA key of {bits} bits")));
        }
        let signed = certificate.signature_algorithm().object().nid();
        if place < last && FORGEABLE.contains(&signed) {
            return Err(weak(
                certificate,
                peer,
                "is signed with a hash that can be forged (MD5 or older)",
            ));
        }
    }
    Ok(())
}

fn rsa_bits(certificate: &X509Ref) -> Result<Option<u32>, ErrorStack> {
    let key = certificate.public_key()?;
    Ok(key.rsa().is_ok().then(|| key.bits()))
}

fn weak(certificate: &X509Ref, peer: &str, what: &str) -> TlsError {
    let subject: Vec<String> = certificate
        .subject_name()
        .entries()
        .filter_map(|entry| entry.data().to_string().ok())
        .collect();
    let message = format!("the certificate of {} in the {peer}'s chain {what}", subject.join(", "));
    let hint = "issue it anew with an RSA key of 2048 bits or more, or an ECDSA key, and SHA-256";
    TlsError::new(TlsErrorKind::BadCertificate, message, hint).by_peer()
}
