//! Targets of header fields: the grammars of bindery-core and bindery-auth, and a login on both sides.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
};

use bindery_auth::{
    Accounts, Algorithm, Asking, Authenticator, Login, Qop, Session, challenges, credentials,
    parameters, secret,
};
use bindery_core::{
    Account, AuthScheme, Channel, Context, DigestAlgorithm, MediaType, Peer, Principal, Timestamp,
};
use http::{HeaderMap, HeaderValue, Request, header, request};

use crate::attempts::Anew;

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("accounts in memory wait"),
    }
}

/// Media types, challenges, credentials and parameters, each from the same text. A media type that can be read is written
/// and read again as the same; what a field holds is never longer than the field.
pub fn grammar(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = text.parse::<MediaType>() {
        let written = read.to_string();
        let again: MediaType = written.parse().expect("what was written can be read");
        assert_eq!(again, read, "{written:?}");
        assert!(again.same_essence(&read) && written.is_ascii());
        assert!(!read.essence().bytes().any(|octet| octet.is_ascii_uppercase()));
    }
    if let Ok(found) = challenges(text) {
        assert!(found.len() <= text.len());
        for challenge in &found {
            assert!(!challenge.scheme.is_empty() && challenge.scheme.len() <= text.len());
            for name in ["realm", "nonce", "qop", "algorithm", "stale"] {
                assert!(challenge.parameters.get(name).is_none_or(|v| v.len() <= text.len()));
            }
        }
    }
    if let Ok(found) = credentials(text) {
        assert!(!found.scheme().is_empty());
        assert_eq!(found.scheme(), found.scheme().to_ascii_lowercase());
    }
    if let Ok(found) = parameters(text) {
        for name in ["username", "rspauth", "nextnonce", "nc"] {
            assert!(found.get(name).is_none_or(|value| value.len() <= text.len()));
        }
    }
}

const REALM: &str = "a realm";

fn server(failures: Anew) -> Authenticator {
    let mut alice = Account::new(Principal::new("alice"));
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        alice.digests.push(secret(algorithm, "alice", REALM, "correct horse"));
    }
    let accounts = Accounts::new().with("alice", alice);
    Authenticator::new(REALM, Arc::new(accounts), [7; 32])
        .expect("the realm can be sent")
        .with_schemes([AuthScheme::Digest])
        .with_algorithms(Algorithm::ALL)
        .with_qops([Qop::Auth, Qop::AuthInt])
        .with_rate_limit(Arc::new(failures))
}

thread_local! {
    static SERVER: (Anew, Authenticator) = {
        let failures = Anew::default();
        (failures.clone(), server(failures))
    };
}

fn head(authorization: Option<HeaderValue>) -> request::Parts {
    let mut request = Request::post("/path").body(()).expect("the parts are fit");
    if let Some(value) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request.into_parts().0
}

/// Two lines: what a client shows a server, and what a server asks of a client. Nobody gets in without the password; a
/// client that was asked by such a server never sends its password, and what it sends can be sent.
pub fn login(data: &[u8]) {
    SERVER.with(|(failures, server)| {
        failures.begin();
        login_at(server, data);
    });
}

fn login_at(server: &Authenticator, data: &[u8]) {
    let mut lines = data.splitn(2, |octet| *octet == b'\n');
    let (shown, asked) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let peer = Peer::from_address("192.0.2.1:1".parse().expect("an address"));
    let cx = Context::new(Channel::Clear, peer, Timestamp::from_unix_seconds(1_000));
    if let Ok(value) = HeaderValue::from_bytes(shown) {
        let head = head(Some(value));
        let _ = server.needs_body(&head);
        assert!(now(server.authenticate(&cx, &head, b"body")).is_err(), "without the password");
    }
    let Ok(value) = HeaderValue::from_bytes(asked) else { return };
    let mut session = Session::new(Login::new("alice", "correct horse"));
    let mut answer = HeaderMap::new();
    answer.append(header::WWW_AUTHENTICATE, value.clone());
    let asking = Asking::new("POST", "/path", Some(b"body"), false, [3; 16]);
    if session.challenged(&answer, false).is_ok()
        && let Ok(Some(sent)) = session.authorize(&asking)
    {
        let sent = sent.to_str().expect("a field of text");
        assert!(sent.starts_with("Digest "), "in clear no Basic");
        assert!(!sent.contains("correct horse"));
        // The real server, whose nonce it is not, asks again.
        let head = head(HeaderValue::from_str(sent).ok());
        assert!(now(server.authenticate(&cx, &head, b"body")).is_err(), "a foreign nonce");
    }
    let mut info = HeaderMap::new();
    info.insert("authentication-info", value);
    let _ = session.answered(&info, Some(b"body"));
}
