//! What the targets of connections have in common: a virtual clock, streams in memory, and something that stands for TLS.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bindery_core::{CipherSuite, TlsInfo, TlsVersion};
use bindery_tls::{Acceptor, BoxIo, Connector, Proof, Secured, TlsError, TlsErrorKind, TlsFuture};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf},
    time::timeout,
};

/// The first octet of what stands for a handshake, as it is of a real one.
pub(crate) const HELLO: u8 = 0x16;
/// What octets within "TLS" are turned over by, so that none of them looks like one in clear.
const MASK: u8 = 0xA5;
/// Waiting for so long means that the other side waits, too: the clock stands still while anything can go on.
const QUIET: Duration = Duration::from_millis(1);
/// How much fits into a stream that nobody reads.
pub(crate) const PIPE: usize = 1 << 16;

/// Runs a target's future on a clock that jumps whenever nothing else can go on: every time limit passes at once, and
/// what waits for ever is found.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The pieces of a script: between two of them its writer waits until the other side has said what it has to say.
pub(crate) fn pieces(script: &[u8]) -> Vec<&[u8]> {
    split(script, b"\n%%\n")
}

/// What lies between separators.
pub(crate) fn split<'a>(mut text: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut out = Vec::new();
    while let Some(at) = find(text, by) {
        out.push(text.get(..at).unwrap_or_default());
        text = text.get(at + by.len()..).unwrap_or_default();
    }
    out.push(text);
    out
}

/// Where octets stand in others.
pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// Whether octets stand in others, in small letters or capitals.
pub(crate) fn says(text: &[u8], what: &str) -> bool {
    text.windows(what.len()).any(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

/// Octets as they are within "TLS", or were outside.
pub(crate) fn masked(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(|octet| octet ^ MASK).collect()
}

/// A piece of a script as it is sent. Within "TLS" it is turned over unless it begins with an exclamation mark, by which a
/// script says that it goes out in clear all the same.
pub(crate) fn as_sent(piece: &[u8], secured: bool) -> Vec<u8> {
    match piece.strip_prefix(b"!") {
        Some(piece) => piece.to_vec(),
        None if secured => masked(piece),
        None => piece.to_vec(),
    }
}

/// Writes, unless the other side takes nothing.
pub(crate) async fn write(io: &mut DuplexStream, octets: &[u8]) {
    let _ = timeout(QUIET, io.write_all(octets)).await;
}

/// Reads what comes until the other side waits; whether it has ended.
pub(crate) async fn read(io: &mut DuplexStream, into: &mut Vec<u8>) -> bool {
    loop {
        match timeout(QUIET, io.read_buf(into)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

/// Stands for TLS on both sides: an octet for the handshake, and every other one turned over.
#[derive(Debug)]
pub(crate) struct Mask;

impl Mask {
    fn secured(io: BoxIo) -> Secured {
        let info =
            TlsInfo::new(TlsVersion::TLS_1_3, CipherSuite::new(0x1301, "TLS_AES_128_GCM_SHA256"));
        Secured::new(Box::new(Masked(io)), Arc::new(info), Arc::from([]))
    }

    fn broken() -> TlsError {
        TlsError::new(TlsErrorKind::NotTls, "no handshake", "").by_peer()
    }
}

impl Acceptor for Mask {
    fn accept(&self, mut io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(async move {
            match io.read_u8().await {
                Ok(HELLO) => Ok(Self::secured(io)),
                _ => Err(Self::broken()),
            }
        })
    }

    fn recheck(&self, _: &Proof) -> Result<(), TlsError> {
        Ok(())
    }
}

impl Connector for Mask {
    fn connect(&self, _: ServerName<'static>, mut io: BoxIo) -> TlsFuture<'_, Secured> {
        Box::pin(async move {
            io.write_u8(HELLO).await.map_err(|_| Self::broken())?;
            Ok(Self::secured(io))
        })
    }
}

struct Masked(BoxIo);

impl AsyncRead for Masked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        for octet in buf.filled_mut().iter_mut().skip(before) {
            *octet ^= MASK;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Masked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, &masked(octets))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
