//! The server's half.

use bindery_core::{
    Body, Context, Decoded, Place, Profile, Refusal, Rejected, ServerBinding, Timestamp,
};
use bindery_ttlv::{
    DateTime, Options, ProtocolVersion, Structure, Tag, Tagged, decode_with, encode,
    registry::ResultStatus,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use zeroize::Zeroizing;

use super::{Encoding, KmipHttps, SERVER_VERSIONS, answer_version, place};
use crate::message::{
    Failure, RequestHeader, RequestMessage, ResponseBatchItem, ResponseHeader, ResponseMessage,
};

/// What a request fixes for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The version to answer in.
    pub version: ProtocolVersion,
    /// The longest answer, in octets of binary TTLV.
    pub maximum_response_size: Option<u32>,
    /// What the client called the request; it is repeated in the answer.
    pub client_correlation_value: Option<bindery_ttlv::Text>,
    /// What is wrong with the message, if it could not be read behind its header.
    pub failure: Option<Failure>,
    /// The encoding to answer in: the request's own.
    pub encoding: Encoding,
}

impl Reply {
    fn new(header: &RequestHeader) -> Self {
        Self {
            version: answer_version(header.protocol_version),
            // No response has a negative length: nothing fits, as with 0.
            maximum_response_size: header
                .maximum_response_size
                .map(|size| u32::try_from(size).unwrap_or(0)),
            client_correlation_value: header.client_correlation_value.clone(),
            failure: None,
            encoding: Encoding::default(),
        }
    }

    pub(super) fn for_version(version: ProtocolVersion) -> Self {
        Self {
            version: answer_version(version),
            maximum_response_size: None,
            client_correlation_value: None,
            failure: None,
            encoding: Encoding::default(),
        }
    }
}

impl ServerBinding for KmipHttps {
    type Request = RequestMessage;
    type Response = ResponseMessage;
    type Reply = Reply;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn decode_request(
        &self,
        _cx: &Context,
        request: Request<Body>,
    ) -> Decoded<RequestMessage, Reply> {
        // The card says that bodies are collected first.
        let (parts, body) = request.into_parts();
        let body = body.into_bytes().map_err(|_| Refusal::Internal)?;
        let encoding = Encoding::of(&parts.headers);
        let octets = encoding.read(body, &self.requests);
        let octets = octets.map_err(|place| Refusal::MalformedBody { place })?;
        match read(&octets, &self.requests) {
            Ok((message, reply)) => Ok((message, Reply { encoding, ..reply })),
            Err(mut rejected) => {
                rejected.reply = rejected.reply.map(|reply| Reply { encoding, ..reply });
                Err(rejected)
            }
        }
    }

    fn encode_response(
        &self,
        _cx: &Context,
        reply: Reply,
        response: ResponseMessage,
    ) -> Response<Body> {
        // Sizes are those of binary TTLV, whatever the encoding (Profiles 2.1, section 5.4).
        let octets = write(&reply, response);
        let (encoding, body) = reply.encoding.write(octets, &self.responses);
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = StatusCode::OK;
        let media_type = HeaderValue::from_static(encoding.media_type());
        answer.headers_mut().insert(header::CONTENT_TYPE, media_type);
        answer
    }

    /// A message that could be read as far as its header is answered in KMIP's words; anything
    /// else as the card says.
    fn encode_refusal(
        &self,
        cx: &Context,
        reply: Option<Reply>,
        refusal: &Refusal,
    ) -> Response<Body> {
        let Some(mut reply) = reply else { return self.profile.refusal_response(refusal) };
        let Some(failure) = reply.failure.take() else {
            return self.profile.refusal_response(refusal);
        };
        let response = failed(cx, &reply, failure);
        self.encode_response(cx, reply, response)
    }
}

/// Reads a request, or as much of it as an answer needs.
#[expect(clippy::result_large_err, reason = "it is core's own type, made once a message")]
pub(super) fn read(octets: &Bytes, options: &Options) -> Decoded<RequestMessage, Reply> {
    let error = match RequestMessage::decode(octets, options) {
        Ok(message) => {
            let reply = Reply::new(&message.header);
            return Ok((message, reply));
        }
        Err(error) => error,
    };
    let refusal = Refusal::MalformedBody { place: explain(octets, &error) };
    if !frames_a_request(octets) {
        return Err(refusal.into());
    }
    Err(match reply_of(octets, options) {
        Some((reply, version)) => {
            let failure = Some(reading_failure(version, &error));
            Rejected::with_reply(refusal, Reply { failure, ..reply })
        }
        None => refusal.into(),
    })
}

/// Writes a response within what the request allows.
pub(super) fn write(reply: &Reply, response: ResponseMessage) -> Bytes {
    let maximum = reply.maximum_response_size.unwrap_or(u32::MAX);
    match response.encode_within(maximum) {
        Ok(octets) => octets,
        Err(_) => shrink(response, maximum),
    }
}

/// The answer to a request as a whole that failed.
pub(super) fn failed(cx: &Context, reply: &Reply, failure: Failure) -> ResponseMessage {
    let mut response = ResponseMessage::failed(reply.version, date(cx.now), failure);
    if reply.version >= ProtocolVersion::V1_4 {
        response.header.client_correlation_value = reply.client_correlation_value.clone();
    }
    response
}

/// A wall-clock time as KMIP writes it.
const fn date(now: Timestamp) -> DateTime {
    DateTime(now.unix_seconds())
}

/// Why a body is no request, in words that help who sent it.
fn explain(octets: &[u8], error: &bindery_ttlv::Error) -> Place {
    if octets.is_empty() {
        return Place::new("TTLV", Some(0), "the body is empty; send one KMIP request message");
    }
    place(error)
}

/// Whether the octets are one item with a request message's tag and type, exactly as long as its
/// length field says.
fn frames_a_request(octets: &[u8]) -> bool {
    let Some((head, body)) = octets.split_first_chunk::<8>() else { return false };
    let [t1, t2, t3, kind, l1, l2, l3, l4] = *head;
    let tag = u32::from_be_bytes([0, t1, t2, t3]);
    let length = u32::from_be_bytes([l1, l2, l3, l4]);
    tag == Tag::REQUEST_MESSAGE.value() && kind == 0x01 && length as usize == body.len()
}

/// The form of the answer to a message that cannot be read to its end, and the version that it
/// says it has: from its whole header, or at least from the version that every header begins with.
pub(super) fn reply_of(octets: &Bytes, options: &Options) -> Option<(Reply, ProtocolVersion)> {
    let read = decode_with(octets, options, |message| {
        let mut fields = message.structure()?;
        let header = fields.next_if(Tag::REQUEST_HEADER)?;
        let header = header.ok_or_else(|| fields.missing(Tag::REQUEST_HEADER))?;
        if let Ok(header) = header.decode::<RequestHeader>() {
            return Ok((Reply::new(&header), header.protocol_version));
        }
        let version = header.structure()?.required(Tag::PROTOCOL_VERSION)?;
        Ok((Reply::for_version(version), version))
    });
    read.ok()
}

/// What the KMIP error says: another major version explains all other faults.
fn reading_failure(version: ProtocolVersion, error: &bindery_ttlv::Error) -> Failure {
    let spoken = |known: &ProtocolVersion| known.major == version.major;
    if SERVER_VERSIONS.iter().any(spoken) {
        return Failure::from(error);
    }
    Failure::invalid_message(format!(
        "protocol version {version} is not spoken here; use 1.0 to 1.4, 2.0 or 2.1"
    ))
}

/// Makes a response fit: answers are taken out and replaced by Response Too Large, the longest
/// first, so that as many as possible of what was done is told. A response that does not even then
/// fit is sent all the same: the peer has to learn of it, as the profile's test case shows.
fn shrink(mut response: ResponseMessage, maximum: u32) -> Bytes {
    let mut sizes: Vec<(usize, usize)> = response
        .batch_items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.result_status == ResultStatus::SUCCESS)
        .map(|(place, item)| (size(item), place))
        .collect();
    sizes.sort_unstable();
    let mut total = size(&response);
    while total > maximum as usize
        && let Some((before, place)) = sizes.pop()
    {
        let Some(item) = response.batch_items.get_mut(place) else { continue };
        let failed = ResponseBatchItem::failed(
            item.operation,
            item.unique_batch_item_id.take(),
            Failure::response_too_large(),
        );
        total = total.saturating_sub(before).saturating_add(size(&failed));
        *item = failed;
    }
    response.encode().unwrap_or_else(|_| last_resort(&response.header))
}

/// How many octets a structure takes.
fn size<T: Structure + Tagged>(of: &T) -> usize {
    // What is written may be a key.
    let mut buffer = Zeroizing::new(Vec::new());
    encode(of, &mut buffer).unwrap_or(usize::MAX)
}

/// The answer in the place of one that TTLV cannot say.
fn last_resort(header: &ResponseHeader) -> Bytes {
    let failure = Failure::response_too_large();
    let response = ResponseMessage::failed(header.protocol_version, header.time_stamp, failure);
    response.encode().unwrap_or_default()
}
