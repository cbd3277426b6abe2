//! `bindery tls policy`: what a policy says, and what comes of it here.

use std::path::PathBuf;

use bindery_tls::{Backend, Explanation, PlanItem, Policy, registry};
use serde_json::{Value, json};

use super::{OwnPolicies, failure};
use crate::{
    error::{Exit, Failure, Layer, Result},
    output::{Document, Output, pairs, table},
};

/// Lists the policies.
///
/// # Errors
/// One of the operator's is wrong, or writing failed.
pub(super) fn list(own: &OwnPolicies, backend: &dyn Backend, output: &Output) -> Result<()> {
    let mut policies = Policy::built_in();
    for name in own.names() {
        policies.push(super::policy(name, own)?);
    }
    let capabilities = backend.capabilities();
    let served = |policy: &Policy| policy.resolve(&capabilities).is_ok();
    let rows = policies.iter().map(|policy| {
        [
            policy.name.to_string(),
            if served(policy) { "yes" } else { "no" }.to_owned(),
            policy.client_auth.to_string(),
            policy.title.to_string(),
        ]
    });
    let text = table(&["name", "served", "client certificate", "title"], rows);
    let json: Value = policies
        .iter()
        .map(|policy| {
            json!({
                "name": policy.name,
                "title": policy.title,
                "served": served(policy),
                "client_certificate": policy.client_auth.to_string(),
            })
        })
        .collect();
    Document::new(json, text).print(output)
}

/// Shows what a policy comes to on this program's TLS library, and why; or only what it says of
/// some suites.
///
/// # Errors
/// A suite that nobody knows, or writing failed.
pub(super) fn show(
    policy: &Policy,
    backend: &dyn Backend,
    suites: &[String],
    output: &Output,
) -> Result<()> {
    let capabilities = backend.capabilities();
    let told = if suites.is_empty() {
        policy.explain(&capabilities)
    } else {
        let told = suites.iter().map(|name| {
            let known = registry::suite_named(name).or_else(|| registry::suite_of_openssl(name));
            let known = known.ok_or_else(|| unknown(name))?;
            Ok(policy.explain_suite(known.suite, &capabilities))
        });
        told.collect::<Result<Vec<_>>>()?
    };
    let refused = policy.resolve(&capabilities).err().map(|error| failure(&error));
    let served = match &refused {
        None => "yes".to_owned(),
        Some(failure) => format!("no: {}", failure.message),
    };
    let mut head = vec![
        ("name", policy.name.to_string()),
        ("title", policy.title.to_string()),
        ("references", policy.references.join("; ")),
        ("client certificate", policy.client_auth.to_string()),
        ("library", backend.name().to_owned()),
        ("served", served),
    ];
    let listed = |files: &[PathBuf]| {
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    };
    if !policy.trust.anchors.is_empty() {
        head.push(("trust anchors", listed(&policy.trust.anchors)));
    }
    if !policy.trust.crls.is_empty() {
        head.push(("revocation lists", listed(&policy.trust.crls)));
    }
    if let Some(identities) = identities(policy) {
        head.push(("PSK identities", identities.join(", ")));
    }
    head.extend(refused.as_ref().and_then(|f| f.hint.clone()).map(|hint| ("remedy", hint)));
    head.extend(policy.notes.iter().map(|note| ("note", note.to_string())));
    let cells = told.iter().map(|row| {
        [
            kind(row.what).to_owned(),
            row.what.to_string(),
            if row.used { "yes".to_owned() } else { row.why.clone() },
            row.need.map(|need| need.to_string()).unwrap_or_default(),
            row.source.clone(),
        ]
    });
    let rows = table(&["what", "name", "used", "need", "source"], cells);
    let text = format!("{}\n{rows}", pairs(head));
    Document::new(to_json(policy, backend, &told, refused.as_ref()), text).print(output)
}

fn to_json(
    policy: &Policy,
    backend: &dyn Backend,
    told: &[Explanation],
    refused: Option<&Failure>,
) -> Value {
    let used = |wanted: &str| -> Vec<String> {
        let rows = told.iter().filter(|row| row.used && kind(row.what) == wanted);
        rows.map(|row| row.what.to_string()).collect()
    };
    json!({
        "name": policy.name,
        "title": policy.title,
        "references": policy.references,
        "notes": policy.notes,
        "client_certificate": policy.client_auth.to_string(),
        "trust_anchors": policy.trust.anchors,
        "crls": policy.trust.crls,
        "psk_identities": identities(policy),
        "library": backend.name(),
        "served": refused.is_none(),
        "refusal": refused.map(|failure| &failure.message),
        "versions": used("version"),
        "suites": used("suite"),
        "groups": used("group"),
        "signatures": used("signature"),
        "rows": told.iter().map(row_to_json).collect::<Vec<_>>(),
    })
}

/// The identities of pre-shared keys that the policy permits, where it says so.
fn identities(policy: &Policy) -> Option<Vec<String>> {
    let identities = policy.trust.psk_identities.as_ref()?;
    Some(identities.iter().map(|one| one.escape_ascii().to_string()).collect())
}

fn row_to_json(row: &Explanation) -> Value {
    let openssl = match row.what {
        PlanItem::Suite(suite) => registry::suite(suite.id).and_then(|row| row.openssl_name),
        _ => None,
    };
    json!({
        "what": kind(row.what),
        "name": row.what.to_string(),
        "openssl": openssl,
        "used": row.used,
        "why": if row.used { "yes" } else { &row.why },
        "need": row.need.map(|need| need.to_string()),
        "source": row.source,
    })
}

pub(super) const fn kind(what: PlanItem) -> &'static str {
    match what {
        PlanItem::Version(_) => "version",
        PlanItem::Suite(_) => "suite",
        PlanItem::Group(_) => "group",
        _ => "signature",
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(Exit::Usage, Layer::Tls, format!("no cipher suite is called \"{name}\""))
        .hint("use IANA's names, such as TLS_AES_256_GCM_SHA384, or OpenSSL's")
}
