//! One client's talk with a KMIP server: encode, send, decode, and tell about it.

use std::time::{Duration, Instant};

use bindery_core::{Body, Channel, ClientBinding};
use bindery_kmip::{
    HttpsProfile, KmipHttps,
    message::{RequestBatchItem, RequestMessage, RequestPayload, ResponseMessage, ResponsePayload},
};
use bindery_transport::{ClientLimits, Connection, Repeatable, Target};
use bindery_ttlv::ProtocolVersion;
use bytes::Bytes;
use http::{Request, Response, request, response};

use super::failure;
use crate::{
    decode,
    error::Result,
    output::{self, Output},
    settings::Settings,
};

/// A client on one connection.
#[derive(Debug)]
pub(crate) struct Session {
    binding: KmipHttps,
    connection: Connection,
    version: ProtocolVersion,
    output: Output,
    /// Where exchanges are told of.
    teller: fn(&str),
}

/// An answer as it came: head, octets and message.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP head.
    pub(crate) parts: response::Parts,
    /// The message's octets.
    pub(crate) octets: Bytes,
}

impl Session {
    /// A session with the server that the settings name. It connects with the first request.
    ///
    /// # Errors
    /// A file or the URL is not as it should be.
    pub(crate) fn new(
        settings: &Settings,
        version: ProtocolVersion,
        output: Output,
    ) -> Result<Self> {
        let binding = KmipHttps::default();
        let target =
            Target::new(settings.url.clone()).map_err(|error| failure::transport(&error))?;
        let client = settings.transport(limits(settings, &binding))?.build();
        let connection = client.connection(target);
        Ok(Self { binding, connection, version, output, teller: output::note })
    }

    /// The same session, telling of its exchanges elsewhere than on standard error.
    #[must_use]
    pub(crate) fn telling(mut self, teller: fn(&str)) -> Self {
        self.teller = teller;
        self
    }

    /// The server's URL.
    pub(crate) fn url(&self) -> &http::Uri {
        self.connection.target().uri()
    }

    /// The channel of the connection, once there is one.
    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.connection.channel()
    }

    /// Sends one operation and gives its payload and the whole message's octets.
    ///
    /// # Errors
    /// No answer, an answer that is none, or one that tells of a failure.
    pub(crate) async fn call(
        &mut self,
        payload: impl Into<RequestPayload>,
    ) -> Result<(ResponsePayload, Bytes)> {
        let item = RequestBatchItem::new(payload.into());
        let message = RequestMessage::new(self.version, vec![item]);
        let (response, octets) = self.exchange(message).await?;
        let item = response.batch_items.into_iter().next();
        let item = item.ok_or_else(|| failure::mismatch("the answer has no batch item"))?;
        if let Some(failed) = failure::of_item(&item) {
            return Err(failed);
        }
        let payload = item.payload.ok_or_else(|| failure::mismatch("the answer has no payload"))?;
        Ok((payload, octets))
    }

    /// Sends a message and reads its answer.
    ///
    /// # Errors
    /// No answer, or an answer that is none.
    pub(crate) async fn exchange(
        &mut self,
        message: RequestMessage,
    ) -> Result<(ResponseMessage, Bytes)> {
        let target = self.connection.secured_uri();
        let reads = message.batch_items.iter().all(|item| item.payload.only_reads());
        let encoded = self.binding.encode_request(&target, message);
        let (mut request, expect) = encoded.map_err(|error| failure::encode(&error))?;
        if reads {
            request.extensions_mut().insert(Repeatable);
        }
        let answer = self.send(request).await?;
        let response = Response::from_parts(answer.parts, Body::from(answer.octets.clone()));
        let decoded = self.binding.decode_response(expect, response);
        Ok((decoded.map_err(|unexpected| failure::unexpected(&unexpected))?, answer.octets))
    }

    /// Sends a request as it is, whatever comes back.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Result<Answer> {
        self.connection.open().await.map_err(|error| failure::transport(&error))?;
        if self.output.verbose > 0 {
            let (parts, body) = request.into_parts();
            let octets = whole(body)?;
            self.tell_request(&parts, &octets);
            return self.transmit(Request::from_parts(parts, octets.into())).await;
        }
        self.transmit(request).await
    }

    async fn transmit(&mut self, request: Request<Body>) -> Result<Answer> {
        let begin = now();
        let sent = self.connection.send(request).await;
        let response = sent.map_err(|error| failure::transport(&error))?;
        let (parts, body) = response.into_parts();
        let limit = self.binding.profile().response_body_limit;
        let octets = body.collect(limit).await.map_err(|error| failure::body(&error))?;
        if self.output.verbose > 0 {
            self.tell_response(&parts, &octets, now().saturating_duration_since(begin));
        }
        Ok(Answer { parts, octets })
    }

    fn tell_request(&self, parts: &request::Parts, octets: &[u8]) {
        let tls = self.connection.channel().and_then(Channel::tls);
        let tls = tls.map_or_else(
            || "in clear".to_owned(),
            |info| format!("{} {}", info.version, info.suite.name),
        );
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        (self.teller)(&format!("> {} {path}   {tls}   {} octets", parts.method, octets.len()));
        self.tell_message(octets);
    }

    fn tell_response(&self, parts: &response::Parts, octets: &[u8], took: Duration) {
        let millis = took.as_secs_f64() * 1000.0;
        (self.teller)(&format!("< {}   {} octets   {millis:.1} ms", parts.status, octets.len()));
        self.tell_message(octets);
    }

    fn tell_message(&self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let secrets = self.output.show_secrets;
        (self.teller)(&indented(&decode::tree(octets, secrets)));
        if self.output.verbose > 1 {
            (self.teller)(&indented(&decode::dump(octets, secrets)));
        }
    }
}

/// A request's body, which our own encoder has made whole.
///
/// # Errors
/// It is a stream.
pub(crate) fn whole(body: Body) -> Result<Bytes> {
    body.into_bytes().map_err(|_| failure::mismatch("the request's body is not whole"))
}

/// The binding's half of a session without a connection: the request that would be sent.
///
/// # Errors
/// The message cannot be sent to this URL.
pub(crate) fn prepare(url: &http::Uri, message: RequestMessage) -> Result<(request::Parts, Bytes)> {
    let binding = KmipHttps::new(HttpsProfile::default());
    let encoded = binding.encode_request(url, message);
    let (request, _) = encoded.map_err(|error| failure::encode(&error))?;
    let (parts, body) = request.into_parts();
    Ok((parts, whole(body)?))
}

fn limits(settings: &Settings, binding: &KmipHttps) -> ClientLimits {
    let total = settings.timeout.duration();
    let mut limits = ClientLimits::default();
    limits.total = total;
    limits.response = total;
    limits.connect = limits.connect.min(total);
    limits.handshake = limits.handshake.min(total);
    limits.response_body = binding.profile().response_body_limit;
    limits
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::disallowed_methods, reason = "the program measures what a peer took")]
fn now() -> Instant {
    Instant::now()
}
