//! An endpoint behind authentication.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_auth::{Algorithm, AuthError, Guarded, Qop, Session};
use bindery_core::{Body, Context, Endpoint, EndpointFuture, Principal, Profile, Refusal};
use http::{Request, Response, StatusCode, header, request};

use crate::support::{asking, at, authenticator, session};

/// Says who it thinks is there.
#[derive(Debug)]
struct Who(Profile);

impl Endpoint for Who {
    fn profile(&self) -> &Profile {
        &self.0
    }

    fn call<'a>(&'a self, cx: &'a Context, request: Request<Body>) -> EndpointFuture<'a> {
        Box::pin(async move {
            let body = request.into_body().collect(100).await.unwrap();
            let who = cx.principal.as_ref().map_or("nobody", Principal::as_str);
            Response::new(Body::from(format!("{who}: {}", String::from_utf8_lossy(&body))))
        })
    }

    fn refuse(&self, _: &Context, _: Option<&request::Parts>, refusal: &Refusal) -> Response<Body> {
        self.0.refusal_response(refusal)
    }
}

fn guarded(qop: Qop) -> Guarded<Who> {
    let server = authenticator().with_algorithms([Algorithm::SHA_256]).with_qops([qop]);
    Guarded::new(Who(Profile::new("test")), Arc::new(server))
}

async fn send(
    server: &Guarded<Who>,
    client: &mut Session,
    cx: &Context,
) -> (StatusCode, http::HeaderMap, String) {
    let mut request = Request::post("/dm?a=1");
    if let Some(value) = client.authorize(&asking(b"hello")).unwrap() {
        request = request.header(header::AUTHORIZATION, value);
    }
    let response = server.call(cx, request.body(Body::from("hello".to_owned())).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = body.collect(1000).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_account_reaches_the_endpoint_and_the_server_proves_itself() {
    for qop in [Qop::Auth, Qop::AuthInt] {
        let server = guarded(qop);
        let mut client = session("device", "correct horse");
        let (status, headers, _) = send(&server, &mut client, &at(1)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        client.challenged(&headers, false).unwrap();
        let (status, headers, body) = send(&server, &mut client, &at(2)).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "device-17: hello"));
        let info = headers["authentication-info"].to_str().unwrap().to_owned();
        assert!(info.contains("rspauth=") && !info.contains("nextnonce"), "{info}");
        client.answered(&headers, Some(body.as_bytes())).unwrap();
        // Another body is not what was answered.
        let changed = client.answered(&headers, Some(b"device-17: hullo"));
        assert_eq!(changed.is_err(), qop == Qop::AuthInt);
    }
}

/// proves: DM-AUTH-2
#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_noticed() {
    let server = guarded(Qop::Auth);
    let mut client = session("device", "correct horse");
    let (_, headers, _) = send(&server, &mut client, &at(1)).await;
    client.challenged(&headers, false).unwrap();
    let (_, mut headers, _) = send(&server, &mut client, &at(2)).await;
    let info = headers["authentication-info"].to_str().unwrap();
    let forged = info.replace("rspauth=\"", "rspauth=\"0");
    headers.insert("authentication-info", forged.parse().unwrap());
    assert_eq!(client.answered(&headers, None), Err(AuthError::Impostor));
}

/// proves: DM-AUTH-2, DM-AUTH-7, DM-AUTH-8
#[tokio::test]
async fn an_aging_nonce_is_replaced_in_passing() {
    let server = guarded(Qop::Auth);
    let mut client = session("device", "correct horse");
    let (_, headers, _) = send(&server, &mut client, &at(0)).await;
    client.challenged(&headers, false).unwrap();
    let (_, headers, _) = send(&server, &mut client, &at(200)).await;
    let info = headers["authentication-info"].to_str().unwrap();
    let next = info.split("nextnonce=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(next.len() <= 64, "{next}");
    assert_eq!(STANDARD.decode(next).unwrap().len(), 32);
    client.answered(&headers, None).unwrap();
    let (status, ..) = send(&server, &mut client, &at(400)).await;
    assert_eq!(status, StatusCode::OK, "the first nonce ended at 300");
}

/// A certificate's account needs no password, and a password of somebody else does not become it.
#[tokio::test]
async fn two_identities_must_be_one() {
    let server = guarded(Qop::Auth);
    let shown = |name: &str| at(1).with_principal(Some(Principal::new(name)));
    let mut client = session("device", "correct horse");
    let (status, _, body) = send(&server, &mut client, &shown("alice")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "alice: hello"));
    let (_, headers, _) = send(&server, &mut client, &at(1)).await;
    client.challenged(&headers, false).unwrap();
    let (status, ..) = send(&server, &mut client, &shown("alice")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, ..) = send(&server, &mut client, &shown("device-17")).await;
    assert_eq!(status, StatusCode::OK);
}

/// What is for nobody in particular needs no credentials; wrong ones are refused all the same.
#[tokio::test]
async fn nobody_may_pass_where_that_is_said() {
    let server = guarded(Qop::Auth).and_nobody();
    let mut client = session("device", "wrong horse");
    let (status, _, body) = send(&server, &mut client, &at(1)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "nobody: hello"));
    let closed = guarded(Qop::Auth);
    let (_, headers, _) = send(&closed, &mut client, &at(1)).await;
    client.challenged(&headers, false).unwrap();
    let (status, ..) = send(&server, &mut client, &at(2)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
