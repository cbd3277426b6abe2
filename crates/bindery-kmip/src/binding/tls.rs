//! KMIP messages on TLS without HTTP, as most software speaks it: the server's half.
//!
//! KMIP 1.4, section 10, and Profiles 2.1, section 3.1: messages follow one another on the stream,
//! each as long as its first 8 octets say; TLS with a client certificate, port 5696.

use std::fmt;

use bindery_core::{Context, Handler, Profile, Refusal, Rejected, StreamEndpoint, StreamFuture};
use bindery_ttlv::{HEADER_LENGTH, Options, message_length};
use bytes::Bytes;

use super::{
    KmipHttps,
    server::{Reply, failed, read, reply_of, write},
};
use crate::{
    VERSIONS,
    message::{Failure, RequestMessage, ResponseMessage},
};

/// What every request begins with: the tag Request Message.
const OPENING: &[u8] = &[0x42, 0x00, 0x78];

/// The TLS binding, joined with what answers its messages.
///
/// It has the card of an HTTPS binding for what the two have in common: who may ask, and how long a
/// request may be. A client that the card does not let in gets Authentication Not Successful; a
/// message that cannot be read gets the KMIP error that section 11.1 of the specification asks for.
/// Only where nothing says where the next message begins, the connection ends.
#[derive(Clone, Debug)]
pub struct KmipTls<H> {
    profile: Profile,
    requests: Options,
    handler: H,
}

impl<H> KmipTls<H> {
    /// The binding beside an HTTPS binding, whose limits and reading it shares.
    pub fn new(https: &KmipHttps, handler: H) -> Self {
        Self { profile: https.profile.clone(), requests: https.requests, handler }
    }
}

impl<H> KmipTls<H>
where
    H: Handler<RequestMessage, Response = ResponseMessage>,
{
    /// One message's whole way. Pure but for the handler.
    pub async fn respond(&self, cx: &Context, octets: &Bytes) -> Bytes {
        if let Err(refusal) = self.profile.check_peer(cx) {
            return self.words(cx, octets, &refusal);
        }
        match read(octets, &self.requests) {
            Ok((request, reply)) => {
                let response = self.handler.handle(cx, request).await;
                write(&reply, response)
            }
            Err(Rejected { refusal, reply, .. }) => {
                let reply = reply.unwrap_or_else(oldest);
                let failure = reply.failure.clone().unwrap_or_else(|| failure_of(&refusal));
                let response = failed(cx, &reply, failure);
                write(&reply, response)
            }
        }
    }

    /// A refusal as a KMIP error, in the version of the request where that can be read.
    fn words(&self, cx: &Context, octets: &Bytes, refusal: &Refusal) -> Bytes {
        let reply = reply_of(octets, &self.requests).map_or_else(oldest, |(reply, _)| reply);
        let response = failed(cx, &reply, failure_of(refusal));
        write(&reply, response)
    }
}

impl<H> StreamEndpoint for KmipTls<H>
where
    H: Handler<RequestMessage, Response = ResponseMessage> + fmt::Debug,
{
    fn name(&self) -> &str {
        &self.profile.name
    }

    fn opening(&self) -> &[u8] {
        OPENING
    }

    fn head_length(&self) -> usize {
        HEADER_LENGTH
    }

    fn message_length(&self, head: &[u8]) -> Result<usize, Refusal> {
        let Some((head, _)) = head.split_first_chunk() else { return Err(Refusal::Internal) };
        message_length(head, &self.requests.limits).map_err(|error| match error.kind() {
            bindery_ttlv::ErrorKind::Limit { maximum, .. } => {
                Refusal::BodyTooLarge { limit: *maximum }
            }
            _ => Refusal::MalformedBody { place: super::place(&error) },
        })
    }

    fn call<'a>(&'a self, cx: &'a Context, message: Bytes) -> StreamFuture<'a> {
        Box::pin(async move { self.respond(cx, &message).await })
    }

    /// Octets that do not begin as a KMIP request are not answered: who sent them speaks something
    /// else.
    fn refuse(&self, cx: &Context, octets: &Bytes, refusal: &Refusal) -> Option<Bytes> {
        octets.starts_with(OPENING).then(|| self.words(cx, octets, refusal))
    }
}

/// The form of an answer to what does not tell its version: every client can read the oldest.
fn oldest() -> Reply {
    let [.., oldest] = VERSIONS;
    Reply::for_version(oldest)
}

/// What KMIP says for a refusal.
fn failure_of(refusal: &Refusal) -> Failure {
    let text = refusal.to_string();
    match refusal {
        Refusal::Unidentified { .. } | Refusal::ClearChannel => {
            Failure::authentication_not_successful(text)
        }
        Refusal::Forbidden => Failure::permission_denied(text),
        Refusal::MalformedBody { .. } | Refusal::BodyTooLarge { .. } => {
            Failure::invalid_message(text)
        }
        _ => Failure::general_failure(text),
    }
}
