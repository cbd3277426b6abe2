//! The body of an HTTP message: whole, or a stream of pieces.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use thiserror::Error;

type BoxBody = Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send>>;

/// The body of a request or a response.
///
/// Bindings of profiles whose card says [`BodyMode::Whole`](crate::BodyMode) always see the whole
/// one; the size limit has been applied by then. A streamed one fails where it passes the limit.
pub struct Body(Inner);

enum Inner {
    Whole(Bytes),
    Stream(BoxBody),
    /// What has come, and the rest.
    Begun(Bytes, BoxBody),
}

/// Why a body could not be read to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The body passed the limit.
    #[error("the body is longer than the limit of {limit} octets")]
    TooLarge {
        /// The limit, in octets.
        limit: u64,
    },
    /// The body came too slowly.
    #[error("the body did not arrive in time: {0}")]
    Timeout(&'static str),
    /// The connection ended or broke the framing before the body did.
    #[error("the body ended before its time")]
    Incomplete(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The body's content coding is broken or not known.
    #[error("the body's content coding is faulty: {0}")]
    Coding(String),
    /// The body is not the one that a field announces, such as `Content-Digest`.
    #[error("the body is not the one that {0} speaks of")]
    Digest(&'static str),
}

impl Body {
    /// A body without content.
    pub const fn empty() -> Self {
        Self(Inner::Whole(Bytes::new()))
    }

    /// A body that arrives or is made piece by piece.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error = BodyError> + Send + 'static,
    {
        Self(Inner::Stream(Box::pin(body)))
    }

    /// The whole body, if it is at hand.
    pub const fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Whole(bytes) => Some(bytes),
            Inner::Stream(_) | Inner::Begun(..) => None,
        }
    }

    /// What of the body is at hand: all of it, or the beginning of one that was [begun](Self::begin).
    pub fn begun(&self) -> &[u8] {
        match &self.0 {
            Inner::Whole(bytes) | Inner::Begun(bytes, _) => bytes,
            Inner::Stream(_) => &[],
        }
    }

    /// Takes what is at hand out of the body: only the rest is left in it.
    pub fn take_begun(&mut self) -> Bytes {
        match std::mem::take(self).0 {
            Inner::Whole(bytes) => bytes,
            Inner::Begun(bytes, rest) => {
                self.0 = Inner::Stream(rest);
                bytes
            }
            stream @ Inner::Stream(_) => {
                self.0 = stream;
                Bytes::new()
            }
        }
    }

    /// Waits until the body is at hand whole, or at least so many octets of it are. What is at hand comes as the first
    /// piece of the stream that it is otherwise.
    ///
    /// # Errors
    /// The stream's own error.
    pub async fn begin(self, octets: usize) -> Result<Self, BodyError> {
        let mut stream = match self.0 {
            Inner::Stream(stream) => stream,
            other => return Ok(Self(other)),
        };
        let mut begun = BytesMut::new();
        while let Some(frame) = poll_fn(|cx| stream.as_mut().poll_frame(cx)).await {
            let Ok(data) = frame?.into_data() else { continue };
            begun.extend_from_slice(&data);
            if begun.len() >= octets {
                return Ok(Self(Inner::Begun(begun.freeze(), stream)));
            }
        }
        Ok(Self(Inner::Whole(begun.freeze())))
    }

    /// Takes the whole body if it is at hand.
    ///
    /// # Errors
    /// Gives the body back when it is a stream.
    pub fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Whole(bytes) => Ok(bytes),
            Inner::Stream(_) | Inner::Begun(..) => Err(self),
        }
    }

    /// The same body, which fails with [`BodyError::TooLarge`] in the place of the octet that passes
    /// `limit`: for a body that is read piece by piece.
    #[must_use]
    pub fn limited(self, limit: u64) -> Self {
        match &self.0 {
            Inner::Whole(bytes) if bytes.len() as u64 <= limit => self,
            _ => Self::stream(Limited { body: Some(self), limit, left: limit }),
        }
    }

    /// Reads the body to its end, at most `limit` octets.
    ///
    /// A body that comes in one piece is not copied. A declared length is not trusted for more
    /// than it takes to refuse: memory grows with what arrives.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] as soon as the declared or the received length passes `limit`, or
    /// the stream's own error.
    pub async fn collect(self, limit: u64) -> Result<Bytes, BodyError> {
        let too_large = || BodyError::TooLarge { limit };
        let mut stream = match self.0 {
            Inner::Whole(bytes) if bytes.len() as u64 > limit => return Err(too_large()),
            Inner::Whole(bytes) => return Ok(bytes),
            Inner::Stream(stream) => stream,
            begun @ Inner::Begun(..) => Box::pin(Self(begun)),
        };
        if stream.size_hint().lower() > limit {
            return Err(too_large());
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = poll_fn(|cx| stream.as_mut().poll_frame(cx)).await {
            let Ok(data) = frame?.into_data() else { continue };
            if data.is_empty() {
                continue;
            }
            if (first.len() + all.len()) as u64 + data.len() as u64 > limit {
                return Err(too_large());
            }
            if first.is_empty() && all.is_empty() {
                first = data;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
                first = Bytes::new();
            }
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Whole(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl fmt::Debug for Body {
    // Only the size: a body may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Whole(bytes) => write!(f, "Body({} octets)", bytes.len()),
            Inner::Stream(_) | Inner::Begun(..) => f.write_str("Body(stream)"),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Inner::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Stream(stream) => stream.as_mut().poll_frame(cx),
            Inner::Begun(bytes, stream) if bytes.is_empty() => stream.as_mut().poll_frame(cx),
            Inner::Begun(bytes, _) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_empty(),
            Inner::Stream(stream) => stream.is_end_stream(),
            Inner::Begun(bytes, stream) => bytes.is_empty() && stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream(stream) => stream.size_hint(),
            Inner::Begun(bytes, stream) => {
                let (begun, rest) = (bytes.len() as u64, stream.size_hint());
                let mut hint = SizeHint::new();
                hint.set_lower(begun.saturating_add(rest.lower()));
                if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(begun)) {
                    hint.set_upper(upper);
                }
                hint
            }
        }
    }
}

/// A body under a limit; it ends with the error that tells of the limit.
struct Limited {
    /// `None` once the error was told.
    body: Option<Body>,
    limit: u64,
    left: u64,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = self.left.checked_sub(length) else {
                self.body = None;
                return Poll::Ready(Some(Err(BodyError::TooLarge { limit: self.limit })));
            };
            self.left = left;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}
