//! What a careful server or client uses today.

use bindery_core::TlsVersion;

use super::{groups_for, modern_suites, signatures_for, two_versions};
use crate::{Policy, Row};

impl Policy {
    /// What a careful server or client uses today: TLS 1.2 and 1.3, forward secrecy, AEAD. It asks
    /// for no client certificate; see [`Policy::with_client_auth`].
    pub fn modern() -> Self {
        let mut policy = Self::new("modern", "TLS 1.2 and 1.3 with forward secrecy and AEAD");
        policy.references = vec!["RFC 9325 (BCP 195)".into(), "RFC 8446".into()];
        policy.versions = two_versions(
            Row::permitted(TlsVersion::TLS_1_3, "RFC 9325, 3.1.1: SHOULD"),
            Row::permitted(TlsVersion::TLS_1_2, "RFC 9325, 3.1.1: MUST be supported"),
        );
        policy.suites = modern_suites();
        policy.groups = groups_for("RFC 9325, 4.2");
        policy.signatures = signatures_for("RFC 8446, 4.2.3");
        policy.notes = vec![
            "RFC 9325 (3.1.1) makes TLS 1.2 a MUST and TLS 1.3 a SHOULD; here neither is required, \
             so that an operator may leave one of them"
                .into(),
        ];
        policy
    }
}
