//! The map between a typed message and HTTP, in two halves.

use std::fmt;

use http::{Request, Response, request};
use thiserror::Error;

use crate::{Body, Context, Profile, Refusal, Unexpected};

/// A decoded request and the form of its answer, or why there is none.
pub type Decoded<Request, Reply> = Result<(Request, Reply), Rejected<Reply>>;

/// The server's half: request in, response out.
///
/// Bindings are pure: no IO, no clock, no state that a message changes. The profile's card has
/// been checked ([`Profile::check_request`]) before `decode_request` is called, and a card that
/// says [`BodyMode::Whole`](crate::BodyMode) has had its body collected under the limit.
pub trait ServerBinding: Send + Sync {
    /// The protocol's request message.
    type Request: fmt::Debug + Send;
    /// The protocol's response message.
    type Response: fmt::Debug + Send;
    /// What decoding fixes for the answer: dialect, encoding, character set, largest response.
    type Reply: fmt::Debug + Send;

    /// The card that both halves follow.
    fn profile(&self) -> &Profile;

    /// Reads the message out of a request.
    ///
    /// # Errors
    /// The refusal, with whatever of the reply's form was known by then.
    fn decode_request(
        &self,
        cx: &Context,
        request: Request<Body>,
    ) -> Decoded<Self::Request, Self::Reply>;

    /// Writes the answer. It cannot fail: what does not fit the peer's limits becomes the
    /// protocol's own error.
    fn encode_response(
        &self,
        cx: &Context,
        reply: Self::Reply,
        response: Self::Response,
    ) -> Response<Body>;

    /// What the head of a request alone tells of the answer's form: a dialect named in a field, an
    /// encoding named by the media type. It is asked when a request is refused before it is
    /// decoded (by the card, by a limit), so that the refusal has the peer's form too.
    fn reply_of(&self, cx: &Context, head: &request::Parts) -> Option<Self::Reply> {
        let _ = (cx, head);
        None
    }

    /// Writes a refusal; by default status, explanation and the fields that HTTP asks for. A
    /// protocol that can say no in its own words does it here, with the status of
    /// [`Profile::status`]; the card's fields are added to what it returns.
    fn encode_refusal(
        &self,
        cx: &Context,
        reply: Option<Self::Reply>,
        refusal: &Refusal,
    ) -> Response<Body> {
        let _ = (cx, reply);
        self.profile().refusal_response(refusal)
    }
}

/// A request that was refused while it was decoded.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejected<Reply> {
    /// Why.
    pub refusal: Refusal,
    /// What was known of the reply's form by then.
    pub reply: Option<Reply>,
}

impl<Reply> Rejected<Reply> {
    /// A rejection of which the reply's form is known.
    pub const fn with_reply(refusal: Refusal, reply: Reply) -> Self {
        Self { refusal, reply: Some(reply) }
    }
}

impl<Reply> From<Refusal> for Rejected<Reply> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, reply: None }
    }
}

/// The client's half: request out, response in.
pub trait ClientBinding: Send + Sync {
    /// The protocol's request message.
    type Request: fmt::Debug + Send;
    /// The protocol's response message.
    type Response: fmt::Debug + Send;
    /// What the request fixes for reading its answer.
    type Expect: fmt::Debug + Send;

    /// The card that both halves follow.
    fn profile(&self) -> &Profile;

    /// Writes a message into a request for `target`.
    ///
    /// # Errors
    /// The message cannot be sent: our caller's fault.
    fn encode_request(
        &self,
        target: &http::Uri,
        request: Self::Request,
    ) -> Result<(Request<Body>, Self::Expect), EncodeError>;

    /// Reads the answer. The body has been collected where the card says so.
    ///
    /// # Errors
    /// The answer is not the protocol's: another status, another type, a malformed message.
    fn decode_response(
        &self,
        expect: Self::Expect,
        response: Response<Body>,
    ) -> Result<Self::Response, Unexpected>;
}

/// A message that cannot be sent: our caller's fault, not the peer's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the request cannot be sent: {reason}")]
#[non_exhaustive]
pub struct EncodeError {
    /// What is wrong, and what to do about it.
    pub reason: String,
}

impl EncodeError {
    /// An error from what is wrong and what to do about it.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
