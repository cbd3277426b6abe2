//! Policies widened or narrowed by one rule, for `cargo xtask conformance --mutate`: a test that
//! names the row of the rule has to fail then. The list, and which rows each mutation breaks, is
//! `tests/mutations.toml` of the workspace.

use bindery_core::TlsVersion;
use bindery_tls::{
    ClientAuth, Policy, Row,
    registry::{groups, signatures, suites},
};

/// The name of the mutation; set by `cargo xtask conformance --mutate` only.
const VARIABLE: &str = "BINDERY_MUTATION";

/// The policy that a side is given, off by the rule that the environment names from the one that
/// the test declares. An unknown name changes nothing, so that it is reported as a mutation that no
/// test sees.
pub(crate) fn mutated(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    match std::env::var(VARIABLE).as_deref() {
        Ok("policy-suite-more") => {
            let more = suites::TLS_AES_128_GCM_SHA256;
            policy.suites.retain(|row| row.what != more);
            policy.suites.push(Row::permitted(more, "a mutation"));
        }
        Ok("policy-suite-less") => {
            let less = suites::TLS_AES_256_GCM_SHA384;
            policy.suites.retain(|row| row.what != less);
        }
        Ok("policy-version-less") => {
            policy.versions.retain(|row| row.what != TlsVersion::TLS_1_2);
        }
        Ok("policy-group-more") => {
            // One that a policy of the test leaves out.
            let more = groups::SECP384R1;
            policy.groups.retain(|row| row.what != more);
            policy.groups.push(Row::permitted(more, "a mutation"));
        }
        Ok("policy-group-less") => policy.groups.retain(|row| row.what != groups::X25519),
        Ok("policy-signature-more") => {
            let more = signatures::RSA_PSS_RSAE_SHA256;
            policy.signatures.retain(|row| row.what != more);
            policy.signatures.push(Row::permitted(more, "a mutation"));
        }
        Ok("policy-signature-less") => {
            policy.signatures.retain(|row| row.what != signatures::ECDSA_SECP384R1_SHA384);
        }
        Ok("policy-client-certificates") => policy.client_auth = ClientAuth::None,
        _ => {}
    }
    policy
}
