//! One connection, from its handshake to its end.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bindery_core::{Channel, Peer, StreamEndpoint};
use bindery_tls::{Acceptor, BoxIo};
use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tracing::Instrument;

use super::{
    Door, Routes, Shared, Speaks,
    accept::Seat,
    exchange::{Answer, Becomes, Session, Upgrading},
    forwarded,
    leave::{self, Leave, Standing, Why},
    messages::{Messages, opens_with},
    tunnels::{Ends, Tunnels, splice},
    upgrade::{self, Gate},
};
use crate::{
    Limits,
    cut::{Cut, Cuttable},
    rewound::Rewound,
    stream::{Phase, Pulse, Watched},
};

/// Serves a connection of a listener to its end.
pub(super) async fn run(
    stream: TcpStream,
    shared: Arc<Shared>,
    door: Door,
    stopping: watch::Receiver<bool>,
) {
    let Ok(address) = stream.peer_addr() else { return };
    // Answers are written whole: there is nothing that waiting could join.
    let _ = stream.set_nodelay(true);
    let cut = Cut::default();
    let stream = Box::new(Cuttable::new(stream, cut.clone()));
    let Some(balancers) = &door.balancers else {
        let peer = Peer::from_address(address);
        return over(stream, cut, peer, shared, door, stopping).await;
    };
    let mut stop = stopping.clone();
    let head = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => return,
        head = forwarded::read(stream, address, balancers, &shared.limits) => head,
    };
    match head {
        Ok((io, client)) => {
            let client = client.unwrap_or(address);
            let Some(_seat) = Seat::take(&shared, client.ip()) else {
                shared.counters.connection_refused();
                tracing::info!(peer = %client, "closed: its address has too many connections");
                return;
            };
            let peer = Peer::from_address(client);
            over(io, cut, peer, Arc::clone(&shared), door, stopping).await;
        }
        Err(fault) => {
            shared.counters.connection_refused();
            tracing::info!(peer = %address, reason = fault.reason(), "closed");
        }
    }
}

/// Serves a connection over any stream to its end.
pub(super) async fn over(
    io: BoxIo,
    cut: Cut,
    peer: Peer,
    shared: Arc<Shared>,
    door: Door,
    stopping: watch::Receiver<bool>,
) {
    let span = match peer.address {
        Some(address) => tracing::info_span!("connection", peer = %address),
        None => tracing::info_span!("connection", peer = "local"),
    };
    async {
        let mut stop = stopping.clone();
        let born = Instant::now();
        let secured = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            secured = secure(io, door.acceptor.as_ref(), &shared, peer) => secured,
        };
        let Some((io, channel, peer, standing)) = secured else { return };
        let mut leave = Leave::new(stopping.clone(), standing);
        let Door { gate, speaks, routes, .. } = door;
        let tunnels = match &speaks {
            Speaks::Tunnels(tunnels) => Some(Arc::clone(tunnels)),
            _ => None,
        };
        let Some((io, endpoint)) = spoken(io, speaks, &shared, &mut stop).await else {
            return;
        };
        if let Some(endpoint) = endpoint {
            return Messages::new(io, endpoint, shared, channel, peer).serve(leave).await;
        }
        let place = Place { shared, routes, tunnels, born, cut, stopping };
        let upgrading = gate.as_ref().map(|gate| Upgrading::Open(Arc::clone(gate)));
        let upgrading = upgrading.unwrap_or(Upgrading::No);
        let turned = serve(io, channel, peer.clone(), upgrading, &place, &mut leave).await;
        match turned {
            Some(Turned { io, early, becomes: Becomes::Tls(request) }) => {
                if let Some(gate) = gate {
                    upgraded(io, &early, request, peer, &gate, &place).await;
                }
            }
            Some(Turned { io, early, becomes: Becomes::Tunnel(server) }) => {
                if let Some(tunnels) = &place.tunnels {
                    let limits = (tunnels.tunnel_limits(), &place.shared.limits);
                    let ends = Ends { client: io, early, server };
                    splice(ends, limits, &place.shared.counters, &mut leave).await;
                }
            }
            None => {}
        }
    }
    .instrument(span)
    .await;
}

/// Finds out what is spoken on a connection: messages of this endpoint, or HTTP.
async fn spoken(
    io: BoxIo,
    speaks: Speaks,
    shared: &Shared,
    stop: &mut watch::Receiver<bool>,
) -> Option<(BoxIo, Option<Arc<dyn StreamEndpoint>>)> {
    let endpoint = match speaks {
        Speaks::Http | Speaks::Tunnels(_) => return Some((io, None)),
        Speaks::Messages(endpoint) => return Some((io, Some(endpoint))),
        Speaks::Either(endpoint) => endpoint,
    };
    let (opens, io) = opens_with(endpoint.opening(), io, shared, stop).await?;
    Some((io, opens.then_some(endpoint)))
}

/// What all of a connection's HTTP has in common, in clear and within TLS.
struct Place {
    shared: Arc<Shared>,
    routes: Arc<Routes>,
    tunnels: Option<Arc<Tunnels>>,
    /// When the connection was accepted.
    born: Instant,
    /// Resets the connection where the server breaks off.
    cut: Cut,
    stopping: watch::Receiver<bool>,
}

/// A connection whose HTTP has ended in an agreement to go on as something else.
struct Turned {
    io: BoxIo,
    /// What has come behind the last request.
    early: Bytes,
    becomes: Becomes,
}

/// Goes on within TLS. The request that asked for it is under way: a server that stops sees it out.
async fn upgraded(
    io: BoxIo,
    early: &Bytes,
    request: Bytes,
    peer: Peer,
    gate: &Gate,
    place: &Place,
) {
    let shared = &place.shared;
    shared.counters.upgrade();
    if !early.is_empty() {
        shared.counters.malformed();
        tracing::info!(octets = early.len(), "closed: octets came before the answer 101");
        let mut io = upgrade::refuse_early(io, &shared.limits).await;
        return close(&mut io, true, &shared.limits).await;
    }
    let secured = secure(io, Some(&gate.acceptor), shared, peer).await;
    let Some((io, channel, peer, standing)) = secured else { return };
    let mut leave = Leave::new(place.stopping.clone(), standing);
    tracing::debug!("upgraded to TLS");
    let io = Rewound::boxed(request, io);
    serve(io, channel, peer, Upgrading::Done, place, &mut leave).await;
}

async fn secure(
    io: BoxIo,
    acceptor: Option<&Arc<dyn Acceptor>>,
    shared: &Shared,
    peer: Peer,
) -> Option<(BoxIo, Channel, Peer, Option<Standing>)> {
    let Some(acceptor) = acceptor else { return Some((io, Channel::Clear, peer, None)) };
    let standing = Standing::watch(acceptor, &shared.counters);
    match timeout(shared.limits.handshake, acceptor.accept(io)).await {
        Ok(Ok(secured)) => {
            shared.counters.handshake();
            let standing = standing.map(|standing| standing.of(secured.proof()));
            let peer = peer
                .with_certificates(secured.peer_certificates)
                .with_psk_identity(secured.psk_identity);
            Some((secured.io, Channel::Tls(secured.info), peer, standing))
        }
        Ok(Err(error)) => {
            shared.counters.handshake_failed(error.kind().as_str());
            leave::tell(&error, "no handshake");
            None
        }
        Err(_) => {
            shared.counters.handshake_failed("timeout");
            tracing::info!("no handshake within the limit");
            None
        }
    }
}

/// Why a connection ended.
enum Ended {
    /// The HTTP engine is done with it.
    Done(hyper::Result<()>),
    /// A limit passed.
    TimedOut(&'static str),
    /// The peer would not be taken any more, and nothing of it is under way.
    Withdrawn,
}

impl Ended {
    /// Whether nobody broke off.
    const fn in_order(&self) -> bool {
        match self {
            Self::Done(done) => done.is_ok(),
            Self::TimedOut(limit) => matches!(limit.as_bytes(), b"idle"),
            Self::Withdrawn => true,
        }
    }
}

/// Serves HTTP to its end; or until it becomes something else.
async fn serve(
    io: BoxIo,
    channel: Channel,
    peer: Peer,
    upgrading: Upgrading,
    place: &Place,
    leave: &mut Leave,
) -> Option<Turned> {
    let Place { shared, routes, tunnels, born, .. } = place;
    let pulse = Arc::new(Pulse::of_a_connection_since(*born));
    let limits = &shared.limits;
    let counters = Arc::clone(&shared.counters);
    let io = Watched::new(io, Arc::clone(&pulse), Arc::clone(&counters), limits.into());
    let (shared, routes) = (Arc::clone(shared), Arc::clone(routes));
    let session = Session::new(shared, routes, channel, peer, Arc::clone(&pulse));
    let session = Arc::new(session.upgrading(upgrading).leading(tunnels.clone()));
    let turn = session.turn();
    let service = service_fn(move |request: Request<Incoming>| {
        let session = Arc::clone(&session);
        let answer = async move { Ok::<_, Infallible>(session.exchange(request).await) };
        Box::pin(answer) as Pin<Box<dyn Future<Output = _> + Send>>
    });
    let mut engine = engine(limits).serve_connection(TokioIo::new(io), service);
    if place.routes.resets {
        place.cut.arm();
    }
    let ended = drive(&mut engine, &pulse, limits, leave).await;
    if ended.in_order() {
        place.cut.disarm();
    }
    let parts = engine.into_parts();
    let mut io = parts.io.into_inner().into_inner();
    let mut linger = pulse.needs_linger();
    match ended {
        Ended::Done(Ok(())) => {
            if let Some(becomes) = turn.take() {
                return Some(Turned { io, early: parts.read_buf, becomes });
            }
            tracing::debug!("closed");
        }
        Ended::Done(Err(error)) if error.is_parse() => {
            counters.malformed();
            tracing::info!(%error, "closed: not HTTP");
            linger = true;
        }
        Ended::Done(Err(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::debug!(%error, cause, "broke");
        }
        Ended::Withdrawn => {}
        Ended::TimedOut(limit) => {
            counters.timeout(limit);
            tracing::debug!(limit, "closed: a time limit passed");
        }
    }
    close(&mut io, linger, limits).await;
    None
}

/// The HTTP engine. Time limits are the watchdog's and the stream's: the engine's own one tells
/// idling apart from a slow header section no more than it tells a body from silence.
fn engine(limits: &Limits) -> http1::Builder {
    /// The smallest buffer that the engine takes.
    const SMALLEST: usize = 8192;
    /// The part of a request line that is not its target.
    const LINE: usize = 512;
    /// As many fields as the engine takes where it is told nothing.
    const FIELDS_ON_THE_STACK: usize = 100;
    let mut engine = http1::Builder::new();
    let head = limits.header_octets.saturating_add(limits.target).saturating_add(LINE);
    engine
        .half_close(false)
        .keep_alive(true)
        .max_header_size(head)
        .max_buf_size(head.max(SMALLEST))
        .header_read_timeout(None);
    // Its table of fields is on the stack, and on the heap, filled anew for each request, where it is told a number.
    // Fewer are refused by what looks at every head (`preflight`).
    if limits.header_count > FIELDS_ON_THE_STACK {
        engine.max_headers(limits.header_count);
    }
    engine
}

type Engine<S> = http1::Connection<TokioIo<Watched>, S>;

async fn drive<S>(
    engine: &mut Engine<S>,
    pulse: &Pulse,
    limits: &Limits,
    leave: &mut Leave,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible> + Unpin,
    S::Future: Unpin,
{
    let mut watchdog = Watchdog::new(pulse, limits);
    let mut leave = pin!(leave.told());
    let (mut stopped, mut stops) = (false, false);
    poll_fn(|cx| {
        loop {
            // First: what comes after a peer is not taken any more must not be answered.
            if !stopped && let Poll::Ready(why) = leave.as_mut().poll(cx) {
                stopped = true;
                if why == Why::Withdrawn {
                    pulse.withdraw();
                }
                if why == Why::Withdrawn && pulse.is_unanswered() {
                    return Poll::Ready(Ended::Withdrawn);
                }
                match why {
                    Why::Withdrawn => Pin::new(&mut *engine).graceful_shutdown(),
                    // A server that stops answers what has come by then.
                    Why::Stop => stops = true,
                }
            }
            if let Poll::Ready(done) = engine.poll_without_shutdown(cx) {
                return Poll::Ready(Ended::Done(done));
            }
            if !std::mem::take(&mut stops) {
                match watchdog.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Alarm::Limit(limit)) => {
                        return Poll::Ready(Ended::TimedOut(limit));
                    }
                    Poll::Ready(Alarm::Age) => {}
                }
            }
            // The server stops, or the connection is too old: the engine ends at once where nothing
            // is under way, and after the answer otherwise.
            Pin::new(&mut *engine).graceful_shutdown();
        }
    })
    .await
}

enum Alarm {
    /// The connection takes no further request.
    Age,
    /// The connection ends.
    Limit(&'static str),
}

/// Rings when the phase that a connection is in has lasted too long, or the connection has.
struct Watchdog<'a> {
    pulse: &'a Pulse,
    limits: &'a Limits,
    aged: bool,
    alarm: Pin<Box<Sleep>>,
}

impl<'a> Watchdog<'a> {
    fn new(pulse: &'a Pulse, limits: &'a Limits) -> Self {
        Self { pulse, limits, aged: false, alarm: Box::pin(sleep_until(pulse.start())) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Alarm> {
        let Some((deadline, limit)) = self.next() else { return Poll::Pending };
        // Deadlines move on with every request. An alarm that rings too early costs less than one set anew each time.
        if deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if self.alarm.deadline() >= deadline {
                return Poll::Ready(self.rings(limit));
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// What it means that this limit passed.
    fn rings(&mut self, limit: &'static str) -> Alarm {
        if limit == AGE && !self.aged {
            self.aged = true;
            return Alarm::Age;
        }
        Alarm::Limit(limit)
    }

    /// The next deadline and the limit that sets it; `None` where all limits are out of reach.
    fn next(&self) -> Option<(Instant, &'static str)> {
        let after = |from: Instant, span: Duration| from.checked_add(span);
        let phase = match self.pulse.phase() {
            Phase::Fresh | Phase::Header => {
                after(self.pulse.since(), self.limits.header).map(|at| (at, "header"))
            }
            Phase::Idle if self.pulse.at_rest() => {
                after(self.pulse.since(), self.limits.idle).map(|at| (at, "idle"))
            }
            // The request's own limits and the stream's hold.
            Phase::Busy | Phase::Idle => None,
        };
        let mut age = after(self.pulse.start(), self.limits.age);
        if self.aged {
            age = age.and_then(|age| after(age, self.limits.request));
        }
        let age = age.map(|at| (at, AGE));
        match (phase, age) {
            (Some(phase), Some(age)) => Some(if age.0 <= phase.0 { age } else { phase }),
            (phase, age) => phase.or(age),
        }
    }
}

const AGE: &str = "age";

/// Ends our side; where the peer may still be sending, reads on for a while, since closing with
/// unread octets makes the kernel send a reset that may overtake the answer (RFC 9112,
/// section 9.6).
pub(super) async fn close(io: &mut BoxIo, linger: bool, limits: &Limits) {
    let closing = async {
        if io.shutdown().await.is_err() || !linger {
            return;
        }
        let mut scrap = [0; 4096];
        let mut left = limits.linger_octets;
        while left > 0 {
            match io.read(&mut scrap).await {
                Ok(0) | Err(_) => return,
                Ok(octets) => left = left.saturating_sub(octets as u64),
            }
        }
    };
    let _ = timeout(limits.linger, closing).await;
}
