//! TLS of the running server: reloading, and what runs out when.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bindery_core::Timestamp;
use bindery_tls::{Acceptor, Expiry, Reloadable};

use super::{
    accounts::LiveAccounts,
    plan::{ListenerPlan, Plan, UpgradePlan},
};
use crate::config::{Loaded, Problem, Problems};

/// A day: how often is looked for what runs out soon.
const DAY: Duration = Duration::from_secs(86_400);

/// The TLS of every listener that has it, and the accounts that prove passwords.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secure {
    listeners: Arc<Vec<Secured>>,
    accounts: LiveAccounts,
}

/// A listener whose TLS can be replaced.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) name: String,
    address: SocketAddr,
    pub(crate) acceptor: Arc<Reloadable>,
    expiries: Mutex<Vec<Expiry>>,
    /// How its connections become TLS, where they begin in clear.
    upgrade: Option<UpgradePlan>,
}

impl Secured {
    /// When what the listener shows and trusts runs out.
    pub(crate) fn expiries(&self) -> Vec<Expiry> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secure {
    /// Takes over the TLS of a plan's listeners, which then listen with what [`Secure::acceptor`]
    /// gives.
    pub(super) fn new(listeners: &[ListenerPlan], accounts: LiveAccounts) -> Self {
        let secured = |plan: &ListenerPlan| {
            Some(Secured {
                name: plan.name.clone(),
                address: plan.address,
                acceptor: Arc::new(Reloadable::new(Arc::clone(plan.acceptor.as_ref()?))),
                expiries: Mutex::new(plan.expiries.clone()),
                upgrade: plan.upgrade,
            })
        };
        Self { listeners: Arc::new(listeners.iter().filter_map(secured).collect()), accounts }
    }

    /// What a listener listens with, by its name; none where it is in clear.
    pub(super) fn acceptor(&self, name: &str) -> Option<Arc<dyn Acceptor>> {
        let one = self.listeners.iter().find(|one| one.name == name)?;
        Some(Arc::clone(&one.acceptor) as Arc<dyn Acceptor>)
    }

    /// Each listener that has TLS.
    pub(crate) fn listeners(&self) -> &[Secured] {
        &self.listeners
    }

    /// Reads the configuration anew and lets its TLS take over on every listener, and its accounts; or
    /// nothing, if anything in it is wrong. Whatever else has changed in it waits for a restart.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn reload(&self, file: &std::path::Path, now: Timestamp) -> Result<(), Problems> {
        let plan = Loaded::from_file(file).and_then(|loaded| Plan::new(&loaded, now));
        let plan = plan.inspect_err(|_| {
            for one in self.listeners() {
                one.acceptor.failed();
            }
        })?;
        self.check(file, &plan, now)?;
        for warning in &plan.warnings {
            tracing::warn!("{warning}");
        }
        for fresh in &plan.serving.listeners {
            let Some(acceptor) = &fresh.acceptor else { continue };
            let known = self.listeners.iter().find(|one| one.name == fresh.name);
            match known {
                Some(one) => {
                    // Its TLS holds wherever it listens.
                    one.acceptor.replace(Arc::clone(acceptor));
                    *one.expiries.lock().unwrap_or_else(PoisonError::into_inner) =
                        fresh.expiries.clone();
                    if one.address != fresh.address {
                        let name = &fresh.name;
                        tracing::warn!("listener.{name}: another address: restart to listen there");
                    }
                }
                None => tracing::warn!("listener.{}: is new: restart to open it", fresh.name),
            }
        }
        self.accounts.replace_by(&plan.serving.accounts);
        let gone = |one: &&Secured| {
            plan.serving.listeners.iter().all(|l| l.name != one.name || l.acceptor.is_none())
        };
        for one in self.listeners.iter().filter(gone) {
            tracing::warn!(
                "listener.{}: is gone: restart to close it; until then it has the certificates, \
                 authorities and revocation lists that it had",
                one.name
            );
        }
        Ok(())
    }

    /// Refuses a plan that is good by itself and makes what runs worse.
    fn check(&self, file: &std::path::Path, plan: &Plan, now: Timestamp) -> Result<(), Problems> {
        let mut problems = self.still_apart(plan);
        problems.extend(self.lists_in_date(plan, now));
        if problems.is_empty() {
            return Ok(());
        }
        for one in self.listeners() {
            one.acceptor.failed();
        }
        Err(Problems { file: file.to_owned(), problems })
    }

    /// Refuses a revocation list that has run out in the place of one that has not: whoever it speaks of
    /// would be locked out.
    fn lists_in_date(&self, plan: &Plan, now: Timestamp) -> Vec<Problem> {
        let mut problems = Vec::new();
        for fresh in plan.serving.listeners.iter().filter(|fresh| fresh.lists_run_out) {
            let Some(one) = self.listeners.iter().find(|one| one.name == fresh.name) else {
                continue;
            };
            let running = one.expiries();
            let in_date = |all: &[Expiry], name: &str| {
                let mut same = all.iter().filter(|one| one.is_list && one.name == name);
                same.any(|one| one.not_after > now)
            };
            for list in fresh.expiries.iter().filter(|list| list.is_list) {
                if in_date(&fresh.expiries, &list.name) || !in_date(&running, &list.name) {
                    continue;
                }
                let (origin, name) = (&list.origin, &list.name);
                let ran_out = list.warning(now, 0).unwrap_or_default();
                problems.push(Problem {
                    place: Some(format!("listener.{}.crls", fresh.name)),
                    reason: format!(
                        "{ran_out}; {name} that is in use has not: with {origin} whoever it speaks of \
                         would be refused"
                    ),
                    remedy: "fetch the authority's new list".to_owned(),
                });
            }
        }
        problems
    }

    /// Refuses certificates that would bring a listener whose connections become TLS together with one of
    /// implicit TLS, as they run: a listener is what it was at the start until the next one, whatever the
    /// file says of it now, and so is the leave to run beside.
    fn still_apart(&self, plan: &Plan) -> Vec<Problem> {
        let after = |one: &Secured| -> Arc<dyn Acceptor> {
            let fresh = plan.serving.listeners.iter().find(|fresh| fresh.name == one.name);
            let fresh = fresh.and_then(|fresh| fresh.acceptor.as_ref());
            fresh.map_or_else(|| Arc::clone(&one.acceptor) as Arc<dyn Acceptor>, Arc::clone)
        };
        let implicit = self.listeners.iter().filter(|one| one.upgrade.is_none());
        let implicit: Vec<Arc<dyn Acceptor>> = implicit.map(after).collect();
        let implicit: Vec<&dyn Acceptor> = implicit.iter().map(|one| &**one).collect();
        let mut problems = Vec::new();
        for one in self.listeners.iter() {
            let Some(upgrade) = one.upgrade else { continue };
            if let Err(error) = upgrade.by(after(one)).check_beside(&implicit) {
                problems.push(Problem {
                    place: Some(format!("listener.{}.certificate", one.name)),
                    reason: format!("{error}; the listener runs as it was started"),
                    remedy: format!("{}, or restart", error.hint()),
                });
            }
        }
        problems
    }

    /// Reloads and says in the log how that went.
    pub(crate) fn reload_and_tell(&self, file: &std::path::Path, now: Timestamp) {
        match self.reload(file, now) {
            Ok(()) => {
                tracing::info!(
                    "SIGHUP: certificates, TLS policies and accounts were read anew; what else has \
                     changed in the file waits for a restart"
                );
            }
            Err(problems) => {
                for problem in &problems.problems {
                    tracing::error!("{}: {problem}", problems.file.display());
                }
                tracing::error!("SIGHUP: nothing was changed; what was read before goes on");
            }
        }
    }

    /// Warns once a day of what runs out within so many days.
    pub(crate) async fn watch(self, days: u32, now: fn() -> Timestamp) {
        loop {
            tokio::time::sleep(DAY).await;
            let within = u64::from(days) * DAY.as_secs();
            for one in self.listeners() {
                for expiry in one.expiries() {
                    if let Some(warning) = expiry.warning(now(), within) {
                        tracing::warn!("listener.{}: {warning}", one.name);
                    }
                }
            }
        }
    }
}

/// What SIGHUP does.
#[derive(Clone, Debug, Default)]
pub(crate) enum HangUp {
    /// Nothing but to say so: the server was not started from a file.
    #[default]
    Nothing,
    /// Reads the file anew.
    Reload(Secure, PathBuf),
    /// Reads a proxy's accounts anew.
    Accounts(crate::proxy::Reread),
}

impl HangUp {
    /// Does it.
    pub(super) fn act(&self) {
        match self {
            Self::Nothing => {
                tracing::warn!(
                    "SIGHUP: only `bindery serve` reads its certificates anew, and `bindery proxy` its accounts"
                );
            }
            Self::Accounts(reread) => reread.act(),
            Self::Reload(secure, file) => secure.reload_and_tell(file, crate::serve::now()),
        }
    }
}
