//! Where a client's settings come from: options and environment, context, configuration file.

use std::path::{Path, PathBuf};

use bindery_auth::Login;
use bindery_transport::{ClientBuilder, ClientLimits, Proxies, Proxy, TransportError, UpgradeMode};

use crate::{
    account,
    args::{
        Span,
        client::{ClientArgs, ProxyLogin},
    },
    config::{ClientSettings, Config, Loaded, ServiceName, TlsBackend},
    context::{self, Contexts},
    error::{Exit, Failure, Layer, Result},
    output,
    tls::{self, OwnPolicies},
};

/// The time that an exchange may take where nothing says otherwise.
const TIMEOUT: Span = Span::new(std::time::Duration::from_secs(30));

/// What a client command works with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The server.
    pub(crate) url: http::Uri,
    /// The authorities of the server's certificate.
    pub(crate) cacert: Option<PathBuf>,
    /// Our certificate chain.
    pub(crate) cert: Option<PathBuf>,
    /// The key of our certificate.
    pub(crate) key: Option<PathBuf>,
    /// The file with the passphrase of our key.
    pub(crate) key_passphrase_file: Option<PathBuf>,
    /// The user name and where the password stands, for HTTP authentication.
    pub(crate) login: Option<(String, PathBuf)>,
    /// Whether the server's certificate goes unchecked.
    pub(crate) insecure: bool,
    /// The TLS policy's name.
    pub(crate) tls_policy: String,
    /// Policies of the operator's own.
    pub(crate) own_policies: OwnPolicies,
    /// Only these of its cipher suites; empty for all.
    pub(crate) suites: Vec<String>,
    /// The library that does TLS.
    pub(crate) tls_backend: TlsBackend,
    /// Pre-shared keys, of which the first is used.
    pub(crate) psk_file: Option<PathBuf>,
    /// Whether a connection to an http URL becomes TLS.
    pub(crate) upgrade: UpgradeMode,
    /// The proxies on the way.
    pub(crate) proxies: Proxies,
    /// The longest time for one exchange.
    pub(crate) timeout: Span,
}

impl Settings {
    /// Joins the sources, the strongest first.
    ///
    /// # Errors
    /// A source cannot be read, or there is no URL that could be used.
    pub(crate) fn resolve(args: &ClientArgs, service: ServiceName) -> Result<Self> {
        let own = ClientSettings {
            url: args.url.clone(),
            omadm_url: args.url.clone(),
            taxii_url: args.url.clone(),
            cacert: args.cacert.clone(),
            cert: args.cert.clone(),
            key: args.key.clone(),
            tls_policy: args.tls_policy.clone(),
            upgrade: args.upgrade,
            proxy: args.proxy.clone(),
            timeout: args.timeout,
        };
        // A directory's context is found by itself only for somebody who has named no server.
        let context = context_settings(args)?;
        let file = match &args.config {
            Some(file) => client_table(file)?,
            None => ClientSettings::default(),
        };
        let merged = merge(merge(own, context), file);
        let proxies = proxies(&args.proxy_login, &merged.proxy)?;
        let settings = Self::of(merged, service)?;
        let login = match (&args.user, &args.password_file) {
            (None, None) => None,
            (Some(user), Some(file)) => Some((user.clone(), file.clone())),
            (Some(_), None) => {
                return Err(Failure::usage("--user needs --password-file").hint(
                    "a file's first line is the password; it is never taken from the command line",
                ));
            }
            (None, Some(_)) => {
                return Err(Failure::usage("--password-file needs --user")
                    .hint("name whose password it is"));
            }
        };
        Ok(Self {
            login,
            proxies,
            insecure: args.insecure,
            suites: args.suites.clone(),
            tls_backend: args.tls_backend,
            psk_file: args.psk_file.clone(),
            key_passphrase_file: args.key_passphrase_file.clone(),
            own_policies: tls::own_policies(args.config.as_deref())?,
            ..settings
        })
    }

    /// Settings from what one source says.
    ///
    /// # Errors
    /// There is no URL that could be used.
    pub(crate) fn of(settings: ClientSettings, service: ServiceName) -> Result<Self> {
        let (url, policy) = match service {
            ServiceName::Kmip => (settings.url, crate::config::default_policy()),
            ServiceName::Omadm => (settings.omadm_url, "omadm".to_owned()),
            ServiceName::Taxii => (settings.taxii_url, "taxii".to_owned()),
        };
        let Some(url) = url else {
            return Err(Failure::usage("no server is named").hint(
                "give --url, or --context with the name of a context; `bindery dev` writes one",
            ));
        };
        Ok(Self {
            url: parse_url(&url)?,
            cacert: settings.cacert,
            cert: settings.cert,
            key: settings.key,
            key_passphrase_file: None,
            login: None,
            insecure: false,
            suites: Vec::new(),
            tls_backend: TlsBackend::default(),
            psk_file: None,
            own_policies: OwnPolicies::default(),
            tls_policy: settings.tls_policy.unwrap_or(policy),
            upgrade: settings.upgrade.unwrap_or_default().mode(),
            proxies: Proxies::default(),
            timeout: settings.timeout.unwrap_or(TIMEOUT),
        })
    }
}

impl Settings {
    /// Whether TLS is what connections come to, from the start or on the way.
    fn has_tls(&self) -> bool {
        self.url.scheme_str() == Some("https") || self.upgrade != UpgradeMode::Never
    }

    /// Whether nothing goes out but within TLS.
    pub(crate) fn is_secured(&self) -> bool {
        self.url.scheme_str() == Some("https") || self.upgrade == UpgradeMode::Required
    }

    /// The server's URL as a profile's card is to see it: with the scheme https also where everything goes
    /// within TLS by an upgrade. Nothing is connected.
    pub(crate) fn secured_url(&self) -> http::Uri {
        let Ok(target) = bindery_transport::Target::new(self.url.clone()) else {
            return self.url.clone();
        };
        let client = bindery_transport::Client::builder().upgrade(self.upgrade).build();
        client.connection(target).secured_uri()
    }

    /// The nearest proxy on the way, for a program that takes one.
    pub(crate) fn proxy(&self) -> Option<String> {
        let target = bindery_transport::Target::new(self.url.clone()).ok()?;
        self.proxies.of(&target).ok()?.first().map(ToString::to_string)
    }

    /// The transport that the settings ask for.
    ///
    /// # Errors
    /// A file of TLS is not as it should be.
    pub(crate) fn transport(&self, limits: ClientLimits) -> Result<ClientBuilder> {
        let builder = bindery_transport::Client::builder().limits(limits);
        let builder = builder.upgrade(self.upgrade).proxies(self.proxies.clone());
        Ok(if self.has_tls() { builder.connector(tls::connector(self)?) } else { builder })
    }
}

/// The proxies on the way: those that are named, or what the environment says.
///
/// # Errors
/// One cannot be read, or half of a login is given.
pub(crate) fn proxies(args: &ProxyLogin, named: &[String]) -> Result<Proxies> {
    let wrong = |error: TransportError| Failure::usage(error.to_string()).hint(error.hint());
    let login = match (&args.proxy_user, &args.proxy_password_file) {
        (None, None) => None,
        (Some(user), Some(file)) => Some(Login::new(user, account::password(file)?)),
        _ => {
            return Err(Failure::usage("--proxy-user and --proxy-password-file belong together")
                .hint("give both; a password is never taken from the command line"));
        }
    };
    let login = login.map(|login| {
        if args.dangerous_proxy_basic { login.dangerous_basic_in_clear() } else { login }
    });
    match named {
        [] if login.is_some() => Err(Failure::usage("--proxy-user needs --proxy")
            .hint("for a proxy that the environment names, its URL there holds user and password")),
        [] => {
            let said = Proxies::from_variables(|name| std::env::var(name).ok());
            Ok(if args.dangerous_proxy_basic { said.dangerous_basic_in_clear() } else { said })
        }
        [none] if none == "none" => Ok(Proxies::default()),
        named => {
            let proxies = named.iter().map(|url| {
                let proxy = Proxy::new(url)?;
                Ok(match &login {
                    Some(login) => proxy.with_login(login.clone()),
                    None => proxy,
                })
            });
            let proxies: std::result::Result<Vec<_>, TransportError> = proxies.collect();
            proxies.map(Proxies::chain).map_err(wrong)
        }
    }
}

fn context_settings(args: &ClientArgs) -> Result<ClientSettings> {
    if args.context.is_none() && args.context_file.is_none() && args.url.is_some() {
        return Ok(ClientSettings::default());
    }
    in_context(args.context.as_deref(), args.context_file.as_deref())
}

/// What a context says: the named one, or the default of the file.
///
/// # Errors
/// There is no such context, or its file cannot be read.
pub(crate) fn in_context(name: Option<&str>, file: Option<&Path>) -> Result<ClientSettings> {
    let Some(contexts) = Contexts::find(file)? else {
        return match name {
            Some(name) => Err(context::unknown(name, &[])),
            None => Ok(ClientSettings::default()),
        };
    };
    contexts.settings(name)
}

fn client_table(file: &Path) -> Result<ClientSettings> {
    let loaded: Loaded<Config> =
        Loaded::from_file(file).map_err(|problems| problems.into_failure(Exit::Usage))?;
    Ok(absolute(&loaded, &loaded.value.client))
}

/// The same settings with paths that no longer depend on their file's directory.
pub(crate) fn absolute<T>(loaded: &Loaded<T>, settings: &ClientSettings) -> ClientSettings {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| loaded.path(path));
    ClientSettings {
        cacert: path(&settings.cacert),
        cert: path(&settings.cert),
        key: path(&settings.key),
        ..settings.clone()
    }
}

fn merge(strong: ClientSettings, weak: ClientSettings) -> ClientSettings {
    // Certificate and key belong together: one is never completed by another source's other.
    let (cert, key) = if strong.cert.is_some() || strong.key.is_some() {
        (strong.cert, strong.key)
    } else {
        (weak.cert, weak.key)
    };
    ClientSettings {
        url: strong.url.or(weak.url),
        omadm_url: strong.omadm_url.or(weak.omadm_url),
        taxii_url: strong.taxii_url.or(weak.taxii_url),
        cacert: strong.cacert.or(weak.cacert),
        cert,
        key,
        tls_policy: strong.tls_policy.or(weak.tls_policy),
        upgrade: strong.upgrade.or(weak.upgrade),
        proxy: if strong.proxy.is_empty() { weak.proxy } else { strong.proxy },
        timeout: strong.timeout.or(weak.timeout),
    }
}

/// Reads a server's URL.
///
/// # Errors
/// It cannot be used, and why.
pub(crate) fn parse_url(text: &str) -> Result<http::Uri> {
    let wrong = |reason: &str| {
        Failure::new(Exit::Usage, Layer::Usage, format!("the URL \"{text}\" {reason}"))
            .hint("write it like https://kmip.example.com:5696/kmip")
    };
    let url: http::Uri = text.parse().map_err(|_| wrong("cannot be read"))?;
    match url.scheme_str() {
        Some("https" | "http") => {}
        _ => return Err(wrong("is neither https nor http")),
    }
    let authority = url.authority().ok_or_else(|| wrong("has no host"))?;
    if authority.host().is_empty() {
        return Err(wrong("has no host"));
    }
    if authority.as_str().contains('@') {
        return Err(wrong(
            "holds a user's name or password, which belong to --user and --password-file",
        ));
    }
    Ok(url)
}

/// Tells of what weakens the connection.
pub(crate) fn warn_about(settings: &Settings) {
    if settings.upgrade == UpgradeMode::Optional && settings.url.scheme_str() == Some("http") {
        output::warn(
            "--upgrade optional: what is sent may go out in clear; --upgrade required sends nothing then",
        );
    }
    if settings.insecure {
        output::warn(
            "--insecure: the server's certificate is not checked; whoever answers gets what is sent",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_source_wins_and_identities_are_not_mixed() {
        let strong = ClientSettings { cert: Some("a.pem".into()), ..ClientSettings::default() };
        let weak = ClientSettings {
            url: Some("https://b/".into()),
            cert: Some("b.pem".into()),
            key: Some("b.key".into()),
            ..ClientSettings::default()
        };
        let merged = merge(strong, weak);
        assert_eq!(merged.url.as_deref(), Some("https://b/"));
        assert_eq!(merged.cert, Some("a.pem".into()));
        assert_eq!(merged.key, None);
    }

    #[test]
    fn urls() {
        assert!(parse_url("https://127.0.0.1:8443/kmip").is_ok());
        assert!(parse_url("https://[::1]:8443/kmip").is_ok());
        for wrong in ["127.0.0.1:8443", "ftp://a/", "https://", "https://u:p@h/", "", "https:/x"] {
            assert_eq!(parse_url(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
