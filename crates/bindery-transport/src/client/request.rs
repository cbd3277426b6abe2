//! A request made ready: in origin form, with the fields that framing and persistence ask for.

use bindery_core::{Body, ContentCoding};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};

use super::{Config, Repeatable, Target};
use crate::{TransportError, content_digest};

/// In a request's extensions: it is sent on for somebody else, whose answer is left as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untouched;

/// A request that can be sent, more than once if its body is whole.
pub(super) struct Prepared {
    pub(super) method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    payload: Payload,
    /// The codings that the request names in `Accept-Encoding`.
    pub(super) codings: Vec<ContentCoding>,
    /// Carrying it out twice does the same as once.
    pub(super) repeatable: bool,
    /// The body of the answer is read as it comes.
    pub(super) streamed: bool,
    /// The answer is left as it is: its coding is not undone.
    pub(super) untouched: bool,
}

enum Payload {
    Whole(Bytes),
    Stream(Option<Body>),
}

impl Prepared {
    pub(super) fn new(
        config: &Config,
        target: &Target,
        upgraded: bool,
        request: Request<Body>,
    ) -> Result<Self, TransportError> {
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::CONNECT {
            return Err(TransportError::request("CONNECT asks for a tunnel, not for an answer"));
        }
        let payload = match body.into_bytes() {
            Ok(bytes) => Payload::Whole(bytes),
            Err(_) if config.version == Version::HTTP_10 => {
                return Err(TransportError::request("HTTP/1.0 sends whole bodies only")
                    .with_hint("collect the body before it is sent, or speak HTTP/1.1"));
            }
            Err(stream) => Payload::Stream(Some(stream)),
        };
        let idempotent = parts.method.is_idempotent();
        let repeatable = matches!(payload, Payload::Whole(_))
            && (idempotent || parts.extensions.get::<Repeatable>().is_some());
        set_fields(config, target, &parts.method, &payload, &mut parts.headers)?;
        Ok(Self {
            uri: origin_form(target, upgraded, &parts.uri)?,
            codings: named(&parts.headers),
            method: parts.method,
            version: config.version,
            headers: parts.headers,
            payload,
            repeatable,
            streamed: false,
            untouched: parts.extensions.get::<Untouched>().is_some(),
        })
    }

    /// The request to send; `None` for a stream that was sent already.
    pub(super) fn build(&mut self) -> Option<Request<Body>> {
        let body = match &mut self.payload {
            Payload::Whole(bytes) => Body::from(bytes.clone()),
            Payload::Stream(stream) => stream.take()?,
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        Some(request)
    }

    /// The target in absolute form, as a proxy is asked (RFC 9112, section 3.2.2), and as it is written: that of `OPTIONS *` has
    /// no path (section 3.2.4), which a [`Uri`] cannot say.
    pub(super) fn absolute(&self, target: &Target) -> Result<(Uri, String), TransportError> {
        let wrong = |_| TransportError::request("the URL fits no request to a proxy");
        let path = if self.uri.path() == "*" {
            ""
        } else {
            self.uri.path_and_query().map_or("/", |path| path.as_str())
        };
        let host = target.host_field()?;
        let written = format!("http://{}{path}", host.to_str().unwrap_or_default());
        Ok((written.parse().map_err(wrong)?, written))
    }

    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The target as it stands in the request line.
    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The body, unless it is a stream.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        match &self.payload {
            Payload::Whole(bytes) => Some(bytes),
            Payload::Stream(_) => None,
        }
    }

    /// Sets what the request proves, or takes it out.
    pub(super) fn authorize(&mut self, proof: Option<HeaderValue>) {
        match proof {
            Some(proof) => {
                self.headers.insert(header::AUTHORIZATION, proof);
            }
            None => {
                self.headers.remove(header::AUTHORIZATION);
            }
        }
    }

    /// Whether it can be built again.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.payload, Payload::Whole(_))
    }
}

fn set_fields(
    config: &Config,
    target: &Target,
    method: &Method,
    payload: &Payload,
    headers: &mut HeaderMap,
) -> Result<(), TransportError> {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::EXPECT] {
        if headers.contains_key(&name) {
            return Err(TransportError::request(format!("the field {name} is the connection's"))
                .with_hint("leave it out; the client's settings say what it is"));
        }
    }
    headers.insert(header::HOST, target.host_field()?);
    headers.remove(header::CONTENT_LENGTH);
    if let Payload::Whole(bytes) = payload {
        let expects_body = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        if !bytes.is_empty() || expects_body {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
    }
    let connection = match (config.version, config.keep_alive) {
        (Version::HTTP_10, true) => Some(HeaderValue::from_static("keep-alive")),
        (Version::HTTP_10, false) | (_, true) => None,
        (_, false) => Some(HeaderValue::from_static("close")),
    };
    if let Some(connection) = connection {
        headers.insert(header::CONNECTION, connection);
    }
    if config.content_digest {
        if !headers.contains_key(content_digest::WANT) {
            headers.insert(content_digest::WANT, HeaderValue::from_static("sha-256=10"));
        }
        if let Payload::Whole(bytes) = payload
            && !bytes.is_empty()
            && let Some(value) = content_digest::value(content_digest::Algorithm::Sha256, bytes)
        {
            headers.insert(content_digest::FIELD, value);
        }
    }
    if !config.codings.is_empty() && !headers.contains_key(header::ACCEPT_ENCODING) {
        let names: Vec<_> = config.codings.iter().map(|coding| coding.name()).collect();
        let names = HeaderValue::from_str(&names.join(", "))
            .map_err(|_| TransportError::request("a content coding's name fits no field"))?;
        headers.insert(header::ACCEPT_ENCODING, names);
    }
    Ok(())
}

/// The codings that the request itself says its answer may have.
fn named(headers: &HeaderMap) -> Vec<ContentCoding> {
    [ContentCoding::Gzip, ContentCoding::Deflate]
        .into_iter()
        .filter(|coding| crate::coding::acceptable(headers, &[*coding]).coding.is_some())
        .collect()
}

fn origin_form(target: &Target, upgraded: bool, uri: &Uri) -> Result<Uri, TransportError> {
    if uri.path() == "*" {
        return Ok(Uri::from_static("*"));
    }
    if uri.authority().is_some() && !Target::new(uri.clone())?.is_same_server(target, upgraded) {
        let message = format!("the request is for {uri}, the connection leads to {target}");
        return Err(TransportError::request(message).with_hint("use a connection of its own"));
    }
    // A request without any target of its own is for the connection's.
    let own = uri.path_and_query().filter(|_| uri.authority().is_some() || *uri != Uri::default());
    Ok(Uri::from(own.unwrap_or_else(|| target.path_and_query()).clone()))
}
