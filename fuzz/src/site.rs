//! A server's routes for the targets of connections: one endpoint that notes how its requests came.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use bindery_core::{
    Body, Bound, Context, Decoded, Handler, MediaType, Profile, Scheme, ServerBinding,
};
use bindery_transport::Router;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};

/// How many requests have come to the endpoint, by their way.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    clear: AtomicUsize,
    secured: AtomicUsize,
}

impl Seen {
    pub(crate) fn clear(&self) -> usize {
        self.clear.load(SeqCst)
    }

    pub(crate) fn secured(&self) -> usize {
        self.secured.load(SeqCst)
    }
}

#[derive(Debug)]
struct Noting(Profile, Arc<Seen>);

impl ServerBinding for Noting {
    type Request = Bytes;
    type Response = Bytes;
    type Reply = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    fn decode_request(&self, cx: &Context, request: Request<Body>) -> Decoded<Bytes, ()> {
        let came = if cx.channel.is_tls() { &self.1.secured } else { &self.1.clear };
        let first = came.fetch_add(1, SeqCst) == 0;
        // The request that asked for the upgrade comes without the offer; one that the peer wrote within TLS may have it.
        let marked = request.headers().contains_key("x-first");
        if first && marked && cx.channel.is_tls() {
            assert!(!request.headers().contains_key(header::UPGRADE), "the offer is the hop's");
        }
        Ok((request.into_body().into_bytes().unwrap_or_default(), ()))
    }

    fn encode_response(&self, _: &Context, (): (), message: Bytes) -> Response<Body> {
        let mut response = Response::new(Body::from(message));
        let octets = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, octets);
        response
    }
}

#[derive(Debug)]
struct Fixed;

impl Handler<Bytes> for Fixed {
    type Response = Bytes;

    async fn handle(&self, _: &Context, _: Bytes) -> Bytes {
        Bytes::from_static(b"an answer")
    }
}

/// Routes whose only endpoint stands at `/echo`, for whatever comes in clear or not.
pub(crate) fn router(seen: &Arc<Seen>) -> Router {
    let mut profile = Profile::new("noting");
    profile.schemes = vec![Scheme::Http, Scheme::Https];
    profile.request_media_types = vec![MediaType::from_static("application/octet-stream")];
    profile.request_body_limit = 4_096;
    let endpoint = Bound::new(Noting(profile, Arc::clone(seen)), Fixed);
    Router::new().mount("/echo", Arc::new(endpoint)).expect("a path")
}
