//! Who is told of what a client sends and gets.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bindery_core::{Body, BodyError};
use bytes::Bytes;
use http::{Request, Response, request, response};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::ClientError;

/// Is told of the requests and answers of a [`Client`](super::Client), such as a program that shows them.
pub trait WatchCalls: fmt::Debug + Send + Sync {
    /// A request is about to be sent, with all but what the connection adds. Where this says no it is not sent, and the
    /// call ends in [`ClientError::Withheld`].
    fn request(&self, head: &request::Parts, body: &[u8]) -> bool;

    /// An answer has come: its head, the beginning of its body, at most 64 KiB, and how many octets of it were read. Of an
    /// answer to a poll that is once it was read, or dropped.
    fn answer(&self, head: &response::Parts, begun: &[u8], octets: u64);
}

/// The octets of an answer that are kept to be told of.
const BEGUN: usize = 64 << 10;

/// A request that is told of.
pub(super) fn request(
    watch: Option<&Arc<dyn WatchCalls>>,
    request: Request<Body>,
) -> Result<Request<Body>, ClientError> {
    let Some(watch) = watch else { return Ok(request) };
    let (head, body) = request.into_parts();
    // Ours are whole.
    let octets = body.as_bytes().map(|octets| &**octets).unwrap_or_default();
    match watch.request(&head, octets) {
        true => Ok(Request::from_parts(head, body)),
        false => Err(ClientError::Withheld),
    }
}

/// An answer that is told of: at once where it is whole, and otherwise once it was read.
pub(super) fn answer(
    watch: Option<&Arc<dyn WatchCalls>>,
    response: Response<Body>,
) -> Response<Body> {
    let Some(watch) = watch else { return response };
    let (head, body) = response.into_parts();
    if let Some(octets) = body.as_bytes() {
        watch.answer(&head, octets.get(..BEGUN).unwrap_or(octets), octets.len() as u64);
        return Response::from_parts(head, body);
    }
    let (watch, kept) = (Arc::clone(watch), Box::new(head.clone()));
    let told = Told { watch, head: kept, begun: Vec::new(), octets: 0, body };
    Response::from_parts(head, Body::stream(told))
}

/// A body that is told of when it is dropped.
struct Told {
    watch: Arc<dyn WatchCalls>,
    head: Box<response::Parts>,
    begun: Vec<u8>,
    octets: u64,
    body: Body,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let told = self.get_mut();
        let polled = Pin::new(&mut told.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            told.octets = told.octets.saturating_add(data.len() as u64);
            let room = BEGUN.saturating_sub(told.begun.len());
            told.begun.extend_from_slice(data.get(..room).unwrap_or(data));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.watch.answer(&self.head, &self.begun, self.octets);
    }
}
