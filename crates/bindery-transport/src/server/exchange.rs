//! One request and its answer.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as TaskContext, Poll},
};

use bindery_core::{
    Body, BodyError, Channel, Context, Endpoint, Fault, IdentityError, Notes, Peer, Principal,
    Profile, Refusal, Refused,
};
use bindery_tls::BoxIo;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, timeout};

use super::{
    Routes, Shared,
    guard::{Guarded, guarded},
    identity,
    preflight::{self, Checked},
    tunnels::{Led, Tunnels},
    upgrade::{self, Gate, Verdict},
};
use crate::{
    Counters,
    arrival::{Arrival, Fate, Patience},
    coding::{self, Acceptable},
    content_digest,
    stream::{Phase, Pulse},
};

/// What all requests of a connection share.
pub(super) struct Session {
    shared: Arc<Shared>,
    routes: Arc<Routes>,
    channel: Channel,
    peer: Peer,
    identity: Result<Option<Principal>, IdentityError>,
    pulse: Arc<Pulse>,
    upgrading: Upgrading,
    turn: Arc<Turn>,
    /// What a proxy leads to, in place of the routes.
    tunnels: Option<Arc<Tunnels>>,
}

/// Where a connection stands on its way to TLS (RFC 2817).
pub(super) enum Upgrading {
    /// It has none.
    No,
    /// It is in clear, and can become TLS.
    Open(Arc<Gate>),
    /// It is TLS by now.
    Done,
}

/// What a connection becomes when the answer under way has been written; nothing where its HTTP goes on.
#[derive(Default)]
pub(super) struct Turn(Mutex<Option<Becomes>>);

/// What a connection can become.
pub(super) enum Becomes {
    /// TLS, within which this request is answered.
    Tls(Bytes),
    /// A tunnel, of which this is the other end.
    Tunnel(BoxIo),
}

impl Turn {
    fn to(&self, becomes: Becomes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(becomes);
    }

    pub(super) fn take(&self) -> Option<Becomes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What became of a request before its endpoint was asked.
enum Negotiated {
    GoesOn(Body),
    Answered(Response<Body>),
}

impl Session {
    pub(super) fn new(
        shared: Arc<Shared>,
        routes: Arc<Routes>,
        channel: Channel,
        peer: Peer,
        pulse: Arc<Pulse>,
    ) -> Self {
        let identity = identity::of(&shared, &peer);
        let (upgrading, turn) = (Upgrading::No, Arc::default());
        Self { shared, routes, channel, peer, identity, pulse, upgrading, turn, tunnels: None }
    }

    /// The same session on a connection that can become TLS, or has.
    pub(super) fn upgrading(mut self, upgrading: Upgrading) -> Self {
        self.upgrading = upgrading;
        self
    }

    /// The same session with a proxy.
    pub(super) fn leading(mut self, tunnels: Option<Arc<Tunnels>>) -> Self {
        self.tunnels = tunnels;
        self
    }

    /// Where is told what the connection becomes.
    pub(super) fn turn(&self) -> Arc<Turn> {
        Arc::clone(&self.turn)
    }

    /// Answers one request.
    pub(super) async fn exchange<B>(&self, request: Request<B>) -> Response<Answer>
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        self.pulse.enter(Phase::Busy);
        let counters = &self.shared.counters;
        let mut record = Record::new(counters, &request);
        let (parts, body) = request.into_parts();
        let version = parts.version;
        let fate = Fate::default();
        let body = if body.is_end_stream() {
            fate.whole();
            Body::empty()
        } else {
            let patience = Patience::from(&self.shared.limits);
            let pulse = Arc::clone(&self.pulse);
            Body::stream(Arrival::new(body, fate.clone(), patience, pulse))
        };
        let mut cx = Context::new(self.channel.clone(), self.peer.clone(), self.shared.clock.now());
        let wanted = content_digest::wanted(&parts.headers);
        let mut response = match &self.tunnels {
            // In a box of its own: its states would be part of every request's, and be moved with it.
            Some(tunnels) => Box::pin(self.lead(tunnels, &mut cx, parts, body)).await,
            None => self.respond(&mut cx, parts, body).await,
        };
        // Only of what is said here and now: an answer that is passed on is another's, and has its own.
        if let Some(algorithm) = wanted.filter(|_| self.tunnels.is_none())
            && record.method != Method::HEAD
            && has_content(response.status())
        {
            put_digest(&mut response, algorithm);
        }
        self.frame(&mut response, &record.method, version, &fate);
        if let (Upgrading::Open(gate), Version::HTTP_11) = (&self.upgrading, version) {
            gate.advertise(&mut response);
        }
        record.answered(&mut response, fate.received(), cx.principal.as_ref());
        response.map(|body| Answer { body, pulse: Arc::clone(&self.pulse) })
    }

    async fn respond(
        &self,
        cx: &mut Context,
        mut parts: request::Parts,
        body: Body,
    ) -> Response<Body> {
        let Checked { endpoint, is_sound, outcome } =
            preflight::check(&mut parts, &self.routes.router, &self.shared.limits);
        let negotiated = if is_sound {
            self.negotiate(cx, &parts, endpoint.as_deref(), body).await
        } else {
            Negotiated::GoesOn(body)
        };
        let body = match negotiated {
            Negotiated::GoesOn(body) => body,
            Negotiated::Answered(response) => return response,
        };
        let outcome = match &self.identity {
            Ok(principal) => {
                cx.principal.clone_from(principal);
                outcome
            }
            Err(error) => Err(Refusal::Unidentified { reason: error.to_string() }),
        };
        match (endpoint, outcome) {
            (Some(endpoint), Ok(acceptable)) => {
                self.call(endpoint, cx, parts, body, acceptable).await
            }
            (endpoint, Err(refusal)) => self.refuse(endpoint.as_deref(), cx, Some(&parts), refusal),
            (None, Ok(_)) => self.refuse(None, cx, Some(&parts), Refusal::Target),
        }
    }

    /// Answers as a proxy.
    async fn lead(
        &self,
        tunnels: &Tunnels,
        cx: &mut Context,
        parts: request::Parts,
        body: Body,
    ) -> Response<Body> {
        let opens = parts.method == Method::CONNECT;
        let led = match &self.identity {
            Ok(principal) => {
                cx.principal.clone_from(principal);
                tunnels.lead(cx, parts, body, &self.shared.limits).await
            }
            Err(error) => Err(Refusal::Unidentified { reason: error.to_string() }),
        };
        match led {
            Ok(Led::Tunnel(server)) => {
                self.turn.to(Becomes::Tunnel(server));
                Response::new(Body::empty())
            }
            Ok(Led::Answer(response)) => response,
            Err(refusal) => {
                let mut response = Profile::new("proxy").refusal_response(&refusal);
                response.extensions_mut().insert(Refused(refusal));
                // What came behind it was meant for the tunnel and is no request.
                if opens { closing(response) } else { response }
            }
        }
    }

    /// Answers what a connection that can become TLS, or has, says to a request itself.
    async fn negotiate(
        &self,
        cx: &Context,
        parts: &request::Parts,
        endpoint: Option<&dyn Endpoint>,
        body: Body,
    ) -> Negotiated {
        let verdict = match &self.upgrading {
            Upgrading::No => return Negotiated::GoesOn(body),
            Upgrading::Open(gate) => gate.judge(parts, endpoint, &body),
            Upgrading::Done => Verdict::Clear,
        };
        match (verdict, &self.upgrading) {
            (Verdict::Switch(protocols), _) => {
                let switched = Box::pin(self.switch(cx, protocols, parts, endpoint, body)).await;
                Negotiated::Answered(switched)
            }
            (Verdict::Required, Upgrading::Open(gate)) => {
                // Words for people, whatever the forms of the protocols here: none of them is spoken in clear.
                let refusal = gate.refusal();
                let mut response = Profile::new("http").refusal_response(&refusal);
                response.extensions_mut().insert(Refused(refusal));
                Negotiated::Answered(response)
            }
            _ if upgrade::is_ping(parts) => Negotiated::Answered(Response::new(Body::empty())),
            _ => Negotiated::GoesOn(body),
        }
    }

    /// Reads a request to its end and agrees to answer it within TLS.
    async fn switch(
        &self,
        cx: &Context,
        protocols: HeaderValue,
        parts: &request::Parts,
        endpoint: Option<&dyn Endpoint>,
        body: Body,
    ) -> Response<Body> {
        let limit = endpoint.map_or(0, |endpoint| endpoint.profile().request_body_limit);
        match body.collect(limit).await {
            Ok(body) => {
                self.turn.to(Becomes::Tls(upgrade::replay(parts, &body)));
                upgrade::switching(protocols)
            }
            Err(error) => self.refuse(endpoint, cx, Some(parts), Refusal::from(&error)),
        }
    }

    async fn call(
        &self,
        endpoint: Arc<dyn Endpoint>,
        cx: &Context,
        mut parts: request::Parts,
        body: Body,
        acceptable: Acceptable,
    ) -> Response<Body> {
        let body = match content_digest::expected(&parts.headers) {
            Ok(None) => body,
            Ok(Some(expected)) => content_digest::verified(body, expected),
            Err(reason) => {
                let name = content_digest::FIELD;
                let refusal = Refusal::MalformedHeader { name, reason: reason.into() };
                return self.refuse(Some(&*endpoint), cx, Some(&parts), refusal);
            }
        };
        let body = match preflight::undo_coding(&mut parts, body, &*endpoint) {
            Ok(body) => body,
            Err(refusal) => return self.refuse(Some(&*endpoint), cx, Some(&parts), refusal),
        };
        let request = Request::from_parts(parts, body);
        let call = Guarded(Box::pin(async { endpoint.call(cx, request).await }));
        let mut response = match timeout(self.shared.limits.request, call).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => {
                self.shared.counters.panic();
                tracing::error!(panic, "the handler panicked");
                let response = self.refuse(Some(&*endpoint), cx, None, Refusal::Internal);
                return closing(response);
            }
            Err(_) => {
                self.shared.counters.timeout("request");
                tracing::warn!("the handler took longer than the limit and was cancelled");
                let response = self.refuse(Some(&*endpoint), cx, None, Refusal::Overloaded);
                return closing(response);
            }
        };
        // What says that nothing is there is the same answer whether or not something is.
        let refused =
            response.extensions().get::<Refused>().map(|Refused(refusal)| refusal.fault());
        if !endpoint.profile().response_codings.is_empty() && refused != Some(Fault::Target) {
            apply_coding(&mut response, acceptable);
        }
        response
    }

    fn refuse(
        &self,
        endpoint: Option<&dyn Endpoint>,
        cx: &Context,
        head: Option<&request::Parts>,
        refusal: Refusal,
    ) -> Response<Body> {
        let refuser = endpoint.or_else(|| self.routes.router.refuser().map(|refuser| &**refuser));
        let own = refuser.and_then(|endpoint| {
            guarded(|| endpoint.refuse(cx, head, &refusal))
                .inspect_err(|panic| {
                    self.shared.counters.panic();
                    tracing::error!(panic, "the endpoint panicked while it refused");
                })
                .ok()
        });
        let mut response = own.unwrap_or_else(|| self.routes.neutral.refusal_response(&refusal));
        response.extensions_mut().insert(Refused(refusal));
        response
    }

    /// Makes sure that the response's framing is the engine's, and that a connection whose request
    /// was not read to its end is not used again.
    fn frame(&self, response: &mut Response<Body>, method: &Method, version: Version, fate: &Fate) {
        let headers = response.headers_mut();
        headers.remove(header::TRANSFER_ENCODING);
        if *method != Method::HEAD {
            headers.remove(header::CONTENT_LENGTH);
        }
        if !fate.is_whole() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            self.pulse.leave_unread();
        }
        let closes = headers.get(header::CONNECTION).is_some_and(|value| value == "close");
        // For a peer of HTTP/1.0 the engine takes an answer in 1.1 as a wish to keep the connection.
        let as_asked = closes && version == Version::HTTP_10;
        *response.version_mut() = if as_asked { Version::HTTP_10 } else { Version::HTTP_11 };
    }
}

/// Whether a response of this status has content at all (RFC 9110, section 6.4.1).
fn has_content(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

/// Says what the content is, of a body that is whole (RFC 9530).
fn put_digest(response: &mut Response<Body>, algorithm: content_digest::Algorithm) {
    let value = response.body().as_bytes().and_then(|body| content_digest::value(algorithm, body));
    if let Some(value) = value {
        response.headers_mut().insert(content_digest::FIELD, value);
    }
}

fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Bodies below this many octets are not worth a coding, unless the client takes nothing else.
const WORTH_CODING: usize = 256;

/// Codes a whole body as the client asked for, and says that the answer depends on it.
fn apply_coding(response: &mut Response<Body>, acceptable: Acceptable) {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some(coding) = acceptable.coding else { return };
    let no_transform = response.headers().get_all(header::CACHE_CONTROL).iter().any(|value| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.split(',').any(|directive| directive.trim() == "no-transform")
    });
    if no_transform || response.headers().contains_key(header::CONTENT_ENCODING) {
        return;
    }
    let Some(plain) = response.body().as_bytes() else { return };
    if plain.is_empty() || (plain.len() < WORTH_CODING && acceptable.identity) {
        return;
    }
    let Some(coded) = coding::encode(coding, plain) else { return };
    if coded.len() >= plain.len() && acceptable.identity {
        return;
    }
    *response.body_mut() = coded.into();
    // It speaks of the octets before they were coded.
    response.headers_mut().remove("content-md5");
    let name = HeaderValue::from_static(coding.name());
    response.headers_mut().insert(header::CONTENT_ENCODING, name);
}

/// What is logged and counted of an exchange. Dropped before the answer, it is one that its peer
/// gave up.
struct Record<'a> {
    counters: &'a Counters,
    started: Instant,
    method: Method,
    /// Without the query, which may hold secrets.
    path: String,
    answered: bool,
}

/// How much of a path is logged, in octets.
const LOGGED_PATH: usize = 256;

/// A target for the log: where to, if it says so (a tunnel, a proxy's request), and the path; no user, no query.
fn logged(uri: &Uri) -> String {
    let path = uri.path();
    let path = path.get(..LOGGED_PATH).unwrap_or(path);
    let Some(host) = uri.host() else { return path.to_owned() };
    let host = host.get(..LOGGED_PATH).unwrap_or(host);
    let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    format!("{host}{port}{path}")
}

impl<'a> Record<'a> {
    fn new<B>(counters: &'a Counters, request: &Request<B>) -> Self {
        Self {
            counters,
            started: Instant::now(),
            method: request.method().clone(),
            path: logged(request.uri()),
            answered: false,
        }
    }

    fn answered(
        &mut self,
        response: &mut Response<Body>,
        received: u64,
        principal: Option<&Principal>,
    ) {
        self.answered = true;
        let status: StatusCode = response.status();
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counters.request(status, micros);
        if let Some(Notes(notes)) = response.extensions_mut().remove::<Notes>() {
            for note in notes {
                tracing::info!(%note, "tolerated");
            }
        }
        let refused = response.extensions_mut().remove::<Refused>();
        let fault = refused.as_ref().map(|Refused(refusal)| refusal.fault());
        if let Some(fault) = fault {
            self.counters.refusal(fault);
        }
        tracing::info!(
            method = %self.method,
            path = self.path,
            status = status.as_u16(),
            fault = fault.map(tracing::field::debug),
            reason = refused.as_ref().map(|Refused(refusal)| tracing::field::display(refusal)),
            received,
            sent = HttpBody::size_hint(response.body()).exact(),
            micros,
            principal = principal.map(Principal::as_str),
            "answered"
        );
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.counters.request_cancelled();
            let (method, path) = (&self.method, &self.path);
            tracing::info!(%method, path, "the connection ended before the answer");
        }
    }
}

/// A response's body; once it is handed over, the connection waits for the next request.
pub(super) struct Answer {
    body: Body,
    pulse: Arc<Pulse>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Err(error))) = &polled {
            tracing::warn!(%error, "the answer's body failed: the connection is cut off");
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.pulse.enter(Phase::Idle);
    }
}
