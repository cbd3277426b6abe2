//! A binding and a handler joined: what a request goes through, in which order, and what the log
//! can see afterwards.

use std::{
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use bindery_core::{
    Body, BodyError, BodyMode, Bound, Channel, Context, Decoded, Endpoint, Fault, Handler,
    HeaderRule, MediaType, Note, Notes, Peer, Place, Principal, Profile, Refusal, Refused,
    Rejected, ServerBinding, Severity, Timestamp,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::{Body as HttpBody, Frame};

use crate::support::{block_on, context, field, target, text};

/// Takes any text but `bad`, and says it back.
#[derive(Debug)]
struct Echo(Profile);

impl Echo {
    fn new() -> Self {
        let mut card = Profile::new("echo");
        card.request_media_types = vec![MediaType::from_static("text/plain")];
        card.response_media_types = card.request_media_types.clone();
        card.request_body_limit = 10;
        card.request_header_rules = vec![
            HeaderRule::required(header::USER_AGENT, Severity::Report),
            HeaderRule::forbidden(header::AUTHORIZATION, Severity::Report),
            HeaderRule::forbidden(header::COOKIE, Severity::Refuse),
        ];
        Self(card)
    }
}

impl ServerBinding for Echo {
    type Request = Body;
    type Response = String;
    type Reply = Version;

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(&self, _cx: &Context, request: Request<Body>) -> Decoded<Body, Version> {
        let (parts, body) = request.into_parts();
        if body.as_bytes().is_some_and(|bytes| bytes == "bad") {
            let place = Place::new("echo", Some(0), "bad");
            return Err(Rejected::with_reply(Refusal::MalformedBody { place }, parts.version));
        }
        Ok((body, parts.version))
    }

    fn encode_response(&self, _cx: &Context, reply: Version, text: String) -> Response<Body> {
        let mut response = Response::new(text.into());
        *response.version_mut() = reply;
        response
    }
}

/// Counts its calls and says who asked.
#[derive(Debug, Default)]
struct Counter(AtomicUsize);

impl Counter {
    fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Handler<Body> for Counter {
    type Response = String;

    async fn handle(&self, cx: &Context, request: Body) -> String {
        self.0.fetch_add(1, Ordering::SeqCst);
        let bytes = match request.collect(1000).await {
            Ok(bytes) => bytes,
            Err(error) => return error.to_string(),
        };
        let who = cx.principal.as_ref().map_or("nobody", Principal::as_str);
        format!("{who}: {}", String::from_utf8_lossy(&bytes))
    }
}

/// A stream that fails after its first piece.
struct Cut(Option<Bytes>, Option<BodyError>);

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let piece = self.0.take().map(|bytes| Ok(Frame::data(bytes)));
        Poll::Ready(piece.or_else(|| self.1.take().map(Err)))
    }
}

fn request(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(target()).header("content-type", "text/plain");
    request.header("user-agent", "test").body(body.into()).unwrap()
}

fn echo() -> (Bound<Echo, Arc<Counter>>, Arc<Counter>) {
    let counter = Arc::new(Counter::default());
    (Bound::new(Echo::new(), Arc::clone(&counter)), counter)
}

fn now() -> Context {
    context(Timestamp::UNIX_EPOCH)
}

fn notes(response: &Response<Body>) -> &[Note] {
    response.extensions().get::<Notes>().map_or(&[], |notes| &notes.0)
}

#[test]
fn a_good_request_is_answered_with_the_cards_fields_and_no_notes() {
    let (server, counter) = echo();
    let response = block_on(server.respond(&now(), request("hi".to_owned())));
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response.body()), "nobody: hi");
    assert_eq!(field(response.headers(), "cache-control"), Some("no-store"));
    assert!(response.extensions().get::<Refused>().is_none());
    assert!(response.extensions().get::<Notes>().is_none());
    assert_eq!(counter.calls(), 1);
}

#[test]
fn the_handler_sees_the_principal_of_the_context() {
    let (server, _) = echo();
    let cx = now().with_principal(Some(Principal::new("alice")));
    let response = block_on(server.respond(&cx, request("hi".to_owned())));
    assert_eq!(text(response.body()), "alice: hi");
}

/// Every way in which a request can be refused: the log sees the fault, the answer has the card's
/// fields, and the handler was not asked.
#[test]
fn the_handler_is_not_called_on_a_refusal() {
    let (server, counter) = echo();
    let refused = |cx: &Context, request: Request<Body>| {
        let response = block_on(server.respond(cx, request));
        let Some(Refused(refusal)) = response.extensions().get::<Refused>() else {
            panic!("not refused: {response:?}")
        };
        assert_eq!(response.status(), server.profile().status(refusal));
        assert_eq!(field(response.headers(), "cache-control"), Some("no-store"));
        assert_eq!(counter.calls(), 0, "{refusal:?}");
        refusal.fault()
    };
    let changed = |change: fn(&mut Request<Body>)| {
        let mut request = request("hi".to_owned());
        change(&mut request);
        refused(&now(), request)
    };
    let clear = Context::new(Channel::Clear, Peer::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(refused(&clear, request("hi".to_owned())), Fault::ClearChannel);
    assert_eq!(changed(|r| *r.version_mut() = Version::HTTP_2), Fault::Version);
    assert_eq!(changed(|r| *r.method_mut() = Method::GET), Fault::Method);
    assert_eq!(changed(|r| *r.method_mut() = "BREW".parse().unwrap()), Fault::UnknownMethod);
    let with = |name, value| {
        let mut request = request("hi".to_owned());
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        refused(&now(), request)
    };
    assert_eq!(with(header::COOKIE, "a=b"), Fault::ForbiddenHeader);
    assert_eq!(with(header::CONTENT_TYPE, "text/html"), Fault::MediaType);
    assert_eq!(with(header::CONTENT_ENCODING, "gzip"), Fault::ContentCoding);
    assert_eq!(with(header::CONTENT_LENGTH, "11"), Fault::BodyTooLarge);
    assert_eq!(with(header::CONTENT_LENGTH, "+2"), Fault::MalformedHeader);
    assert_eq!(refused(&now(), request("12345678901".to_owned())), Fault::BodyTooLarge);
    assert_eq!(refused(&now(), request("bad".to_owned())), Fault::MalformedBody);
    let cut = |error| {
        let stream = Cut(Some(Bytes::from_static(b"hi")), Some(error));
        refused(&now(), request(Body::stream(stream)))
    };
    assert_eq!(cut(BodyError::Timeout("10 s")), Fault::Timeout);
    assert_eq!(cut(BodyError::Incomplete("reset".into())), Fault::BodyIncomplete);
    assert_eq!(cut(BodyError::Coding("bad gzip".to_owned())), Fault::MalformedBody);
}

/// A declared length is a promise of the peer: the limit holds for what really comes.
#[test]
fn a_longer_body_than_declared_does_not_pass_the_limit() {
    let (server, counter) = echo();
    let mut request = request(Body::stream(Cut(Some(Bytes::from_static(b"12345678901")), None)));
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("2"));
    let response = block_on(server.respond(&now(), request));
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(counter.calls(), 0);
}

#[test]
fn what_was_tolerated_is_noted_on_answers_and_on_later_refusals() {
    let (server, counter) = echo();
    let expected =
        [Note::MissingHeader(header::USER_AGENT), Note::ForbiddenHeader(header::AUTHORIZATION)];
    for (body, refused) in [("hi", false), ("bad", true), ("12345678901", true)] {
        let mut request = request(body.to_owned());
        request.headers_mut().remove(header::USER_AGENT);
        let value = HeaderValue::from_static("Basic c2VjcmV0");
        request.headers_mut().insert(header::AUTHORIZATION, value);
        let response = block_on(server.respond(&now(), request));
        assert_eq!(notes(&response), expected, "{body}");
        assert_eq!(response.extensions().get::<Refused>().is_some(), refused, "{body}");
    }
    assert_eq!(counter.calls(), 1, "a note is no refusal");
}

#[test]
fn a_forbidden_field_that_is_reported_changes_nothing_in_the_answer() {
    let (server, _) = echo();
    let plain = block_on(server.respond(&now(), request("hi".to_owned())));
    let mut with = request("hi".to_owned());
    with.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("Basic eDp5"));
    let with = block_on(server.respond(&now(), with));
    assert_eq!(with.status(), plain.status());
    assert_eq!(with.headers(), plain.headers());
    assert_eq!(text(with.body()), text(plain.body()));
}

#[test]
fn a_streamed_body_reaches_the_binding_unread() {
    let mut binding = Echo::new();
    binding.0.body_mode = BodyMode::Streamed;
    let counter = Arc::new(Counter::default());
    let server = Bound::new(binding, Arc::clone(&counter));
    // Whole under BodyMode::Whole, this would be refused as `bad`.
    let stream = Body::stream(Cut(Some(Bytes::from_static(b"bad")), None));
    let response = block_on(server.respond(&now(), request(stream)));
    assert_eq!(text(response.body()), "nobody: bad");
    assert_eq!(counter.calls(), 1);
}

/// A body of undeclared length is as bounded by the card when it is streamed.
#[test]
fn a_streamed_body_fails_where_it_passes_the_limit() {
    let mut binding = Echo::new();
    binding.0.body_mode = BodyMode::Streamed;
    let server = Bound::new(binding, Counter::default());
    for (body, answer) in [
        (&b"1234567890"[..], "nobody: 1234567890"),
        (b"12345678901", "the body is longer than the limit of 10 octets"),
    ] {
        let stream = Body::stream(Cut(Some(Bytes::from_static(body)), None));
        let response = block_on(server.respond(&now(), request(stream)));
        assert_eq!(text(response.body()), answer);
    }
}

/// Short bodies are at hand whole, of long ones the beginning is; each octet comes once.
#[test]
fn a_body_is_begun_as_far_as_the_card_says() {
    let mut binding = Echo::new();
    binding.0.body_mode = BodyMode::Begun(4);
    let server = Bound::new(binding, Counter::default());
    for (body, answer) in [
        (&b"12345"[..], "nobody: 12345"),
        (b"1234567890", "nobody: 1234567890"),
        (
            b"12345678901",
            "the body is longer than the limit of 10 octets; send a smaller message\n",
        ),
        // This one is at hand whole, and whole it is refused.
        (b"bad", "the request body is malformed"),
    ] {
        let stream = Body::stream(Cut(Some(Bytes::from_static(body)), None));
        let response = block_on(server.respond(&now(), request(stream)));
        let told = text(response.body());
        assert!(told == answer || body == b"bad" && told != "nobody: bad", "{told}");
    }
    let begun = |octets, body: &'static [u8]| {
        let stream = Body::stream(Cut(Some(Bytes::from_static(body)), None));
        block_on(stream.begin(octets)).unwrap()
    };
    let short = begun(4, b"abc");
    assert_eq!((short.begun(), short.as_bytes().unwrap().len()), (&b"abc"[..], 3));
    let long = begun(3, b"abc");
    assert_eq!((long.begun(), long.as_bytes()), (&b"abc"[..], None));
    let again = block_on(long.begin(9)).unwrap();
    assert_eq!(block_on(again.collect(3)).unwrap(), "abc");
}

#[test]
fn different_protocols_stand_behind_one_router() {
    let (first, _) = echo();
    let mut binding = Echo::new();
    binding.0.name = "other".into();
    let second = Bound::new(binding, Counter::default());
    let endpoints: Vec<Arc<dyn Endpoint>> = vec![Arc::new(first), Arc::new(second)];
    let names: Vec<_> = endpoints.iter().map(|e| e.profile().name.clone()).collect();
    assert_eq!(names, ["echo", "other"]);
    for endpoint in endpoints {
        // A connection's task may move between threads.
        let task = std::thread::spawn(move || {
            let answered = block_on(endpoint.call(&now(), request("hi".to_owned())));
            let refused = endpoint.refuse(&now(), None, &Refusal::Target);
            (answered.status(), refused.status())
        });
        assert_eq!(task.join().unwrap(), (StatusCode::OK, StatusCode::NOT_FOUND));
    }
}

/// An inherent constant is chosen over a trait's, but only where its bound holds.
struct Probe<T>(PhantomData<T>);

trait WithoutDefault {
    const HAS_DEFAULT: bool = false;
}

impl<T> WithoutDefault for Probe<T> {}

impl<T: Default> Probe<T> {
    const HAS_DEFAULT: bool = true;
}

/// A request without a known peer is never served as an anonymous one: whoever makes a context
/// says who is there.
#[test]
fn a_context_is_never_made_up() {
    const { assert!(Probe::<Peer>::HAS_DEFAULT, "the probe sees a default where there is one") };
    const { assert!(!Probe::<Context>::HAS_DEFAULT) };
    const { assert!(!Probe::<Channel>::HAS_DEFAULT) };
    const { assert!(!Probe::<Principal>::HAS_DEFAULT) };
    let cx = Context::new(Channel::Clear, Peer::default(), Timestamp::UNIX_EPOCH);
    assert!(cx.principal.is_none(), "a new context stands for nobody");
    assert!(!cx.channel.is_tls() && cx.channel.tls().is_none());
    assert!(now().channel.is_tls() && now().channel.tls().is_some());
}
