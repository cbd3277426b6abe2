//! `bindery proxy`: a tunnelling proxy.

use std::sync::Arc;

use bindery_auth::{Authenticator, Login};
use bindery_core::AuthScheme;
use bindery_transport::{Limits, Listener, OnRuntime, Proxy, Reach, Server, TunnelLimits, Tunnels};
use serde_json::json;

use crate::{
    account,
    args::proxy::{ProxyArgs, ProxyScheme},
    config::{Loaded, LogFormat, accounts::AccountFile},
    error::{Exit, Failure, Layer, Result},
    log,
    output::{Format, Output, write_stdout},
    server::{ready, secure::HangUp, signals},
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
    let tunnels = tunnels(args)?;
    let mut limits = Limits::default();
    limits.connections = args.connections;
    limits.drain = args.drain.duration();
    let listener = Listener::clear(args.listen).tunnels(tunnels);
    let server = Server::builder().listen(listener).limits(limits).bind().await;
    let server = server.map_err(|error| {
        Failure::new(Exit::Start, Layer::Tcp, error.to_string()).hint(error.hint())
    })?;
    let address = server.local_addrs().first().copied().unwrap_or(args.listen);
    let stop = signals::stop(HangUp::Nothing)?;
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

fn tunnels(args: &ProxyArgs) -> Result<Tunnels> {
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
    match &args.accounts {
        Some(_) => Ok(tunnels.authenticator(authenticator(args)?)),
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
        (Some(user), Some(file)) => Some(Login::new(user, account::password(file)?)),
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

fn authenticator(args: &ProxyArgs) -> Result<Authenticator> {
    let start = |reason: String| Failure::new(Exit::Start, Layer::Config, reason);
    let file = args.accounts.as_deref().unwrap_or_else(|| std::path::Path::new("accounts.toml"));
    let loaded: Loaded<AccountFile> =
        Loaded::from_file(file).map_err(|problems| problems.into_failure(Exit::Start))?;
    let accounts = loaded.value.accounts(&args.realm).map_err(|faults| {
        let faults: Vec<String> =
            faults.into_iter().map(|(key, reason, _)| format!("{key}: {reason}")).collect();
        start(format!("{}: {}", file.display(), faults.join("; ")))
            .hint("`bindery account set` writes it, with --realm and --scheme")
    })?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| start(format!("no random octets: {error}")))?;
    let made = Authenticator::new(&args.realm, Arc::new(accounts), key);
    let made = made.map_err(|error| start(error.to_string()))?;
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
