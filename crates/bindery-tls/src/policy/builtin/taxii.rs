//! TAXII over HTTPS.

use bindery_core::TlsVersion;

use super::{groups_for, modern_suites, signatures_for, two_versions};
use crate::{Policy, Row};

impl Policy {
    /// What the TAXII HTTP protocol binding asks for: TLS 1.2 or higher, with today's suites. It
    /// asks for no client certificate; see [`Policy::with_client_auth`].
    pub fn taxii() -> Self {
        let mut policy = Self::new("taxii", "TAXII over HTTPS: TLS 1.2 or higher");
        policy.references = vec![
            "The TAXII HTTP Protocol Binding Specification, version 1.0 (draft), section 9".into(),
            "RFC 9325 (BCP 195)".into(),
        ];
        policy.versions = two_versions(
            Row::permitted(TlsVersion::TLS_1_3, "TAXII HTTP binding, 9.2.2: TLS 1.2 or higher"),
            Row::permitted(TlsVersion::TLS_1_2, "TAXII HTTP binding, 9.2.2: TLS 1.2 or higher"),
        );
        for row in policy.versions.iter_mut().skip(2) {
            row.source = "TAXII HTTP binding, 9.2.2: TLS 1.1 and less are refused".into();
        }
        policy.suites = modern_suites();
        policy.groups = groups_for("the binding names no group");
        policy.signatures = signatures_for("the binding names no signature scheme");
        policy.notes = vec![
            "the draft names no suite: those of RFC 9325 are taken".into(),
            "section 9 leaves the client's authentication open (none, Basic, certificate): no \
             certificate is asked for unless the configuration does"
                .into(),
        ];
        policy
    }
}
