//! The routes of a server as a `tower::Service`, to be mounted in an HTTP stack of another make.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bindery_core::{Body, BodyError, Channel, Peer, Refusal};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tower_service::Service;

use super::{
    Shared,
    exchange::{Answer, Session},
};
use crate::stream::Pulse;

/// The routes, limits, identities, clock and counters of a server, without its listeners: a
/// [`tower_service::Service`] that can be mounted in axum or any other stack, with tower's layers
/// around it. Made by [`ServerBuilder::mounted`](super::ServerBuilder::mounted); cheap to clone.
///
/// What the cards demand holds here too, and so do the limits of a request: sizes, the time for
/// its body and its answer, content coding. What belongs to connections (their number, handshakes,
/// idle time) is the other stack's.
///
/// The other stack says who is there: each request has a [`Peer`] in its extensions, and a
/// [`Channel`], which is clear unless it says otherwise. **A request without a `Peer` is refused**,
/// and never served as an anonymous one.
#[derive(Clone, Debug)]
pub struct Mounted {
    shared: Arc<Shared>,
}

impl Mounted {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl<B> Service<Request<B>> for Mounted
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    type Response = Response<MountedBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let extensions = request.extensions();
            let channel = extensions.get::<Channel>().cloned().unwrap_or(Channel::Clear);
            let Some(peer) = extensions.get::<Peer>().cloned() else {
                tracing::error!("a request without a Peer in its extensions: nobody is served");
                let reason = "the server that this is mounted in does not say who is there";
                let refusal = Refusal::Unidentified { reason: reason.to_owned() };
                let response = shared.routes.neutral.refusal_response(&refusal);
                shared.counters.refusal(refusal.fault());
                return Ok(response.map(|body| MountedBody(Inner::Refused(body))));
            };
            let routes = Arc::clone(&shared.routes);
            let session = Session::new(shared, routes, channel, peer, Arc::new(Pulse::new()));
            Ok(session.exchange(request).await.map(|body| MountedBody(Inner::Answered(body))))
        })
    }
}

/// The body of an answer of [`Mounted`]. An error in it is meant to cut the connection off.
pub struct MountedBody(Inner);

enum Inner {
    Answered(Answer),
    Refused(Body),
}

impl HttpBody for MountedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Inner::Answered(body) => Pin::new(body).poll_frame(cx),
            Inner::Refused(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Answered(body) => body.is_end_stream(),
            Inner::Refused(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Answered(body) => body.size_hint(),
            Inner::Refused(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for MountedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MountedBody")
    }
}
