//! Answers whose bodies are read as they come.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bindery_core::{Body, BodyError};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::open::Open;

/// Where a connection comes back to once its answer was read.
#[derive(Clone, Default)]
pub(super) struct Returned(Arc<Mutex<Option<Open>>>);

impl Returned {
    pub(super) fn take(&self) -> Option<Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, open: Open) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    }
}

/// A body that holds its connection until its end, and waits for each piece at most for `pause`.
pub(super) fn held(body: Body, open: Open, back: Option<Returned>, pause: Duration) -> Body {
    let due = Box::pin(sleep(pause));
    Body::stream(Held { body, open: Some(open), back, pause, due })
}

struct Held {
    body: Body,
    /// Nothing once the body has ended, whichever way.
    open: Option<Open>,
    back: Option<Returned>,
    pause: Duration,
    due: Pin<Box<Sleep>>,
}

impl Held {
    /// The body was read to its end: the connection is free.
    fn release(&mut self) {
        if let (Some(mut open), Some(back)) = (self.open.take(), self.back.take()) {
            open.used = true;
            open.rested = Instant::now();
            back.put(open);
        }
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.open.is_none() {
            return Poll::Ready(None);
        }
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(None) => {
                this.release();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.open = None;
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(piece) => {
                let next = Instant::now() + this.pause;
                this.due.as_mut().reset(next);
                Poll::Ready(piece)
            }
            Poll::Pending => match this.due.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    this.open = None;
                    Poll::Ready(Some(Err(BodyError::Timeout("the next piece did not come"))))
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
