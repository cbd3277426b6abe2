//! Shaped like KMIP (a largest response that the request names) and OMA DM (one message in two
//! encodings): the form of the answer depends on the request.

use bindery_core::{
    Body, Bound, ClientBinding, Context, Decoded, EncodeError, Endpoint, Fault, Handler, MediaType,
    Place, Profile, Refusal, Refused, Rejected, ServerBinding, Timestamp, Unexpected,
};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header, request};

use crate::support::{block_on, call, call_through, context, field, page, target, text};

/// The same message in text (`MAX:VALUE`) or binary (four octets of MAX, then the value).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Text,
    Binary,
}

impl Encoding {
    const ALL: [Self; 2] = [Self::Text, Self::Binary];

    const fn media_type(self) -> MediaType {
        MediaType::from_static(match self {
            Self::Text => "application/x-vault+text",
            Self::Binary => "application/x-vault",
        })
    }

    fn of(value: &str) -> Option<Self> {
        let media_type: MediaType = value.parse().ok()?;
        Self::ALL.into_iter().find(|encoding| encoding.media_type().same_essence(&media_type))
    }

    fn write(self, number: u32, value: &[u8]) -> Vec<u8> {
        let mut octets = match self {
            Self::Text => format!("{number}:").into_bytes(),
            Self::Binary => number.to_be_bytes().to_vec(),
        };
        octets.extend_from_slice(value);
        octets
    }

    fn read(self, octets: &[u8]) -> Option<(u32, &[u8])> {
        match self {
            Self::Text => {
                let colon = octets.iter().position(|octet| *octet == b':')?;
                let number = std::str::from_utf8(&octets[..colon]).ok()?.parse().ok()?;
                Some((number, &octets[colon + 1..]))
            }
            Self::Binary => {
                let (number, value) = octets.split_first_chunk()?;
                Some((u32::from_be_bytes(*number), value))
            }
        }
    }
}

/// Asks for `length` octets of data; `max` is the largest answer, in octets.
#[derive(Debug)]
struct Fetch {
    max: u32,
    length: usize,
}

/// What came of it: number 0 and the data, or number 1 and the failure's name.
#[derive(Debug, PartialEq)]
enum Fetched {
    Data(Vec<u8>),
    Failed(String),
}

impl Fetched {
    fn write(&self, encoding: Encoding) -> Vec<u8> {
        match self {
            Self::Data(data) => encoding.write(0, data),
            Self::Failed(reason) => encoding.write(1, reason.as_bytes()),
        }
    }
}

/// What the request fixes for its answer.
#[derive(Debug)]
struct Form {
    encoding: Encoding,
    max: Option<u32>,
}

/// The client's side sends in `sends` and asks for answers in `wants`.
#[derive(Debug)]
struct Vault {
    card: Profile,
    sends: Encoding,
    wants: Option<Encoding>,
}

impl Vault {
    fn new(sends: Encoding, wants: Option<Encoding>) -> Self {
        let mut card = Profile::new("vault");
        card.request_media_types = Encoding::ALL.map(Encoding::media_type).into();
        card.response_media_types = card.request_media_types.clone();
        Self { card, sends, wants }
    }

    fn respond(&self, encoding: Encoding, octets: Vec<u8>) -> Response<Body> {
        let mut response = Response::new(octets.into());
        let value = HeaderValue::try_from(encoding.media_type().to_string()).unwrap();
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }

    fn encoding_for(headers: &HeaderMap) -> Result<Encoding, Refusal> {
        // The card let the request pass: its type is one of ours.
        let own = field(headers, "content-type").and_then(Encoding::of).unwrap();
        match field(headers, "accept") {
            None => Ok(own),
            Some(accept) => Encoding::of(accept).ok_or(Refusal::NotAcceptable),
        }
    }
}

impl ServerBinding for Vault {
    type Request = Fetch;
    type Response = Fetched;
    type Reply = Form;

    fn profile(&self) -> &Profile {
        &self.card
    }

    fn decode_request(&self, _cx: &Context, request: Request<Body>) -> Decoded<Fetch, Form> {
        let (parts, body) = request.into_parts();
        let encoding = Self::encoding_for(&parts.headers)?;
        let own = field(&parts.headers, "content-type").and_then(Encoding::of).unwrap();
        let malformed =
            |reason| Refusal::MalformedBody { place: Place::new("vault", None, reason) };
        let (max, value) =
            own.read(body.as_bytes().unwrap()).ok_or_else(|| malformed("no head"))?;
        let form = Form { encoding, max: Some(max) };
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        match length {
            Some(length) => Ok((Fetch { max, length }, form)),
            None => Err(Rejected::with_reply(malformed("no length"), form)),
        }
    }

    fn encode_response(&self, _cx: &Context, reply: Form, response: Fetched) -> Response<Body> {
        let mut octets = response.write(reply.encoding);
        if reply.max.is_some_and(|max| octets.len() > max as usize) {
            octets = Fetched::Failed("TOO_LARGE".to_owned()).write(reply.encoding);
        }
        self.respond(reply.encoding, octets)
    }

    fn reply_of(&self, _cx: &Context, head: &request::Parts) -> Option<Form> {
        let named = |name| field(&head.headers, name).and_then(Encoding::of);
        let encoding = named("accept").or_else(|| named("content-type"))?;
        Some(Form { encoding, max: None })
    }

    /// A message whose form is known is answered in the protocol; the rest is HTTP's.
    fn encode_refusal(
        &self,
        _cx: &Context,
        reply: Option<Form>,
        refusal: &Refusal,
    ) -> Response<Body> {
        match reply {
            Some(form) => {
                let failed = Fetched::Failed("INVALID_MESSAGE".to_owned());
                self.respond(form.encoding, failed.write(form.encoding))
            }
            None => self.card.refusal_response(refusal),
        }
    }
}

impl ClientBinding for Vault {
    type Request = Fetch;
    type Response = Fetched;
    type Expect = Form;

    fn profile(&self) -> &Profile {
        &self.card
    }

    fn encode_request(
        &self,
        target: &Uri,
        request: Fetch,
    ) -> Result<(Request<Body>, Form), EncodeError> {
        let octets = self.sends.write(request.max, request.length.to_string().as_bytes());
        let mut http = self.card.prepare_request(target, octets.into())?;
        let value =
            |encoding: Encoding| HeaderValue::try_from(encoding.media_type().to_string()).unwrap();
        http.headers_mut().insert(header::CONTENT_TYPE, value(self.sends));
        if let Some(wants) = self.wants {
            http.headers_mut().insert(header::ACCEPT, value(wants));
        }
        let encoding = self.wants.unwrap_or(self.sends);
        Ok((http, Form { encoding, max: Some(request.max) }))
    }

    fn decode_response(
        &self,
        expect: Form,
        response: Response<Body>,
    ) -> Result<Fetched, Unexpected> {
        let (parts, body) = response.into_parts();
        let octets = body.as_bytes().unwrap();
        self.card.check_response(&parts, octets)?;
        let found = field(&parts.headers, "content-type").and_then(Encoding::of);
        if found != Some(expect.encoding) {
            return Err(Unexpected::Mismatch(format!(
                "the answer is {found:?}, expected {:?}",
                expect.encoding
            )));
        }
        let malformed = |reason| Unexpected::Malformed(Place::new("vault", Some(0), reason));
        match expect.encoding.read(octets) {
            Some((0, data)) => Ok(Fetched::Data(data.to_vec())),
            Some((1, reason)) => Ok(Fetched::Failed(String::from_utf8_lossy(reason).into_owned())),
            Some(_) => Err(malformed("unknown kind")),
            None => Err(malformed("no head")),
        }
    }
}

#[derive(Debug)]
struct Data;

impl Handler<Fetch> for Data {
    type Response = Fetched;

    async fn handle(&self, _cx: &Context, request: Fetch) -> Fetched {
        Fetched::Data(vec![b'd'; request.length])
    }
}

fn server() -> Bound<Vault, Data> {
    Bound::new(Vault::new(Encoding::Binary, None), Data)
}

fn fetch(client: &Vault, max: u32, length: usize) -> Result<Fetched, Unexpected> {
    call(client, &server(), Fetch { max, length }, |_| {})
}

#[test]
fn the_answer_has_the_requests_encoding_or_the_accepted_one() {
    for sends in Encoding::ALL {
        for wants in [None, Some(Encoding::Text), Some(Encoding::Binary)] {
            let client = Vault::new(sends, wants);
            let expected = wants.unwrap_or(sends).media_type();
            let answer = call_through(&client, Fetch { max: 100, length: 3 }, |request| {
                let cx = context(Timestamp::UNIX_EPOCH);
                let response = block_on(server().respond(&cx, request));
                assert_eq!(field(response.headers(), "content-type"), Some(expected.essence()));
                response
            });
            assert_eq!(answer, Ok(Fetched::Data(b"ddd".to_vec())), "{sends:?} {wants:?}");
        }
    }
}

#[test]
fn an_answer_over_the_requests_limit_becomes_the_protocols_error() {
    for (encoding, head) in [(Encoding::Binary, 4), (Encoding::Text, 2)] {
        let client = Vault::new(encoding, None);
        let fits = fetch(&client, 100, 100 - head);
        assert_eq!(fits, Ok(Fetched::Data(vec![b'd'; 100 - head])), "{encoding:?}");
        let over = fetch(&client, 100, 101 - head);
        assert_eq!(over, Ok(Fetched::Failed("TOO_LARGE".to_owned())), "{encoding:?}");
    }
}

#[test]
fn a_form_that_cannot_be_given_is_refused_before_the_handler() {
    let client = Vault::new(Encoding::Text, None);
    let answer = call(&client, &server(), Fetch { max: 100, length: 1 }, |request| {
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    });
    let error = answer.unwrap_err();
    assert!(matches!(error, Unexpected::Status { status, .. } if status == 406), "{error:?}");
}

/// The same fault, a little earlier and a little later in the message.
#[test]
fn a_faulty_message_is_answered_in_its_own_form_once_that_is_known() {
    let spoiled = |encoding: Encoding, octets: &[u8]| {
        let client = Vault::new(encoding, None);
        call(&client, &server(), Fetch { max: 100, length: 1 }, |request| {
            *request.body_mut() = octets.to_vec().into();
        })
    };
    let invalid = Ok(Fetched::Failed("INVALID_MESSAGE".to_owned()));
    assert_eq!(spoiled(Encoding::Text, b"100:many"), invalid);
    assert_eq!(spoiled(Encoding::Binary, b"\0\0\0\x64many"), invalid);
    for (encoding, octets) in [(Encoding::Text, &b"100"[..]), (Encoding::Binary, b"\0\0\0")] {
        let error = spoiled(encoding, octets).unwrap_err();
        assert!(matches!(error, Unexpected::Status { status, .. } if status == 400), "{error:?}");
    }
}

#[test]
fn a_refusal_in_the_protocols_form_is_still_seen_by_the_log() {
    let mut request = Request::post(target()).header("content-type", "application/x-vault+text");
    request.headers_mut().unwrap().insert(header::ACCEPT, "application/x-vault".parse().unwrap());
    let request = request.body(Body::from("9:many".to_owned())).unwrap();
    let response = block_on(server().respond(&context(Timestamp::UNIX_EPOCH), request));
    assert_eq!(response.status(), 200);
    assert_eq!(field(response.headers(), "content-type"), Some("application/x-vault"));
    assert_eq!(response.body().as_bytes().unwrap(), &b"\0\0\0\x01INVALID_MESSAGE"[..]);
    let refused = response.extensions().get::<Refused>().unwrap();
    assert_eq!(refused.0.fault(), Fault::MalformedBody);
}

/// The card's refusals and those of limits come before decoding; they have the peer's form too.
#[test]
fn a_refusal_before_decoding_has_the_form_that_the_head_asks_for() {
    let invalid = &b"\0\0\0\x01INVALID_MESSAGE"[..];
    let head = |method: &str| {
        Request::builder().method(method).uri(target()).header("accept", "application/x-vault")
    };
    let typed =
        |builder: request::Builder| builder.header("content-type", "application/x-vault+text");
    let too_long = Body::from("9:9".repeat(1 << 20));
    let requests = [
        (typed(head("DELETE")).body(Body::empty()).unwrap(), Fault::Method),
        (head("POST").body(Body::empty()).unwrap(), Fault::MediaType),
        (typed(head("POST")).body(too_long).unwrap(), Fault::BodyTooLarge),
    ];
    for (request, fault) in requests {
        let response = block_on(server().respond(&context(Timestamp::UNIX_EPOCH), request));
        assert_eq!(response.body().as_bytes().unwrap(), invalid, "{fault:?}");
        assert_eq!(response.extensions().get::<Refused>().unwrap().0.fault(), fault);
    }
    let (parts, ()) = typed(head("POST")).body(()).unwrap().into_parts();
    let cx = context(Timestamp::UNIX_EPOCH);
    let refused = server().refuse(&cx, Some(&parts), &Refusal::Overloaded);
    assert_eq!(refused.body().as_bytes().unwrap(), invalid);
    let blind = server().refuse(&cx, None, &Refusal::Overloaded);
    assert_eq!(blind.status(), 503);
}

/// What the request asked for decides how the answer is read, not what the answer says of itself.
#[test]
fn an_answer_in_another_form_does_not_fit_the_request() {
    let client = Vault::new(Encoding::Binary, Some(Encoding::Text));
    let answered = |content_type, octets: &str| {
        let response = page(200, content_type, octets);
        call_through(&client, Fetch { max: 100, length: 1 }, |_| response)
    };
    let error = answered("application/x-vault", "\0\0\0\0d").unwrap_err();
    assert!(matches!(error, Unexpected::Mismatch(_)), "{error:?}");
    let fits = answered("application/x-vault+text; charset=utf-8", "0:d");
    assert_eq!(fits, Ok(Fetched::Data(b"d".to_vec())));
    for octets in ["d", "2:d"] {
        let error = answered("application/x-vault+text", octets).unwrap_err();
        assert!(matches!(error, Unexpected::Malformed(_)), "{error:?}");
    }
}

#[test]
fn what_explains_a_refusal_stands_in_the_body_as_text() {
    let request = Request::post(target()).body(Body::empty()).unwrap();
    let response = block_on(server().respond(&context(Timestamp::UNIX_EPOCH), request));
    assert_eq!(response.status(), 415);
    assert!(text(response.body()).contains("application/x-vault"), "{:?}", text(response.body()));
}
