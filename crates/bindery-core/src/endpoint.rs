//! A binding and a handler joined: what a router mounts.

use std::{fmt, future::Future, pin::Pin};

use http::{Request, Response, Version, request};

use crate::{Body, BodyMode, Context, Handler, Note, Profile, Refusal, Rejected, ServerBinding};

/// The future of [`Endpoint::call`].
pub type EndpointFuture<'a> = Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>>;

/// A protocol's server side behind one path, whatever its messages are.
///
/// It is the one place where message types are erased; everything below is generic, everything
/// above sees HTTP only.
pub trait Endpoint: fmt::Debug + Send + Sync {
    /// The protocol's card.
    fn profile(&self) -> &Profile;

    /// Answers one request. It always gives a response: refusals are responses too.
    fn call<'a>(&'a self, cx: &'a Context, request: Request<Body>) -> EndpointFuture<'a>;

    /// Writes a refusal that was decided outside (a limit of the transport, an unknown target), in
    /// the form that the request's head asks for, where the head is still at hand.
    fn refuse(
        &self,
        cx: &Context,
        head: Option<&request::Parts>,
        refusal: &Refusal,
    ) -> Response<Body>;
}

/// In a response's extensions: the refusal that it carries, for logs and counters.
#[derive(Clone, Debug)]
pub struct Refused(pub Refusal);

/// In a response's extensions: what was tolerated in the request, for logs.
#[derive(Clone, Debug)]
pub struct Notes(pub Vec<Note>);

/// A binding and the handler that answers its messages.
#[derive(Clone, Debug)]
pub struct Bound<B, H> {
    binding: B,
    handler: H,
}

impl<B, H> Bound<B, H>
where
    B: ServerBinding,
    H: Handler<B::Request, Response = B::Response>,
{
    /// Joins a binding and a handler.
    pub const fn new(binding: B, handler: H) -> Self {
        Self { binding, handler }
    }

    /// One message's whole way: card, body, decode, handle, encode. Pure but for the handler.
    pub async fn respond(&self, cx: &Context, request: Request<Body>) -> Response<Body> {
        let profile = self.binding.profile();
        let (parts, body) = request.into_parts();
        let version = parts.version;
        let (notes, answer) = match profile.check_request(cx, &parts) {
            Ok(notes) => (notes, self.answer(cx, parts, body).await),
            Err(refusal) => {
                let reply = self.binding.reply_of(cx, &parts);
                (Vec::new(), Err(Rejected { refusal, reply }))
            }
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(Rejected { refusal, reply }) => self.refusal(cx, reply, refusal),
        };
        profile.finish_response(version, &mut response);
        if !notes.is_empty() {
            response.extensions_mut().insert(Notes(notes));
        }
        response
    }

    /// The part of the way behind the card: body, decode, handle, encode.
    async fn answer(
        &self,
        cx: &Context,
        parts: request::Parts,
        body: Body,
    ) -> Result<Response<Body>, Rejected<B::Reply>> {
        let profile = self.binding.profile();
        let body = match profile.body_mode {
            BodyMode::Streamed => Ok(body.limited(profile.request_body_limit)),
            BodyMode::Begun(octets) => body.limited(profile.request_body_limit).begin(octets).await,
            BodyMode::Whole => body.collect(profile.request_body_limit).await.map(Body::from),
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                let reply = self.binding.reply_of(cx, &parts);
                return Err(Rejected { refusal: Refusal::from(&error), reply });
            }
        };
        let (message, reply) = self.binding.decode_request(cx, Request::from_parts(parts, body))?;
        let answer = self.handler.handle(cx, message).await;
        Ok(self.binding.encode_response(cx, reply, answer))
    }

    fn refusal(&self, cx: &Context, reply: Option<B::Reply>, refusal: Refusal) -> Response<Body> {
        let mut response = self.binding.encode_refusal(cx, reply, &refusal);
        response.extensions_mut().insert(Refused(refusal));
        response
    }
}

impl<B, H> Endpoint for Bound<B, H>
where
    B: ServerBinding + fmt::Debug,
    H: Handler<B::Request, Response = B::Response> + fmt::Debug,
{
    fn profile(&self) -> &Profile {
        self.binding.profile()
    }

    fn call<'a>(&'a self, cx: &'a Context, request: Request<Body>) -> EndpointFuture<'a> {
        Box::pin(self.respond(cx, request))
    }

    fn refuse(
        &self,
        cx: &Context,
        head: Option<&request::Parts>,
        refusal: &Refusal,
    ) -> Response<Body> {
        let reply = head.and_then(|head| self.binding.reply_of(cx, head));
        let version = head.map_or(Version::HTTP_11, |head| head.version);
        let mut response = self.refusal(cx, reply, refusal.clone());
        self.binding.profile().finish_response(version, &mut response);
        response
    }
}
