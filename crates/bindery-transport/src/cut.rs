//! Breaking off: a TCP connection that is reset, and not closed in order (OMA DM HTTP Binding, section 5.1.4).

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Whether a connection is reset when it ends now, and not closed in order. Shared by the stream and whoever runs it.
#[derive(Clone, Debug, Default)]
pub struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on the end is a reset: also where whoever runs the connection is dropped.
    pub(crate) fn arm(&self) {
        self.0.store(true, Relaxed);
    }

    /// What is under way has ended well, and so does the connection.
    pub(crate) fn disarm(&self) {
        self.0.store(false, Relaxed);
    }

    fn is_armed(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// A TCP connection that can be reset.
#[derive(Debug)]
pub(crate) struct Cuttable {
    stream: TcpStream,
    cut: Cut,
}

impl Cuttable {
    pub(crate) const fn new(stream: TcpStream, cut: Cut) -> Self {
        Self { stream, cut }
    }
}

impl Drop for Cuttable {
    fn drop(&mut self) {
        if self.cut.is_armed() {
            // Closing it now sends a reset. Where that cannot be set, it is closed as any other.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.is_armed() {
            // TLS has said that it ends; the connection below it ends by the reset.
            return Pin::new(&mut self.stream).poll_flush(cx);
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
