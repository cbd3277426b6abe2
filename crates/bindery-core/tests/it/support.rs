//! What every test here needs: a tiny executor, contexts, and a client half joined to a server
//! half.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::Instant,
};

use bindery_core::{
    Body, Call, Channel, CipherSuite, ClientBinding, Context, Endpoint, Exchange, Peer, Timestamp,
    TlsInfo, TlsVersion, Unexpected,
};
use http::{HeaderMap, Request, Response, Uri};

/// Runs a future that needs no reactor.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = TaskContext::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
    }
    panic!("the future waits for something that nobody does");
}

/// A peer over TLS 1.3 at the given time.
pub(crate) fn context(now: Timestamp) -> Context {
    let suite = CipherSuite::new(0x1302, "TLS_AES_256_GCM_SHA384");
    let channel = Channel::Tls(Arc::new(TlsInfo::new(TlsVersion::TLS_1_3, suite)));
    Context::new(channel, Peer::default(), now)
}

/// The start of virtual time.
#[expect(clippy::disallowed_methods, reason = "an instant has no other origin; time is virtual")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

pub(crate) fn target() -> Uri {
    Uri::from_static("https://example.test/service")
}

/// What the transport does with a response on the client's side: the body is whole before the
/// binding sees it.
pub(crate) fn collected(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let body = block_on(body.collect(1 << 20)).expect("a test's answer has a whole body");
    Response::from_parts(parts, body.into())
}

/// One call's whole way: encode, what `change` does to the request, the server, decode.
pub(crate) fn call<B: ClientBinding>(
    client: &B,
    server: &dyn Endpoint,
    request: B::Request,
    change: impl FnOnce(&mut Request<Body>),
) -> Result<B::Response, Unexpected> {
    call_through(client, request, |mut request| {
        change(&mut request);
        block_on(server.call(&context(Timestamp::UNIX_EPOCH), request))
    })
}

/// One call with whatever answers in the server's place.
pub(crate) fn call_through<B: ClientBinding>(
    client: &B,
    request: B::Request,
    answer: impl FnOnce(Request<Body>) -> Response<Body>,
) -> Result<B::Response, Unexpected> {
    let now = origin();
    let mut call = Call::new(client, &target(), request).expect("the message can be sent");
    assert!(call.poll_outcome().is_none(), "no outcome before the answer");
    let request = call.poll_transmit(now).expect("a fresh call has something to send");
    assert!(call.poll_transmit(now).is_none(), "it is sent once");
    assert_eq!(call.poll_timeout(), None);
    call.handle_response(now, collected(answer(request)));
    let outcome = call.poll_outcome().expect("an answered call is over");
    assert!(call.poll_outcome().is_none(), "the outcome is given once");
    assert!(call.poll_transmit(now).is_none(), "nothing is sent after the outcome");
    outcome
}

/// A response of someone between client and server.
pub(crate) fn page(status: u16, content_type: &str, text: &str) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(text.to_owned().into()).expect("a valid response")
}

pub(crate) fn field<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("a field of ours is text"))
}

pub(crate) fn text(body: &Body) -> &str {
    let bytes = body.as_bytes().expect("a whole body");
    std::str::from_utf8(bytes).expect("text")
}
