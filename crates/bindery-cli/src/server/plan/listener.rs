//! The TLS of a listener: files, policy, rules.

use std::{path::Path, sync::Arc};

use bindery_tls::{
    Acceptor, ClientAuth, ClientRules, Crls, Expiry, Identity, Policy, PskIdentities, Restriction,
    Role, Roots, ServerConfig, TlsErrorKind, Usage,
};

use super::Planner;
use crate::{
    config::{ClientNames, ClientUsage, CrlCheck, Listener, TlsBackend},
    tls,
};

/// Seconds of a day.
const DAY: u64 = 86_400;

impl Planner<'_> {
    /// What secures a listener, and when what it is made of runs out.
    pub(super) fn acceptor(
        &mut self,
        key: &str,
        listener: &Listener,
    ) -> Option<(Arc<dyn Acceptor>, Vec<Expiry>)> {
        let identity = self.identity(key, listener);
        let roots = listener.client_authorities.as_ref().map(|file| {
            let roots = Roots::from_pem_file(self.loaded.path(file));
            self.take(&format!("{key}.client_authorities"), roots)
        });
        let crls = Crls::from_files(listener.crls.iter().map(|file| self.loaded.path(file)));
        let crls = self.take(&format!("{key}.crls"), crls);
        let policy = self.policy(key, listener);
        let rules = self.rules(key, listener);
        let mut config = ServerConfig::new(identity?)
            .with_crls(checking(crls?, listener.crl_check))
            .with_client_rules(rules);
        if let Some(roots) = roots {
            config = config.with_client_roots(roots?);
        }
        let policy = policy?;
        let config = config.with_trust_of(&policy);
        let config = self.take(&format!("{key}.tls_policy"), config)?;
        let psk = listener.psk_file.as_ref().map(|file| {
            let keys = PskIdentities::from_file(self.loaded.path(file));
            self.take(&format!("{key}.psk_file"), keys)
        });
        let config = match psk {
            Some(keys) => config.with_psk(keys?),
            None => config,
        };
        if config.client_roots.is_none() && config.psk.keys.is_empty() {
            let missing = format!(
                "nothing says whose client certificates are accepted: the policy {} has no trust_anchors",
                policy.name
            );
            self.problem(
                &format!("{key}.client_authorities"),
                missing,
                "name the file with the authorities' certificates",
            );
            return None;
        }
        let expiries = config.expiries();
        let within = u64::from(self.loaded.value.tls.expiry_warning_days) * DAY;
        let soon = expiries.iter().filter_map(|one| one.warning(self.now, within));
        self.warnings.extend(soon);
        let backend = tls::backend_of(listener.tls_backend);
        let backend = self.take(&format!("{key}.tls_backend"), backend)?;
        if listener.tls_backend != TlsBackend::Rustls {
            self.warnings.push(format!(
                "{key}.tls_backend is OpenSSL, for peers that speak nothing newer: the log names each \
                 version and suite that is not safe any more"
            ));
        }
        let acceptor = backend.acceptor(&policy, config);
        let member = match &acceptor {
            Err(error) if error.kind() == TlsErrorKind::PolicyNotMet => ".tls_policy",
            Err(error) if error.message().starts_with("key file ") => ".key",
            _ => "",
        };
        Some((self.take(&format!("{key}{member}"), acceptor)?, expiries))
    }

    fn identity(&mut self, key: &str, listener: &Listener) -> Option<Identity> {
        let certificate = self.loaded.path(&listener.certificate);
        let private = self.loaded.path(&listener.key);
        let passphrase = listener.key_passphrase_file.as_ref().map(|file| self.loaded.path(file));
        let identity = match &passphrase {
            Some(passphrase) => {
                Identity::from_pem_files_with_passphrase(&certificate, &private, passphrase)
            }
            None => Identity::from_pem_files(&certificate, &private),
        };
        // TLS reads the files in one step; its message names the one at fault.
        let names = |text: &str| matches!(&identity, Err(e) if e.to_string().contains(text));
        let member = if names(&format!("key file {}", private.display())) {
            "key"
        } else if names("passphrase file ") {
            "key_passphrase_file"
        } else {
            "certificate"
        };
        let identity = self.take(&format!("{key}.{member}"), identity);
        if let Some(warning) = exposure(&private)
            && !self.warnings.contains(&warning)
        {
            self.warnings.push(warning);
        }
        let identity = identity?;
        let checked = identity.check(Role::Server, self.now);
        self.take(&format!("{key}.certificate"), checked)?;
        if identity.certificate().is_ok_and(|leaf| !leaf.has_names) {
            self.warnings.push(format!(
                "{key}.certificate has no subjectAltName: clients that check names refuse it (the \
                 Common Name does not count)"
            ));
        }
        Some(identity)
    }

    fn rules(&mut self, key: &str, listener: &Listener) -> ClientRules {
        let mut rules = ClientRules::default();
        rules.names_required = listener.client_names == ClientNames::Required;
        rules.usage = match listener.client_usage {
            ClientUsage::WherePresent => Usage::WherePresent,
            ClientUsage::Stated => Usage::Stated,
            ClientUsage::DangerousServersToo => Usage::DangerousServersToo,
        };
        if rules.usage == Usage::DangerousServersToo {
            self.warnings.push(format!(
                "{key}.client_usage = \"dangerous-servers-too\": whoever has a server's certificate \
                 of a client authority is a client"
            ));
        }
        rules
    }

    fn policy(&mut self, key: &str, listener: &Listener) -> Option<Policy> {
        let policy = match tls::policy(&listener.tls_policy, &tls::OwnPolicies::of(self.loaded)) {
            Ok(policy) => policy,
            Err(failure) => {
                let hint = failure.hint.unwrap_or_default();
                self.problem(&format!("{key}.tls_policy"), failure.message, hint);
                return None;
            }
        };
        // Whatever the policy asks of clients: nobody gets to a key unidentified.
        let mut restriction = Restriction::new().with_client_auth(ClientAuth::Required);
        if !listener.tls_suites.is_empty() {
            let named = restriction.with_suites_named(names(&listener.tls_suites));
            restriction = self.take(&format!("{key}.tls_suites"), named)?;
        }
        if !listener.tls_versions.is_empty() {
            let named = restriction.with_versions_named(names(&listener.tls_versions));
            restriction = self.take(&format!("{key}.tls_versions"), named)?;
        }
        if !listener.tls_groups.is_empty() {
            let named = restriction.with_groups_named(names(&listener.tls_groups));
            restriction = self.take(&format!("{key}.tls_groups"), named)?;
        }
        Some(policy.restricted(restriction))
    }
}

fn names(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

fn checking(mut crls: Crls, check: CrlCheck) -> Crls {
    crls.leaf_only = check == CrlCheck::Leaf;
    crls.unknown_taken = check == CrlCheck::ChainWhereKnown;
    crls.expired_taken = crls.unknown_taken;
    crls
}

/// Warns of a private key that others than its owner can reach, as the store does for its key. A
/// file that cannot be looked at is told by who reads it.
#[cfg(unix)]
fn exposure(key: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(key).ok()?.permissions().mode() & 0o7777;
    let key = key.display();
    (mode & 0o077 != 0).then(|| {
        format!(
            "the private key file {key} has mode {mode:04o}, open to others than its owner: \
             chmod 600 {key}"
        )
    })
}

#[cfg(not(unix))]
fn exposure(_: &Path) -> Option<String> {
    None
}
