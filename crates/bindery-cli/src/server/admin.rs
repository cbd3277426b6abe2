//! The admin listener: `/livez`, `/readyz` and `/metrics`.

mod metrics;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bindery_core::{
    Body, Context, Endpoint, EndpointFuture, MediaType, Principal, Profile, Refusal, Scheme,
};
use bindery_kmip::service::{Filter, KeyStore};
use bindery_store::SqliteStore;
use bindery_transport::{Counters, Limits, MountError, Router};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use super::{observer::Operations, secure::Secure};

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// More connections than a monitor and an operator need.
const CONNECTIONS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(31);

/// What all admin paths share.
#[derive(Debug)]
pub(crate) struct Admin {
    counters: Arc<Counters>,
    store: SqliteStore,
    operations: Operations,
    ready: Arc<AtomicBool>,
    secure: Secure,
}

impl Admin {
    /// An admin listener for a server with these counters and this store.
    pub(super) fn new(
        counters: Arc<Counters>,
        store: SqliteStore,
        operations: Operations,
        ready: Arc<AtomicBool>,
    ) -> Self {
        Self { counters, store, operations, ready, secure: Secure::default() }
    }

    /// The same, telling of the TLS of these listeners too.
    pub(super) fn with_tls(mut self, secure: Secure) -> Self {
        self.secure = secure;
        self
    }

    /// Why the server is not ready to answer requests; `None` if it is.
    async fn unready(&self) -> Option<&'static str> {
        if !self.ready.load(Relaxed) {
            return Some("starting or stopping");
        }
        // The cheapest question that goes all the way to the file.
        let nobody = Filter::owned_by(Principal::new(""), 1);
        match tokio::time::timeout(PATIENCE, self.store.find(&nobody)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready: the store does not answer");
                Some("the store does not answer")
            }
            Err(_) => Some("the store takes too long"),
        }
    }
}

/// The admin listener's limits: few connections, short requests.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.connections = CONNECTIONS;
    limits.request = Duration::from_secs(10);
    limits.drain = Duration::from_secs(2);
    limits
}

/// The admin paths.
///
/// # Errors
/// None that can be provoked: the paths are constants.
pub(crate) fn routes(admin: &Arc<Admin>) -> Result<Router, MountError> {
    let page = |page| Arc::new(Page { admin: Arc::clone(admin), page, profile: card() });
    Router::new()
        .mount("/livez", page(Kind::Live))?
        .mount("/readyz", page(Kind::Ready))?
        .mount("/metrics", page(Kind::Metrics))
}

/// How the admin pages use HTTP.
fn card() -> Profile {
    let mut card = Profile::new("admin");
    card.title = "health and metrics".into();
    card.schemes = vec![Scheme::Http];
    card.methods = vec![Method::GET, Method::HEAD];
    card.response_media_types = vec![MediaType::from_static("text/plain")];
    card.message_statuses = vec![StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE];
    card.request_body_limit = 0;
    card
}

/// One path.
#[derive(Debug)]
struct Page {
    admin: Arc<Admin>,
    page: Kind,
    profile: Profile,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Live,
    Ready,
    Metrics,
}

impl Page {
    async fn answer(&self, cx: &Context, request: Request<Body>) -> Response<Body> {
        let (parts, _) = request.into_parts();
        if let Err(refusal) = self.profile.check_request(cx, &parts) {
            return self.profile.refusal_response(&refusal);
        }
        let mut response = match self.page {
            Kind::Live => text(StatusCode::OK, "alive\n".to_owned()),
            Kind::Ready => match self.admin.unready().await {
                None => text(StatusCode::OK, "ready\n".to_owned()),
                Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
            },
            Kind::Metrics => self.metrics(),
        };
        self.profile.finish_response(parts.version, &mut response);
        response
    }

    fn metrics(&self) -> Response<Body> {
        let snapshot = self.admin.counters.snapshot();
        let Admin { store, operations, secure, .. } = &*self.admin;
        match metrics::encode_all(&snapshot, &store.counters(), operations, secure) {
            Ok(metrics) => {
                let mut response = text(StatusCode::OK, metrics);
                response.headers_mut().insert(header::CONTENT_TYPE, metrics::CONTENT_TYPE);
                response
            }
            Err(_) => self.profile.refusal_response(&Refusal::Internal),
        }
    }
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

impl Endpoint for Page {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn call<'a>(&'a self, cx: &'a Context, request: Request<Body>) -> EndpointFuture<'a> {
        Box::pin(self.answer(cx, request))
    }

    fn refuse(
        &self,
        _cx: &Context,
        _head: Option<&http::request::Parts>,
        refusal: &Refusal,
    ) -> Response<Body> {
        self.profile.refusal_response(refusal)
    }
}
