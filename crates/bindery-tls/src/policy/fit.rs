//! Whether what a server shows goes with what its policy comes to.

use bindery_core::{CipherSuite, TlsVersion};

use super::{Need, Plan, Policy};
use crate::{Identity, KeyKind, TlsError, TlsErrorKind, registry};

impl Plan {
    /// The suites of a version that a server with a key of this kind, and with or without
    /// pre-shared keys, can serve.
    pub fn servable(&self, version: TlsVersion, key: KeyKind, psk: bool) -> Vec<CipherSuite> {
        let suites = self.suites_of(version);
        if version >= TlsVersion::TLS_1_3 {
            let signs = self.signatures.iter().any(|scheme| key.signs(scheme.name));
            return if signs { suites } else { Vec::new() };
        }
        // A key exchange that is signed needs a scheme of the key's kind; any curve and hash will do.
        let signs = self.signatures.is_empty()
            || self.signatures.iter().any(|scheme| key.is_of_scheme(scheme.name));
        let fits = |suite: &CipherSuite| {
            registry::suite(suite.id).is_none_or(|row| {
                let signed = !row.needs_psk() && row.has_forward_secrecy();
                (psk || !row.needs_psk())
                    && (signs || !signed)
                    && key.serves(row.key_exchange, row.authentication)
            })
        };
        suites.into_iter().filter(fits).collect()
    }
}

impl Policy {
    /// Whether a server can serve this policy with the certificate that it shows, in each version
    /// that the plan has; and what is allowed and should be known: a permitted version in which it
    /// serves nothing.
    ///
    /// # Errors
    /// [`TlsErrorKind::PolicyNotMet`]: its key fits no suite at all, or not what the policy
    /// requires. The message names the file, the rows and the key.
    pub(crate) fn check_identity(
        &self,
        plan: &Plan,
        identity: &Identity,
        psk: bool,
    ) -> Result<Vec<String>, TlsError> {
        let key = identity.certificate()?.key;
        let origin = identity.chain_origin();
        let versions = plan.versions.iter().copied();
        let bare: Vec<TlsVersion> =
            versions.filter(|version| plan.servable(*version, key, psk).is_empty()).collect();
        let remedy = |versions: &[TlsVersion]| {
            let all = |key, psk| {
                versions.iter().all(|version| !plan.servable(*version, key, psk).is_empty())
            };
            match all(key, true) {
                true => "configure pre-shared keys (psk_file), or take other suites".to_owned(),
                false => another_key(|key| all(key, psk)),
            }
        };
        let fault = |what: String, version: &[TlsVersion], remedy: String| {
            let (name, asked) = (&self.name, asked(plan, version));
            let message =
                format!("{origin}: its key is {key}, and the policy {name} {what}: {asked}");
            TlsError::new(TlsErrorKind::PolicyNotMet, message, remedy)
        };
        if bare.len() == plan.versions.len() {
            return Err(fault("has nothing for it".to_owned(), &bare, remedy(&bare)));
        }
        let required = |version: &TlsVersion| {
            let mut rows = self.versions.iter().filter(|row| row.what == *version);
            rows.any(|row| row.need == Need::Required)
        };
        if let Some(version) = bare.iter().copied().find(required) {
            let what = format!("requires {version}, which has nothing for it");
            return Err(fault(what, &[version], remedy(&[version])));
        }
        if let Some((suite, version)) = self.unserved(plan, key) {
            let what = format!("requires {}, which it cannot serve", suite.name);
            let remedy = another_key(|key| plan.servable(version, key, true).contains(&suite));
            return Err(fault(what, &[version], remedy));
        }
        let mut remarks: Vec<String> = bare
            .iter()
            .map(|version| {
                let (asked, remedy) = (asked(plan, &[*version]), remedy(&[*version]));
                format!(
                    "{origin}: its key is {key}, so that {version} is declared and not served: \
                     {asked}; {remedy}"
                )
            })
            .collect();
        let keyless =
            |suite: &&CipherSuite| registry::suite(suite.id).is_some_and(|r| r.needs_psk());
        if !psk && plan.suites.iter().any(|suite| keyless(&suite)) {
            let names: Vec<&str> = plan.suites.iter().filter(keyless).map(|s| s.name).collect();
            remarks.push(format!(
                "the policy {} has suites for pre-shared keys, and none is configured: nobody can use {}",
                self.name,
                shortened(&names)
            ));
        }
        Ok(remarks)
    }

    /// A required suite that a key of this kind cannot serve, and the version that has it.
    fn unserved(&self, plan: &Plan, key: KeyKind) -> Option<(CipherSuite, TlsVersion)> {
        let required = |suite: &CipherSuite| {
            let mut rows = self.suites.iter().filter(|row| row.what == *suite);
            rows.any(|row| row.need == Need::Required)
        };
        plan.versions.iter().find_map(|version| {
            // Whether there are pre-shared keys is another question.
            let served = plan.servable(*version, key, true);
            let suites = plan.suites_of(*version);
            let lost = suites.into_iter().find(|suite| required(suite) && !served.contains(suite));
            Some((lost?, *version))
        })
    }
}

/// What the versions ask of a key: `TLS 1.2: TLS_ECDHE_ECDSA_..., ...`.
fn asked(plan: &Plan, versions: &[TlsVersion]) -> String {
    let parts = versions.iter().map(|version| {
        let names: Vec<&str> = if *version >= TlsVersion::TLS_1_3 {
            plan.signatures.iter().map(|scheme| scheme.name).collect()
        } else {
            plan.suites_of(*version).iter().map(|suite| suite.name).collect()
        };
        let what = if *version >= TlsVersion::TLS_1_3 { "signs with" } else { "has" };
        format!("{version} {what} {}", shortened(&names))
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// How many names a message lists.
const LISTED: usize = 6;

fn shortened(names: &[&str]) -> String {
    let listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(LISTED) {
        Some(more @ 1..) => format!("{listed} and {more} more"),
        _ => listed,
    }
}

/// The kinds of keys that would do, and what else can be done.
fn another_key(would_do: impl Fn(KeyKind) -> bool) -> String {
    let kinds = [
        (KeyKind::EcdsaP256, "ECDSA P-256"),
        (KeyKind::EcdsaP384, "ECDSA P-384"),
        (KeyKind::Rsa, "RSA"),
        (KeyKind::Ed25519, "Ed25519"),
    ];
    let fitting = kinds.iter().filter(|(kind, _)| would_do(*kind)).map(|(_, name)| *name);
    let fitting: Vec<&str> = fitting.collect();
    if fitting.is_empty() {
        return "choose another policy, or restrict it otherwise".to_owned();
    }
    format!(
        "show a certificate with a key of {}, or take versions or suites for yours (tls_versions, \
         tls_suites, tls_policy)",
        fitting.join(" or ")
    )
}
