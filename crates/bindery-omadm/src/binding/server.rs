//! The server's half.

use bindery_core::{Body, Context, Decoded, Profile, Refusal, Rejected, ServerBinding};
use bindery_syncml::Form;
use http::{HeaderMap, Request, Response, Uri, header, request};

use super::{DmHttp, Incoming, Outgoing, accept, fields, media_type, read};
use crate::profile::Family;

/// What a request fixes for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The kind of media type: that of the request, if the client takes it.
    pub family: Family,
    /// The form of the answer.
    pub form: Form,
}

impl ServerBinding for DmHttp {
    type Request = Incoming;
    type Response = Outgoing;
    type Reply = Reply;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn decode_request(&self, cx: &Context, request: Request<Body>) -> Decoded<Incoming, Reply> {
        let (parts, body) = request.into_parts();
        let own = media_type(&parts.headers).as_ref().and_then(Family::of);
        let own = own.ok_or_else(|| Refusal::MediaType {
            expected: self.profile.request_media_types.clone(),
            found: media_type(&parts.headers),
        })?;
        let (family, form) =
            accept::answer_type(&parts.headers, own).ok_or(Refusal::NotAcceptable)?;
        if !accept::takes_utf8(&parts.headers) {
            return Err(Refusal::NotAcceptable.into());
        }
        let reply = Reply { family, form };
        let url = url_of(cx, &parts);
        // The card says that bodies are collected first.
        let body = body.into_bytes().map_err(|_| Refusal::Internal)?;
        let incoming = match read(parts.headers, body, &self.requests) {
            Ok((incoming, _)) => Incoming { answer: form, url, ..incoming },
            Err(Refusal::MediaType { found, .. }) => {
                let expected = self.profile.request_media_types.clone();
                return Err(Refusal::MediaType { expected, found }.into());
            }
            Err(refusal) => return Err(Rejected::with_reply(refusal, reply)),
        };
        Ok((incoming, reply))
    }

    fn encode_response(&self, _cx: &Context, reply: Reply, response: Outgoing) -> Response<Body> {
        let Ok(headers) = fields(&response, reply.family, self.content_md5) else {
            // A name of ours that fits no field: the operator's to mend, not the client's.
            return self.profile.refusal_response(&Refusal::Internal);
        };
        let mut answer = Response::new(self.body(response.octets));
        *answer.headers_mut() = framed(headers);
        answer
    }
}

/// The fields without those that belong to the connection.
fn framed(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONTENT_ENCODING] {
        headers.remove(name);
    }
    headers
}

/// The URL that the request was sent to.
fn url_of(cx: &Context, parts: &request::Parts) -> Option<Uri> {
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let path = parts.uri.path_and_query()?.clone();
    let path = if path.path() == "*" { "/".parse().ok()? } else { path };
    let scheme = if cx.channel.is_tls() { "https" } else { "http" };
    Uri::builder().scheme(scheme).authority(host).path_and_query(path).build().ok()
}
