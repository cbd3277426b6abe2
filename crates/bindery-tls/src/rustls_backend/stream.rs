//! Streams below and above rustls: what the peer sent first, and errors in our own words.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::failure::{Side, failure};
use crate::BoxIo;

/// How many octets are kept: the longest HTTP method that is told apart, and its space; and a
/// ClientHello up to its version (record header 5, handshake header 4, version 2).
const KEPT: usize = 11;

/// The stream below rustls. It keeps the first octets that the peer sent, so that a peer that does
/// not speak TLS can be told what it spoke.
pub(super) struct Watched {
    io: BoxIo,
    first: [u8; KEPT],
    length: usize,
}

impl Watched {
    pub(super) const fn new(io: BoxIo) -> Self {
        Self { io, first: [0; KEPT], length: 0 }
    }

    /// The first octets that the peer sent.
    pub(super) fn first(&self) -> &[u8] {
        self.first.get(..self.length).unwrap_or_default()
    }

    fn keep(&mut self, read: &[u8]) {
        let free = self.first.iter_mut().skip(self.length);
        self.length += free.zip(read).map(|(slot, octet)| *slot = *octet).count();
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if self.length < KEPT && polled.is_ready() {
            self.keep(buf.filled().get(before..).unwrap_or_default());
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
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

/// The stream above rustls, whose errors carry a `TlsError`.
pub(super) struct Protected<S> {
    stream: S,
    side: Side,
}

impl<S> Protected<S> {
    pub(super) const fn new(stream: S, side: Side) -> Self {
        Self { stream, side }
    }

    fn name<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let side = self.side;
        polled.map_err(|error| {
            let of_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            if of_tls || error.kind() == io::ErrorKind::UnexpectedEof {
                let kind = error.kind();
                io::Error::new(kind, failure(error, side, None))
            } else {
                error
            }
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Protected<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.name(polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Protected<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.name(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.name(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.name(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.name(polled)
    }
}
