//! Mounted in axum: the cards and limits hold there too.

use std::{
    net::SocketAddr,
    num::NonZero,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use axum::{Extension, Router as Axum, routing::get};
use bindery_core::{Bound, IdentityError, IdentityMap, Peer, Principal};
use bindery_transport::{Limits, Router, Server};
use tokio::net::TcpListener;

use crate::support::{Echo, Raw, Service, Stopped2026};

#[derive(Debug)]
struct ByAddress;

impl IdentityMap for ByAddress {
    fn principal(&self, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
        Ok(peer.address.map(|address| Principal::new(address.ip().to_string())))
    }
}

/// An axum server with a page of its own and our routes beside it.
async fn axum(peer: Option<Peer>, limits: Limits) -> (SocketAddr, Arc<Service>) {
    let service = Arc::new(Service::default());
    let endpoint = Arc::new(Bound::new(Echo::new(Echo::coded()), Arc::clone(&service)));
    let mounted = Server::builder()
        .router(Router::new().mount("/echo", endpoint).unwrap())
        .limits(limits)
        .identities(Arc::new(ByAddress))
        .clock(Arc::new(Stopped2026))
        .mounted();
    let mut app =
        Axum::new().route_service("/echo", mounted).route("/page", get(|| async { "a page" }));
    if let Some(peer) = peer {
        app = app.layer(Extension(peer));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, service)
}

fn somebody() -> Option<Peer> {
    Some(Peer::from_address("192.0.2.7:4711".parse().unwrap()))
}

#[tokio::test]
async fn a_message_is_answered_and_the_peer_is_who_the_other_stack_says() {
    let (address, _) = axum(somebody(), Limits::default()).await;
    let mut raw = Raw::connect(address).await;
    for _ in 0..2 {
        let answer = raw.ask("hello").await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
        assert_eq!(answer.field("x-principal"), Some("192.0.2.7"));
        assert_eq!(answer.field("x-tls"), Some("none"));
        assert_eq!(answer.field("cache-control"), Some("no-store"));
    }
}

/// Nobody is anonymous: the handler sees no request whose peer is not known.
#[tokio::test]
async fn a_request_without_a_peer_is_refused() {
    let (address, service) = axum(None, Limits::default()).await;
    let answer = Raw::connect(address).await.ask("hello").await;
    assert_eq!(answer.status, 403);
    assert!(String::from_utf8_lossy(&answer.body).contains("does not say who is there"));
    assert_eq!(service.handled.load(SeqCst), 0);
}

#[tokio::test]
async fn the_card_holds() {
    let (address, service) = axum(somebody(), Limits::default()).await;
    for (request, status) in [
        ("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
            415,
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 99999999\r\n\r\n",
            413,
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a b\r\nContent-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\nx",
            400,
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\nx",
            417,
        ),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.send(request).await;
        assert_eq!(raw.answer().await.status, status, "{request}");
    }
    assert_eq!(service.handled.load(SeqCst), 0);
    let mut raw = Raw::connect(address).await;
    raw.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.answer().await.body, b"a page", "the rest of the application is as it was");
}

#[tokio::test]
async fn limits_of_requests_hold() {
    let mut limits = Limits::default();
    limits.request = Duration::from_millis(600);
    limits.body = Duration::from_millis(100);
    limits.connections = NonZero::new(1).unwrap();
    let (address, _) = axum(somebody(), limits).await;
    let answer = Raw::connect(address).await.ask("stuck").await;
    assert_eq!(answer.status, 503, "the handler took too long");
    let mut raw = Raw::connect(address).await;
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nslow").await;
    assert_eq!(raw.answer().await.status, 408, "the body does not come");
    let answer = Raw::connect(address).await.ask("panic").await;
    assert_eq!(answer.status, 500);
}
