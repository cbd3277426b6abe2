//! Protocols that also run on a bare stream: messages one after the other, without HTTP.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;

use crate::{Context, Refusal};

/// The future of [`StreamEndpoint::call`].
pub type StreamFuture<'a> = Pin<Box<dyn Future<Output = Bytes> + Send + 'a>>;

/// A protocol's server side on a bare stream (KMIP on plain TLS), whatever its messages are.
///
/// It stands beside [`Endpoint`](crate::Endpoint): the same handler may answer both. A transport
/// reads [`head_length`](Self::head_length) octets, asks how long the message is that begins with
/// them, reads the rest, and writes the answer; then comes the next message.
pub trait StreamEndpoint: fmt::Debug + Send + Sync {
    /// The protocol's name, for logs.
    fn name(&self) -> &str;

    /// What every message begins with: that is how a listener that speaks HTTP too tells the two
    /// apart. No request of HTTP may begin with it; at least 1 octet.
    fn opening(&self) -> &[u8];

    /// How many octets say how long a message is; at least 1.
    fn head_length(&self) -> usize;

    /// The length of the message that begins with these octets, themselves included.
    ///
    /// # Errors
    /// They begin no message that is taken. Nothing then says where the next one would begin: the
    /// stream ends.
    fn message_length(&self, head: &[u8]) -> Result<usize, Refusal>;

    /// Answers one message. It always gives one: failures are messages too.
    fn call<'a>(&'a self, cx: &'a Context, message: Bytes) -> StreamFuture<'a>;

    /// The protocol's words for a refusal that was decided outside (a limit of the transport, an
    /// identity that maps to no account); `octets` are what came of the message. `None` where the
    /// protocol has no words for it, and the stream just ends.
    fn refuse(&self, cx: &Context, octets: &Bytes, refusal: &Refusal) -> Option<Bytes>;
}
