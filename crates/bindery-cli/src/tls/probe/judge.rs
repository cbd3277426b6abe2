//! What a policy says of what a server did.

use bindery_core::TlsInfo;
use bindery_tls::{
    ClientAuth, Explanation, Need, PlanItem, Policy, TlsError, TlsErrorKind, registry,
};

use super::{
    scan::{Found, Taken},
    target::{Attempt, Meeting, Target},
};

/// What is to be said of a server.
pub(super) struct Judgement<'a> {
    /// What it does and the policy does not permit.
    pub(super) outside: Vec<String>,
    /// What the policy requires and it does not do.
    pub(super) missing: Vec<String>,
    attempt: &'a Attempt,
}

impl<'a> Judgement<'a> {
    pub(super) fn of(
        policy: &Policy,
        target: &Target,
        attempt: &'a Attempt,
        scanned: Option<&[Found]>,
    ) -> Self {
        let told = policy.explain(&target.backend.capabilities());
        let (mut outside, mut missing) = (Vec::new(), Vec::new());
        if let Ok(meeting) = attempt {
            outside.extend(negotiated(policy, target, &told, &meeting.info));
            missing.extend(newer(&told, &meeting.info));
            missing.extend(unasked(policy, target, meeting));
        }
        for Found { what, taken } in scanned.unwrap_or_default() {
            let row = told.iter().find(|one| one.what == *what);
            let used = row.is_some_and(|row| row.used);
            let required = row.is_some_and(|row| row.need == Some(Need::Required));
            let name = what.to_string();
            // A row is named alone or with what is said of it in brackets; one name may begin another.
            let of = |one: &String| {
                one.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            let named = |list: &[String]| list.iter().any(of);
            if *taken == Taken::Yes && !used && !named(&outside) {
                outside.push(name);
            } else if *taken == Taken::No && used && required && !named(&missing) {
                missing.push(name);
            }
        }
        Self { outside, missing, attempt }
    }

    /// What the server said against us after the handshake, or within it.
    pub(super) fn refusal(&self) -> Option<&TlsError> {
        match self.attempt {
            Ok(meeting) => meeting.refusal.as_ref(),
            Err(error) => Some(error),
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.outside.is_empty() && self.missing.is_empty() && self.refusal().is_none()
    }

    pub(super) fn verdict(&self, policy: &Policy) -> String {
        let mut parts = Vec::new();
        if !self.outside.is_empty() {
            let outside = self.outside.join("; ");
            parts.push(format!("not permitted by the policy {}: {outside}", policy.name));
        }
        if !self.missing.is_empty() {
            let missing = self.missing.join("; ");
            parts.push(format!(
                "the policy {} requires, and the server lacks: {missing}",
                policy.name
            ));
        }
        if let Some(refusal) = self.refusal() {
            parts.push(format!("the server refuses us: {}", refusal.message()));
        }
        match parts.is_empty() {
            true => format!("the policy {} permits what was negotiated", policy.name),
            false => parts.join("; "),
        }
    }

    pub(super) fn hint(&self) -> &str {
        match self.refusal() {
            Some(refusal) if self.outside.is_empty() && self.missing.is_empty() => refusal.hint(),
            _ => "bindery tls policy NAME says why; --scan shows what else the server takes",
        }
    }
}

/// What of a handshake a policy does not permit.
fn negotiated(
    policy: &Policy,
    target: &Target,
    told: &[Explanation],
    info: &TlsInfo,
) -> Vec<String> {
    let used = |what: PlanItem| told.iter().any(|one| one.what == what && one.used);
    let mut outside = Vec::new();
    if !used(PlanItem::Version(info.version)) {
        outside.push(info.version.to_string());
    }
    if !used(PlanItem::Suite(info.suite)) {
        let why = policy.explain_suite(info.suite, &target.backend.capabilities()).why;
        outside.push(format!("{} ({why})", info.suite.name));
    }
    let group = info.group.and_then(registry::group_named);
    outside.extend(group.filter(|g| !used(PlanItem::Group(*g))).map(|g| g.name.to_owned()));
    outside
}

/// The newer versions that the policy requires: they were offered, and the server chose an older one.
fn newer(told: &[Explanation], info: &TlsInfo) -> Vec<String> {
    let rows = told.iter().filter(|row| row.used && row.need == Some(Need::Required));
    let newer =
        rows.filter(|row| matches!(row.what, PlanItem::Version(version) if version > info.version));
    newer.map(|row| row.what.to_string()).collect()
}

/// That the server asked for no certificate, where the policy requires that it does. rustls tells who
/// asks; otherwise it is known of those that let somebody in without one.
fn unasked(policy: &Policy, target: &Target, meeting: &Meeting) -> Option<String> {
    let required = policy.client_auth == ClientAuth::Required && !meeting.by_psk;
    let unasked = meeting.asked.map_or(meeting.info.local_certificates.is_empty(), |asked| !asked);
    let refused_for_it = meeting
        .refusal
        .as_ref()
        .is_some_and(|refusal| refusal.kind() == TlsErrorKind::NoClientCertificate);
    let let_in = target.identity.is_some() || meeting.refusal.is_none();
    (required && unasked && let_in && !refused_for_it)
        .then(|| "that clients show a certificate: it did not ask for one".to_owned())
}
