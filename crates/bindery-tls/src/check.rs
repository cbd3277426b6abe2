//! Whether what a side is configured with goes together, before anything is served.

use bindery_core::Timestamp;

use crate::{
    ClientAuth, ClientConfig, Crls, Plan, Policy, Roots, ServerConfig, Setting, TlsError,
    roots::Root,
};

impl ServerConfig {
    /// Checks what is configured against the policy and against itself: whether the certificate's
    /// key fits the suites of each version, whether the client authorities are authorities, whether
    /// the revocation lists are theirs and in date at this time. Gives what is allowed and should be
    /// known, one line each.
    ///
    /// Backends do this by themselves, with what the policy trusts
    /// ([`ServerConfig::with_trust_of`]); it is for who wants to tell the remarks.
    ///
    /// # Errors
    /// What cannot work, with the file, the row or field, and the remedy.
    pub fn check(
        &self,
        policy: &Policy,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Vec<String>, TlsError> {
        let psk = !self.psk.keys.is_empty();
        let mut remarks = policy
            .check_identity(plan, &self.identity, psk)
            .map_err(|error| error.about(Setting::Certificate))?;
        remarks.extend(policy.required_and_taken_out(plan));
        let roots = match &self.client_roots {
            Some(roots) => read(roots)?,
            None => Vec::new(),
        };
        let asks = plan.client_auth != ClientAuth::None;
        if asks && !roots.is_empty() {
            remarks.extend(roots.iter().filter_map(Root::remark));
            remarks.extend(check_lists(&self.crls, &roots, now)?);
        } else if !self.crls.is_empty() {
            remarks.push(
                "revocation lists are configured, and no client certificate is asked for: \
                          nothing is looked up in them"
                    .to_owned(),
            );
        }
        Ok(remarks)
    }
}

impl ClientConfig {
    /// The same of a client: whether its authorities are authorities, and its revocation lists
    /// theirs.
    ///
    /// # Errors
    /// As [`ServerConfig::check`].
    pub fn check(&self, now: Timestamp) -> Result<Vec<String>, TlsError> {
        if self.takes_any_server() {
            return Ok(Vec::new());
        }
        let roots = read(&self.roots)?;
        let mut remarks: Vec<String> = roots.iter().filter_map(Root::remark).collect();
        remarks.extend(check_lists(&self.crls, &roots, now)?);
        Ok(remarks)
    }
}

fn read(roots: &Roots) -> Result<Vec<Root>, TlsError> {
    roots.read().map_err(|error| error.about(Setting::Authorities))
}

fn check_lists(crls: &Crls, roots: &[Root], now: Timestamp) -> Result<Vec<String>, TlsError> {
    crls.check(roots, now).map_err(|error| error.about(Setting::RevocationLists))
}
