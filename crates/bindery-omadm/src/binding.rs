//! DM messages and what carries them: both halves of the HTTP binding.

mod accept;
mod client;
mod content_md5;
mod hmac;
mod server;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bindery_core::{Body, BodyError, MediaType, Place, Profile, Refusal};
use bindery_syncml::{Error, Form, Limits, Options, SyncMl};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::{Body as HttpBody, Frame};

pub use client::Expect;
pub use hmac::{Hmac, ParseHmacError};
pub use server::Reply;

use crate::profile::{CONTENT_TRANSFER_ENCODING, DmProfile, Family};

/// The HTTP binding of OMA DM: one message in the body of each request and of each response
/// (section 5.2), in XML or WBXML.
///
/// It carries octets: what is sent was encoded by whoever made it, because the MAC of
/// `x-syncml-hmac` is over the octets and an answer is sent again as it was. What is received is
/// read, and its octets stand beside it.
///
/// As [`ServerBinding`](bindery_core::ServerBinding) it reads a body whose header can be read and
/// whose commands cannot as an [`Incoming`] with a [`fault`](Incoming::fault), which the service
/// answers in SyncML's words; anything worse is refused with 400. What the client takes is settled
/// before anything is done: a request without an acceptable type or character set gets 406 and no
/// message.
#[derive(Clone, Debug)]
pub struct DmHttp {
    profile: Profile,
    any_target: bool,
    requests: Options,
    responses: Options,
    accept: Vec<Form>,
    content_md5: bool,
    chunked: bool,
}

impl DmHttp {
    /// The binding with a deployment's choices.
    pub fn new(profile: &DmProfile) -> Self {
        let options = if profile.strict { Options::STRICT } else { Options::LENIENT };
        let limited = |body: u64| {
            let octets = u32::try_from(body).unwrap_or(u32::MAX);
            options.with_limits(Limits::DEFAULT.with_message_length(octets))
        };
        Self {
            profile: profile.card(),
            any_target: profile.any_target,
            requests: limited(profile.request_body_limit),
            responses: limited(profile.response_body_limit),
            accept: vec![Form::Wbxml, Form::Xml],
            content_md5: false,
            chunked: false,
        }
    }

    /// The client takes answers in these forms, the one it likes best first (`Accept`); WBXML and
    /// XML unless told otherwise.
    #[must_use]
    pub fn with_accept(mut self, forms: impl Into<Vec<Form>>) -> Self {
        self.accept = forms.into();
        self
    }

    /// Sends `Content-MD5` with every message (section 5.4). Off by default: it is of use where
    /// something between the two sides is broken, and costs a pass over the body. A field that
    /// came is checked either way.
    #[must_use]
    pub const fn with_content_md5(mut self, send: bool) -> Self {
        self.content_md5 = send;
        self
    }

    /// Sends messages with `Transfer-Encoding: chunked` and no `Content-Length` (section 5.3.2).
    /// Off by default: the length is known. A request that is sent so cannot be sent again by the
    /// transport, for a challenge of HTTP or over another connection.
    #[must_use]
    pub const fn with_chunked(mut self, chunked: bool) -> Self {
        self.chunked = chunked;
        self
    }

    /// The body of a message.
    fn body(&self, octets: Bytes) -> Body {
        if self.chunked { Body::stream(OfUnknownLength(Some(octets))) } else { octets.into() }
    }

    /// Whether `POST *` is for this server too.
    pub const fn takes_any_target(&self) -> bool {
        self.any_target
    }
}

impl Default for DmHttp {
    fn default() -> Self {
        Self::new(&DmProfile::default())
    }
}

/// A body that does not say how long it is, so that it goes out in chunks.
struct OfUnknownLength(Option<Bytes>);

impl HttpBody for OfUnknownLength {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(self.0.take().map(|octets| Ok(Frame::data(octets))))
    }
}

/// A message to be sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The message, encoded.
    pub octets: Bytes,
    /// How it is encoded.
    pub form: Form,
    /// The MAC over its octets, where the two sides use it.
    pub hmac: Option<Hmac>,
    /// Further fields, of the application's choice: for a server those of section 5.3.4 for
    /// instance. The binding's own (Content-Type, Content-MD5) are set beside them.
    pub headers: HeaderMap,
}

/// The octets may hold a password (Basic) or a nonce.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Outgoing");
        shown.field("octets", &self.octets.len()).field("form", &self.form).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// A message without MAC and further fields.
    pub fn new(octets: impl Into<Bytes>, form: Form) -> Self {
        Self { octets: octets.into(), form, hmac: None, headers: HeaderMap::new() }
    }
}

/// A message that came.
#[derive(Clone)]
#[non_exhaustive]
pub struct Incoming {
    /// The message; its header alone, and no command, where there is a fault.
    pub message: SyncMl,
    /// Why what stands behind the header cannot be read.
    pub fault: Option<Error>,
    /// The octets as they came.
    pub octets: Bytes,
    /// How it is encoded.
    pub form: Form,
    /// The form that the answer is to have, as `Accept` asks.
    pub answer: Form,
    /// What `x-syncml-hmac` says.
    pub hmac: Option<Hmac>,
    /// All fields, as they came: what the sender says of itself (`User-Agent`, `Server`) and the
    /// rest of sections 5.3.2 to 5.3.4.
    pub headers: HeaderMap,
    /// At the server: the URL that the request was sent to, as channel and `Host` show it. A proxy
    /// that ends TLS makes it another one than the client's.
    pub url: Option<http::Uri>,
}

/// Octets, message and fields may hold a password (Basic) or a nonce.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Incoming");
        shown.field("octets", &self.octets.len()).field("form", &self.form);
        shown.field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl Incoming {
    /// A message that came, from its octets; what HTTP says beside them is empty.
    ///
    /// # Errors
    /// Not even its header can be read.
    pub fn read(octets: Bytes, options: &Options) -> Result<Self, Error> {
        let form = Form::detect(&octets);
        let (message, fault) = match SyncMl::decode(&octets, options) {
            Ok(message) => (message, None),
            Err(fault) => {
                let hdr = SyncMl::decode_hdr(&octets, options).map_err(|_| fault.clone())?;
                (SyncMl { hdr, ..SyncMl::default() }, Some(fault))
            }
        };
        let headers = HeaderMap::new();
        Ok(Self { message, fault, octets, form, answer: form, hmac: None, headers, url: None })
    }

    /// What the sender calls its software: `User-Agent` of a client.
    pub fn user_agent(&self) -> Option<&str> {
        self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok())
    }
}

/// Reads what both sides read the same: the body's form against its type, the character set, the
/// checksum, the MAC's field.
fn read(headers: HeaderMap, body: Bytes, options: &Options) -> Result<(Incoming, Family), Refusal> {
    let media_type = media_type(&headers);
    let Some((family, form)) = media_type.as_ref().and_then(Family::of) else {
        return Err(Refusal::MediaType { expected: Vec::new(), found: media_type });
    };
    let place = |offset, reason: &str| Refusal::MalformedBody {
        place: Place::new("SyncML", offset, reason),
    };
    if body.is_empty() {
        return Err(place(Some(0), "the body is empty; send one DM message"));
    }
    if !content_md5::fits(&headers, &body) {
        return Err(place(None, "the body is not the one that Content-MD5 speaks of"));
    }
    if Form::detect(&body) != form {
        return Err(place(Some(0), "the body is in another form than its media type says"));
    }
    let hmac = match headers.get(hmac::FIELD) {
        Some(value) => Some(Hmac::parse(value).map_err(|error| malformed(hmac::FIELD, error))?),
        None => None,
    };
    let charset = media_type.as_ref().and_then(|found| found.parameter("charset"));
    let encoding = match charset.filter(|_| form == Form::Xml) {
        Some(label) => Some(bindery_xml::Encoding::from_label(label).ok_or_else(|| {
            Refusal::MediaType { expected: Vec::new(), found: media_type.clone() }
        })?),
        None => None,
    };
    let options = options.with_encoding(encoding);
    let incoming = Incoming::read(body, &options).map_err(|error| explain(&error))?;
    Ok((Incoming { hmac, headers, ..incoming }, family))
}

fn malformed(name: HeaderName, error: ParseHmacError) -> Refusal {
    Refusal::MalformedHeader { name, reason: error.to_string().into() }
}

fn explain(error: &Error) -> Refusal {
    let path = error.path().join("/");
    let separator = if path.is_empty() { "" } else { ": " };
    let line = error.place().line.map_or_else(String::new, |(line, _)| format!("line {line}: "));
    let reason = format!("{line}{path}{separator}{}; {}", error.kind(), error.remedy());
    Refusal::MalformedBody { place: Place::new("SyncML", Some(error.place().offset), reason) }
}

fn media_type(headers: &HeaderMap) -> Option<MediaType> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()?.parse().ok()
}

/// The fields that go with a message: the sender's further ones, its type, MAC and checksum.
fn fields(message: &Outgoing, family: Family, content_md5: bool) -> Result<HeaderMap, HeaderName> {
    let mut headers = message.headers.clone();
    // HTTP does not have it.
    headers.remove(CONTENT_TRANSFER_ENCODING);
    headers.insert(header::CONTENT_TYPE, content_type(family, message.form));
    headers.remove(hmac::FIELD);
    if let Some(hmac) = &message.hmac {
        headers.insert(hmac::FIELD, hmac.value().ok_or(hmac::FIELD)?);
    }
    headers.remove(content_md5::FIELD);
    if content_md5 && let Some(value) = content_md5::value(&message.octets) {
        headers.insert(content_md5::FIELD, value);
    }
    Ok(headers)
}

/// XML is written in UTF-8, and says so; WBXML says its own character set.
const fn content_type(family: Family, form: Form) -> HeaderValue {
    HeaderValue::from_static(match (family, form) {
        (Family::Dm, Form::Wbxml) => "application/vnd.syncml.dm+wbxml",
        (Family::Dm, _) => "application/vnd.syncml.dm+xml; charset=\"utf-8\"",
        (Family::Ds, Form::Wbxml) => "application/vnd.syncml+wbxml",
        (Family::Ds, _) => "application/vnd.syncml+xml; charset=\"utf-8\"",
    })
}
