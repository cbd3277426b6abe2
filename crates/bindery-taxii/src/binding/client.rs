//! The client's half.

use bindery_core::{Body, ClientBinding, EncodeError, Place, Profile, Unexpected};
use bindery_taxii_xml::{
    Body as MessageBody, Dialect, Message, MessageKind, StatusMessage, read, write,
};
use bindery_xml::Source;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};

use super::{TaxiiHttp, fields, of_status, place, refusal};
use crate::names::{Carrier, DRAFT_TYPE, Names, X_TAXII_ACCEPT};

/// A message to send, in a dialect.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// The dialect.
    pub dialect: Dialect,
    /// The message.
    pub message: Message<'static>,
}

impl Call {
    /// A message to send.
    pub const fn new(dialect: Dialect, message: Message<'static>) -> Self {
        Self { dialect, message }
    }
}

/// What a request fixes for reading its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    dialect: Dialect,
    carrier: Carrier,
    /// What the answer has to name; nothing where the dialect could not carry it.
    id: String,
}

/// An answer: a message, or what a client takes an answer for that is none.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The dialect of the message.
    pub dialect: Dialect,
    /// The message.
    pub message: Message<'static>,
    /// Who it is from.
    pub origin: Origin,
}

/// Who an answer is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A TAXII service.
    Service,
    /// The HTTP layer or an intermediary: the message is what the specification takes its status for.
    Http,
}

impl ClientBinding for TaxiiHttp {
    type Request = Call;
    type Response = Answer;
    type Expect = Expect;

    fn profile(&self) -> &Profile {
        &self.card
    }

    fn encode_request(
        &self,
        target: &http::Uri,
        call: Call,
    ) -> Result<(Request<Body>, Expect), EncodeError> {
        let Call { dialect, message } = call;
        let carrier = Carrier::of_url(target);
        let expect = Expect { dialect, carrier, id: message.id.clone() };
        let by_url = match message.body.kind() {
            MessageKind::DiscoveryRequest => Some("discovery_request"),
            MessageKind::CollectionInformationRequest => Some("feed_information_request"),
            _ => None,
        };
        let mut request = match by_url {
            Some(kind) if dialect == Dialect::Draft => {
                let target = with_query(target, kind, &message)?;
                let mut request = self.card.prepare_request(&target, Body::empty())?;
                *request.method_mut() = Method::GET;
                request.headers_mut().remove(header::CONTENT_TYPE);
                fields::put_protocol(request.headers_mut(), dialect, carrier);
                request
            }
            _ => {
                let mut out = Vec::new();
                write(&message, dialect, &mut out).map_err(|error| {
                    EncodeError::new(format!("the message cannot be written: {error}"))
                })?;
                let mut request = self.card.prepare_request(target, out.into())?;
                *request.method_mut() = Method::POST;
                fields::put(request.headers_mut(), dialect, carrier);
                request
            }
        };
        put_accept(request.headers_mut(), dialect);
        Ok((request, expect))
    }

    fn decode_response(
        &self,
        expect: Expect,
        response: Response<Body>,
    ) -> Result<Answer, Unexpected> {
        let (head, body) = response.into_parts();
        let octets = body.into_bytes().unwrap_or_default();
        if let Some(foreign) = self.begin_answer(&expect, &head, Some(&octets))? {
            return Ok(foreign);
        }
        let source = Source::new(&octets);
        let (dialect, message) =
            read(&source, &self.options).map_err(|error| Unexpected::Malformed(place(&error)))?;
        expect.check(dialect, &message)?;
        Ok(Answer { dialect, message: message.into_owned(), origin: Origin::Service })
    }
}

impl TaxiiHttp {
    /// Looks at the head of an answer. What is none of a TAXII service's is an answer all the same; else the body is to be
    /// read. `octets` are the body, if it was collected.
    pub(crate) fn begin_answer(
        &self,
        expect: &Expect,
        head: &http::response::Parts,
        octets: Option<&[u8]>,
    ) -> Result<Option<Answer>, Unexpected> {
        // What is TAXII's says so; without that nothing of it is read.
        let empty = octets.is_some_and(<[u8]>::is_empty);
        if empty || !fields::says_taxii(&head.headers, expect.dialect) {
            if head.status.is_success() {
                self.card.check_response(head, octets.unwrap_or_default())?;
                let reason = "its fields do not say that it is a TAXII message";
                return Err(Unexpected::Mismatch(reason.to_owned()));
            }
            return Ok(Some(foreign(head, expect)));
        }
        fields::check_answer(&head.headers, expect.dialect, expect.carrier)
            .map_err(|refusal| Unexpected::Mismatch(refusal.to_string()))?;
        Ok(None)
    }

    /// How messages are read.
    #[cfg(feature = "client")]
    pub(crate) const fn options(&self) -> &bindery_taxii_xml::Options {
        &self.options
    }
}

impl Expect {
    /// Whether a message answers the request.
    pub(crate) fn check(&self, dialect: Dialect, message: &Message<'_>) -> Result<(), Unexpected> {
        if dialect != self.dialect {
            let reason = format!("the message is one of TAXII {dialect}, not {}", self.dialect);
            return Err(Unexpected::Malformed(Place::new("TAXII XML", None, reason)));
        }
        let is_status = message.body.kind() == MessageKind::Status;
        match &message.in_response_to {
            Some(id) if *id == self.id => Ok(()),
            // Who could not read the request cannot name it; the draft may leave it out.
            None if dialect == Dialect::Draft => Ok(()),
            _ if is_status => Ok(()),
            other => {
                let found = other.as_deref().unwrap_or("nothing");
                let reason = format!("it answers {found}, and {} was asked", self.id);
                Err(Unexpected::Mismatch(reason))
            }
        }
    }
}

/// An answer of the HTTP layer as a Status Message (TAXII 1.0 HTTP binding, section 6): the message is the response.
fn foreign(head: &http::response::Parts, expect: &Expect) -> Answer {
    let mut status = StatusMessage::new(of_status(head.status));
    let explained = head.headers.get("bindery-refusal").and_then(|value| value.to_str().ok());
    let mut text = format!("HTTP {}", head.status);
    if let Some(explained) = explained {
        text.push_str(": ");
        text.push_str(explained);
    }
    status.message = Some(refusal::printable(&text));
    let body = MessageBody::Status(status);
    let message = Message::new("0", Some(&expect.id), body);
    Answer { dialect: expect.dialect, message, origin: Origin::Http }
}

fn put_accept(headers: &mut HeaderMap, dialect: Dialect) {
    headers.insert(header::ACCEPT, HeaderValue::from_static(crate::profile::XML));
    let accepted = match dialect {
        Dialect::Draft => DRAFT_TYPE,
        other => Names::of(other).message(),
    };
    headers.insert(X_TAXII_ACCEPT, HeaderValue::from_static(accepted));
}

/// The URL of a request of the draft; extended headers are parameters.
fn with_query(
    target: &http::Uri,
    kind: &str,
    message: &Message<'_>,
) -> Result<http::Uri, EncodeError> {
    let mut query = format!("message_type={kind}&message_id={}", encoded(&message.id));
    for one in &message.extended_headers {
        let Some(text) = one.value.as_text() else {
            return Err(EncodeError::new(format!(
                "the extended header {} holds elements, which a URL cannot carry; leave it out",
                one.name
            )));
        };
        if matches!(&*one.name, "message_type" | "message_id") {
            return Err(EncodeError::new(format!("{} is no extended header", one.name)));
        }
        query.push_str(&format!("&{}={}", encoded(&one.name), encoded(&text)));
    }
    let path = target.path();
    let mut parts = target.clone().into_parts();
    let wrong = |_| EncodeError::new("the target and the parameters make no URL; shorten them");
    parts.path_and_query = Some(format!("{path}?{query}").try_into().map_err(wrong)?);
    http::Uri::from_parts(parts)
        .map_err(|_| EncodeError::new("the target is no URL; use a whole http or https URL"))
}

/// Percent-encoding of everything that is not unreserved (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(octet));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
