//! The server's half.

use bindery_core::{
    Body, Context, Decoded, Place, Profile, Refusal, Refused, Rejected, ServerBinding,
};
use bindery_taxii_xml::{
    Dialect, ExtendedHeader, Message, MessageKind, StatusMessage, StatusType, read, write,
};
use bindery_xml::{Inside, Source};
use http::{Method, Request, Response, request};

use super::{
    Reply, TaxiiHttp,
    fields::{self, Family},
    place,
};
use crate::{
    ArrivingBlocks,
    answer::{MessageBody, TaxiiRequest, TaxiiResponse},
};

/// A message, and the blocks of a long one that are still to come.
type Incoming = (Message<'static>, Option<ArrivingBlocks>);

/// More parameters than a URL of the protocol has.
const PARAMETERS: usize = 64;

impl ServerBinding for TaxiiHttp {
    type Request = TaxiiRequest;
    type Response = TaxiiResponse;
    type Reply = Reply;

    fn profile(&self) -> &Profile {
        &self.card
    }

    fn decode_request(&self, cx: &Context, request: Request<Body>) -> Decoded<TaxiiRequest, Reply> {
        let (head, body) = request.into_parts();
        let Some(mut reply) = self.reply_of(cx, &head) else {
            return Err(Refusal::MissingHeader { name: crate::names::X_TAXII_PROTOCOL }.into());
        };
        let (message, rest) = match self.message(&head, body, &mut reply) {
            Ok(read) => read,
            Err(refusal) => return Err(Rejected::with_reply(refusal, reply)),
        };
        let request = TaxiiRequest {
            service: self.service,
            dialect: reply.dialect,
            carrier: reply.carrier,
            authority: authority(&head),
            message,
            rest,
        };
        Ok((request, reply))
    }

    fn encode_response(
        &self,
        cx: &Context,
        reply: Reply,
        response: TaxiiResponse,
    ) -> Response<Body> {
        let body = match response {
            TaxiiResponse::Whole(message) => {
                let mut out = Vec::new();
                match write(&message, reply.dialect, &mut out) {
                    Ok(()) => Body::from(out),
                    // The dialect cannot say it, which is no fault of the peer's.
                    Err(error) => {
                        let mut status = StatusMessage::new(StatusType::Failure);
                        status.message = Some(super::refusal::printable(&format!(
                            "the answer cannot be written in TAXII {}: {error}",
                            reply.dialect
                        )));
                        let asked = reply.in_response_to.as_deref();
                        let id = self.ids.message(reply.dialect);
                        let failure = Message::new(id, asked, status.into());
                        out.clear();
                        // Nothing in it that a dialect has not.
                        let _ = write(&failure, reply.dialect, &mut out);
                        Body::from(out)
                    }
                }
            }
            TaxiiResponse::Refused(refusal) => {
                let mut response = self.refusal(cx, Some(reply), &refusal);
                response.extensions_mut().insert(Refused(refusal));
                return response;
            }
            TaxiiResponse::Stream(stream) => Body::stream(MessageBody::new(stream, reply.dialect)),
        };
        let mut response = Response::new(body);
        fields::put(response.headers_mut(), reply.dialect, reply.carrier);
        response
    }

    fn reply_of(&self, cx: &Context, head: &request::Parts) -> Option<Reply> {
        let family = Family::of(head, self.dialects)?;
        Some(Reply {
            dialect: fields::dialect_of(head, family),
            carrier: self.carrier(&cx.channel),
            in_response_to: None,
        })
    }

    fn encode_refusal(
        &self,
        cx: &Context,
        reply: Option<Reply>,
        refusal: &Refusal,
    ) -> Response<Body> {
        self.refusal(cx, reply, refusal)
    }
}

impl TaxiiHttp {
    fn message(
        &self,
        head: &request::Parts,
        body: Body,
        reply: &mut Reply,
    ) -> Result<Incoming, Refusal> {
        let family = if reply.dialect == Dialect::Draft { Family::Draft } else { Family::Released };
        if !family.is_one_of(self.dialects) {
            let reason = format!("names TAXII {}, which is not spoken here", reply.dialect);
            return Err(fields::malformed(&crate::names::X_TAXII_PROTOCOL, reason));
        }
        if head.method == Method::GET && family == Family::Released {
            return Err(Refusal::Method { allowed: vec![Method::POST] });
        }
        fields::check_protocol(&head.headers, family, reply.carrier)?;
        fields::check_accept(&head.headers)?;
        if head.method == Method::GET {
            fields::check_draft_accept(&head.headers)?;
            if !body.begun().is_empty() {
                return Err(in_url("a GET has no body"));
            }
            return Ok((self.read_url(head, reply)?, None));
        }
        if family == Family::Draft {
            fields::check_draft_accept(&head.headers)?;
            fields::check_draft_content_type(&head.headers)?;
            if head.uri.query().is_some_and(|query| !query.is_empty()) {
                return Err(in_url("a POST has no parameters"));
            }
        } else {
            reply.dialect = fields::final_fields(&head.headers)?;
            fields::check_final_accept(&head.headers, reply.dialect)?;
        }
        let malformed = |place| Refusal::MalformedBody { place };
        let (dialect, message, rest) = self.read_body(body)?;
        if dialect != reply.dialect {
            let reason = format!(
                "the message is one of TAXII {dialect}, and the fields say {}; send both alike",
                reply.dialect
            );
            return Err(malformed(Place::new("TAXII XML", None, reason)));
        }
        reply.in_response_to = Some(message.id.clone());
        let by_url = matches!(
            message.body.kind(),
            MessageKind::DiscoveryRequest | MessageKind::CollectionInformationRequest
        );
        if dialect == Dialect::Draft && by_url {
            return Err(Refusal::Method { allowed: vec![Method::GET] });
        }
        if rest.is_some() && message.body.kind() != MessageKind::Inbox {
            return Err(Refusal::BodyTooLarge { limit: crate::profile::WHOLE as u64 });
        }
        Ok((message, rest))
    }

    /// A message that is at hand, or the head of a long one.
    fn read_body(
        &self,
        body: Body,
    ) -> Result<(Dialect, Message<'static>, Option<ArrivingBlocks>), Refusal> {
        match body.into_bytes() {
            Ok(octets) => {
                let source = Source::new(&octets);
                let read = read(&source, &self.options);
                let (dialect, message) =
                    read.map_err(|error| Refusal::MalformedBody { place: place(&error) })?;
                Ok((dialect, message.into_owned(), None))
            }
            Err(body) => {
                let (head, rest) = ArrivingBlocks::begin(body, &self.options, self.block_octets)?;
                Ok((head.dialect, head.message, Some(rest)))
            }
        }
    }

    /// A request of the draft in the URL (5.1.1 and 5.1.2).
    fn read_url(
        &self,
        head: &request::Parts,
        reply: &mut Reply,
    ) -> Result<Message<'static>, Refusal> {
        let (mut kind, mut id, mut headers) = (None, None, Vec::new());
        for (count, pair) in head.uri.query().unwrap_or_default().split('&').enumerate() {
            if pair.is_empty() {
                continue;
            }
            if count >= PARAMETERS {
                return Err(in_url("it has too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let place = match &*name {
                "message_type" => &mut kind,
                "message_id" => &mut id,
                _ => {
                    let inside = Inside::text(&value)
                        .map_err(|_| in_url("a parameter holds what XML cannot carry"))?;
                    headers.push(ExtendedHeader { name, value: inside });
                    continue;
                }
            };
            if place.replace(value).is_some() {
                return Err(in_url("message_type or message_id stands there more than once"));
            }
        }
        let Some(kind) = kind else { return Err(in_url("message_type is missing")) };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Err(in_url("message_id is missing"));
        };
        let body = match kind.to_ascii_lowercase().as_str() {
            "discovery_request" => bindery_taxii_xml::Body::DiscoveryRequest,
            "feed_information_request" => bindery_taxii_xml::Body::CollectionInformationRequest,
            "poll_request" | "stix_message" | "manage_feed_subscription_request" => {
                return Err(Refusal::Method { allowed: vec![Method::POST] });
            }
            _ => {
                return Err(in_url(
                    "message_type is neither discovery_request nor feed_information_request",
                ));
            }
        };
        // An id in the URL is any string; one in a message is a GUID. What is none is not repeated.
        let guid = id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_hexdigit());
        reply.in_response_to = guid.then(|| id.clone());
        let mut message = Message::new(id, None, body);
        message.extended_headers = headers;
        Ok(message)
    }
}

/// A request that is at fault in its URL.
fn in_url(reason: &str) -> Refusal {
    Refusal::MalformedBody { place: Place::new("URL", None, reason) }
}

/// What percent-encoding stands for (5.1: as both sides agreed; percent-encoding is what everybody does).
fn decoded(text: &str) -> Result<String, Refusal> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
                let pair = digit(rest.next()).zip(digit(rest.next()));
                let Some(value) = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
                else {
                    return Err(in_url("a percent sign has no two hexadecimal digits behind it"));
                };
                value
            }
            // HTML forms write a blank so.
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(octets).map_err(|_| in_url("a parameter is not UTF-8"))
}

/// The host and port that the client named.
fn authority(head: &request::Parts) -> Option<String> {
    let host = head.headers.get(http::header::HOST)?.to_str().ok()?;
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b".-:[]_".contains(&octet);
    (!host.is_empty() && host.bytes().all(plain)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding() {
        assert_eq!(decoded("a%20b+c%C3%A4").unwrap(), "a b cä");
        for wrong in ["%", "%1", "%zz", "%ff"] {
            assert!(decoded(wrong).is_err(), "{wrong}");
        }
    }
}
