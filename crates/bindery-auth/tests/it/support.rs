//! Accounts, an authenticator, and requests.

use std::{net::SocketAddr, sync::Arc};

use bindery_auth::{
    Accounts, Algorithm, Asking, Authenticator, Login, Proof, Session, hash, secret,
};
use bindery_core::{
    Account, Channel, CipherSuite, Context, DigestAlgorithm, Peer, Principal, Refusal, Timestamp,
    TlsInfo, TlsVersion,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header, request};

pub(crate) const REALM: &str = "devices";
pub(crate) const KEY: [u8; 32] = [7; 32];

/// `alice` has a password for Basic, `device` has secrets for Digest, both `correct horse`.
pub(crate) fn accounts() -> Arc<Accounts> {
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash("correct horse", &[3; 16]).unwrap());
    let mut device = Account::new(Principal::new("device-17"));
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
        device.digests.push(secret(algorithm, "device", REALM, "correct horse"));
    }
    Arc::new(Accounts::new().with("alice", alice).with("device", device))
}

pub(crate) fn authenticator() -> Authenticator {
    Authenticator::new(REALM, accounts(), KEY).unwrap().with_algorithms(Algorithm::ALL)
}

pub(crate) fn tls() -> Channel {
    let suite = CipherSuite::new(0x1302, "TLS_AES_256_GCM_SHA384");
    Channel::Tls(Arc::new(TlsInfo::new(TlsVersion::TLS_1_3, suite)))
}

/// A request's context, so many seconds after the epoch.
pub(crate) fn at(seconds: i64) -> Context {
    let address: SocketAddr = "192.0.2.1:4711".parse().unwrap();
    Context::new(tls(), Peer::from_address(address), Timestamp::from_unix_seconds(seconds))
}

pub(crate) fn in_clear(seconds: i64) -> Context {
    let mut cx = at(seconds);
    cx.channel = Channel::Clear;
    cx
}

pub(crate) fn head(authorization: Option<&HeaderValue>) -> request::Parts {
    let mut request = Request::post("/dm?a=1");
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(()).unwrap().into_parts().0
}

pub(crate) fn asking(body: &[u8]) -> Asking<'_> {
    Asking::new("POST", "/dm?a=1", Some(body), true, [9; 16])
}

pub(crate) fn session(user: &str, password: &str) -> Session {
    Session::new(Login::new(user, password))
}

/// The challenges of a refusal, as a response carries them.
pub(crate) fn challenges(refusal: &Refusal) -> HeaderMap {
    let Refusal::Unauthorized { challenges, .. } = refusal else { panic!("{refusal:?}") };
    let mut headers = HeaderMap::new();
    for challenge in challenges {
        headers.append(header::WWW_AUTHENTICATE, challenge.clone());
    }
    headers
}

/// One request of a session: what the server says.
pub(crate) async fn ask(
    server: &Authenticator,
    client: &mut Session,
    cx: &Context,
    body: &[u8],
) -> Result<Proof, Refusal> {
    let value = client.authorize(&asking(body)).unwrap();
    server.authenticate(cx, &head(value.as_ref()), body).await
}

/// A session that was challenged once.
pub(crate) async fn challenged(server: &Authenticator, client: &mut Session, cx: &Context) {
    let refusal = server.authenticate(cx, &head(None), b"").await.unwrap_err();
    let card = bindery_core::Profile::new("test");
    assert_eq!(card.status(&refusal), StatusCode::UNAUTHORIZED);
    client.challenged(&challenges(&refusal), false).unwrap();
}
