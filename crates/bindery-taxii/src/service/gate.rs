//! Who gets to a service, decided before anything of a message is read.

use bindery_core::{Body, Context, Endpoint, EndpointFuture, Profile, Refusal, Refused};
use http::{Request, Response, request};

use super::ServiceAccess;

/// An endpoint that only those get to whom its service is open. For all others it is forbidden, or not there: then the answer
/// is that to an unknown path, to the last field.
///
/// [`FeedServer`](super::FeedServer) keeps [`FeedServerConfig::access`](super::FeedServerConfig) by itself, but only once
/// it has read a message, by which a hidden service could be told from none. The gate stands behind authentication:
/// `Guarded::new(Gate::new(bound, access), authenticator)`.
#[derive(Debug)]
pub struct Gate<E> {
    endpoint: E,
    access: ServiceAccess,
}

impl<E: Endpoint> Gate<E> {
    /// Puts an endpoint behind a gate.
    pub const fn new(endpoint: E, access: ServiceAccess) -> Self {
        Self { endpoint, access }
    }
}

impl<E: Endpoint> Endpoint for Gate<E> {
    fn profile(&self) -> &Profile {
        self.endpoint.profile()
    }

    fn call<'a>(&'a self, cx: &'a Context, request: Request<Body>) -> EndpointFuture<'a> {
        if self.access.permits(cx.principal.as_ref()) {
            return self.endpoint.call(cx, request);
        }
        let refusal = self.access.refusal();
        let (head, _) = request.into_parts();
        let mut response = self.endpoint.refuse(cx, Some(&head), &refusal);
        response.extensions_mut().insert(Refused(refusal));
        Box::pin(std::future::ready(response))
    }

    fn refuse(
        &self,
        cx: &Context,
        head: Option<&request::Parts>,
        refusal: &Refusal,
    ) -> Response<Body> {
        // What is hidden does not say either what would be wrong with a message.
        if self.access.concealed && !self.access.permits(cx.principal.as_ref()) {
            return self.endpoint.refuse(cx, head, &Refusal::Target);
        }
        self.endpoint.refuse(cx, head, refusal)
    }
}
