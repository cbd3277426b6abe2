//! Two connections that become one.

use std::{
    io,
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
use crate::{Counters, Limits, server::connection::close};

/// How much is read at once.
const PIECE: usize = 16 << 10;

/// How a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// This side ended; what it had sent has been delivered.
    Client,
    Server,
    /// A limit passed.
    Limit(&'static str),
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

/// Carries octets to and fro until either side ends. `early` came from the client behind its request.
///
/// RFC 9110, section 9.3.6: what the side that ended has sent is delivered to the other, both connections are closed, and
/// what is left is dropped.
pub(in crate::server) async fn splice(
    client: BoxIo,
    early: Bytes,
    server: BoxIo,
    tunnel: &TunnelLimits,
    limits: &Limits,
    counters: &Counters,
) {
    counters.tunnel();
    let activity = Activity { start: Instant::now(), micros: AtomicU64::new(0) };
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let pumps = async {
        let up = pump(&mut from_client, &mut to_server, early, &activity, counters);
        let down = pump(&mut from_server, &mut to_client, Bytes::new(), &activity, counters);
        select! {
            _ = up => End::Client,
            _ = down => End::Server,
            () = activity.ceases(tunnel.idle) => End::Limit("tunnel-idle"),
        }
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

/// Carries one direction until it ends, and delivers everything that it has read.
async fn pump(
    from: &mut ReadHalf<BoxIo>,
    to: &mut WriteHalf<BoxIo>,
    early: Bytes,
    activity: &Activity,
    counters: &Counters,
) -> io::Result<()> {
    let mut piece = BytesMut::from(early);
    loop {
        if !piece.is_empty() {
            counters.tunnelled(piece.len());
            to.write_all_buf(&mut piece).await?;
            to.flush().await?;
            activity.note();
        }
        piece.clear();
        piece.reserve(PIECE);
        if from.read_buf(&mut piece).await? == 0 {
            return Ok(());
        }
        activity.note();
    }
}
