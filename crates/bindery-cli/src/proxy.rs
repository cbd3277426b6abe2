//! `bindery proxy`: a tunnelling proxy.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bindery_auth::{Authenticator, Login};
use bindery_core::AuthScheme;
use bindery_transport::{Limits, Listener, OnRuntime, Proxy, Reach, Server, TunnelLimits, Tunnels};
use serde_json::json;

use crate::{
    account,
    args::proxy::{ProxyArgs, ProxyScheme},
    config::{LogFormat, accounts::AccountFile},
    error::{Exit, Failure, Layer, Result},
    log,
    output::{Format, Output, shell_word, write_stdout},
    server::{accounts::LiveAccounts, ready, secure::HangUp, signals},
};

/// Runs the proxy until it is told to stop.
///
/// # Errors
/// It could not start.
pub(crate) async fn run(args: &ProxyArgs, output: Output) -> Result<()> {
    let level = match output.verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    log::start(level, LogFormat::Text)?;
    let source = Source::of(args);
    let accounts = source.as_ref().map(accounts).transpose()?;
    let tunnels = tunnels(args, accounts.as_ref())?;
    let mut limits = Limits::default();
    limits.connections = args.connections;
    limits.drain = args.drain.duration();
    let listener = Listener::clear(args.listen).tunnels(tunnels);
    let server = Server::builder().listen(listener).limits(limits).bind().await;
    let server = server.map_err(|error| {
        Failure::new(Exit::Start, Layer::Tcp, error.to_string()).hint(error.hint())
    })?;
    let address = server.local_addrs().first().copied().unwrap_or(args.listen);
    let hang_up = match (source, accounts) {
        (Some(source), Some(live)) => HangUp::Accounts(Reread { source, live }),
        _ => HangUp::Nothing,
    };
    let stop = signals::stop(hang_up)?;
    let json =
        json!({ "ready": true, "pid": std::process::id(), "proxy": format!("http://{address}") });
    if let Some(file) = &args.ready.ready_file {
        ready::write_whole(file, format!("{json}\n").as_bytes())?;
    }
    let line = if output.format == Format::Json {
        json.to_string()
    } else {
        format!("ready proxy=http://{address} pid={}", std::process::id())
    };
    write_stdout(format!("{line}\n").as_bytes())?;
    server.serve(stop).await;
    Ok(())
}

fn tunnels(args: &ProxyArgs, accounts: Option<&LiveAccounts>) -> Result<Tunnels> {
    let mut limits = TunnelLimits::default();
    limits.connect = args.connect.duration();
    limits.idle = args.idle.duration();
    limits.age = args.age.duration();
    let reach = Reach::public().allow(args.allow_address.iter().copied());
    let tunnels = Tunnels::new().ports(args.allow_port.clone()).reach(reach);
    let mut tunnels = tunnels.limits(limits).next(next(args)?);
    if args.forward {
        tunnels = tunnels.forwarding();
    }
    match accounts {
        Some(accounts) => Ok(tunnels.authenticator(authenticator(args, accounts)?)),
        None if args.dangerous_open || args.listen.ip().is_loopback() => {
            if args.dangerous_open {
                tracing::warn!("--dangerous-open: whoever reaches this proxy may use it");
            }
            Ok(tunnels)
        }
        None => Err(Failure::new(
            Exit::Start,
            Layer::Usage,
            format!("whoever reaches {} could use the proxy", args.listen),
        )
        .hint("name who may with --accounts, or say --dangerous-open")),
    }
}

fn next(args: &ProxyArgs) -> Result<Vec<Proxy>> {
    let login = match (&args.next_user, &args.next_password_file) {
        (None, None) => None,
        (Some(user), Some(file)) => {
            let login = Login::new(user, account::password(file)?);
            Some(if args.dangerous_next_basic { login.dangerous_basic_in_clear() } else { login })
        }
        _ => {
            return Err(Failure::usage("--next-user and --next-password-file belong together")
                .hint("give both"));
        }
    };
    let proxies = args.next.iter().map(|url| {
        let proxy = Proxy::new(url)
            .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
        Ok(match &login {
            Some(login) => proxy.with_login(login.clone()),
            None => proxy,
        })
    });
    proxies.collect()
}

fn start(reason: String) -> Failure {
    Failure::new(Exit::Start, Layer::Config, reason)
}

/// A file of accounts, and how they are proved.
#[derive(Clone, Debug)]
struct Source {
    file: PathBuf,
    realm: String,
    /// By Digest, and nothing else.
    by_digest: bool,
}

impl Source {
    fn of(args: &ProxyArgs) -> Option<Self> {
        let by_digest = !args.auth.contains(&ProxyScheme::DangerousBasic);
        Some(Self { file: args.accounts.clone()?, realm: args.realm.clone(), by_digest })
    }
}

fn accounts(source: &Source) -> Result<LiveAccounts> {
    let Source { file, realm, by_digest } = source;
    let loaded = AccountFile::load(file).map_err(|problems| problems.into_failure(Exit::Start))?;
    if *by_digest {
        provable(&loaded, realm, file)?;
    }
    let accounts = loaded.accounts(realm).map_err(|faults| {
        let faults: Vec<String> =
            faults.into_iter().map(|(key, reason, _)| format!("{key}: {reason}")).collect();
        start(format!("{}: {}", file.display(), faults.join("; ")))
            .hint("`bindery account set` writes it, with --realm and --scheme")
    })?;
    Ok(LiveAccounts::new(accounts))
}

/// A file of accounts that is read anew while the proxy works.
#[derive(Clone, Debug)]
pub(crate) struct Reread {
    source: Source,
    live: LiveAccounts,
}

impl Reread {
    /// Reads the file, and goes on with what was read before if that fails.
    pub(crate) fn act(&self) {
        match accounts(&self.source) {
            Ok(fresh) => {
                self.live.replace_by(&fresh);
                tracing::info!("SIGHUP: {} was read anew", self.source.file.display());
            }
            Err(failure) => {
                tracing::error!("SIGHUP: the accounts stay as they were: {}", failure.message);
            }
        }
    }
}

fn authenticator(args: &ProxyArgs, accounts: &LiveAccounts) -> Result<Authenticator> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| start(format!("no random octets: {error}")))?;
    let made = Authenticator::new(&args.realm, Arc::new(accounts.clone()), key);
    let made = made.map_err(|error| start(error.to_string()))?;
    let made = if args.legacy_digest_path { made.legacy_path_uri() } else { made };
    let schemes: Vec<AuthScheme> = args
        .auth
        .iter()
        .map(|scheme| match scheme {
            ProxyScheme::Digest => AuthScheme::Digest,
            ProxyScheme::DangerousBasic => AuthScheme::Basic,
        })
        .collect();
    let made = made.with_blocking(Arc::new(OnRuntime::new()));
    if schemes.contains(&AuthScheme::Basic) {
        tracing::warn!("--auth dangerous-basic: passwords come in clear");
        return Ok(made.with_schemes(schemes).dangerous_basic_in_clear());
    }
    Ok(made.with_schemes(schemes))
}

/// Tells of accounts that could never pass: whoever asks for Digest cannot take a password that is kept
/// for Basic.
fn provable(accounts: &AccountFile, realm: &str, file: &Path) -> Result<()> {
    let without = accounts.without_digest(realm);
    if without.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{}: the proxy asks for Digest in the realm {:?}, and these have no secret for it: {}",
        file.display(),
        realm,
        without.join(", ")
    );
    let hint = format!(
        "bindery account set USER --password-file FILE --accounts {} --scheme digest-sha256 --realm {}",
        file.display(),
        shell_word(realm)
    );
    if without.len() == accounts.account.len() {
        return Err(Failure::new(Exit::Start, Layer::Config, message).hint(hint));
    }
    tracing::warn!("{message}; {hint}");
    Ok(())
}
