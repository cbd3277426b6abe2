//! `--scan`: each version, suite and group that this program has, offered alone.

use bindery_tls::{Group, PlanItem, Restriction, TlsErrorKind, registry::groups};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    everything,
    target::{Attempt, Target, Verdict},
};
use crate::error::{Exit, Failure, Layer, Result};

/// How many handshakes in a row may get no answer before the scan gives up.
const SILENCE: usize = 3;
/// How many connections in a row may break off before something that was taken is offered again.
/// Some servers refuse an offer by closing; something that limits connections closes them all.
const BROKEN: usize = 8;

/// What became of one thing that was offered alone.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) what: PlanItem,
    pub(super) taken: Taken,
}

/// Whether a server takes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
    /// It did not answer, or the connection broke; why.
    Unknown(String),
}

/// A scan that goes on.
pub(super) struct Scan<'a> {
    target: &'a Target,
    silent: usize,
    broken: usize,
    /// What the server took last.
    accepted: Option<Restriction>,
    bar: ProgressBar,
}

impl<'a> Scan<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        // Shown on a terminal only.
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {bar:30} {msg}") {
            bar.set_style(style);
        }
        Self { target, silent: 0, broken: 0, accepted: None, bar }
    }

    /// One handshake after the other, each within the limit for one.
    ///
    /// # Errors
    /// The server has stopped answering.
    pub(super) async fn run(mut self) -> Result<Vec<Found>> {
        let all = self.target.backend.capabilities();
        let versions = all
            .versions
            .iter()
            .map(|one| (PlanItem::Version(*one), Restriction::new().with_versions([*one])));
        let suites = all
            .suites
            .iter()
            .map(|one| (PlanItem::Suite(*one), Restriction::new().with_suites([*one])));
        let groups = all
            .groups
            .iter()
            .map(|one| (PlanItem::Group(*one), Restriction::new().with_groups([*one])));
        let offers: Vec<_> = versions.chain(suites).chain(groups).collect();
        self.bar.set_length(offers.len() as u64);
        let mut found = Vec::new();
        for (what, restriction) in offers {
            self.bar.set_message(what.to_string());
            let mut taken = self.offer(restriction).await?;
            if let (PlanItem::Group(group), Taken::No) = (what, &taken) {
                taken = self.among(group).await?;
            }
            found.push(Found { what, taken });
            if self.broken >= BROKEN {
                self.still_there().await?;
            }
            self.bar.inc(1);
        }
        self.bar.finish_and_clear();
        Ok(found)
    }

    async fn offer(&mut self, restriction: Restriction) -> Result<Taken> {
        let policy = everything(&*self.target.backend).restricted(restriction.clone());
        let attempt = self.target.attempt(&policy, Verdict::NotNeeded).await;
        let taken = self.judge(attempt)?;
        if taken == Taken::Yes {
            self.accepted = Some(restriction);
        }
        Ok(taken)
    }

    /// Whether what was taken before still is.
    async fn still_there(&mut self) -> Result<()> {
        self.broken = 0;
        let Some(restriction) = self.accepted.clone() else { return Ok(()) };
        let policy = everything(&*self.target.backend).restricted(restriction);
        let attempt = self.target.attempt(&policy, Verdict::NotNeeded).await?;
        if Self::taken(&attempt) != Taken::No {
            return Ok(());
        }
        self.bar.finish_and_clear();
        let message = format!(
            "{BROKEN} connections in a row broke off, and then one with what the server had taken before"
        );
        Err(Failure::new(Exit::Connection, Layer::Tls, message).hint(
            "the server, or something before it, may close out who connects often: try later",
        ))
    }

    /// Whether a server takes what was offered. One that refuses our certificate, or that there is
    /// none, has agreed on version, suite and group before: in TLS 1.2 that refusal ends the
    /// handshake.
    fn taken(attempt: &Attempt) -> Taken {
        match attempt {
            Ok(_) => Taken::Yes,
            Err(error) if error.is_certificate() => Taken::Yes,
            Err(_) => Taken::No,
        }
    }

    /// Whether a server takes a group that stands before those of ECDSA certificates. In TLS 1.2 a
    /// client that does not offer the curve of such a certificate gets no session, whatever the
    /// server takes for the key exchange (RFC 8422, 5.1).
    async fn among(&mut self, group: Group) -> Result<Taken> {
        let curves = [groups::SECP256R1, groups::SECP384R1, groups::SECP521R1];
        if curves.contains(&group) {
            return Ok(Taken::No);
        }
        let mut policy = everything(&*self.target.backend);
        policy.groups.sort_by_key(|row| row.what != group);
        let offered = [&[group][..], &curves].concat();
        let policy = policy.restricted(Restriction::new().with_groups(offered));
        let attempt = self.target.attempt(&policy, Verdict::NotNeeded).await;
        let used = match &attempt {
            Ok(Ok(meeting)) => Some(meeting.info.group.unwrap_or("none")),
            // A refusal for the certificate ends a handshake of TLS 1.2, after the two have agreed.
            Ok(Err(error)) if error.is_certificate() => error.group().map(|used| used.name),
            _ => return self.judge(attempt),
        };
        self.judge(attempt)?;
        Ok(match used {
            Some(used) if used == group.name => Taken::Yes,
            Some(_) => Taken::No,
            None => Taken::Unknown("refused before the group was known: give --cert".to_owned()),
        })
    }

    fn judge(&mut self, attempt: Result<Attempt>) -> Result<Taken> {
        let failure = match attempt {
            Ok(attempt) => {
                self.silent = 0;
                let broke = attempt.as_ref().is_err_and(|error| error.kind() == TlsErrorKind::Io);
                self.broken = if broke { self.broken + 1 } else { 0 };
                return Ok(Self::taken(&attempt));
            }
            Err(failure) => failure,
        };
        self.silent += 1;
        if self.silent < SILENCE {
            return Ok(Taken::Unknown(failure.message));
        }
        self.bar.finish_and_clear();
        let message =
            format!("{}; so it went {SILENCE} times in a row, and the scan ended", failure.message);
        Err(Failure::new(failure.exit, failure.layer, message).hint(
            "the server, or something before it, may close out who connects often: try later",
        ))
    }
}
