//! `bindery tls probe`: what a server negotiates, and what a policy says of it.

mod asked;
mod judge;
mod scan;
mod target;

use bindery_tls::{Backend, Certificate, Need, Policy, Row, TlsError};
use serde_json::{Value, json};

use super::{own_policies, policy::kind};
use crate::{
    args::ProbeArgs,
    error::{Exit, Failure, Layer, Result},
    output::{Document, Output, pairs, table},
    serve::now,
};
use asked::Asked;
use judge::Judgement;
use scan::{Found, Scan, Taken};
use target::{Attempt, Meeting, Target, Verdict};

/// Connects and reports.
///
/// # Errors
/// Nobody answers, no handshake succeeds, the server refuses us after it, or what it does is not what
/// the policy says.
pub(super) async fn run(args: &ProbeArgs, output: Output) -> Result<()> {
    let own = own_policies(args.config.as_deref())?;
    let asked = Asked::of(args)?;
    let policy = super::policy(&asked.tls_policy, &own)?;
    let target = Target::new(args, &asked)?;
    let attempt = target.attempt(&everything(&*target.backend), Verdict::Awaited).await?;
    if let Err(error) = &attempt
        && !(args.scan && error.is_certificate())
    {
        return Err(super::failure(error));
    }
    let scanned = if args.scan { Some(Scan::new(&target).run().await?) } else { None };
    let judgement = Judgement::of(&policy, &target, &attempt, scanned.as_deref());
    let certificates = attempt.as_ref().map(|meeting| certificates(meeting, &target));
    let certificates = certificates.unwrap_or_default();
    let text = text(&target, &policy, &attempt, &certificates, scanned.as_deref(), &judgement);
    let json = json(&target, &policy, &attempt, &certificates, scanned.as_deref(), &judgement);
    Document::new(json, text).print(&output)?;
    if judgement.is_good() {
        return Ok(());
    }
    let failure = Failure::new(Exit::Connection, Layer::Tls, judgement.verdict(&policy));
    Err(failure.hint(judgement.hint().to_owned()))
}

fn text(
    target: &Target,
    policy: &Policy,
    attempt: &Attempt,
    certificates: &[String],
    scanned: Option<&[Found]>,
    judgement: &Judgement<'_>,
) -> String {
    let mut head = vec![("server", target.to_string())];
    match attempt {
        Ok(meeting) => head.extend([
            ("version", meeting.info.version.to_string()),
            ("suite", meeting.info.suite.name.to_owned()),
            ("group", meeting.info.group.unwrap_or("none").to_owned()),
        ]),
        Err(error) => head.push(("handshake", error.message().to_owned())),
    }
    let hint = attempt.as_ref().ok().and_then(|meeting| meeting.psk_hint.clone());
    head.extend(hint.map(|hint| ("PSK hint", hint)));
    head.extend(certificates.iter().map(|line| ("certificate", line.clone())));
    let asked = match target::asked(attempt) {
        Some(true) => "asked for",
        Some(false) => "not asked for",
        None => "not known whether asked for",
    };
    head.push(("client certificate", asked.to_owned()));
    if let Some(refusal) = judgement.refusal() {
        head.push(("refused", refusal.message().to_owned()));
    }
    head.push(("verdict", judgement.verdict(policy)));
    let mut text = pairs(head);
    if let Some(scanned) = scanned {
        let told = policy.explain(&target.backend.capabilities());
        let rows = scanned.iter().map(|Found { what, taken }| {
            let permitted = told.iter().any(|one| one.what == *what && one.used);
            let taken = match taken {
                Taken::Yes => "yes",
                Taken::No => "no",
                Taken::Unknown(why) => why,
            };
            let permitted = if permitted { "yes" } else { "no" };
            [kind(*what).to_owned(), what.to_string(), taken.to_owned(), permitted.to_owned()]
        });
        text.push('\n');
        text.push_str(&table(&["what", "name", "taken", "permitted"], rows));
    }
    text
}

fn json(
    target: &Target,
    policy: &Policy,
    attempt: &Attempt,
    certificates: &[String],
    scanned: Option<&[Found]>,
    judgement: &Judgement<'_>,
) -> Value {
    let scanned = scanned.map(|rows| {
        let row = |Found { what, taken }: &Found| {
            let told = match taken {
                Taken::Yes => Value::Bool(true),
                Taken::No => Value::Bool(false),
                Taken::Unknown(_) => Value::Null,
            };
            json!({ "what": kind(*what), "name": what.to_string(), "taken": told })
        };
        rows.iter().map(row).collect::<Vec<_>>()
    });
    let info = attempt.as_ref().ok().map(|meeting| &meeting.info);
    let refusal = judgement.refusal();
    json!({
        "server": target.to_string(),
        "version": info.map(|info| info.version.to_string()),
        "suite": info.map(|info| info.suite.name),
        "group": info.and_then(|info| info.group),
        "psk_hint": attempt.as_ref().ok().and_then(|meeting| meeting.psk_hint.as_ref()),
        "certificates": certificates,
        "policy": policy.name,
        "permitted": judgement.outside.is_empty(),
        "outside": judgement.outside,
        "missing": judgement.missing,
        "refused": refusal.map(|error| {
            json!({ "kind": error.kind().as_str(), "message": error.message() })
        }),
        "client_certificate_asked": target::asked(attempt),
        "scan": scanned,
    })
}

/// A policy that permits whatever this program's TLS library can do; what `modern` prefers comes
/// first.
fn everything(backend: &dyn Backend) -> Policy {
    let all = backend.capabilities();
    let mut policy = Policy::modern();
    policy.name = "everything".into();
    policy.title = "what the library can do, for probing".into();
    permit(&mut policy.versions, all.versions);
    permit(&mut policy.suites, all.suites);
    permit(&mut policy.groups, all.groups);
    permit(&mut policy.signatures, all.signatures);
    policy
}

fn permit<T: Copy + PartialEq>(rows: &mut Vec<Row<T>>, has: Vec<T>) {
    rows.retain(|row| row.need != Need::LeftOut);
    for what in has {
        if !rows.iter().any(|row| row.what == what) {
            rows.push(Row::permitted(what, "for probing"));
        }
    }
}

/// What the server showed, a line for each certificate, with what is wrong with its own.
fn certificates(meeting: &Meeting, target: &Target) -> Vec<String> {
    let chain = meeting.certificates.iter().enumerate();
    let lines = chain.map(|(index, der)| match Certificate::from_der(der) {
        Err(error) => TlsError::to_string(&error),
        Ok(one) => {
            let mut line =
                format!("{}; issuer {}; sha256 {}", one.subject, one.issuer, one.fingerprint);
            if let Err(error) = one.check_dates(now(), "it") {
                line.push_str(&format!("; {}", error.message()));
            }
            if index == 0 {
                let names = one.dns_names.iter().cloned();
                let addresses = one.ip_addresses.iter().map(ToString::to_string);
                let names: Vec<String> = names.chain(addresses).collect();
                line.push_str(&format!("; for {}", names.join(", ")));
                line.push_str(&format!("; asked for {}", target.name.to_str()));
            }
            line
        }
    });
    lines.collect()
}
