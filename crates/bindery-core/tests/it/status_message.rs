//! Shaped like TAXII: a protocol that says no in a message of its own (a Status Message), with a
//! media type and statuses of its own.

use bindery_core::{
    Body, Bound, Call, ClientBinding, Context, Decoded, EncodeError, Endpoint, Exchange, Fault,
    Handler, MediaType, Place, Profile, Refusal, Refused, Rejected, ServerBinding, Timestamp,
    Unexpected,
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};

use crate::support::{
    block_on, call, call_through, collected, context, field, origin, page, target, text,
};

const FEED: MediaType = MediaType::from_static("application/x-feed");
const STATUS: MediaType = MediaType::from_static("application/x-feed-status");

/// A poll of one feed: `ID poll NAME`.
#[derive(Clone, Debug, PartialEq)]
struct Poll {
    id: u32,
    feed: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    /// `ID CONTENT`, in [`FEED`].
    Content { to: u32, content: String },
    /// `ID TYPE DETAIL`, in [`STATUS`]; id 0 where the request's id is not known.
    Status { to: u32, kind: String, detail: String },
}

/// What the answer has to repeat: the request's id.
#[derive(Debug)]
struct InResponseTo(u32);

#[derive(Debug)]
struct FeedBinding(Profile);

impl FeedBinding {
    fn new() -> Self {
        let mut card = Profile::new("feed");
        card.request_media_types = vec![FEED];
        card.response_media_types = vec![FEED, STATUS];
        card.message_statuses.extend([
            StatusCode::BAD_REQUEST,
            StatusCode::FORBIDDEN,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::NOT_ACCEPTABLE,
            StatusCode::PAYLOAD_TOO_LARGE,
        ]);
        card.status_overrides = vec![(Fault::MediaType, StatusCode::NOT_ACCEPTABLE)];
        card.response_headers.push((
            HeaderName::from_static("x-feed-protocol"),
            HeaderValue::from_static("FEED_HTTPS_1.0"),
        ));
        card.request_body_limit = 200;
        Self(card)
    }

    fn respond(status: StatusCode, media_type: &MediaType, text: String) -> Response<Body> {
        let mut response = Response::new(text.into());
        *response.status_mut() = status;
        let value = HeaderValue::try_from(media_type.to_string()).unwrap();
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }
}

impl ServerBinding for FeedBinding {
    type Request = Poll;
    type Response = Answer;
    type Reply = InResponseTo;

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(
        &self,
        _cx: &Context,
        request: Request<Body>,
    ) -> Decoded<Self::Request, Self::Reply> {
        let malformed = |offset: usize, reason: &str| Refusal::MalformedBody {
            place: Place::new("feed", u64::try_from(offset).ok(), reason),
        };
        let body = request.into_body();
        let text = std::str::from_utf8(body.as_bytes().unwrap())
            .map_err(|error| malformed(error.valid_up_to(), "not UTF-8"))?;
        let (id, rest) = text.split_once(' ').ok_or_else(|| malformed(0, "no id"))?;
        let id = id.parse().map_err(|_| malformed(0, "the id is no number"))?;
        match rest.split_once(' ') {
            Some(("poll", feed)) => Ok((Poll { id, feed: feed.to_owned() }, InResponseTo(id))),
            // From here on the answer can name the request that it answers.
            _ => Err(Rejected::with_reply(
                malformed(text.len() - rest.len(), "expected poll"),
                InResponseTo(id),
            )),
        }
    }

    fn encode_response(
        &self,
        _cx: &Context,
        reply: Self::Reply,
        response: Self::Response,
    ) -> Response<Body> {
        match response {
            Answer::Content { content, .. } => {
                Self::respond(StatusCode::OK, &FEED, format!("{} {content}", reply.0))
            }
            Answer::Status { kind, detail, .. } => {
                Self::respond(StatusCode::OK, &STATUS, format!("{} {kind} {detail}", reply.0))
            }
        }
    }

    fn encode_refusal(
        &self,
        _cx: &Context,
        reply: Option<Self::Reply>,
        refusal: &Refusal,
    ) -> Response<Body> {
        let kind = match refusal.fault() {
            Fault::MalformedBody => "BAD_MESSAGE",
            Fault::MediaType => "UNSUPPORTED_MESSAGE",
            Fault::Forbidden => "DENIED",
            _ => "FAILURE",
        };
        let to = reply.map_or(0, |reply| reply.0);
        Self::respond(self.0.status(refusal), &STATUS, format!("{to} {kind} {refusal}"))
    }
}

impl ClientBinding for FeedBinding {
    type Request = Poll;
    type Response = Answer;
    type Expect = u32;

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn encode_request(
        &self,
        target: &Uri,
        request: Poll,
    ) -> Result<(Request<Body>, u32), EncodeError> {
        if request.id == 0 {
            return Err(EncodeError::new("id 0 stands for no message; use another"));
        }
        let body = format!("{} poll {}", request.id, request.feed);
        Ok((self.0.prepare_request(target, body.into())?, request.id))
    }

    fn decode_response(&self, id: u32, response: Response<Body>) -> Result<Answer, Unexpected> {
        let (parts, body) = response.into_parts();
        let bytes = body.as_bytes().unwrap();
        self.0.check_response(&parts, bytes)?;
        let malformed = || Unexpected::Malformed(Place::new("feed", None, "not an answer"));
        let (to, rest) = text(&body).split_once(' ').ok_or_else(malformed)?;
        let to = to.parse().map_err(|_| malformed())?;
        let is_status = field(&parts.headers, "content-type") == Some(STATUS.essence());
        if to != id && !(is_status && to == 0) {
            return Err(Unexpected::Mismatch(format!("answers message {to}, expected {id}")));
        }
        if !is_status {
            return Ok(Answer::Content { to, content: rest.to_owned() });
        }
        let (kind, detail) = rest.split_once(' ').ok_or_else(malformed)?;
        Ok(Answer::Status { to, kind: kind.to_owned(), detail: detail.to_owned() })
    }
}

/// Has one feed.
#[derive(Debug)]
struct Feeds;

impl Handler<Poll> for Feeds {
    type Response = Answer;

    async fn handle(&self, _cx: &Context, request: Poll) -> Answer {
        let to = request.id;
        if request.feed == "news" {
            return Answer::Content { to, content: "something happened".to_owned() };
        }
        let detail = format!("there is no feed {}", request.feed);
        Answer::Status { to, kind: "NOT_FOUND".to_owned(), detail }
    }
}

fn server() -> Bound<FeedBinding, Feeds> {
    Bound::new(FeedBinding::new(), Feeds)
}

fn poll(id: u32, feed: &str) -> Poll {
    Poll { id, feed: feed.to_owned() }
}

fn send(change: impl FnOnce(&mut Request<Body>)) -> Result<Answer, Unexpected> {
    call(&FeedBinding::new(), &server(), poll(7, "news"), change)
}

fn status(answer: Result<Answer, Unexpected>) -> (u32, String, String) {
    match answer {
        Ok(Answer::Status { to, kind, detail }) => (to, kind, detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_and_its_answer() {
    let content = "something happened".to_owned();
    assert_eq!(send(|_| {}), Ok(Answer::Content { to: 7, content }));
}

#[test]
fn a_failure_inside_the_protocol_is_an_ordinary_answer() {
    let request = poll(3, "sports");
    let answer = call(&FeedBinding::new(), &server(), request, |_| {});
    let (to, kind, detail) = status(answer);
    assert_eq!((to, kind.as_str()), (3, "NOT_FOUND"));
    assert_eq!(detail, "there is no feed sports");
}

#[test]
fn a_refusal_of_the_card_arrives_as_a_status_message() {
    let (to, kind, detail) = status(send(|request| {
        let html = HeaderValue::from_static("text/html");
        request.headers_mut().insert(header::CONTENT_TYPE, html);
    }));
    assert_eq!((to, kind.as_str()), (0, "UNSUPPORTED_MESSAGE"));
    assert!(detail.contains("text/html") && detail.contains(FEED.essence()), "{detail}");
    let (_, kind, _) = status(send(|request| *request.method_mut() = http::Method::PUT));
    assert_eq!(kind, "FAILURE");
    let (_, kind, detail) = status(send(|request| *request.body_mut() = vec![b'1'; 201].into()));
    assert_eq!(kind, "FAILURE");
    assert!(detail.contains("200 octets"), "{detail}");
}

#[test]
fn a_refusal_of_the_decoder_names_the_request_where_it_is_known() {
    let (to, kind, detail) =
        status(send(|request| *request.body_mut() = "7 push".to_owned().into()));
    assert_eq!((to, kind.as_str()), (7, "BAD_MESSAGE"));
    assert!(detail.contains("feed at offset 2: expected poll"), "{detail}");
    let (to, kind, _) = status(send(|request| *request.body_mut() = "news".to_owned().into()));
    assert_eq!((to, kind.as_str()), (0, "BAD_MESSAGE"));
}

/// The binding's refusals do not set these fields themselves: they come from the card.
#[test]
fn the_cards_fields_stand_in_refusals_of_every_stage() {
    let respond = |body: &str, content_type: &str| {
        let request = Request::post(target()).header("content-type", content_type);
        let request = request.body(body.to_owned().into()).unwrap();
        block_on(server().respond(&context(Timestamp::UNIX_EPOCH), request))
    };
    let stages = [
        respond("7 poll news", "text/html"),
        respond(&"1".repeat(201), FEED.essence()),
        respond("7 push", FEED.essence()),
    ];
    for response in stages {
        assert!(response.extensions().get::<Refused>().is_some(), "{response:?}");
        assert_eq!(field(response.headers(), "x-feed-protocol"), Some("FEED_HTTPS_1.0"));
        assert_eq!(field(response.headers(), "cache-control"), Some("no-store"));
    }
}

/// An answer that comes before the request or after the answer is not taken for one.
#[test]
fn a_call_takes_one_answer_and_only_to_what_it_sent() {
    let client = FeedBinding::new();
    let mut call = Call::new(&client, &target(), poll(7, "news")).unwrap();
    let now = origin();
    let stray = || page(200, FEED.essence(), "7 stray");
    call.handle_response(now, stray());
    assert!(call.poll_outcome().is_none());
    assert!(call.poll_transmit(now).is_some(), "the request is still to be sent");
    call.handle_timeout(now);
    call.handle_response(now, page(200, FEED.essence(), "7 genuine"));
    call.handle_response(now, stray());
    let content = "genuine".to_owned();
    assert_eq!(call.poll_outcome(), Some(Ok(Answer::Content { to: 7, content })));
    call.handle_response(now, stray());
    assert!(call.poll_outcome().is_none());
}

#[test]
fn refusals_have_the_cards_statuses_and_fields_on_the_wire() {
    let server = server();
    let cx = context(Timestamp::UNIX_EPOCH);
    let refusals = [
        (Refusal::MediaType { expected: vec![FEED], found: None }, 406),
        (Refusal::Forbidden, 403),
        (Refusal::Target, 404),
        (Refusal::Internal, 500),
    ];
    for (refusal, expected) in refusals {
        let response = collected(server.refuse(&cx, None, &refusal));
        assert_eq!(response.status().as_u16(), expected, "{refusal:?}");
        assert_eq!(field(response.headers(), "content-type"), Some(STATUS.essence()));
        assert_eq!(field(response.headers(), "x-feed-protocol"), Some("FEED_HTTPS_1.0"));
        assert_eq!(field(response.headers(), "cache-control"), Some("no-store"));
        let Some(Refused(carried)) = response.extensions().get::<Refused>() else {
            panic!("the log sees no refusal")
        };
        assert_eq!(carried, &refusal);
        assert!(text(response.body()).contains(&refusal.to_string()));
    }
}

/// The card lets a 400 carry a message: only the type tells the protocol's from a proxy's, and a
/// status that the card does not name is not read at all.
#[test]
fn an_intermediarys_answer_is_never_taken_for_a_status_message() {
    let client = FeedBinding::new();
    let answered = |response| call_through(&client, poll(7, "news"), |_| response);
    let error = answered(page(400, "text/html", "7 BAD_MESSAGE from a proxy")).unwrap_err();
    assert!(matches!(error, Unexpected::MediaType { .. }), "{error:?}");
    assert!(error.to_string().contains("begins with \"7 BAD_MESSAGE from a proxy\""), "{error}");
    let error = answered(page(502, STATUS.essence(), "7 FAILURE down")).unwrap_err();
    assert!(matches!(error, Unexpected::Status { status, .. } if status == 502), "{error:?}");
    let genuine = answered(page(400, STATUS.essence(), "7 BAD_MESSAGE no")).unwrap();
    assert_eq!(status(Ok(genuine)).1, "BAD_MESSAGE");
    let error = answered(page(200, FEED.essence(), "8 other")).unwrap_err();
    assert!(matches!(error, Unexpected::Mismatch(_)), "{error:?}");
    let error = answered(page(200, FEED.essence(), "garbage")).unwrap_err();
    assert!(matches!(error, Unexpected::Malformed(_)), "{error:?}");
}

#[test]
fn a_message_that_cannot_be_sent_is_the_callers_fault() {
    let client = FeedBinding::new();
    let new = |target: &'static str, request| {
        let call = Call::new(&client, &Uri::from_static(target), request);
        call.map(drop).unwrap_err().to_string()
    };
    assert!(new("https://example.test/", poll(0, "news")).contains("use another"));
    assert!(new("http://example.test/", poll(1, "news")).contains("use an https URL"));
}
