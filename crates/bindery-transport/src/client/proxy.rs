//! Which proxies lead to a target.

mod exceptions;

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bindery_auth::{Login, Session};
use bindery_core::Scheme;

use super::Target;
use crate::TransportError;
pub use exceptions::NoProxy;

/// An HTTP proxy: where it is, and who we are to it. It is reached without TLS.
///
/// Clones share what the proxy has asked: of all connections and requests that go through it, one is asked who it is, and the
/// others prove it at once.
#[derive(Clone, Debug)]
pub struct Proxy {
    target: Target,
    login: Option<Shared>,
}

/// Who we are to a proxy, and what was agreed with it.
#[derive(Clone, Debug)]
struct Shared {
    login: Login,
    session: Arc<Mutex<Session>>,
}

impl Proxy {
    /// A proxy from its URL, `http://host:port`; a bare `host:port` is the same.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind): no such URL; or one with user and password, which belong to
    /// [`Proxy::with_login`].
    pub fn new(url: &str) -> Result<Self, TransportError> {
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let fault = |what: &str| {
            TransportError::request(format!("the proxy's URL has {what}"))
                .with_hint("write it as http://host:port")
        };
        let target: Target = match whole.parse() {
            Ok(target) => target,
            // The URL may hold a password.
            Err(_) => {
                return Err(fault("no host and port that can be read, or a user's name in it"));
            }
        };
        if target.scheme() != Scheme::Http {
            return Err(fault("another scheme than http: proxies are reached without TLS here"));
        }
        if target.path() != "/" {
            return Err(fault("a path"));
        }
        Ok(Self { target, login: None })
    }

    /// The same proxy, whose challenges are answered with this user and password. Basic shows them to whoever listens
    /// between here and the proxy, and is sent only if the login allows that in so many words.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        let session = Arc::new(Mutex::new(Session::with_proxy(login.clone())));
        self.login = Some(Shared { login, session });
        self
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// What was agreed with it; nothing where we are nobody to it. Not to be held while anything is waited for.
    pub(super) fn session(&self) -> Option<MutexGuard<'_, Session>> {
        let shared = self.login.as_ref()?;
        Some(shared.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what was agreed with it: it is asked anew.
    pub(super) fn forget(&self) {
        if let (Some(shared), Some(mut session)) = (&self.login, self.session()) {
            *session = Session::with_proxy(shared.login.clone());
        }
    }

    /// Whether it is told who we are, if it asks.
    pub(crate) const fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// From a variable's value, in which user and password are customary.
    fn from_variable(name: &str, value: &str) -> Result<Self, TransportError> {
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let rest = rest.trim_end_matches('/');
        let Some((user, host)) = rest.rsplit_once('@') else {
            return Self::new(&format!("{scheme}://{rest}"))
                .map_err(|error| of_variable(name, &error));
        };
        let proxy =
            Self::new(&format!("{scheme}://{host}")).map_err(|error| of_variable(name, &error))?;
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        Ok(proxy.with_login(Login::new(decoded(user), decoded(password))))
    }
}

fn of_variable(name: &str, error: &TransportError) -> TransportError {
    TransportError::request(format!("the environment variable {name}: {error}"))
        .with_hint("write it as http://host:port")
}

/// Undoes percent-encoding; what is none stays.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut octets = text.as_bytes().iter();
    while let Some(&octet) = octets.next() {
        let rest = octets.as_slice();
        let two =
            rest.get(..2).filter(|two| octet == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let value = two.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match value {
            Some(value) => {
                out.push(value);
                octets.nth(1);
            }
            None => out.push(octet),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl FromStr for Proxy {
    type Err = TransportError;

    fn from_str(url: &str) -> Result<Self, TransportError> {
        Self::new(url)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target.authority_and_port())
    }
}

/// Which proxies lead to which targets; none by default.
#[derive(Clone, Debug)]
pub struct Proxies {
    http: Named,
    https: Named,
    except: NoProxy,
    /// Loopback addresses are always reached without a proxy.
    loopback_direct: bool,
}

impl Default for Proxies {
    fn default() -> Self {
        let none = || Ok(Vec::new());
        Self { http: none(), https: none(), except: NoProxy::default(), loopback_direct: false }
    }
}

/// The proxies to one kind of targets, or what is wrong with how they are named: told to whoever needs them only.
type Named = Result<Vec<Proxy>, TransportError>;

impl Proxies {
    /// Everything goes through these proxies, each reached through the one before it.
    pub fn chain(proxies: impl Into<Vec<Proxy>>) -> Self {
        let proxies = proxies.into();
        Self { http: Ok(proxies.clone()), https: Ok(proxies), ..Self::default() }
    }

    /// The same, but for these targets.
    #[must_use]
    pub fn except(mut self, except: NoProxy) -> Self {
        self.except = except;
        self
    }

    /// Lets the users of all these proxies prove themselves by Basic where a proxy asks for it. The way to a proxy is in clear.
    #[must_use]
    pub fn dangerous_basic_in_clear(mut self) -> Self {
        for proxies in [&mut self.http, &mut self.https] {
            for proxy in proxies.iter_mut().flatten() {
                if let Some(shared) = &proxy.login {
                    let login = shared.login.clone().dangerous_basic_in_clear();
                    *proxy = proxy.clone().with_login(login);
                }
            }
        }
        self
    }

    /// What the customary variables say: `https_proxy`, `http_proxy` and `no_proxy`, or the same in capitals. As with other
    /// programs, loopback addresses are reached without a proxy then, user and password may stand in a proxy's URL (and
    /// prove themselves by Digest; by Basic, which shows them to everybody on the way, with
    /// [`dangerous_basic_in_clear`](Self::dangerous_basic_in_clear)), and `HTTP_PROXY` does not count where `REQUEST_METHOD` is set: there it may be a
    /// field of somebody's request. A value that cannot be read is an error of those connections only that would need it.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| {
            let small = get(name).map(|value| (name.to_owned(), value));
            let capitals = name.to_ascii_uppercase();
            let is_a_field = capitals == "HTTP_PROXY" && get("REQUEST_METHOD").is_some();
            let large =
                || get(&capitals).filter(|_| !is_a_field).map(|value| (capitals.clone(), value));
            small.or_else(large).filter(|(_, value)| !value.is_empty())
        };
        let proxy = |name| {
            let proxy = value(name).map(|(name, value)| Proxy::from_variable(&name, &value));
            proxy.transpose().map(|proxy| proxy.into_iter().collect::<Vec<_>>())
        };
        let except = value("no_proxy").map(|(_, value)| NoProxy::new(&value));
        Self {
            http: proxy("http_proxy"),
            https: proxy("https_proxy"),
            except: except.unwrap_or_default(),
            loopback_direct: true,
        }
    }

    /// The proxies on the way to a target, the nearest first; none where it is reached directly.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind): the variable that names them cannot be read.
    pub fn of(&self, target: &Target) -> Result<&[Proxy], TransportError> {
        let is_loopback =
            || NoProxy::new("localhost,127.0.0.0/8,::1").has(target.host(), target.port());
        if self.except.has(target.host(), target.port()) || (self.loopback_direct && is_loopback())
        {
            return Ok(&[]);
        }
        let way = if target.is_tls() { &self.https } else { &self.http };
        way.as_deref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], url: &str) -> Vec<String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = Proxies::from_variables(get);
        let target = url.parse().unwrap();
        proxies.of(&target).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variables() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("http_proxy", "c:2"), ("NO_PROXY", "b.test")];
        assert_eq!(of(&both, "https://a.test/"), ["s:1"]);
        assert_eq!(of(&both, "http://a.test/"), ["c:2"]);
        for direct in [
            "https://b.test/",
            "https://x.b.test/",
            "http://127.0.0.1:9/",
            "http://[::1]/",
            "https://localhost/",
        ] {
            assert!(of(&both, direct).is_empty(), "{direct}");
        }
        assert_eq!(
            of(&[("https_proxy", "small:1"), ("HTTPS_PROXY", "large:1")], "https://a/"),
            ["small:1"]
        );
        assert!(of(&[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")], "http://a/").is_empty());
        assert_eq!(of(&[("HTTP_PROXY", "a:1")], "http://b/"), ["a:1"]);
        assert!(of(&[("https_proxy", "")], "https://a/").is_empty());
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_told_to_whom_it_concerns() {
        let get = |name: &str| match name {
            "https_proxy" => Some("socks5://a:1".to_owned()),
            "http_proxy" => Some("b:2".to_owned()),
            "no_proxy" => Some("c.test".to_owned()),
            _ => None,
        };
        let proxies = Proxies::from_variables(get);
        let of = |url: &str| proxies.of(&url.parse().unwrap()).map(<[Proxy]>::len);
        for (url, count) in [("http://a/", 1), ("https://c.test/", 0), ("https://localhost/", 0)] {
            assert_eq!(of(url).unwrap(), count, "{url}");
        }
        let error = of("https://a/").unwrap_err().to_string();
        assert!(error.contains("https_proxy"), "{error}");
    }

    /// Whoever is on the way to a proxy may ask for Basic.
    #[test]
    fn a_password_of_a_variable_is_shown_to_nobody_unless_told_to() {
        let get = |name: &str| (name == "https_proxy").then(|| "http://al:secret@h:1".to_owned());
        let answers = |proxies: &Proxies| {
            let target = "https://a.test/".parse().unwrap();
            let [proxy] = proxies.of(&target).unwrap() else { panic!("one proxy") };
            let mut asked = http::HeaderMap::new();
            let basic = http::HeaderValue::from_static("Basic realm=\"x\"");
            asked.insert(http::header::PROXY_AUTHENTICATE, basic);
            let mut session = proxy.session().unwrap();
            session.challenged(&asked, false).unwrap();
            let asking = bindery_auth::Asking::new("CONNECT", "a.test:443", None, false, [3; 16]);
            session.authorize(&asking).is_ok()
        };
        assert!(!answers(&Proxies::from_variables(get)));
        assert!(answers(&Proxies::from_variables(get).dangerous_basic_in_clear()));
    }

    #[test]
    fn users_stand_in_variables_only() {
        let proxy = Proxy::from_variable("https_proxy", "http://al%40ice:p%3Aw@h:3128/").unwrap();
        assert_eq!(proxy.to_string(), "h:3128");
        assert_eq!(format!("{:?}", proxy.login.unwrap().login), "Login(\"al@ice\")");
        for wrong in [
            "http://alice:secret@h:1",
            "https://h:1",
            "http://h:1/path",
            "socks5://h:1",
            "",
            "http://",
        ] {
            let error = Proxy::new(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(Proxy::new("[::1]:3128").unwrap().to_string(), "[::1]:3128");
        assert_eq!(decoded("a%zz%4"), "a%zz%4");
    }
}
