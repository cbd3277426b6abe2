//! TLS for the program: policies by name, connectors, `bindery tls`.

use std::sync::Arc;

use bindery_tls::{
    Backend, ClientAuth, ClientConfig, Connector, Identity, Plan, Policy, Provider, Restriction,
    Roots, RustlsBackend, TlsError, TlsErrorKind,
};
use serde_json::{Value, json};

use crate::{
    error::{Exit, Failure, Layer, Result},
    output::{Document, Output, pairs, table},
    settings::Settings,
};

/// The TLS library of this program.
pub(crate) fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

/// The policy of a name.
///
/// # Errors
/// There is none; the failure names those that there are.
pub(crate) fn policy(name: &str) -> Result<Policy> {
    Policy::named(name).ok_or_else(|| {
        let policies = Policy::built_in();
        let known: Vec<&str> = policies.iter().map(|policy| policy.name.as_ref()).collect();
        let message = format!("there is no TLS policy \"{name}\"; known: {}", known.join(", "));
        Failure::new(Exit::Usage, Layer::Tls, message).hint("bindery tls policy")
    })
}

/// What secures a client's connections.
///
/// # Errors
/// A file is missing or not what it should be, or the policy cannot be met.
pub(crate) fn connector(settings: &Settings) -> Result<Arc<dyn Connector>> {
    let mut config = match &settings.cacert {
        _ if settings.insecure => ClientConfig::dangerous_any_server(),
        Some(file) => {
            ClientConfig::new(Roots::from_pem_file(file).map_err(|error| failure(&error))?)
        }
        None => {
            return Err(Failure::new(
                Exit::Usage,
                Layer::Tls,
                "nothing says which authorities may vouch for the server",
            )
            .hint("give --cacert with their certificates, or a --context that has them"));
        }
    };
    match (&settings.cert, &settings.key) {
        (Some(cert), Some(key)) => {
            let identity = Identity::from_pem_files(cert, key).map_err(|error| failure(&error))?;
            config = config.with_identity(identity);
        }
        (None, None) => {}
        (Some(_), None) => {
            return Err(Failure::usage("a certificate without its key").hint("add --key"));
        }
        (None, Some(_)) => {
            return Err(Failure::usage("a key without its certificate").hint("add --cert"));
        }
    }
    let mut policy = policy(&settings.tls_policy)?;
    if !settings.suites.is_empty() {
        let names = settings.suites.iter().map(String::as_str);
        let named = Restriction::new().with_suites_named(names);
        policy = policy.restricted(named.map_err(|error| failure(&error))?);
    }
    backend().connector(&policy, config).map_err(|error| failure(&error))
}

/// The failure of a command by an error of TLS.
pub(crate) fn failure(error: &TlsError) -> Failure {
    let exit = match error.kind() {
        TlsErrorKind::Configuration | TlsErrorKind::PolicyNotMet => Exit::Usage,
        _ => Exit::Connection,
    };
    Failure::new(exit, Layer::Tls, error.to_string())
        .hint(error.hint())
        .detail("kind", error.kind().as_str())
}

/// Lists the policies.
///
/// # Errors
/// Writing failed.
pub(crate) fn list(output: &Output) -> Result<()> {
    let policies = Policy::built_in();
    let rows = policies.iter().map(|policy| {
        [
            policy.name.to_string(),
            client_auth(policy.client_auth).to_owned(),
            policy.title.to_string(),
        ]
    });
    let text = table(&["name", "client certificate", "title"], rows);
    let json: Value = policies
        .iter()
        .map(|policy| {
            json!({
                "name": policy.name,
                "title": policy.title,
                "client_certificate": client_auth(policy.client_auth),
            })
        })
        .collect();
    Document::new(json, text).print(output)
}

/// Shows what a policy comes to on this program's TLS library, and why.
///
/// # Errors
/// There is no such policy, or writing failed.
pub(crate) fn show(name: &str, output: &Output) -> Result<()> {
    let policy = policy(name)?;
    let backend = backend();
    let plan = policy.resolve(&backend.capabilities()).map_err(|error| failure(&error))?;
    let rows = rows(&policy, &plan);
    let head = pairs([
        ("name", policy.name.to_string()),
        ("title", policy.title.to_string()),
        ("references", policy.references.join("; ")),
        ("client certificate", client_auth(plan.client_auth).to_owned()),
        ("library", backend.name().to_owned()),
    ]);
    let cells = rows.iter().map(|row| {
        [
            row.kind.to_owned(),
            row.name.clone(),
            row.verdict.clone(),
            row.need.clone(),
            row.source.clone(),
        ]
    });
    let text = format!("{head}\n{}", table(&["what", "name", "used", "need", "source"], cells));
    let json = json!({
        "name": policy.name,
        "title": policy.title,
        "references": policy.references,
        "client_certificate": client_auth(plan.client_auth),
        "library": backend.name(),
        "versions": plan.versions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "suites": plan.suites.iter().map(|suite| suite.name).collect::<Vec<_>>(),
        "groups": plan.groups.iter().map(|group| group.name).collect::<Vec<_>>(),
        "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(),
    });
    Document::new(json, text).print(output)
}

/// One row of a policy and what became of it.
struct Row {
    kind: &'static str,
    name: String,
    used: bool,
    verdict: String,
    need: String,
    source: String,
}

impl Row {
    fn to_json(&self) -> Value {
        json!({
            "what": self.kind,
            "name": self.name,
            "used": self.used,
            "why": self.verdict,
            "need": self.need,
            "source": self.source,
        })
    }
}

fn rows(policy: &Policy, plan: &Plan) -> Vec<Row> {
    let row = |kind, name: String, used, need: bindery_tls::Need, source: &str| {
        let dropped = plan.dropped.iter().find(|dropped| dropped.what.to_string() == name);
        let why = dropped.map_or_else(|| "no".to_owned(), |dropped| dropped.why.to_string());
        let verdict = if used { "yes".to_owned() } else { why };
        let need = match need {
            bindery_tls::Need::Required => "required",
            bindery_tls::Need::Permitted => "permitted",
            _ => "left out",
        };
        Row { kind, name, used, verdict, need: need.to_owned(), source: source.to_owned() }
    };
    let versions = policy.versions.iter().map(|one| {
        let used = plan.versions.contains(&one.what);
        row("version", one.what.to_string(), used, one.need, &one.source)
    });
    let suites = policy.suites.iter().map(|one| {
        let used = plan.suites.contains(&one.what);
        row("suite", one.what.name.to_owned(), used, one.need, &one.source)
    });
    let groups = policy.groups.iter().map(|one| {
        let used = plan.groups.contains(&one.what);
        row("group", one.what.name.to_owned(), used, one.need, &one.source)
    });
    versions.chain(suites).chain(groups).collect()
}

const fn client_auth(client_auth: ClientAuth) -> &'static str {
    match client_auth {
        ClientAuth::Required => "required",
        ClientAuth::Optional => "optional",
        _ => "none",
    }
}
