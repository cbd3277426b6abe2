//! Opening a connection: name, address, TCP, TLS, HTTP.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bindery_core::{Body, Channel, Peer};
use bindery_tls::{BoxIo, Connector, Secured, TlsError, TlsErrorKind};
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    Config, Target, failure,
    tunnel::{self, Hop, Way},
};
use crate::{Cut, ErrorKind, Layer, Reach, TransportError};

/// How long a connection that nobody uses any more may take to say so to the server.
const FAREWELL: Duration = Duration::from_secs(1);

/// An open connection. Dropping it closes it, over TLS with a closure alert (RFC 2818, section 2.2).
pub(super) struct Open {
    pub(super) sender: SendRequest<Body>,
    pub(super) peer: Peer,
    pub(super) channel: Channel,
    pub(super) wire: Arc<Wire>,
    /// Resets the connection where this side breaks off.
    pub(super) cut: Cut,
    /// When the last exchange ended.
    pub(super) rested: Instant,
    /// Whether an exchange has been completed on it.
    pub(super) used: bool,
    /// Whether a proxy is at the other end, which is asked in absolute form.
    pub(super) absolute: bool,
    /// Whether the server had an offer of TLS and answered in clear.
    pub(super) declined: bool,
    /// Dropped with the rest: tells the task that the end has come.
    _in_use: oneshot::Sender<()>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Open {
    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        config: &Config,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TransportError> {
        let answer = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        match timeout(config.limits.response, answer).await {
            Ok(response) => response.map_err(failure::http),
            Err(_) => {
                let message = format!("no answer within {:?}", config.limits.response);
                Err(TransportError::timeout(Layer::Http, message))
            }
        }
    }

    /// How the HTTP engine ended, once it has; given a moment to do so.
    pub(super) async fn end(&mut self) -> Option<hyper::Error> {
        if self.task.is_finished() {
            // A task's outcome can be taken once only; an `Open` is ended once only.
            return (&mut self.task).await.ok()?.err();
        }
        let moment = Duration::from_millis(50);
        timeout(moment, &mut self.task).await.ok()?.ok()?.err()
    }
}

/// Runs the HTTP engine. Without its sender it closes in order by itself; a server that does not let it is left.
async fn drive(
    engine: impl Future<Output = hyper::Result<()>>,
    unused: oneshot::Receiver<()>,
) -> hyper::Result<()> {
    let mut engine = std::pin::pin!(engine);
    tokio::select! {
        ended = &mut engine => ended,
        _ = unused => timeout(FAREWELL, engine).await.unwrap_or(Ok(())),
    }
}

/// Opens a connection within the limits: to the server, through the tunnels of all proxies on the way; or in absolute form
/// to the last of them.
pub(super) async fn open(
    config: &Config,
    target: &Target,
    hops: &mut [Hop],
    absolute: bool,
) -> Result<Open, TransportError> {
    let connector = match (&config.connector, target.is_tls()) {
        (Some(connector), true) => Some(connector),
        (None, true) => {
            return Err(TransportError::request("the target is https and the client has no TLS")
                .with_hint("configure TLS, or use an http URL where that is allowed"));
        }
        (_, false) => None,
    };
    let cut = Cut::default();
    let (io, address) = match hops.split_last_mut() {
        Some((last, before)) if absolute => {
            if !config.reach.leads_to_host(target.host()) {
                return Err(out_of_reach(target));
            }
            let proxy = last.proxy.target().clone();
            let way = Way { reach: &Reach::everywhere(), ..Way::of(config, &cut) };
            tunnel::dial(&way, before, &proxy).await?
        }
        _ => tunnel::dial(&Way::of(config, &cut), hops, target).await?,
    };
    let peer = Peer::from_address(address);
    let (io, channel, peer) = match connector {
        None => (io, Channel::Clear, peer),
        Some(connector) => {
            secure(config, &**connector, target, io, peer).await.map_err(TransportError::unsent)?
        }
    };
    let wire = Arc::new(Wire::default());
    let io = Counted { io, wire: Arc::clone(&wire) };
    let opened = speak(config, io, wire).await;
    let mut opened = opened.map_err(|error| error.unsent().with_address(Some(address)))?;
    (opened.peer, opened.channel, opened.absolute) = (peer, channel, absolute);
    opened.cut = cut;
    Ok(opened)
}

/// The handshake, within its limit.
pub(super) async fn secure(
    config: &Config,
    connector: &dyn Connector,
    target: &Target,
    io: BoxIo,
    peer: Peer,
) -> Result<(BoxIo, Channel, Peer), TransportError> {
    let limit = config.limits.handshake;
    let secured = match timeout(limit, connector.connect(target.server_name()?, io)).await {
        Ok(secured) => {
            log_identity(target, &secured);
            secured.map_err(|error| failure::tls(error, peer.address))?
        }
        Err(_) => {
            let message = format!("no TLS handshake within {limit:?}");
            return Err(TransportError::timeout(Layer::Tls, message).with_address(peer.address));
        }
    };
    let peer = peer.with_certificates(secured.peer_certificates);
    Ok((secured.io, Channel::Tls(secured.info), peer))
}

/// Begins to speak HTTP on a stream.
pub(super) async fn speak(
    config: &Config,
    io: Counted,
    wire: Arc<Wire>,
) -> Result<Open, TransportError> {
    let limits = &config.limits;
    let engine = http1::Builder::new()
        .max_headers(limits.header_count)
        .max_header_size(limits.header_octets)
        .max_buf_size(limits.header_octets.max(8192))
        .handshake(TokioIo::new(io));
    let (sender, engine) = engine.await.map_err(failure::http)?;
    let (in_use, unused) = oneshot::channel();
    let task = tokio::spawn(drive(engine.with_upgrades(), unused));
    Ok(Open {
        sender,
        peer: Peer::default(),
        channel: Channel::Clear,
        wire,
        cut: Cut::default(),
        rested: Instant::now(),
        used: false,
        absolute: false,
        declined: false,
        _in_use: in_use,
        task,
    })
}

/// Connects to a server's address, within the limit.
pub(super) async fn connect_in_time(
    way: &Way<'_>,
    target: &Target,
) -> Result<(BoxIo, SocketAddr), TransportError> {
    let limit = way.limits.connect;
    match timeout(limit, connect(way, target)).await {
        Ok(connected) => connected,
        Err(_) => {
            let message = format!("no connection to {} within {limit:?}", authority(target));
            Err(TransportError::timeout(Layer::Tcp, message).unsent())
        }
    }
}

/// RFC 2818, section 3.1: an automated client logs a server that is another than the one that was asked for, also where
/// it was told to take any; and that it was told so.
pub(super) fn log_identity(target: &Target, secured: &Result<Secured, TlsError>) {
    let server = authority(target);
    match secured {
        Err(error) if error.kind() == TlsErrorKind::NameMismatch => {
            tracing::warn!(%server, %error, "refused: another server than the one that was asked for");
        }
        Ok(Secured { unchecked: Some(unchecked), .. }) => match &unchecked.mismatch {
            Some(mismatch) => tracing::warn!(
                %server,
                mismatch,
                "taken without a check, as configured: another server than the one that was asked for"
            ),
            None => {
                tracing::warn!(%server, "taken without a check of its certificate, as configured");
            }
        },
        _ => {}
    }
}

fn authority(target: &Target) -> String {
    format!("{} port {}", target.host(), target.port())
}

/// No connection is opened to where this leads.
pub(super) fn out_of_reach(target: &Target) -> TransportError {
    let message = format!("{} has no address to which connections are opened", target.host());
    TransportError::new(ErrorKind::OutOfReach, Layer::Tcp, message).unsent()
}

/// Tries the host's addresses one after another, those that are led to.
async fn connect(way: &Way<'_>, target: &Target) -> Result<(BoxIo, SocketAddr), TransportError> {
    let resolved = way.dialer.resolve(target.host(), target.port()).await;
    let mut addresses = resolved.map_err(|error| {
        let message = format!("the name {} cannot be resolved: {error}", target.host());
        TransportError::new(ErrorKind::Resolve, Layer::Tcp, message).unsent().with_source(error)
    })?;
    let has_any = !addresses.is_empty();
    addresses.retain(|address| way.reach.leads_to(address.ip()));
    if has_any && addresses.is_empty() {
        return Err(out_of_reach(target));
    }
    let mut failure = None;
    for address in addresses {
        match way.dialer.connect_to_cut(address, way.cut.clone()).await {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => failure = Some((error, address)),
        }
    }
    Err(match failure {
        Some((error, address)) => {
            let message = format!("cannot connect to {}: {error}", authority(target));
            TransportError::new(ErrorKind::Connect, Layer::Tcp, message)
                .unsent()
                .with_address(Some(address))
                .with_source(error)
        }
        None => {
            let message = format!("the name {} has no address", target.host());
            TransportError::new(ErrorKind::Resolve, Layer::Tcp, message).unsent()
        }
    })
}

/// What went over a connection, in octets within TLS.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) written: AtomicU64,
    pub(super) read: AtomicU64,
}

impl Wire {
    /// Written and read so far.
    pub(super) fn marks(&self) -> (u64, u64) {
        (self.written.load(Relaxed), self.read.load(Relaxed))
    }
}

/// A stream whose octets are counted.
pub(super) struct Counted {
    pub(super) io: BoxIo,
    pub(super) wire: Arc<Wire>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.wire.read.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, octets))?;
        self.wire.written.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
        self.wire.written.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
