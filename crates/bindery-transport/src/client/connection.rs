//! One persistent connection and the exchanges over it.

use std::sync::Arc;

use bindery_auth::Session;
use bindery_core::{Body, BodyError, Channel, Exchange, Peer};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header, response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::{
    Config, Target, UpgradeMode, drive, failure,
    open::{Open, open},
    request::Prepared,
    streamed::{self, Returned},
    tunnel::Hop,
    upgrade,
};
use crate::{
    ErrorKind, Layer, TransportError,
    coding::{self, Declared},
    content_digest,
    upgrade_field::connection_lists,
};

/// A connection to one server: opened when needed, kept while both sides want it, opened anew
/// when the server has closed it.
///
/// Redirects are never followed: such responses are returned as they are. So are challenges, unless
/// there is a login to answer them with ([`Connection::set_login`]).
pub struct Connection {
    config: Arc<Config>,
    target: Target,
    open: Option<Open>,
    /// Where a connection comes back to whose answer was read as it came.
    returned: Returned,
    /// Who was there last.
    seen: Option<(Peer, Channel)>,
    /// What the server asked this client to prove itself by.
    pub(super) session: Option<Session>,
    /// The proxies on the way, and what was agreed with them.
    hops: Vec<Hop>,
    /// Whether everything goes within TLS, though the target is http.
    insists: bool,
    /// Whether the connection is reset where this side breaks off.
    resets: bool,
    /// How the last answer came.
    came: Came,
}

/// How an answer came.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    /// By a proxy that was asked in absolute form.
    absolute: bool,
    /// Within TLS.
    tls: bool,
    /// To a request that proved who we are to the proxy.
    proved: bool,
}

/// How often one request is sent for what its answers say of the way: two challenges of a proxy, an upgrade.
const WAYS: usize = 4;

impl Connection {
    pub(super) fn new(config: Arc<Config>, target: Target) -> Self {
        let hops = config.proxies.of(&target).iter().cloned().map(Hop::new).collect();
        let insists = config.upgrade == UpgradeMode::Required && !target.is_tls();
        Self {
            config,
            target,
            open: None,
            returned: Returned::default(),
            seen: None,
            session: None,
            hops,
            insists,
            resets: false,
            came: Came::default(),
        }
    }

    /// The target.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The target's URL as a profile's card is to see it: with the scheme https where everything goes within TLS, be it
    /// from the start or by an upgrade that is insisted on ([`UpgradeMode::Required`]).
    pub fn secured_uri(&self) -> Uri {
        if self.insists { self.target.as_https() } else { self.target.uri().clone() }
    }

    /// Another URL on the target's server, as [`Connection::secured_uri`] has the target's.
    pub fn secured(&self, uri: &Uri) -> Uri {
        let target = Target::new(uri.clone()).ok();
        match target.filter(|target| self.insists && target.is_same_server(&self.target, false)) {
            Some(target) => target.as_https(),
            None => uri.clone(),
        }
    }

    /// Whether nothing goes out but within TLS.
    pub(super) fn is_secured(&self) -> bool {
        self.target.is_tls() || self.insists
    }

    /// The server as the last connection showed it: certificate chain, and the address that was connected to, which is the
    /// first proxy's where there are any.
    pub fn peer(&self) -> Option<&Peer> {
        self.seen.as_ref().map(|(peer, _)| peer)
    }

    /// The channel of the last connection: in clear, or what its handshake settled.
    pub fn channel(&self) -> Option<&Channel> {
        self.seen.as_ref().map(|(_, channel)| channel)
    }

    /// Whether this side resets the TCP connection where it breaks off, be it that an answer is not HTTP, a time limit passed
    /// or an exchange is dropped before its end, and does not close it in order. Over TLS the closure alert is tried first.
    /// No by default; a card says so where its protocol has it ([`Profile::resets`](bindery_core::Profile)).
    pub const fn resets_where_it_breaks_off(&mut self, resets: bool) {
        self.resets = resets;
    }

    /// Whether a connection is open, as far as is known here.
    pub fn is_open(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.sender.is_closed())
    }

    /// Opens the connection unless it is open.
    ///
    /// In TLS 1.3 a server that refuses the client's certificate says so only after the client's
    /// side of the handshake: the first request then fails.
    ///
    /// # Errors
    /// Name, connection or handshake.
    pub async fn open(&mut self) -> Result<(), TransportError> {
        let open = match self.usable().await {
            Some(kept) => kept,
            None => self.open_anew().await?,
        };
        self.open = Some(open);
        Ok(())
    }

    /// Closes the connection; the next request opens another. Over TLS the closure alert goes out from a task of the
    /// runtime, within a second: a runtime that ends at once cuts the connection instead.
    pub fn close(&mut self) {
        self.open = None;
        self.returned.take();
    }

    /// Sends a request and reads the whole answer. The request's URI is the target's, or another
    /// on the same server; a request whose URI is `/` without a host goes to the target's path.
    /// `Host`, `Content-Length` and `Connection` are set here.
    ///
    /// When a *kept* connection turns out to be closed, the request is sent once more over a new
    /// one, if no octet of an answer has come and either no octet of the request was written, or
    /// the request is repeatable (marked [`Repeatable`](super::Repeatable), or idempotent by its
    /// method) and its body whole. In every other case it is sent at most once. Nothing is
    /// repeated after a time limit.
    ///
    /// Dropping the future closes the connection.
    ///
    /// # Errors
    /// See [`ErrorKind`]. After any error but [`ErrorKind::Request`] the connection is closed.
    /// Any status is an answer and no error.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let prepared = Prepared::new(&self.config, &self.target, self.insists, request)?;
        self.send_in_time(prepared).await
    }

    /// Sends a request and reads the head of the answer; where its status is a success (2xx), its body comes piece by piece
    /// as it is read, and the connection is used again once it was read to its end. A body that is dropped
    /// before closes the connection. Everything else is as in [`send`](Self::send).
    ///
    /// The limit on a whole exchange holds up to the head; then [`ClientLimits::response`](crate::ClientLimits) is how long
    /// each further piece may take, and `response_body` how long the body may be in sum.
    ///
    /// # Errors
    /// As [`send`](Self::send) up to the head; what goes wrong behind it is the body's error.
    pub async fn send_streamed(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Body>, TransportError> {
        let mut prepared = Prepared::new(&self.config, &self.target, self.insists, request)?;
        prepared.streamed = true;
        self.send_in_time(prepared).await
    }

    async fn send_in_time(
        &mut self,
        mut prepared: Prepared,
    ) -> Result<Response<Body>, TransportError> {
        let limit = self.config.limits.total;
        match timeout(limit, self.send_with_proof(&mut prepared)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let message = format!("the exchange did not end within {limit:?}");
                let address = self.peer().and_then(|peer| peer.address);
                Err(TransportError::timeout(Layer::Http, message).with_address(address))
            }
        }
    }

    /// Drives an exchange to its outcome.
    ///
    /// # Errors
    /// A request of it could not be sent or answered, and the exchange, which was told
    /// ([`Exchange::handle_failure`]), gave neither another request nor an outcome.
    pub async fn run<E: Exchange>(&mut self, exchange: E) -> Result<E::Outcome, TransportError> {
        drive::run(self, exchange).await
    }

    /// Sends a request, and again for what the answers say of the way to the server.
    pub(super) async fn send_prepared(
        &mut self,
        prepared: &mut Prepared,
    ) -> Result<Response<Body>, TransportError> {
        for _ in 1..WAYS {
            let response = self.send_once(prepared).await?;
            if !self.is_for_another_way(&response)? {
                return Ok(response);
            }
            if !prepared.is_whole() {
                return self.of_the_server(response);
            }
        }
        let response = self.send_once(prepared).await?;
        self.of_the_server(response)
    }

    /// A 407 is never the server's word: it is an error of the way there.
    fn of_the_server(&self, response: Response<Body>) -> Result<Response<Body>, TransportError> {
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        if response.status() != status || !self.came.absolute {
            return Ok(response);
        }
        let message = "a proxy on the way asks who we are, and the request cannot be sent again";
        Err(TransportError::proxy(message.to_owned(), Some(status))
            .with_hint("send a request with a whole body first, or whole bodies only"))
    }

    /// Whether an answer asks for another way to the server, on which the request may be sent again: neither a 407 nor a
    /// 426 has acted on it.
    fn is_for_another_way(&mut self, response: &Response<Body>) -> Result<bool, TransportError> {
        let headers = response.headers();
        let Came { absolute, tls, proved } = self.came;
        if let (StatusCode::PROXY_AUTHENTICATION_REQUIRED, true) = (response.status(), absolute) {
            let Some(hop) = self.hops.last_mut() else { return Ok(false) };
            return hop.challenged(headers, proved).map(|()| true);
        }
        if tls || self.config.upgrade != UpgradeMode::Optional {
            return Ok(false);
        }
        let advertised = upgrade::advertised(headers);
        if response.status() == StatusCode::UPGRADE_REQUIRED {
            if !advertised && headers.contains_key(header::UPGRADE) {
                // To something else.
                return Ok(false);
            }
            if !advertised && !absolute {
                return Err(upgrade::unsaid());
            }
            self.insists = true;
            return Ok(true);
        }
        // Known of the server from now on. What a proxy knows is its own.
        self.insists |= advertised && !absolute;
        Ok(false)
    }

    async fn send_once(
        &mut self,
        prepared: &mut Prepared,
    ) -> Result<Response<Body>, TransportError> {
        if let Some(kept) = self.usable().await {
            match self.exchange(kept, prepared).await {
                Err(failed) if failed.may_repeat(prepared) => {
                    tracing::debug!(error = %failed.error, "the kept connection was closed");
                }
                outcome => return outcome.map_err(|failed| failed.error),
            }
        }
        let opened = self.open_anew().await?;
        self.exchange(opened, prepared).await.map_err(|failed| failed.error)
    }

    /// The kept connection, if it can be used; taken out, so that whatever is cut short leaves
    /// none behind.
    async fn usable(&mut self) -> Option<Open> {
        let mut kept = self.open.take().or_else(|| self.returned.take())?;
        let rested = kept.rested.elapsed();
        let is_too_clear = self.insists && !kept.channel.is_tls();
        if rested >= self.config.limits.idle || kept.sender.is_closed() || is_too_clear {
            return None;
        }
        // Lets the engine's task see an end that has already arrived.
        tokio::task::yield_now().await;
        kept.sender.ready().await.ok()?;
        Some(kept)
    }

    async fn open_anew(&mut self) -> Result<Open, TransportError> {
        let absolute = !self.hops.is_empty() && !self.is_secured();
        let opened = open(&self.config, &self.target, &mut self.hops, absolute).await;
        let mut opened = opened?;
        if self.insists {
            upgrade::insist(&self.config, &self.target, &mut opened).await?;
        }
        tracing::debug!(peer = ?opened.peer.address, tls = opened.channel.is_tls(), "connected");
        self.seen = Some((opened.peer.clone(), opened.channel.clone()));
        Ok(opened)
    }

    async fn exchange(
        &mut self,
        mut open: Open,
        prepared: &mut Prepared,
    ) -> Result<Response<Body>, Failed> {
        if self.resets {
            open.cut.arm();
        }
        let marks = open.wire.marks();
        let started = Instant::now();
        match self.exchange_over(&mut open, prepared).await {
            Ok((response, keep)) => {
                open.cut.disarm();
                tracing::debug!(
                    method = %prepared.method,
                    status = response.status().as_u16(),
                    micros = started.elapsed().as_micros(),
                    "answered"
                );
                if response.body().as_bytes().is_none() {
                    let back = keep.then(|| self.returned.clone());
                    let pause = self.config.limits.response;
                    return Ok(response.map(|body| streamed::held(body, open, back, pause)));
                }
                if keep {
                    open.used = true;
                    open.rested = Instant::now();
                    self.open = Some(open);
                }
                Ok(response)
            }
            Err(error) => {
                let now = open.wire.marks();
                let (sent, answered) = (now.0 > marks.0, now.1 > marks.1);
                let kept = open.used;
                let error = explain(error, &mut open).await;
                // After a time limit the engine may be writing at this very moment.
                let unsent = !sent && error.kind() != ErrorKind::Timeout;
                let error = if unsent { error.unsent() } else { error };
                let error = error.with_address(open.peer.address);
                Err(Failed { error, kept, sent, answered })
            }
        }
    }

    /// One exchange, and whether the connection can be used for another.
    async fn exchange_over(
        &mut self,
        open: &mut Open,
        prepared: &mut Prepared,
    ) -> Result<(Response<Body>, bool), TransportError> {
        let response = self.answer_over(open, prepared).await?;
        let limits = &self.config.limits;
        let (mut parts, body) = response.into_parts();
        let keep =
            self.config.keep_alive && keeps(self.config.version, &parts.version, &parts.headers);
        let coding = if !prepared.untouched && has_content(&prepared.method, parts.status) {
            coding_of(&parts.headers, prepared)?
        } else {
            None
        };
        let body = Body::stream(Coming(body));
        let body = match announced(&prepared.method, &parts)? {
            Some(expected) => content_digest::verified(body, expected),
            None => body,
        };
        let body = match coding {
            // Some servers declare a coding for an answer without content.
            Some(coding) if !body.is_end_stream() => {
                parts.headers.remove(header::CONTENT_ENCODING);
                // It speaks of the coded octets.
                parts.headers.remove("content-md5");
                parts.headers.remove(content_digest::FIELD);
                parts.headers.remove(header::CONTENT_LENGTH);
                coding::decode(coding, body, limits.response_body)
            }
            _ => body,
        };
        let comes_in_pieces = parts.status.is_success() || prepared.untouched;
        if prepared.streamed && comes_in_pieces && !body.is_end_stream() {
            return Ok((Response::from_parts(parts, body.limited(limits.response_body)), keep));
        }
        let bytes = body.collect(limits.response_body).await.map_err(failure::body)?;
        Ok((Response::from_parts(parts, bytes.into()), keep))
    }
}

impl Connection {
    /// The answer's head, which may come within TLS to a request that went out in clear.
    async fn answer_over(
        &mut self,
        open: &mut Open,
        prepared: &mut Prepared,
    ) -> Result<Response<Incoming>, TransportError> {
        let offers = self.config.upgrade == UpgradeMode::Optional
            && self.config.version == Version::HTTP_11
            && !(self.target.is_tls() || open.channel.is_tls() || open.absolute || open.declined);
        if offers && self.config.connector.is_none() {
            return Err(upgrade::no_tls());
        }
        let Some(mut request) = prepared.build() else {
            return Err(TransportError::request("the request's body was sent already"));
        };
        let mut proved = false;
        if open.absolute
            && let Some(hop) = self.hops.last_mut()
        {
            let uri = prepared.absolute(&self.target)?;
            let proof = hop.proof(&prepared.method, &uri.to_string(), prepared.whole())?;
            *request.uri_mut() = uri;
            proved = proof.is_some();
            if let Some(proof) = proof {
                request.headers_mut().insert(header::PROXY_AUTHORIZATION, proof);
            }
        }
        if offers {
            upgrade::offer(request.headers_mut());
        }
        let mut response = open.send(&self.config, request).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            if !offers {
                let message = "the server switches protocols (101) though nothing was offered";
                return Err(TransportError::new(ErrorKind::Protocol, Layer::Http, message));
            }
            let (config, method) = (&self.config, &prepared.method);
            response = upgrade::switch(config, &self.target, open, response, method).await?;
            self.seen = Some((open.peer.clone(), open.channel.clone()));
        } else {
            open.declined |= offers;
        }
        self.came = Came { absolute: open.absolute, tls: open.channel.is_tls(), proved };
        Ok(response)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("target", &self.target)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// An exchange that failed, and what decides whether it is repeated.
struct Failed {
    error: TransportError,
    /// The connection had carried an exchange before.
    kept: bool,
    /// Something of the request was written.
    sent: bool,
    /// Something of an answer has come.
    answered: bool,
}

impl Failed {
    /// The rule of [`Connection::send`].
    const fn may_repeat(&self, prepared: &Prepared) -> bool {
        let closed = matches!(self.error.kind(), ErrorKind::Closed);
        let harmless = !self.sent || prepared.repeatable;
        closed && self.kept && !self.answered && harmless && prepared.is_whole()
    }
}

/// What the engine's own end says is often more than what the request was told.
async fn explain(error: TransportError, open: &mut Open) -> TransportError {
    if !error.is_closed() {
        return error;
    }
    match open.end().await.map(failure::http) {
        Some(end) if !end.is_closed() => end,
        _ => error,
    }
}

/// Whether the connection stays open: in HTTP/1.1 unless one side says close, in HTTP/1.0 only if
/// both ask for it.
fn keeps(ours: Version, theirs: &Version, headers: &HeaderMap) -> bool {
    let says = |token: &str| connection_lists(headers, token);
    if ours == Version::HTTP_10 || *theirs == Version::HTTP_10 {
        says("keep-alive") && !says("close")
    } else {
        !says("close")
    }
}

fn has_content(method: &Method, status: StatusCode) -> bool {
    *method != Method::HEAD
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

/// What an answer says of its content.
fn announced(
    method: &Method,
    parts: &response::Parts,
) -> Result<Option<content_digest::Expected>, TransportError> {
    if !has_content(method, parts.status) {
        return Ok(None);
    }
    content_digest::expected(&parts.headers).map_err(|reason| {
        let message = format!("the answer's Content-Digest: {reason}");
        TransportError::new(ErrorKind::Protocol, Layer::Http, message)
    })
}

fn coding_of(
    headers: &HeaderMap,
    prepared: &Prepared,
) -> Result<Option<bindery_core::ContentCoding>, TransportError> {
    match coding::declared(headers) {
        Declared::None => Ok(None),
        Declared::One(coding) if prepared.codings.contains(&coding) => Ok(Some(coding)),
        _ => {
            let value = headers.get(header::CONTENT_ENCODING);
            let message = format!("the answer has the content coding {value:?}, not asked for");
            Err(TransportError::new(ErrorKind::Coding, Layer::Http, message))
        }
    }
}

/// A response's body under our own error type.
pub(super) struct Coming(pub(super) Incoming);

impl HttpBody for Coming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        std::pin::Pin::new(&mut self.0)
            .poll_frame(cx)
            .map_err(|error| BodyError::Incomplete(Box::new(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
