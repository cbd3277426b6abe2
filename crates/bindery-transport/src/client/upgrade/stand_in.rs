//! A stream on which the answer comes to a request that was sent elsewhere.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bindery_tls::BoxIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What ends a head.
const END: [u8; 4] = *b"\r\n\r\n";

/// A stream that swallows the first head that is written to it, and lets nothing be read before.
///
/// After an upgrade the server answers, within TLS, a request that it has read in clear. The HTTP engine on the new stream
/// takes an answer only to what it has sent itself: it sends a request of the same method without a body, which goes
/// nowhere, and is then given the answer.
pub(super) struct StandIn {
    io: BoxIo,
    /// The last octets of the head so far; nothing once it has been swallowed.
    swallowing: Option<[u8; 4]>,
    reader: Option<Waker>,
}

impl StandIn {
    pub(super) const fn new(io: BoxIo) -> Self {
        Self { io, swallowing: Some([0; 4]), reader: None }
    }

    /// How many of these octets go nowhere; `None` where all go on.
    fn swallow(&mut self, octets: &[u8]) -> Option<usize> {
        let last = self.swallowing.as_mut()?;
        for (index, octet) in octets.iter().enumerate() {
            last.rotate_left(1);
            last[3] = *octet;
            if *last == END {
                self.swallowing = None;
                if let Some(reader) = self.reader.take() {
                    reader.wake();
                }
                return Some(index + 1);
            }
        }
        Some(octets.len())
    }
}

impl AsyncRead for StandIn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.swallowing.is_some() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for StandIn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.swallow(octets) {
            Some(swallowed) => Poll::Ready(Ok(swallowed)),
            None => Pin::new(&mut self.io).poll_write(cx, octets),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        match first.and_then(|slice| self.swallow(slice)) {
            Some(swallowed) => Poll::Ready(Ok(swallowed)),
            None => Pin::new(&mut self.io).poll_write_vectored(cx, slices),
        }
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn the_first_head_goes_nowhere_and_opens_the_stream() {
        let (ours, mut theirs) = duplex(64);
        let mut stream = StandIn::new(Box::new(ours));
        theirs.write_all(b"answer").await.unwrap();
        let mut read = [0; 6];
        let early = tokio::time::timeout(
            std::time::Duration::from_millis(20),
            stream.read_exact(&mut read),
        );
        assert!(early.await.is_err(), "nothing is read before");
        for piece in ["GET / HTTP/1.1\r\n", "a: b\r", "\n\r\nnext"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"answer");
        let mut next = [0; 4];
        theirs.read_exact(&mut next).await.unwrap();
        assert_eq!(&next, b"next", "what follows goes on");
    }
}
