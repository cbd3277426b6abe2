//! The TLS of a listener: files, policy, rules.

use std::sync::Arc;

use bindery_tls::{
    Acceptor, ClientAuth, ClientRules, Crls, Expiry, Identity, Policy, PskIdentities, Restriction,
    Role, Roots, ServerConfig, Setting, TlsError, TlsErrorKind, Usage,
};
use bindery_transport::Network;

use super::{ListenerPlan, Planner, UpgradePlan};
use crate::{
    config::{
        ClientCertificates, ClientNames, ClientUsage, CrlCheck, Listener, Protocol, ServiceName,
        TlsBackend,
    },
    files, tls,
};

/// What secures a listener, if anything does, and when that runs out.
pub(super) type MaybeSecured = Option<(Option<Arc<dyn Acceptor>>, Vec<Expiry>)>;

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
        let config = self.take_of(key, listener, config)?;
        let psk = listener.psk_file.as_ref().map(|file| {
            let keys = PskIdentities::from_file(self.loaded.path(file));
            self.take(&format!("{key}.psk_file"), keys)
        });
        let config = match psk {
            Some(keys) => config.with_psk(keys?),
            None => config,
        };
        self.somebody_is_accepted(key, listener, &policy, &config)?;
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
        let plan = policy.resolve(&backend.capabilities());
        if let Some(remarks) =
            plan.ok().and_then(|plan| config.check(&policy, &plan, self.now).ok())
        {
            self.warnings.extend(remarks.into_iter().map(|remark| format!("{key}: {remark}")));
        }
        let acceptor = backend.acceptor(&policy, config);
        Some((self.take_of(key, listener, acceptor)?, expiries))
    }

    /// Refuses a listener that asks for certificates and says of nobody whose they may be.
    fn somebody_is_accepted(
        &mut self,
        key: &str,
        listener: &Listener,
        policy: &Policy,
        config: &ServerConfig,
    ) -> Option<()> {
        let asks = listener.client_certificates != ClientCertificates::None;
        if !asks || config.client_roots.is_some() || !config.psk.keys.is_empty() {
            return Some(());
        }
        let missing = format!(
            "nothing says whose client certificates are accepted: the policy {} has no trust_anchors",
            policy.name
        );
        let name = "name the file with the authorities' certificates";
        let remedy = match policy.client_auth {
            ClientAuth::None => {
                format!("{name}, or ask for none: client_certificates = \"none\"")
            }
            asked => format!(
                "{name} (the policy {} has client certificates \"{asked}\", and a listener may not ask \
                 for less)",
                policy.name
            ),
        };
        self.problem(&format!("{key}.client_authorities"), missing, remedy);
        None
    }

    /// Keeps what TLS gives, or notes under the key that is at fault why it gives nothing.
    fn take_of<T>(
        &mut self,
        key: &str,
        listener: &Listener,
        result: Result<T, TlsError>,
    ) -> Option<T> {
        let at_fault = result.as_ref().err().map(|error| self.at_fault(key, listener, error));
        self.take(&at_fault.unwrap_or_default(), result)
    }

    /// Which key an error is about: one of the listener's, or one of the policy that it names.
    fn at_fault(&self, key: &str, listener: &Listener, error: &TlsError) -> String {
        let own = |member: &str| format!("{key}.{member}");
        // A policy of the file has keys of its own; of a built-in one, its name is to blame.
        let name = &listener.tls_policy;
        let is_own = self.loaded.value.tls.policy.contains_key(name);
        let of_policy = |member: &str| match is_own {
            true => format!("tls.policy.{name}.{member}"),
            false => own("tls_policy"),
        };
        let restricted = |given: bool, member: &str, row: &str| match given {
            true => own(member),
            false => of_policy(row),
        };
        match error.setting() {
            Some(Setting::Certificate) => own("certificate"),
            Some(Setting::Key) => own("key"),
            Some(Setting::Passphrase) => own("key_passphrase_file"),
            Some(Setting::Authorities) if is_own && listener.client_authorities.is_none() => {
                of_policy("trust_anchors")
            }
            Some(Setting::Authorities) => own("client_authorities"),
            Some(Setting::RevocationLists) => {
                let named = listener.crls.iter().map(|file| self.loaded.path(file));
                let mut origins = named.map(|file| format!("file {}", file.display()));
                let said = error.message();
                restricted(!is_own || origins.any(|one| said.contains(&one)), "crls", "crls")
            }
            Some(Setting::PresharedKeys) => own("psk_file"),
            Some(Setting::ClientCertificates) => own("client_certificates"),
            Some(Setting::Versions) => {
                restricted(!listener.tls_versions.is_empty(), "tls_versions", "versions")
            }
            Some(Setting::Suites) => {
                restricted(!listener.tls_suites.is_empty(), "tls_suites", "suites")
            }
            Some(Setting::Groups) => {
                restricted(!listener.tls_groups.is_empty(), "tls_groups", "groups")
            }
            Some(Setting::Signatures) => of_policy("signatures"),
            Some(Setting::ApplicationProtocols) => of_policy("alpn"),
            _ if error.kind() == TlsErrorKind::PolicyNotMet => own("tls_policy"),
            _ => key.to_owned(),
        }
    }

    /// The networks from which a PROXY head is taken.
    pub(super) fn balancers(&mut self, key: &str, listener: &Listener) -> Vec<Network> {
        let mut networks = Vec::new();
        for text in &listener.proxy_protocol {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(error) => {
                    let key = format!("{key}.proxy_protocol");
                    self.problem(
                        &key,
                        format!("{text:?}: {error}"),
                        "name the balancers' addresses",
                    );
                }
            }
        }
        networks
    }

    /// What a listener without TLS comes to.
    pub(super) fn clear(&mut self, key: &str, listener: &Listener) -> MaybeSecured {
        for member in listener.tls_settings() {
            self.problem(
                &format!("{key}.{member}"),
                "it means nothing on a listener in clear",
                "leave it out, or leave out protocol = \"dangerous-clear-http\"",
            );
        }
        self.warnings.push(format!(
            "{key}.protocol = \"dangerous-clear-http\": whoever is between reads and changes \
             everything, passwords of Basic included"
        ));
        Some((None, Vec::new()))
    }

    /// How a listener becomes TLS, if it does.
    pub(super) fn upgrade(&mut self, key: &str, listener: &Listener) -> Option<UpgradePlan> {
        if listener.protocol != Protocol::HttpUpgrade {
            for member in listener.upgrade_settings() {
                self.problem(
                    &format!("{key}.{member}"),
                    "it means nothing without an upgrade",
                    "leave it out, or set protocol = \"http-upgrade\"",
                );
            }
            return None;
        }
        self.warnings.push(format!(
            "{key}.protocol = \"http-upgrade\": no https client anywhere may trust its certificate for \
             the name that it asks for (CVE-2025-49812)"
        ));
        if listener.dangerous_upgrade_optional {
            self.warnings.push(format!(
                "{key}.dangerous_upgrade_optional: who asks for no upgrade is answered in clear"
            ));
        }
        if listener.dangerous_upgrade_beside_tls {
            self.warnings.push(format!(
                "{key}.dangerous_upgrade_beside_tls: whoever is on the way can answer requests of https \
                 clients by requests of their own (CVE-2025-49812)"
            ));
        }
        Some(UpgradePlan {
            by_any_request: listener.upgrade_by_any_request,
            optional: listener.dangerous_upgrade_optional,
            beside_tls: listener.dangerous_upgrade_beside_tls,
        })
    }

    /// Refuses an upgrade that has something in common with a listener of implicit TLS.
    pub(super) fn apart(&mut self, listeners: &[ListenerPlan]) {
        let implicit = listeners.iter().filter(|one| one.upgrade.is_none());
        let implicit: Vec<&dyn Acceptor> =
            implicit.filter_map(|one| one.acceptor.as_deref()).collect();
        for one in listeners {
            let (Some(plan), Some(acceptor)) = (one.upgrade, &one.acceptor) else { continue };
            if let Err(error) = plan.by(Arc::clone(acceptor)).check_beside(&implicit) {
                let remedy = format!("{}; or say dangerous_upgrade_beside_tls", error.hint());
                let key = format!("listener.{}.certificate", one.name);
                self.problem(&key, error.to_string(), remedy);
            }
        }
    }

    /// Whether what is spoken on a listener and the services that it names go together.
    pub(super) fn spoken(&mut self, key: &str, listener: &Listener) {
        let services = &self.loaded.value.service;
        for service in &listener.services {
            if !services.has(*service) {
                let name = service.name();
                self.problem(
                    &format!("{key}.services"),
                    format!("the service {name} is not switched on"),
                    format!("add the table [service.{name}], or leave it out here"),
                );
            }
        }
        let kmip = listener.has(ServiceName::Kmip) && services.has(ServiceName::Kmip);
        if matches!(listener.protocol, Protocol::KmipTls | Protocol::Both) && !kmip {
            self.problem(
                &format!("{key}.protocol"),
                "it is KMIP's, and the service kmip is not on this listener",
                "write \"https\", or name kmip among its services",
            );
        }
    }

    fn identity(&mut self, key: &str, listener: &Listener) -> Option<Identity> {
        let (Some(certificate), Some(private)) = (&listener.certificate, &listener.key) else {
            let member = if listener.certificate.is_none() { "certificate" } else { "key" };
            let remedy = "name the server's certificate chain and its key, both in PEM";
            self.problem(&format!("{key}.{member}"), "it is missing", remedy);
            return None;
        };
        let (certificate, private) = (self.loaded.path(certificate), self.loaded.path(private));
        let passphrase = listener.key_passphrase_file.as_ref().map(|file| self.loaded.path(file));
        let identity = match &passphrase {
            Some(passphrase) => {
                Identity::from_pem_files_with_passphrase(&certificate, &private, passphrase)
            }
            None => Identity::from_pem_files(&certificate, &private),
        };
        let identity = self.take_of(key, listener, identity);
        if let Some(warning) = files::exposure("private key file", &private)
            && !self.warnings.contains(&warning)
        {
            self.warnings.push(warning);
        }
        let identity = identity?;
        self.warnings.extend(identity.needless_passphrase());
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

    /// Reads every policy of the file, used or not.
    pub(super) fn policies(&mut self) {
        let own = tls::OwnPolicies::of(self.loaded);
        for name in own.names() {
            if let Err(problem) = own.read(name) {
                self.problems.push(problem);
            }
        }
    }

    /// A policy by its name. One of the file's that is wrong was told by [`Planner::policies`].
    pub(super) fn policy_named(&mut self, key: &str, name: &str) -> Option<Policy> {
        let own = tls::OwnPolicies::of(self.loaded);
        let told = own.names().any(|one| one == name);
        match tls::policy(name, &own) {
            Ok(policy) => Some(policy),
            Err(_) if told => None,
            Err(failure) => {
                self.problem(key, failure.message, failure.hint.unwrap_or_default());
                None
            }
        }
    }

    fn policy(&mut self, key: &str, listener: &Listener) -> Option<Policy> {
        let policy = self.policy_named(&format!("{key}.tls_policy"), &listener.tls_policy)?;
        // Whatever the policy asks of clients: more may be asked, and never less.
        let mut restriction =
            Restriction::new().with_client_auth(listener.client_certificates.tls());
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
