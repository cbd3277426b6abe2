//! What is probed, and how: options, and where they say nothing the context.

use std::{path::PathBuf, time::Duration};

use crate::{
    args::{ProbeArgs, StartTls, client::UpgradeName},
    config::ClientSettings,
    error::{Failure, Result},
    settings::{in_context, parse_url},
};

/// How long is waited for each handshake where nothing says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// What options and context come to.
pub(super) struct Asked {
    /// The host: a name or an address, without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls_policy: String,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) proxies: Vec<String>,
    pub(super) starttls: Option<StartTls>,
    pub(super) patience: Duration,
}

impl Asked {
    /// Joins both.
    ///
    /// # Errors
    /// There is no such context, or no server is named.
    pub(super) fn of(args: &ProbeArgs) -> Result<Self> {
        let context = match (&args.context, &args.context_file) {
            (None, None) => ClientSettings::default(),
            (name, file) => in_context(name.as_deref(), file.as_deref())?,
        };
        // Certificate and key belong together.
        let (cert, key) = match (&args.cert, &args.key) {
            (None, None) => (context.cert.clone(), context.key.clone()),
            (cert, key) => (cert.clone(), key.clone()),
        };
        let (host, port, starttls) = match &args.server {
            Some(server) => {
                let (host, port) = host_and_port(server)?;
                (host, port, None)
            }
            None => of_context(&context)?,
        };
        let policy = args.tls_policy.clone().or(context.tls_policy);
        let timeout = args.timeout.or(context.timeout);
        Ok(Self {
            host,
            port,
            tls_policy: policy.unwrap_or_else(|| "modern".to_owned()),
            cert,
            key,
            proxies: if args.proxy.is_empty() { context.proxy } else { args.proxy.clone() },
            starttls: args.starttls.or(starttls),
            patience: timeout.map_or(PATIENCE, |span| span.duration()),
        })
    }
}

fn host_and_port(server: &str) -> Result<(String, u16)> {
    let wrong = |why: &str| {
        Failure::usage(format!("\"{server}\" {why}"))
            .hint("write HOST:PORT, such as kmip.example.com:5696 or [::1]:5696")
    };
    let (host, port) = server.rsplit_once(':').ok_or_else(|| wrong("has no port"))?;
    let port = port.parse().map_err(|_| wrong("has no port that is a number"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(wrong("has no host"));
    }
    Ok((host, port))
}

/// The server of a context's URL. An http URL leads to TLS by an upgrade, if it does.
fn of_context(context: &ClientSettings) -> Result<(String, u16, Option<StartTls>)> {
    let urls = [&context.url, &context.omadm_url, &context.taxii_url];
    let url = urls.into_iter().flatten().next().ok_or_else(|| {
        Failure::usage("the context names no server").hint("give HOST:PORT, or another context")
    })?;
    let uri = parse_url(url)?;
    let upgrades = context.upgrade.unwrap_or_default() != UpgradeName::Never;
    let (default, starttls) = match uri.scheme_str() {
        Some("https") => (443, None),
        _ if upgrades => (80, Some(StartTls::Http)),
        _ => {
            let reason =
                format!("the context's URL {url} is in clear, and no upgrade is asked for");
            return Err(
                Failure::usage(reason).hint("give HOST:PORT, with --starttls http if need be")
            );
        }
    };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), uri.port_u16().unwrap_or(default), starttls))
}
