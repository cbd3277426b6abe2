//! The application's side.

use std::{future::Future, sync::Arc};

use crate::Context;

/// What answers a typed message: a key server, device sessions, feed services, the user's own.
///
/// A failure inside the protocol is an ordinary response. A handler must not panic on any
/// message; it may be called from many connections at once.
///
/// Its future is dropped where it stands when the peer goes away or a time limit ends the exchange:
/// what must happen whole is handed to something that finishes it (a store's commit does).
pub trait Handler<Request>: Send + Sync {
    /// The protocol's response message.
    type Response: Send;

    /// Answers one message.
    fn handle(&self, cx: &Context, request: Request)
    -> impl Future<Output = Self::Response> + Send;
}

impl<H, Request> Handler<Request> for Arc<H>
where
    H: Handler<Request>,
    Request: Send,
{
    type Response = H::Response;

    fn handle(
        &self,
        cx: &Context,
        request: Request,
    ) -> impl Future<Output = Self::Response> + Send {
        H::handle(self, cx, request)
    }
}
