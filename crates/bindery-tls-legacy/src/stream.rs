//! Streams below and above OpenSSL: how the connection began and ended, and errors in our words.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bindery_tls::BoxIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;

use crate::failure::{Side, cut_short, of_io};

/// The stream below OpenSSL. The binding takes an end of the connection for an end of the message,
/// so it is noted here whether the connection itself ended.
pub(crate) struct Watched {
    io: BoxIo,
    /// Whether the peer sent anything.
    pub(crate) began: bool,
    /// Whether the peer closed the connection.
    pub(crate) ended: bool,
}

impl Watched {
    pub(crate) const fn new(io: BoxIo) -> Self {
        Self { io, began: false, ended: false }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = &polled {
            let read = buf.filled().len() - before;
            self.began |= read > 0;
            self.ended |= read == 0 && room > 0;
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

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The stream above OpenSSL.
pub(crate) struct Protected {
    stream: Pin<Box<SslStream<Watched>>>,
    side: Side,
}

impl Protected {
    pub(crate) const fn new(stream: Pin<Box<SslStream<Watched>>>, side: Side) -> Self {
        Self { stream, side }
    }

    fn name<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        polled.map_err(|error| of_io(error, self.side, self.stream.get_ref().ended))
    }
}

impl AsyncRead for Protected {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        let polled = self.stream.as_mut().poll_read(cx, buf);
        let nothing = buf.filled().len() == before && room > 0;
        if matches!(polled, Poll::Ready(Ok(()))) && nothing && self.stream.get_ref().ended {
            // The peer's closure alert comes before the end of the connection, so OpenSSL would
            // not have looked for more (RFC 2818, section 2.2).
            return Poll::Ready(Err(cut_short(self.side)));
        }
        self.name(polled)
    }
}

impl AsyncWrite for Protected {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = self.stream.as_mut().poll_write(cx, buf);
        self.name(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.stream.as_mut().poll_flush(cx);
        self.name(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.stream.as_mut().poll_shutdown(cx);
        self.name(polled)
    }
}
