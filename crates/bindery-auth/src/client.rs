//! The client's side: answering challenges, and not being asked twice.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    Algorithm, AuthError, Challenge, Qop, basic, challenges,
    digest::{self, Exchange},
    grammar::quoted,
    parameters,
};

/// User and password of a client.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: Zeroizing<String>,
    preemptive_basic: bool,
    dangerous_clear: bool,
}

impl Login {
    /// A user and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: Zeroizing::new(password.into()),
            preemptive_basic: false,
            dangerous_clear: false,
        }
    }

    /// Sends Basic with the first request already, without being asked: for servers that only take
    /// Basic. The server then has the password whatever it asks for.
    #[must_use]
    pub const fn with_preemptive_basic(mut self) -> Self {
        self.preemptive_basic = true;
        self
    }

    /// Sends Basic over clear channels too: whoever listens has the password.
    #[must_use]
    pub const fn dangerous_basic_in_clear(mut self) -> Self {
        self.dangerous_clear = true;
        self
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({:?})", self.user)
    }
}

/// A client's authentication at one server: what it was asked, how often it answered.
#[derive(Debug)]
pub struct Session {
    login: Login,
    place: Place,
    asked: Option<Asked>,
    /// What the last request was proved with, for the server's own proof.
    sent: Option<Sent>,
}

/// Who asks, and in which fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Server,
    Proxy,
}

impl Place {
    const fn challenge(self) -> (HeaderName, &'static str) {
        match self {
            Self::Server => (header::WWW_AUTHENTICATE, "WWW-Authenticate"),
            Self::Proxy => (header::PROXY_AUTHENTICATE, "Proxy-Authenticate"),
        }
    }

    const fn info(self) -> (HeaderName, &'static str) {
        match self {
            Self::Server => (HeaderName::from_static("authentication-info"), "Authentication-Info"),
            Self::Proxy => {
                let name = HeaderName::from_static("proxy-authentication-info");
                (name, "Proxy-Authentication-Info")
            }
        }
    }
}

/// The challenge that is answered.
#[derive(Debug)]
enum Asked {
    Basic { realm: String },
    Digest(Box<DigestAsked>),
}

#[derive(Debug)]
struct DigestAsked {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// Whether the challenge names the algorithm: a name is sent back, none is not.
    named: bool,
    qop: Option<Qop>,
    count: u32,
}

#[derive(Debug)]
struct Sent {
    algorithm: Algorithm,
    nonce: String,
    count: String,
    cnonce: String,
    qop: Qop,
    uri: String,
}

/// What is asked for with a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Asking<'a> {
    /// The method.
    pub method: &'a str,
    /// The target as it stands in the request line.
    pub uri: &'a str,
    /// The body, where it is whole: `auth-int` covers it.
    pub body: Option<&'a [u8]>,
    /// Whether TLS protects the channel.
    pub tls: bool,
    /// 16 random octets of this request.
    pub random: [u8; 16],
}

impl<'a> Asking<'a> {
    /// A request from its parts.
    pub const fn new(
        method: &'a str,
        uri: &'a str,
        body: Option<&'a [u8]>,
        tls: bool,
        random: [u8; 16],
    ) -> Self {
        Self { method, uri, body, tls, random }
    }
}

impl Session {
    /// A session that was asked nothing yet.
    pub const fn new(login: Login) -> Self {
        Self { login, place: Place::Server, asked: None, sent: None }
    }

    /// The same with a proxy: it asks in `Proxy-Authenticate`, with 407, and is answered in
    /// `Proxy-Authorization` (RFC 9110, section 11.7).
    pub const fn with_proxy(login: Login) -> Self {
        Self { login, place: Place::Proxy, asked: None, sent: None }
    }

    /// The value of `Authorization`, or `Proxy-Authorization`, for a request; nothing where the
    /// other side has not asked yet.
    ///
    /// # Errors
    /// The password would go over a clear channel, or the user name cannot be sent.
    pub fn authorize(&mut self, asking: &Asking<'_>) -> Result<Option<HeaderValue>, AuthError> {
        self.sent = None;
        let text = match &mut self.asked {
            None if self.login.preemptive_basic => self.basic(asking)?,
            None => return Ok(None),
            Some(Asked::Basic { .. }) => self.basic(asking)?,
            Some(Asked::Digest(asked)) => {
                let (text, sent) = asked.answer(&self.login, asking)?;
                self.sent = sent;
                text
            }
        };
        let value = HeaderValue::try_from(text.as_str()).map_err(|_| AuthError::UserName);
        value.map(|mut value| {
            value.set_sensitive(true);
            Some(value)
        })
    }

    fn basic(&self, asking: &Asking<'_>) -> Result<Zeroizing<String>, AuthError> {
        if !asking.tls && !self.login.dangerous_clear {
            return Err(AuthError::InClear);
        }
        let token = basic::encode(&self.login.user, &self.login.password)?;
        Ok(Zeroizing::new(format!("Basic {}", &*token)))
    }

    /// Takes the challenges of a 401, or a proxy's 407, and chooses the strongest that is known here: Digest before
    /// Basic, SHA-256 before MD5. `tried` tells whether the request had an `Authorization`.
    /// Afterwards the request may be sent once more.
    ///
    /// # Errors
    /// The challenges cannot be read, none of them is known here, or the server refuses what it
    /// asked for.
    pub fn challenged(&mut self, headers: &HeaderMap, tried: bool) -> Result<(), AuthError> {
        let mut offered = Vec::new();
        let (name, field) = self.place.challenge();
        for value in headers.get_all(name) {
            let text = value.to_str().unwrap_or("\u{7F}");
            offered
                .extend(challenges(text).map_err(|error| AuthError::Malformed { field, error })?);
        }
        let Some((_, asked, stale)) = offered.iter().filter_map(choose).max_by_key(|one| one.0)
        else {
            let names: Vec<&str> = offered.iter().map(|one| one.scheme.as_str()).collect();
            return Err(AuthError::NoScheme { offered: names.join(", ") });
        };
        // Asked again for what was just sent: it was wrong, unless only the nonce was. What is sent
        // unasked is Basic, which a server of Digest could not take.
        let same = match &self.asked {
            Some(before) => before.is_like(&asked),
            None => matches!(asked, Asked::Basic { .. }),
        };
        if tried && !stale && same {
            return Err(AuthError::Refused { realm: asked.realm().to_owned() });
        }
        self.asked = Some(asked);
        Ok(())
    }

    /// Looks at an answer: the server's own proof, where it gives one, and the nonce that comes
    /// next. `body` is the answer's, where it is whole.
    ///
    /// # Errors
    /// The server gives a proof, and it is wrong.
    pub fn answered(&mut self, headers: &HeaderMap, body: Option<&[u8]>) -> Result<(), AuthError> {
        let (name, field) = self.place.info();
        let Some(value) = headers.get(name) else { return Ok(()) };
        let (Some(Asked::Digest(asked)), Some(sent)) = (&mut self.asked, &self.sent) else {
            return Ok(());
        };
        let info = parameters(value.to_str().unwrap_or("\u{7F}"));
        let info = info.map_err(|error| AuthError::Malformed { field, error })?;
        if let Some(theirs) = info.get("rspauth") {
            let covered = if sent.qop == Qop::AuthInt { body } else { Some(&[][..]) };
            if let Some(body) = covered {
                let same = info.get("cnonce").is_none_or(|cnonce| cnonce == sent.cnonce)
                    && info.get("nc").is_none_or(|count| count == sent.count);
                let ours = sent.proof(&self.login, &asked.realm, body);
                if !same || !bool::from(ours.as_bytes().ct_eq(theirs.as_bytes())) {
                    return Err(AuthError::Impostor);
                }
            }
        }
        if let Some(next) = info.get("nextnonce").filter(|next| **next != asked.nonce) {
            (asked.nonce, asked.count) = (next.to_owned(), 0);
        }
        Ok(())
    }
}

/// A challenge that is known here, with its strength, and whether it only says that a nonce is
/// stale.
fn choose(challenge: &Challenge) -> Option<(u8, Asked, bool)> {
    let get = |name| challenge.parameters.get(name);
    let realm = get("realm").unwrap_or_default().to_owned();
    match challenge.scheme.as_str() {
        "basic" => Some((0, Asked::Basic { realm }, false)),
        "digest" => {
            let algorithm = match get("algorithm") {
                None => Algorithm::MD5,
                Some(name) => Algorithm::from_name(name)?,
            };
            let qop = match get("qop") {
                None => None,
                // What is offered and not known is left out; if nothing is left, so is the challenge.
                Some(names) => {
                    Some(names.split(',').filter_map(|name| Qop::from_name(name.trim())).min()?)
                }
            };
            let strength = Algorithm::ALL.iter().rev().position(|one| *one == algorithm)?;
            let strength = 1 + 2 * u8::try_from(strength).ok()? + u8::from(qop.is_some());
            let asked = DigestAsked {
                realm,
                nonce: get("nonce")?.to_owned(),
                opaque: get("opaque").map(str::to_owned),
                algorithm,
                named: get("algorithm").is_some(),
                qop,
                count: 0,
            };
            let stale = get("stale").is_some_and(|value| value.eq_ignore_ascii_case("true"));
            Some((strength, Asked::Digest(Box::new(asked)), stale))
        }
        _ => None,
    }
}

impl Asked {
    fn realm(&self) -> &str {
        match self {
            Self::Basic { realm } => realm,
            Self::Digest(asked) => &asked.realm,
        }
    }

    /// Whether both are the same but for the nonce.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Basic { realm: one }, Self::Basic { realm: two }) => one == two,
            (Self::Digest(one), Self::Digest(two)) => {
                (&one.realm, one.algorithm) == (&two.realm, two.algorithm)
            }
            _ => false,
        }
    }
}

impl DigestAsked {
    fn answer(
        &mut self,
        login: &Login,
        asking: &Asking<'_>,
    ) -> Result<(Zeroizing<String>, Option<Sent>), AuthError> {
        let qop = self.qop;
        if qop == Some(Qop::AuthInt) && asking.body.is_none() {
            return Err(AuthError::Streamed);
        }
        self.count = self.count.saturating_add(1);
        let (count, cnonce) = (format!("{:08x}", self.count), hex(&asking.random));
        let session = qop.map(|qop| (count.as_str(), cnonce.as_str(), qop));
        let exchange =
            Exchange { algorithm: self.algorithm, nonce: &self.nonce, session, uri: asking.uri };
        let secret =
            digest::secret(self.algorithm.digest, &login.user, &self.realm, &login.password);
        let secret = Zeroizing::new(secret.secret);
        let proof = exchange.proof(&secret, asking.method, asking.body.unwrap_or_default());
        let value = |text: &str| quoted(text).ok_or(AuthError::UserName);
        let mut text = Zeroizing::new(format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
            value(&login.user)?,
            value(&self.realm)?,
            value(&self.nonce)?,
            value(asking.uri)?,
            &*proof
        ));
        if self.named {
            text.push_str(&format!(", algorithm={}", self.algorithm.name()));
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque={}", value(opaque)?));
        }
        if let Some(qop) = qop {
            text.push_str(&format!(", qop={}, nc={count}, cnonce=\"{cnonce}\"", qop.name()));
        }
        let sent = qop.map(|qop| Sent {
            algorithm: self.algorithm,
            nonce: self.nonce.clone(),
            count,
            cnonce,
            qop,
            uri: asking.uri.to_owned(),
        });
        Ok((text, sent))
    }
}

impl Sent {
    fn proof(&self, login: &Login, realm: &str, body: &[u8]) -> Zeroizing<String> {
        let secret = digest::secret(self.algorithm.digest, &login.user, realm, &login.password);
        let session = Some((self.count.as_str(), self.cnonce.as_str(), self.qop));
        let exchange =
            Exchange { algorithm: self.algorithm, nonce: &self.nonce, session, uri: &self.uri };
        exchange.proof(&Zeroizing::new(secret.secret), "", body)
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
