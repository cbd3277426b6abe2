//! The card's rules over real sockets, on both sides (RFC 3205, RFC 9205).

use std::sync::atomic::Ordering::SeqCst;

use bindery_core::{Body, Call, ClientBinding, EncodeError, MediaType, Profile, Unexpected};
use bindery_transport::Limits;
use bytes::Bytes;
use http::{Request, Response, Uri, Version};

use crate::{
    client::{Script, client, say},
    mutation::mutated,
    support::{Answer, Echo, OCTETS, Running},
};

async fn ask(server: &Running, octets: impl AsRef<[u8]>) -> Answer {
    let mut raw = server.connect().await;
    raw.send(octets).await;
    raw.answer().await
}

fn of_type(media_type: &str) -> String {
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3";
    format!("{head}\r\nContent-Type: {media_type}\r\n\r\nabc")
}

/// proves: SUB-METHOD-1
#[tokio::test]
async fn other_methods_get_405_with_allow_and_unknown_ones_501() {
    let server = Running::start(Limits::default()).await;
    let request = |method: &str| {
        format!(
            "{method} /echo HTTP/1.1\r\nHost: a\r\nContent-Type: {OCTETS}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let answer = ask(&server, request(method)).await;
        assert_eq!((answer.status, answer.field("allow")), (405, Some("POST")), "{method}");
    }
    for method in ["PROPFIND", "post", "M-POST"] {
        let answer = ask(&server, request(method)).await;
        assert_eq!(answer.status, 501, "{method}");
    }
    assert_eq!(server.service.handled.load(SeqCst), 0);
    assert_eq!(ask(&server, request("POST")).await.status, 200);
}

/// proves: SUB-MIME-2
#[tokio::test]
async fn the_server_refuses_every_type_that_the_card_does_not_name() {
    let server = Running::start(Limits::default()).await;
    for other in ["text/plain", "multipart/mixed; boundary=a", "message/http", "*/*", "abc"] {
        assert_eq!(ask(&server, of_type(other)).await.status, 415, "{other}");
    }
    assert_eq!(server.service.handled.load(SeqCst), 0);
    assert_eq!(ask(&server, of_type(OCTETS)).await.status, 200);
}

/// proves: SUB-CACHE-1
#[tokio::test]
async fn no_answer_may_be_stored() {
    let server = Running::start(Limits::default()).await;
    for (media_type, status) in [(OCTETS, 200), ("text/plain", 415)] {
        let answer = ask(&server, of_type(media_type)).await;
        assert_eq!((answer.status, answer.field("cache-control")), (status, Some("no-store")));
    }
}

/// proves: SUB-VERSION-1
#[tokio::test]
async fn the_card_says_which_versions_are_served() {
    let request = |version: &str| of_type(OCTETS).replace("HTTP/1.1", version);
    for (taken, other) in [("HTTP/1.1", "HTTP/1.0"), ("HTTP/1.0", "HTTP/1.1")] {
        let mut profile = Echo::profile();
        let only = if taken == "HTTP/1.1" { Version::HTTP_11 } else { Version::HTTP_10 };
        profile.versions = vec![only];
        let server = Running::with_profile(Limits::default(), profile).await;
        assert_eq!(ask(&server, request(other)).await.status, 505, "{other}");
        assert_eq!(server.service.handled.load(SeqCst), 0);
        let answer = ask(&server, request(taken)).await;
        assert_eq!((answer.status, answer.version.as_str()), (200, taken));
    }
    let script = Script::start(vec![vec![whole("200 OK", OCTETS, "abc")]]).await;
    assert_eq!(call(&script).await.unwrap(), "abc");
    assert!(script.requests()[0].starts_with("POST /path HTTP/1.1\r\n"));
}

/// The client's half of the echo.
struct EchoClient(Profile);

impl ClientBinding for EchoClient {
    type Request = Bytes;
    type Response = Bytes;
    type Expect = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn encode_request(
        &self,
        target: &Uri,
        request: Bytes,
    ) -> Result<(Request<Body>, ()), EncodeError> {
        Ok((self.0.prepare_request(target, request.into())?, ()))
    }

    fn decode_response(&self, (): (), response: Response<Body>) -> Result<Bytes, Unexpected> {
        let (parts, body) = response.into_parts();
        let body = body.into_bytes().expect("the body is whole");
        self.0.check_response(&parts, &body)?;
        Ok(body)
    }
}

fn whole(status: &str, media_type: &str, body: &str) -> crate::client::Act {
    let fields = format!("Content-Type: {media_type}\r\nContent-Length: {}", body.len());
    say(format!("HTTP/1.1 {status}\r\nVia: 1.1 proxy\r\n{fields}\r\n\r\n{body}"))
}

/// Asks as a client of the protocol does; the transport itself has no part in what goes wrong.
async fn call(script: &Script) -> Result<Bytes, Unexpected> {
    let binding = EchoClient(mutated(Echo::profile()));
    let target = script.url.parse().unwrap();
    let call = Call::new(&binding, &target, Bytes::from_static(b"abc")).unwrap();
    script.connection(&client()).run(call).await.unwrap()
}

/// proves: SUB-STATUS-4, SUB-PROXY-2
#[tokio::test]
async fn an_error_whose_body_was_replaced_is_told_by_status_type_and_beginning() {
    let page = format!("<html>{}", "x".repeat(5000));
    for (line, status) in
        [("404 Not Found", 404), ("502 Bad Gateway", 502), ("503 Service Unavailable", 503)]
    {
        // A page of a proxy; nothing at all; the protocol's own type under a status that carries no message.
        for (media_type, body) in [("text/html", page.as_str()), ("text/html", ""), (OCTETS, "abc")]
        {
            let script = Script::start(vec![vec![whole(line, media_type, body)]]).await;
            let error = call(&script).await.unwrap_err();
            let Unexpected::Status { status: found, media_type: of, start, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(found.as_u16(), status);
            assert_eq!(of.as_ref().unwrap(), &MediaType::from_static(media_type));
            assert!(body.as_bytes().starts_with(start) && start.is_empty() == body.is_empty());
            assert!(start.len() < 1000, "not the whole page");
            let told = error.to_string();
            assert!(told.contains(&status.to_string()) && told.contains(media_type), "{told}");
        }
    }
}

/// proves: SUB-MIME-2, SUB-STATUS-4, SUB-PROXY-2
#[tokio::test]
async fn a_success_of_another_type_is_an_error_of_the_client() {
    for other in ["text/html", "multipart/mixed; boundary=a", "message/http"] {
        let script = Script::start(vec![vec![whole("200 OK", other, "<html>")]]).await;
        let error = call(&script).await.unwrap_err();
        assert!(matches!(error, Unexpected::MediaType { .. }), "{error:?}");
        let told = error.to_string();
        let essence = other.split(';').next().unwrap();
        assert!(told.contains(essence) && told.contains("<html>"), "{told}");
    }
}
