//! Digest, checked (RFC 7616).

use bindery_core::{Account, DigestAlgorithm, DigestSecret, Timestamp};
use http::{HeaderValue, Method, Uri, request, uri::Authority};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Authenticator, Failed, Proof};
use crate::{Algorithm, Parameters, Qop, digest::Exchange, grammar::quoted, nonce::Worth};

/// What an answer's `Authentication-Info` is made from.
pub(crate) struct Answering {
    algorithm: Algorithm,
    secret: Zeroizing<String>,
    nonce: String,
    session: Option<(String, String, Qop)>,
    uri: String,
    next: Option<String>,
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answering")
    }
}

impl Answering {
    /// Whether the proof covers the answer's body.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.session, Some((_, _, Qop::AuthInt)))
    }

    /// The field: the server's own proof, and a new nonce where the old one ages. Without the body
    /// that the proof would cover there is none.
    pub(crate) fn field(&self, body: Option<&[u8]>) -> Option<HeaderValue> {
        let mut parts = Vec::new();
        if let Some((count, cnonce, qop)) = &self.session
            && (body.is_some() || !self.needs_body())
        {
            let exchange = Exchange {
                algorithm: self.algorithm,
                nonce: &self.nonce,
                session: Some((count, cnonce, *qop)),
                uri: &self.uri,
            };
            let proof = exchange.proof(&self.secret, "", body.unwrap_or_default());
            parts.push(format!("qop={}", qop.name()));
            parts.push(format!("rspauth=\"{}\"", &*proof));
            parts.push(format!("cnonce={}", quoted(cnonce)?));
            parts.push(format!("nc={count}"));
        }
        if let Some(next) = &self.next {
            parts.push(format!("nextnonce=\"{next}\""));
        }
        if parts.is_empty() { None } else { HeaderValue::try_from(parts.join(", ")).ok() }
    }
}

/// The parameters of a Digest that are there, checked for their form.
struct Given<'a> {
    user: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    algorithm: Algorithm,
    session: Option<(&'a str, &'a str, Qop)>,
}

impl Authenticator {
    pub(super) fn digest_challenge(
        &self,
        realm: &str,
        algorithm: Algorithm,
        stale: bool,
        now: Timestamp,
    ) -> String {
        let mut text = format!("Digest realm={realm}");
        if let Some(domain) = self.domain.as_deref().and_then(quoted) {
            text.push_str(&format!(", domain={domain}"));
        }
        let qops: Vec<&str> = self.qops.iter().map(|qop| qop.name()).collect();
        text.push_str(&format!(
            ", qop=\"{}\", algorithm={}, nonce=\"{}\"",
            qops.join(","),
            algorithm.name(),
            self.nonces.make(now)
        ));
        if stale {
            text.push_str(", stale=true");
        }
        text.push_str(", charset=UTF-8, userhash=false");
        text
    }

    pub(super) async fn check_digest(
        &self,
        parameters: &Parameters,
        head: &request::Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Proof, Failed> {
        let given = self.given(parameters)?;
        if !self.is_target(given.uri, head) {
            return Err(Failed::Malformed("its uri is not the request's target".into()));
        }
        let account = self.accounts.account(given.user).await?;
        let known = account.as_ref().and_then(|account| self.secret_of(account, given.algorithm));
        // For nobody the same is computed, with a secret that nobody has.
        let nobody = match given.algorithm.digest {
            DigestAlgorithm::Md5 => 32,
            _ => 64,
        };
        let secret = known.map_or_else(|| "0".repeat(nobody), |known| known.secret.clone());
        let secret = Zeroizing::new(secret);
        let exchange = Exchange {
            algorithm: given.algorithm,
            nonce: given.nonce,
            session: given.session,
            uri: given.uri,
        };
        let proof = exchange.proof(&secret, head.method.as_str(), body);
        let right = bool::from(proof.as_bytes().ct_eq(given.response.as_bytes()));
        let is_known = known.is_some();
        let Some(account) = account.filter(|_| right && is_known) else {
            return Err(Failed::Wrong("user name or password is wrong"));
        };
        // Who it is is known from here on: what is left is whether it is said now.
        let Worth::Good { until, aging } = self.nonces.judge(given.nonce, now) else {
            return Err(Failed::Stale);
        };
        if let Some((count, ..)) = given.session {
            let count = u32::from_str_radix(count, 16).unwrap_or(0);
            if !self.replay.is_first(given.nonce, count, now, until).await? {
                return Err(Failed::Stale);
            }
        }
        let owned =
            |(count, cnonce, qop): (&str, &str, Qop)| (count.to_owned(), cnonce.to_owned(), qop);
        let answering = Answering {
            algorithm: given.algorithm,
            secret,
            nonce: given.nonce.to_owned(),
            session: given.session.map(owned),
            uri: given.uri.to_owned(),
            next: aging.then(|| self.nonces.make(now)),
        };
        Ok(Proof { principal: account.principal, answering: Some(answering) })
    }

    fn secret_of<'a>(
        &self,
        account: &'a Account,
        algorithm: Algorithm,
    ) -> Option<&'a DigestSecret> {
        let fits = |known: &&DigestSecret| {
            known.algorithm == algorithm.digest && known.realm == self.realm
        };
        account.digests.iter().find(fits)
    }

    fn given<'a>(&self, parameters: &'a Parameters) -> Result<Given<'a>, Failed> {
        let part = |name: &'static str| {
            let missing = || Failed::Malformed(format!("{name} is missing").into());
            parameters.get(name).ok_or_else(missing)
        };
        let algorithm = match parameters.get("algorithm") {
            None => Some(Algorithm::MD5),
            Some(name) => Algorithm::from_name(name),
        };
        let offered = algorithm.filter(|one| self.algorithms.contains(one));
        let algorithm = offered.ok_or(Failed::Wrong("its algorithm is not offered here"))?;
        if part("realm")? != self.realm {
            return Err(Failed::Wrong("its realm is another"));
        }
        if parameters.get("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(Failed::Wrong("userhash is not offered here"));
        }
        let session = match parameters.get("qop") {
            None if self.legacy_without_qop => None,
            None => return Err(Failed::Wrong("qop is missing")),
            Some(name) => {
                let qop = Qop::from_name(name).filter(|qop| self.qops.contains(qop));
                let qop = qop.ok_or(Failed::Wrong("its qop is not offered here"))?;
                let count = part("nc")?;
                if count.len() != 8 || !count.bytes().all(|octet| octet.is_ascii_hexdigit()) {
                    return Err(Failed::Malformed("nc is not eight hexadecimal digits".into()));
                }
                Some((count, part("cnonce")?, qop))
            }
        };
        Ok(Given {
            user: part("username")?,
            nonce: part("nonce")?,
            uri: part("uri")?,
            response: part("response")?,
            algorithm,
            session,
        })
    }
}

impl Authenticator {
    /// Whether the `uri` is the request's target (RFC 7616, section 3.4.6). At a server it may have any form, as a proxy may
    /// have changed it: path and query are compared. A proxy is asked in absolute form, and whom a request is for is most of
    /// what it says.
    fn is_target(&self, uri: &str, head: &request::Parts) -> bool {
        let Some(ours) = head.uri.authority().filter(|_| self.proxy) else {
            return is_target(uri, head);
        };
        let port = |authority: &Authority| authority.port_u16().unwrap_or(80);
        let same_host = match uri.parse::<Uri>() {
            Ok(theirs) => theirs.authority().map_or(self.legacy_path_uri, |theirs| {
                theirs.host().eq_ignore_ascii_case(ours.host()) && port(theirs) == port(ours)
            }),
            Err(_) => false,
        };
        (same_host || head.method == Method::CONNECT) && is_target(uri, head)
    }
}

fn is_target(uri: &str, head: &request::Parts) -> bool {
    // A tunnel's target has nothing but its authority, and a proof for one is none for another.
    if head.method == Method::CONNECT {
        let authority = head.uri.authority();
        return authority.is_some_and(|ours| ours.as_str().eq_ignore_ascii_case(uri));
    }
    if head.uri == *uri || (uri == "*" && head.uri.path() == "*") {
        return true;
    }
    let ours = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let Ok(theirs) = uri.parse::<Uri>() else { return false };
    theirs.path_and_query().map_or("/", |target| target.as_str()) == ours
}
