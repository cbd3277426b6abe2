//! A plan as an OpenSSL context: versions, suites, groups and signatures are always set, all of
//! them, because OpenSSL's security level guards no version.

use bindery_core::{CipherSuite, TlsInfo, TlsVersion};
use bindery_tls::{Identity, Plan, Role, TlsError, TlsErrorKind, registry};
use openssl::{
    bn::BigNum,
    dh::Dh,
    error::ErrorStack,
    pkey::PKey,
    ssl::{SslContextBuilder, SslOptions, SslRef, SslSessionCacheMode, SslVersion},
    x509::X509,
};

use crate::{backend::context, names};

/// A context that takes what the plan says and nothing else.
pub(crate) fn prepare(plan: &Plan) -> Result<SslContextBuilder, TlsError> {
    set(plan).map_err(|error| {
        let message = format!("OpenSSL cannot be set up for the policy: {error}");
        let hint = "choose another policy, or restrict it less";
        TlsError::new(TlsErrorKind::PolicyNotMet, message, hint).with_source(error)
    })
}

fn set(plan: &Plan) -> Result<SslContextBuilder, ErrorStack> {
    let mut context = context()?;
    let versions = || plan.versions.iter().filter_map(|version| names::version(*version));
    let newest = plan.versions.iter().max().and_then(|version| names::version(*version));
    let oldest = plan.versions.iter().min().and_then(|version| names::version(*version));
    context.set_min_proto_version(oldest)?;
    context.set_max_proto_version(newest)?;
    for (version, off) in [
        (SslVersion::SSL3, SslOptions::NO_SSLV3),
        (SslVersion::TLS1, SslOptions::NO_TLSV1),
        (SslVersion::TLS1_1, SslOptions::NO_TLSV1_1),
        (SslVersion::TLS1_2, SslOptions::NO_TLSV1_2),
        (SslVersion::TLS1_3, SslOptions::NO_TLSV1_3),
    ] {
        if !versions().any(|one| one == version) {
            context.set_options(off);
        }
    }
    context.set_options(
        SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE
            // The keys of OpenSSL's tickets never change, and the binding has no way to change
            // them: no session is resumed.
            | SslOptions::NO_TICKET,
    );
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_num_tickets(0)?;
    let older: Vec<_> = plan.suites.iter().copied().filter(|s| !is_of_tls_1_3(*s)).collect();
    if !older.is_empty() {
        context.set_cipher_list(&list(plan, &older))?;
    }
    let newer: Vec<_> = plan.suites.iter().filter(|suite| is_of_tls_1_3(**suite)).collect();
    context.set_ciphersuites(&joined(newer.iter().map(|suite| suite.name)))?;
    context.set_groups_list(&joined(plan.groups.iter().map(|group| names::group(group.name))))?;
    if !plan.signatures.is_empty() {
        let signatures = plan.signatures.iter().filter_map(|one| names::signature(one.name));
        context.set_sigalgs_list(&joined(signatures))?;
    }
    Ok(context)
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(":")
}

fn is_of_tls_1_3(suite: CipherSuite) -> bool {
    registry::suite(suite.id).is_some_and(|row| row.first >= TlsVersion::TLS_1_3)
}

/// Suites in OpenSSL's words, with the security level that they and the plan's versions need.
pub(crate) fn list(plan: &Plan, suites: &[CipherSuite]) -> String {
    let weak = |suite: &CipherSuite| {
        registry::suite(suite.id)
            .is_none_or(|row| row.bits < 128 || row.encryption.starts_with("RC4"))
    };
    let sha1 = plan.signatures.iter().any(|scheme| scheme.name.ends_with("sha1"));
    let old = plan.versions.iter().any(|version| *version < TlsVersion::TLS_1_2);
    // What is named is what is served: the level only has to be low enough for it.
    let level = if old || sha1 || plan.suites.iter().any(weak) { 0 } else { 2 };
    let names = joined(suites.iter().filter_map(|suite| names::suite(suite.name)));
    format!("{names}:@SECLEVEL={level}")
}

/// The certificate chain and key that this side shows.
pub(crate) fn show(
    context: &mut SslContextBuilder,
    identity: &Identity,
    role: Role,
) -> Result<(), TlsError> {
    let (chain_origin, key_origin) = (identity.chain_origin(), identity.key_origin());
    identity.certificate()?.check_role(role, chain_origin)?;
    let unusable = |what: &str, error: ErrorStack| {
        let message = format!("{what} cannot be used by OpenSSL: {error}");
        let hint = "issue it anew, or compare it with openssl x509 -text and openssl pkey -text";
        TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
    };
    for (index, der) in identity.chain().iter().enumerate() {
        let added = X509::from_der(der).and_then(|certificate| match index {
            0 => context.set_certificate(&certificate),
            _ => context.add_extra_chain_cert(certificate),
        });
        added.map_err(|error| unusable(chain_origin, error))?;
    }
    let key = PKey::private_key_from_der(identity.key().secret_der())
        .map_err(|error| unusable(key_origin, error))?;
    let matching = context.set_private_key(&key).and_then(|()| context.check_private_key());
    matching.map_err(|error| {
        let message = format!("{key_origin} does not belong to {chain_origin}");
        let hint = "the leaf must stand first in the chain, and the key must be the one that the \
                    leaf was issued for";
        TlsError::new(TlsErrorKind::Configuration, message, hint).with_source(error)
    })
}

/// The prime of ffdhe2048 (RFC 7919, appendix A.1): `2^2048 - 2^1984 + ([2^1918 e] + 560316) 2^64 - 1`.
const FFDHE2048: &str = "\
    FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FB\
    CC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0\
    856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE735\
    30ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4\
    AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF\
    8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA\
    886B423861285C97FFFFFFFFFFFFFFFF";

/// The group of DHE, whose generator is 2. Clients that know RFC 7919 look for one of its groups;
/// others take any.
pub(crate) fn finite_field(context: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    let dh = Dh::from_pqg(BigNum::from_hex_str(FFDHE2048)?, None, BigNum::from_u32(2)?)?;
    context.set_tmp_dh(&dh)
}

/// What a finished handshake settled, checked against the plan once more: a suite may be permitted
/// in some versions only, which OpenSSL has no setting for.
pub(crate) fn settled(ssl: &SslRef, plan: &Plan) -> Result<TlsInfo, TlsError> {
    let version = ssl.version2().and_then(names::version_of);
    let suite = ssl
        .current_cipher()
        .and_then(|cipher| cipher.standard_name())
        .and_then(registry::suite_named)
        .map(|row| row.suite);
    let (Some(version), Some(suite)) = (version, suite) else {
        let message = "the handshake ended without a version and a suite that have names";
        return Err(TlsError::new(TlsErrorKind::Protocol, message, "report this as a defect"));
    };
    if ssl.session_reused() {
        // Nothing here lets a session be resumed, nor an external key of TLS 1.3 stand for one.
        let message = "the handshake resumed a session, which this backend never offers";
        return Err(TlsError::new(TlsErrorKind::Protocol, message, "report this as a defect"));
    }
    if !plan.suites_of(version).contains(&suite) {
        let message = format!("{} in {version} is not permitted by the policy", suite.name);
        let hint = "let the other side offer a suite that the policy permits in this version";
        return Err(TlsError::new(TlsErrorKind::NoSharedSuite, message, hint).by_peer());
    }
    Ok(TlsInfo::new(version, suite))
}
