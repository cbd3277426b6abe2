//! A proxy asks (RFC 9110, section 11.7): other fields, another status, and a tunnel's target in place of a path.

use bindery_auth::{Asking, Authenticator, Login, Session};
use bindery_core::{Fault, Profile, Refusal};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header, request};

use crate::support::{at, authenticator, in_clear};

fn connect(to: &str, proof: Option<&HeaderValue>) -> request::Parts {
    let mut request = Request::connect(to);
    if let Some(value) = proof {
        request = request.header(header::PROXY_AUTHORIZATION, value);
    }
    request.body(()).unwrap().into_parts().0
}

fn session() -> Session {
    Session::with_proxy(Login::new("device", "correct horse"))
}

async fn challenged(proxy: &Authenticator, client: &mut Session) {
    let refusal = proxy.authenticate(&in_clear(1), &connect("a:443", None), b"").await.unwrap_err();
    assert_eq!(refusal.fault(), Fault::ProxyUnauthorized);
    let response = Profile::new("proxy").refusal_response(&refusal);
    assert_eq!(response.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    client.challenged(response.headers(), false).unwrap();
}

fn proof(client: &mut Session, to: &str) -> HeaderValue {
    let asking = Asking::new("CONNECT", to, Some(b""), false, [9; 16]);
    client.authorize(&asking).unwrap().unwrap()
}

#[tokio::test]
async fn a_proof_holds_for_one_tunnel() {
    let proxy = authenticator().for_proxy();
    let mut client = session();
    challenged(&proxy, &mut client).await;
    let value = proof(&mut client, "a.test:443");
    let other = connect("b.test:443", Some(&value));
    let refusal = proxy.authenticate(&in_clear(2), &other, b"").await.unwrap_err();
    assert_eq!(refusal.fault(), Fault::MalformedHeader, "{refusal}");
    let same = connect("a.test:443", Some(&value));
    let proof = proxy.authenticate(&in_clear(2), &same, b"").await.unwrap();
    assert_eq!(proof.principal.as_str(), "device-17");
}

#[tokio::test]
async fn credentials_of_the_server_are_not_the_proxys() {
    let proxy = authenticator().for_proxy();
    let mut head = connect("a.test:443", None);
    let basic = HeaderValue::from_static("Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==");
    head.headers.insert(header::AUTHORIZATION, basic.clone());
    let refusal = proxy.authenticate(&at(1), &head, b"").await.unwrap_err();
    assert!(
        matches!(&refusal, Refusal::ProxyUnauthorized { reason, .. } if reason.contains("no credentials"))
    );
    head.headers.insert(header::PROXY_AUTHORIZATION, basic);
    assert_eq!(proxy.authenticate(&at(1), &head, b"").await.unwrap().principal.as_str(), "alice");
    // A server's challenge means nothing to who talks with a proxy.
    let mut headers = HeaderMap::new();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"a\""));
    session().challenged(&headers, false).unwrap_err();
}
