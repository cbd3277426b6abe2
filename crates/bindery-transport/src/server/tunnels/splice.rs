//! Two connections that become one.

use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use bindery_tls::BoxIo;
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    join, select,
    time::{Instant, sleep, timeout},
};

use super::TunnelLimits;
use crate::{
    Counters, Limits,
    server::{
        connection::close,
        leave::{Leave, Why},
    },
};

/// How much is read at once.
const PIECE: usize = 16 << 10;

/// Why one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// Its source did, in order or not; what it had sent has been delivered.
    Source,
    /// Its other end takes nothing any more.
    Sink,
}

/// How a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// This side ended; what it had sent has been delivered.
    Client,
    Server,
    /// A limit passed.
    Limit(&'static str),
    /// The client would not be taken any more.
    Withdrawn,
}

/// The two connections.
pub(in crate::server) struct Ends {
    pub(in crate::server) client: BoxIo,
    /// What came from the client behind its request.
    pub(in crate::server) early: Bytes,
    pub(in crate::server) server: BoxIo,
}

/// When something last went through.
struct Activity {
    start: Instant,
    micros: AtomicU64,
}

impl Activity {
    fn note(&self) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.store(micros, Relaxed);
    }

    /// Waits until nothing has gone through for so long.
    async fn ceases(&self, span: Duration) {
        loop {
            let quiet = self
                .start
                .elapsed()
                .saturating_sub(Duration::from_micros(self.micros.load(Relaxed)));
            match span.checked_sub(quiet) {
                Some(left) if !left.is_zero() => sleep(left).await,
                _ => return,
            }
        }
    }
}

/// Carries octets to and fro until either side ends, a limit passes, or the client would not be taken any more. A server
/// that stops sees its tunnels out, as long as it waits for what is under way.
///
/// RFC 9110, section 9.3.6: what the side that ended has sent is delivered to the other, both connections are closed, and
/// what is left is dropped. A side that takes nothing any more has ended, too, and may have said why: that is delivered
/// before the other side is closed.
pub(in crate::server) async fn splice(
    ends: Ends,
    (tunnel, limits): (&TunnelLimits, &Limits),
    counters: &Counters,
    leave: &mut Leave,
) {
    let Ends { client, early, server } = ends;
    counters.tunnel();
    let activity = Activity { start: Instant::now(), micros: AtomicU64::new(0) };
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let pumps = async {
        let up = pump(&mut from_client, &mut to_server, early, &activity, counters);
        let down = pump(&mut from_server, &mut to_client, Bytes::new(), &activity, counters);
        let (mut up, mut down) = (pin!(up), pin!(down));
        let (end, left) = select! {
            biased;
            () = withdrawal(leave) => return End::Withdrawn,
            stopped = &mut up => match stopped {
                Stopped::Source => return End::Client,
                Stopped::Sink => (End::Server, timeout(limits.linger, down).await),
            },
            stopped = &mut down => match stopped {
                Stopped::Source => return End::Server,
                Stopped::Sink => (End::Client, timeout(limits.linger, up).await),
            },
            () = activity.ceases(tunnel.idle) => return End::Limit("tunnel-idle"),
        };
        // Whether or not all of it came in time: nobody is left to wait for.
        drop(left);
        end
    };
    let end = timeout(tunnel.age, pumps).await.unwrap_or(End::Limit("tunnel-age"));
    if let End::Limit(limit) = end {
        counters.timeout(limit);
    }
    tracing::debug!(?end, "the tunnel ended");
    let mut client = from_client.unsplit(to_client);
    let mut server = from_server.unsplit(to_server);
    // Closing with unread octets would make the kernel send a reset, which may overtake what was delivered.
    join!(close(&mut client, true, limits), close(&mut server, true, limits));
}

/// Completes when the client would not be taken any more.
async fn withdrawal(leave: &mut Leave) {
    if leave.is_withdrawn() || leave.told().await == Why::Withdrawn {
        return;
    }
    // The server stops: the tunnel has as long as it waits.
    std::future::pending::<()>().await;
}

/// Carries one direction until it ends, and delivers everything that it has read.
async fn pump(
    from: &mut ReadHalf<BoxIo>,
    to: &mut WriteHalf<BoxIo>,
    early: Bytes,
    activity: &Activity,
    counters: &Counters,
) -> Stopped {
    let mut piece = BytesMut::from(early);
    loop {
        if !piece.is_empty() {
            counters.tunnelled(piece.len());
            if to.write_all_buf(&mut piece).await.is_err() || to.flush().await.is_err() {
                return Stopped::Sink;
            }
            activity.note();
        }
        piece.clear();
        piece.reserve(PIECE);
        match from.read_buf(&mut piece).await {
            Ok(1..) => activity.note(),
            Ok(0) | Err(_) => return Stopped::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::{
        io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
        sync::watch,
    };

    use super::*;

    /// An end that takes nothing, and still has something to say.
    struct Deaf(DuplexStream);

    impl AsyncRead for Deaf {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Deaf {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Either side takes nothing any more: what it says all the same reaches the other.
    #[tokio::test(start_paused = true)]
    async fn what_a_side_that_takes_nothing_says_is_delivered() {
        for deaf_server in [true, false] {
            let (hearing, mut far) = duplex(64);
            let (inside, mut deaf_far) = duplex(1 << 16);
            let deaf: BoxIo = Box::new(Deaf(inside));
            let hearing: BoxIo = Box::new(hearing);
            let (client, server) = if deaf_server { (hearing, deaf) } else { (deaf, hearing) };
            let (_stop, stopping) = watch::channel(false);
            let counters = std::sync::Arc::new(Counters::new());
            let counting = std::sync::Arc::clone(&counters);
            let tunnel = tokio::spawn(async move {
                let ends = Ends { client, early: Bytes::new(), server };
                let (tunnel, limits) = (TunnelLimits::default(), Limits::default());
                let mut leave = Leave::new(stopping, None);
                splice(ends, (&tunnel, &limits), &counting, &mut leave).await;
            });
            far.write_all(b"a long upload").await.unwrap();
            sleep(Duration::from_millis(10)).await;
            // The write has failed by now; the reason comes after it.
            deaf_far.write_all(&[b'x'; 1000]).await.unwrap();
            deaf_far.shutdown().await.unwrap();
            let mut got = Vec::new();
            far.read_to_end(&mut got).await.unwrap();
            assert_eq!(got.len(), 1000, "{deaf_server}");
            drop(far);
            tunnel.await.unwrap();
        }
    }
}
