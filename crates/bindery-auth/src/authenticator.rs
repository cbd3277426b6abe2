//! The server's side: who is it that asks?

mod basic;
mod digest;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bindery_core::{
    AccountError, AuthScheme, Context, CredentialStore, Principal, RateLimit, Refusal, ReplayGuard,
    Timestamp, neighbourhood,
};
use http::{HeaderName, HeaderValue, header, request};

use crate::{
    Algorithm, Attempts, Blocking, Credentials, Inline, PasswordError, Qop, SeenNonces,
    credentials, grammar::quoted, nonce::Nonces, password,
};
use basic::Remembered;
pub(crate) use digest::Answering;

/// How long a nonce counts unless told otherwise.
const NONCE_LIFE: Duration = Duration::from_secs(5 * 60);

/// Who may pass, and by what.
///
/// One value serves all connections. It reads no clock and no sockets; passwords are hashed where
/// [`Blocking`] says, accounts, used nonces and failures are where the traits say.
///
/// What a peer learns: whether an account exists takes as long to answer as a wrong password does,
/// and gets the same answer. Too many failures of one user or one address make both wait.
pub struct Authenticator {
    realm: String,
    schemes: Vec<AuthScheme>,
    algorithms: Vec<Algorithm>,
    qops: Vec<Qop>,
    accounts: Arc<dyn CredentialStore>,
    replay: Arc<dyn ReplayGuard>,
    limit: Arc<dyn RateLimit>,
    blocking: Arc<dyn Blocking>,
    nonces: Nonces,
    remembered: Remembered,
    /// What an unknown user's password is compared with, so that it takes as long.
    decoy: String,
    /// Basic over a clear channel.
    dangerous_clear: bool,
    /// RFC 2069's Digest, without count and client's nonce.
    legacy_without_qop: bool,
    /// A proxy's Digest for the path alone.
    legacy_path_uri: bool,
    domain: Option<String>,
    proxy: bool,
}

/// A peer that proved who it is.
#[derive(Debug)]
pub struct Proof {
    /// The account.
    pub principal: Principal,
    /// What the answer says back, in Digest.
    pub(crate) answering: Option<Answering>,
}

/// A try that failed, by what the peer is told.
enum Failed {
    /// Not who it says; counted.
    Wrong(&'static str),
    /// Who it says, with a nonce that counts no more: the same again with a new one.
    Stale,
    /// Others of the same user or address failed while this one waited for its turn.
    Wait(Duration),
    /// Nothing that could be read.
    Malformed(Cow<'static, str>),
    Accounts(AccountError),
}

/// By what failures are counted.
struct Keys {
    user: String,
    address: Option<String>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &str> {
        [Some(&*self.user), self.address.as_deref()].into_iter().flatten()
    }
}

/// The longest user name, in octets. No account has a longer one, and each that fails is remembered.
const USER_LIMIT: usize = 255;

impl From<AccountError> for Failed {
    fn from(error: AccountError) -> Self {
        Self::Accounts(error)
    }
}

impl Authenticator {
    /// An authenticator for a realm, with Digest (SHA-256 and MD5, qop auth) and Basic, in this
    /// order; nonces that count for five minutes; used nonces and failures kept in memory; passwords
    /// hashed where they stand.
    ///
    /// `key` makes nonces: 32 random octets, the same in all processes that take each other's.
    ///
    /// # Errors
    /// Argon2 refuses its own parameters.
    pub fn new(
        realm: impl Into<String>,
        accounts: Arc<dyn CredentialStore>,
        key: [u8; 32],
    ) -> Result<Self, PasswordError> {
        let realm = realm.into();
        Ok(Self {
            schemes: vec![AuthScheme::Digest, AuthScheme::Basic],
            algorithms: vec![Algorithm::SHA_256, Algorithm::MD5],
            qops: vec![Qop::Auth],
            accounts,
            replay: Arc::new(SeenNonces::default()),
            limit: Arc::new(Attempts::default()),
            blocking: Arc::new(Inline),
            nonces: Nonces::new(key, realm.clone(), NONCE_LIFE),
            remembered: Remembered::new(key),
            decoy: password::hash("nobody", &key)?,
            realm,
            dangerous_clear: false,
            legacy_without_qop: false,
            legacy_path_uri: false,
            domain: None,
            proxy: false,
        })
    }

    /// Offers these schemes only, in this order.
    #[must_use]
    pub fn with_schemes(mut self, schemes: impl Into<Vec<AuthScheme>>) -> Self {
        self.schemes = schemes.into();
        self
    }

    /// Offers these algorithms of Digest, in this order, best first.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: impl Into<Vec<Algorithm>>) -> Self {
        self.algorithms = algorithms.into();
        self
    }

    /// Offers these protections of Digest, in this order.
    #[must_use]
    pub fn with_qops(mut self, qops: impl Into<Vec<Qop>>) -> Self {
        self.qops = qops.into();
        self
    }

    /// Nonces count for so long; a nonce's use is remembered that long.
    #[must_use]
    pub fn with_nonce_life(mut self, life: Duration, key: [u8; 32]) -> Self {
        self.nonces = Nonces::new(key, self.realm.clone(), life);
        self
    }

    /// Used nonces are kept there.
    #[must_use]
    pub fn with_replay_guard(mut self, replay: Arc<dyn ReplayGuard>) -> Self {
        self.replay = replay;
        self
    }

    /// Failures are counted there.
    #[must_use]
    pub fn with_rate_limit(mut self, limit: Arc<dyn RateLimit>) -> Self {
        self.limit = limit;
        self
    }

    /// Passwords are hashed there.
    #[must_use]
    pub fn with_blocking(mut self, blocking: Arc<dyn Blocking>) -> Self {
        self.blocking = blocking;
        self
    }

    /// The URIs that the same credentials are for (`domain` of Digest), blanks between them.
    #[must_use]
    pub fn with_domain(mut self, uris: impl Into<String>) -> Self {
        self.domain = Some(uris.into());
        self
    }

    /// Takes Basic over clear channels too: whoever listens has the password.
    #[must_use]
    pub const fn dangerous_basic_in_clear(mut self) -> Self {
        self.dangerous_clear = true;
        self
    }

    /// Takes Digest without `qop`, as RFC 2069 had it: a recorded request can be sent again as long
    /// as its nonce counts. For clients of that time.
    #[must_use]
    pub const fn legacy_digest_without_qop(mut self) -> Self {
        self.legacy_without_qop = true;
        self
    }

    /// Asks for a proxy: in `Proxy-Authenticate`, with 407, answered in `Proxy-Authorization`
    /// (RFC 9110, section 11.7).
    #[must_use]
    pub const fn for_proxy(mut self) -> Self {
        self.proxy = true;
        self
    }

    /// Takes, as a proxy, a Digest whose `uri` is the path of the request's target without its host, as curl sends it for an http
    /// URL: such a proof is as good for the same path at every other host, to whoever gets hold of it before it is used.
    #[must_use]
    pub const fn legacy_path_uri(mut self) -> Self {
        self.legacy_path_uri = true;
        self
    }

    /// The field that proves it.
    const fn field(&self) -> HeaderName {
        if self.proxy { header::PROXY_AUTHORIZATION } else { header::AUTHORIZATION }
    }

    /// Whether the proof of this request covers its body, which must then be given whole.
    pub fn needs_body(&self, head: &request::Parts) -> bool {
        let Ok(Some(Credentials::Parameters { parameters, .. })) = offered(head, self.field())
        else {
            return false;
        };
        parameters.get("qop").and_then(Qop::from_name) == Some(Qop::AuthInt)
    }

    /// Who it is that asks. `body` counts where [`Authenticator::needs_body`] says so.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] (for a proxy [`Refusal::ProxyUnauthorized`]) with the challenges, [`Refusal::TooManyRequests`],
    /// [`Refusal::MalformedHeader`], or [`Refusal::Overloaded`] where accounts cannot be looked up.
    pub async fn authenticate(
        &self,
        cx: &Context,
        head: &request::Parts,
        body: &[u8],
    ) -> Result<Proof, Refusal> {
        let Some(credentials) = offered(head, self.field())? else {
            return Err(self.challenge(cx, false, "it sent no credentials"));
        };
        let address = cx.peer.address.map(|address| neighbourhood(address.ip()));
        let address = address.map(|address| format!("address {address}"));
        let tried = match self.user_of(&credentials) {
            Err(failed) => Err(failed),
            Ok(user) => {
                let keys = Keys { user: format!("user {user}"), address };
                let tried = match self.may_try(&keys, cx.now).await {
                    Ok(()) => self.check(cx, head, body, &credentials, &keys).await,
                    Err(failed) => Err(failed),
                };
                self.count(&keys, cx.now, &tried).await?;
                tried
            }
        };
        tried.map_err(|failed| match failed {
            Failed::Wrong(reason) => self.challenge(cx, false, reason),
            Failed::Stale => self.challenge(cx, true, "its nonce counts no more"),
            Failed::Wait(wait) => Refusal::TooManyRequests { retry_after: wait.as_secs() + 1 },
            Failed::Malformed(reason) => Refusal::MalformedHeader { name: self.field(), reason },
            Failed::Accounts(error) => unavailable(error),
        })
    }

    /// Whether nobody has to wait for failures.
    async fn may_try(&self, keys: &Keys, now: Timestamp) -> Result<(), Failed> {
        for key in keys.all() {
            if let Some(wait) = self.limit.wait(key, now).await? {
                return Err(Failed::Wait(wait));
            }
        }
        Ok(())
    }

    async fn check(
        &self,
        cx: &Context,
        head: &request::Parts,
        body: &[u8],
        credentials: &Credentials,
        keys: &Keys,
    ) -> Result<Proof, Failed> {
        match credentials {
            Credentials::Token { scheme, token }
                if scheme == "basic" && self.offers(AuthScheme::Basic, cx) =>
            {
                self.check_basic(token, keys, cx.now).await
            }
            Credentials::Parameters { scheme, parameters }
                if scheme == "digest" && self.offers(AuthScheme::Digest, cx) =>
            {
                self.check_digest(parameters, head, body, cx.now).await
            }
            _ => Err(Failed::Wrong("its scheme is not offered here")),
        }
    }

    async fn count(
        &self,
        keys: &Keys,
        now: Timestamp,
        tried: &Result<Proof, Failed>,
    ) -> Result<(), Refusal> {
        match tried {
            Ok(_) => self.limit.succeeded(&keys.user).await.map_err(unavailable),
            Err(Failed::Wrong(_)) => {
                for key in keys.all() {
                    self.limit.failed(key, now).await.map_err(unavailable)?;
                }
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    /// The user name, as far as it can be read.
    fn user_of(&self, credentials: &Credentials) -> Result<String, Failed> {
        let user = self.named(credentials)?;
        if user.len() > USER_LIMIT {
            return Err(Failed::Malformed("the user name is longer than 255 octets".into()));
        }
        Ok(user)
    }

    fn named(&self, credentials: &Credentials) -> Result<String, Failed> {
        match credentials {
            Credentials::Token { scheme, token } if scheme == "basic" => {
                let decoded = crate::basic::decode(token);
                decoded.map(|(user, _)| user).map_err(|e| Failed::Malformed(e.0.into()))
            }
            Credentials::Parameters { parameters, .. } => {
                let user = parameters.get("username").map(str::to_owned);
                user.ok_or_else(|| Failed::Malformed("username is missing".into()))
            }
            Credentials::Token { .. } => Ok(String::new()),
        }
    }

    fn offers(&self, scheme: AuthScheme, cx: &Context) -> bool {
        // Who reads along a clear channel has what Basic sends.
        let safe = scheme != AuthScheme::Basic || cx.channel.is_tls() || self.dangerous_clear;
        safe && self.schemes.contains(&scheme)
    }

    /// The refusal with everything that a peer may prove itself with on this channel.
    fn challenge(&self, cx: &Context, stale: bool, reason: &'static str) -> Refusal {
        let mut challenges = Vec::new();
        let realm = quoted(&self.realm).unwrap_or_default();
        for scheme in self.schemes.iter().filter(|scheme| self.offers(**scheme, cx)) {
            match scheme {
                AuthScheme::Basic => {
                    challenges.push(format!("Basic realm={realm}, charset=\"UTF-8\""));
                }
                AuthScheme::Digest => {
                    // One for each algorithm: a client takes the first that it has (RFC 7616, 3.7).
                    for algorithm in &self.algorithms {
                        challenges.push(self.digest_challenge(&realm, *algorithm, stale, cx.now));
                    }
                }
                _ => {}
            }
        }
        let challenges = challenges.iter().filter_map(|text| HeaderValue::try_from(text).ok());
        let (challenges, reason) = (challenges.collect(), reason.into());
        if self.proxy {
            Refusal::ProxyUnauthorized { challenges, reason }
        } else {
            Refusal::Unauthorized { challenges, reason }
        }
    }
}

/// The request's credentials; nothing where it has none.
fn offered(head: &request::Parts, name: HeaderName) -> Result<Option<Credentials>, Refusal> {
    let mut values = head.headers.get_all(&name).iter();
    let malformed = |reason| Refusal::MalformedHeader { name: name.clone(), reason };
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed("stands there more than once".into()));
    }
    let text = value.to_str().map_err(|_| malformed("holds octets that are no text".into()))?;
    credentials(text).map(Some).map_err(|error| malformed(error.0.into()))
}

fn unavailable(_: AccountError) -> Refusal {
    Refusal::Overloaded
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("realm", &self.realm)
            .field("schemes", &self.schemes)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}
