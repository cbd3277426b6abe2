//! TLS for the program: policies by name, connectors, `bindery tls`.

mod policy;
mod probe;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bindery_tls::{
    Backend, ClientConfig, Connector, Identity, Policy, Provider, PskIdentities, Restriction,
    Roots, RustlsBackend, TlsError, TlsErrorKind,
};

use crate::{
    args::TlsCommand,
    config::{Config, Loaded, Problem, Problems, TlsBackend, place},
    error::{Exit, Failure, Layer, Result},
    output::{self, Document, Output},
    settings::Settings,
};

/// Runs `bindery tls`.
///
/// # Errors
/// There is no such policy, nobody to probe, or writing failed.
pub(crate) async fn run(command: TlsCommand, output: Output) -> Result<()> {
    match command {
        TlsCommand::Policy { keys: true, .. } => {
            let keys = serde_json::Value::from(Policy::KEYS);
            Document::new(keys, Policy::KEYS).print(&output)
        }
        TlsCommand::Policy { name, suite, tls_backend, config, .. } => {
            let own = own_policies(config.as_deref())?;
            let backend = backend_of(tls_backend).map_err(|error| failure(&error))?;
            match name {
                None => policy::list(&own, &*backend, &output),
                Some(name) => policy::show(&policy(&name, &own)?, &*backend, &suite, &output),
            }
        }
        TlsCommand::Probe(args) => probe::run(&args, output).await,
    }
}

/// The operator's policies in a configuration file; none without one.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn own_policies(file: Option<&Path>) -> Result<OwnPolicies> {
    let Some(file) = file else { return Ok(OwnPolicies::default()) };
    let loaded: Loaded<Config> =
        Loaded::from_file(file).map_err(|problems| problems.into_failure(Exit::Usage))?;
    Ok(OwnPolicies::of(&loaded))
}

/// The TLS library of this program.
pub(crate) fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

/// The TLS library that is asked for.
///
/// # Errors
/// The program was built without it, or it cannot be set up.
pub(crate) fn backend_of(choice: TlsBackend) -> std::result::Result<Box<dyn Backend>, TlsError> {
    match choice {
        TlsBackend::Rustls => Ok(Box::new(backend())),
        TlsBackend::DangerousLegacyOpenssl => legacy(),
    }
}

#[cfg(feature = "legacy-tls")]
fn legacy() -> std::result::Result<Box<dyn Backend>, TlsError> {
    Ok(Box::new(bindery_tls_legacy::LegacyBackend::new()?))
}

#[cfg(not(feature = "legacy-tls"))]
fn legacy() -> std::result::Result<Box<dyn Backend>, TlsError> {
    let message = "this program was built without OpenSSL";
    let hint = "build it with --features legacy-tls, or leave tls_backend at \"rustls\"";
    Err(TlsError::new(TlsErrorKind::Configuration, message, hint))
}

/// Policies of an operator's own, as tables `[tls.policy.NAME]` of a configuration file.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnPolicies {
    names: Vec<String>,
    file: PathBuf,
    /// The file's text: what is wrong is told with its place there.
    text: Arc<str>,
    /// Where the files of the policies are.
    folder: PathBuf,
}

impl OwnPolicies {
    /// Those of a configuration.
    pub(crate) fn of(loaded: &Loaded<Config>) -> Self {
        Self {
            names: loaded.value.tls.policy.keys().cloned().collect(),
            file: loaded.file.clone(),
            text: loaded.text.as_str().into(),
            folder: loaded.path(Path::new("")),
        }
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// One of them, by its name.
    ///
    /// # Errors
    /// What is wrong with it, with its key, line and column in the file.
    pub(crate) fn read(&self, name: &str) -> std::result::Result<Policy, Problem> {
        let policy = Policy::from_toml_table(name, &self.text, &["tls", "policy", name]);
        policy.map(|policy| policy.with_files_in(&self.folder)).map_err(|error| {
            let at = error.span().map(|span| place(&self.text, &span));
            Problem {
                place: Some(at.unwrap_or_else(|| format!("tls.policy.{name}"))),
                reason: format!("TLS policy {name}: {}", error.message()),
                remedy: error.hint().to_owned(),
            }
        })
    }
}

/// The policy of a name: a built-in one, or one of the operator's.
///
/// # Errors
/// There is none, and the failure names those that there are; or the operator's is wrong.
pub(crate) fn policy(name: &str, own: &OwnPolicies) -> Result<Policy> {
    if own.names().any(|one| one == name) {
        return own.read(name).map_err(|problem| {
            let problems = Problems { file: own.file.clone(), problems: vec![problem] };
            problems.into_failure(Exit::Usage)
        });
    }
    Policy::named(name).ok_or_else(|| {
        let policies = Policy::built_in();
        let known = policies.iter().map(|policy| policy.name.as_ref());
        let known: Vec<&str> = known.chain(own.names()).collect();
        let message = format!("there is no TLS policy \"{name}\"; known: {}", known.join(", "));
        Failure::new(Exit::Usage, Layer::Tls, message).hint("bindery tls policy")
    })
}

/// What secures a client's connections.
///
/// # Errors
/// A file is missing or not what it should be, or the policy cannot be met.
pub(crate) fn connector(settings: &Settings) -> Result<Arc<dyn Connector>> {
    let mut policy = policy(&settings.tls_policy, &settings.own_policies)?;
    let mut config = match &settings.cacert {
        _ if settings.insecure => ClientConfig::dangerous_any_server(),
        Some(file) => {
            ClientConfig::new(Roots::from_pem_file(file).map_err(|error| failure(&error))?)
        }
        None if !policy.trust.anchors.is_empty() => {
            ClientConfig::of_policy(&policy).map_err(|error| failure(&error))?
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
    let files = (settings.cert.as_deref(), settings.key.as_deref());
    if let Some(identity) = identity(files, settings.key_passphrase_file.as_deref())? {
        config = config.with_identity(identity);
    }
    if !settings.suites.is_empty() {
        let names = settings.suites.iter().map(String::as_str);
        let named = Restriction::new().with_suites_named(names);
        policy = policy.restricted(named.map_err(|error| failure(&error))?);
    }
    if let Some(file) = &settings.psk_file {
        let keys = PskIdentities::from_file(file).map_err(|error| failure(&error))?;
        config = config.with_psk(keys);
    }
    let backend = backend_of(settings.tls_backend).map_err(|error| failure(&error))?;
    backend.connector(&policy, config).map_err(|error| failure(&error))
}

/// What a client shows: its certificate chain and key, if they are given.
///
/// # Errors
/// One is given without the other, or a file is not what it should be.
fn identity(
    (cert, key): (Option<&Path>, Option<&Path>),
    passphrase: Option<&Path>,
) -> Result<Option<Identity>> {
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(Failure::usage("a certificate without its key").hint("add --key"));
        }
        (None, Some(_)) => {
            return Err(Failure::usage("a key without its certificate").hint("add --cert"));
        }
    };
    let identity = match passphrase {
        Some(file) => Identity::from_pem_files_with_passphrase(cert, key, file),
        None => Identity::from_pem_files(cert, key),
    };
    let identity = identity.map_err(|error| failure(&error))?;
    if let Some(warning) = identity.needless_passphrase() {
        output::warn(&warning);
    }
    Ok(Some(identity))
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
