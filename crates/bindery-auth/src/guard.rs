//! An endpoint that only those who proved who they are get to.

use std::sync::Arc;

use bindery_core::{Body, Context, Endpoint, EndpointFuture, Profile, Refusal, Refused};
use bytes::Bytes;
use http::{HeaderName, Request, Response, request};

use crate::{Authenticator, authenticator::Answering};

/// `Authentication-Info` (RFC 7615).
const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// An endpoint behind HTTP authentication: the account that a request proves becomes the
/// [`Context::principal`] that the endpoint sees.
///
/// A peer whose certificate or shared key maps to an account needs no credentials; if it sends some
/// they must be of the same account. A request is authenticated before its body is read, unless the
/// proof covers the body (`auth-int`), which is then read under the card's limit.
#[derive(Debug)]
pub struct Guarded<E> {
    endpoint: E,
    authenticator: Arc<Authenticator>,
    nobody: bool,
}

impl<E: Endpoint> Guarded<E> {
    /// Puts an endpoint behind an authenticator.
    pub const fn new(endpoint: E, authenticator: Arc<Authenticator>) -> Self {
        Self { endpoint, authenticator, nobody: false }
    }

    /// The same for an endpoint that has something for peers without an account too: a request without credentials
    /// comes to it as nobody's. One with credentials has to prove them all the same.
    #[must_use]
    pub const fn and_nobody(mut self) -> Self {
        self.nobody = true;
        self
    }

    async fn respond(&self, cx: &Context, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let has_credentials = parts.headers.contains_key(http::header::AUTHORIZATION);
        if (cx.principal.is_some() || self.nobody) && !has_credentials {
            return self.endpoint.call(cx, Request::from_parts(parts, body)).await;
        }
        match self.prove(cx, &parts, body).await {
            Ok((known, answering, body)) => {
                let response = self.endpoint.call(&known, Request::from_parts(parts, body)).await;
                answer(response, answering)
            }
            Err(refusal) => {
                let mut response = self.endpoint.refuse(cx, Some(&parts), &refusal);
                response.extensions_mut().insert(Refused(refusal));
                response
            }
        }
    }

    /// The context with the account that the request proves, and the body as far as it was read.
    async fn prove(
        &self,
        cx: &Context,
        parts: &request::Parts,
        body: Body,
    ) -> Result<(Context, Option<Answering>, Body), Refusal> {
        let mut whole = Bytes::new();
        let covers_body = self.authenticator.needs_body(parts);
        let body = if covers_body {
            let limit = self.endpoint.profile().request_body_limit;
            whole = body.collect(limit).await.map_err(|error| Refusal::from(&error))?;
            Body::from(whole.clone())
        } else {
            body
        };
        let proof = self.authenticator.authenticate(cx, parts, &whole).await?;
        if cx.principal.as_ref().is_some_and(|shown| *shown != proof.principal) {
            return Err(Refusal::Forbidden);
        }
        let known = cx.clone().with_principal(Some(proof.principal));
        Ok((known, proof.answering, body))
    }
}

/// Adds what the server says back.
fn answer(response: Response<Body>, answering: Option<Answering>) -> Response<Body> {
    let Some(answering) = answering else { return response };
    let (mut parts, body) = response.into_parts();
    let (field, body) = if answering.needs_body() {
        match body.into_bytes() {
            Ok(whole) => (answering.field(Some(&whole)), Body::from(whole)),
            // A stream's octets are not known before the head goes out.
            Err(stream) => (answering.field(None), stream),
        }
    } else {
        (answering.field(None), body)
    };
    if let Some(field) = field {
        parts.headers.insert(AUTHENTICATION_INFO, field);
    }
    Response::from_parts(parts, body)
}

impl<E: Endpoint> Endpoint for Guarded<E> {
    fn profile(&self) -> &Profile {
        self.endpoint.profile()
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
        self.endpoint.refuse(cx, head, refusal)
    }
}
