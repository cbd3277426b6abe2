//! Messages on their way: what a request was, what answers it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use bindery_core::{BodyError, Refusal};
use bindery_taxii_xml::{ContentBlock, Dialect, Message, MessageWriter, WriteError};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};

use crate::{
    ArrivingBlocks,
    names::{Carrier, Service},
};

/// A request as it was read.
#[derive(Debug)]
#[non_exhaustive]
pub struct TaxiiRequest {
    /// The service whose address it came to.
    pub service: Service,
    /// The dialect.
    pub dialect: Dialect,
    /// How it came.
    pub carrier: Carrier,
    /// The host and port that the client named, for addresses in the answer.
    pub authority: Option<String>,
    /// The message; in the draft, discovery and feed information requests come from the URL.
    pub message: Message<'static>,
    /// Of a long Inbox Message: its blocks, which are still to come and are not in the message.
    pub rest: Option<ArrivingBlocks>,
}

/// What answers a request.
#[non_exhaustive]
pub enum TaxiiResponse {
    /// A message, held whole.
    Whole(Box<Message<'static>>),
    /// A message whose blocks come one by one.
    Stream(Box<Streamed>),
    /// No message: the peer has no permission for the service ([`Refusal::Forbidden`], status 403), or is not to learn
    /// that it is there ([`Refusal::Target`], 404).
    Refused(Refusal),
}

/// A message whose blocks come one by one.
pub struct Streamed {
    /// The message without its blocks.
    pub head: Message<'static>,
    /// The blocks.
    pub blocks: Box<dyn Blocks>,
}

impl fmt::Debug for TaxiiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(message) => write!(f, "TaxiiResponse({:?})", message.body.kind()),
            Self::Stream(stream) => write!(f, "TaxiiResponse({stream:?})"),
            Self::Refused(refusal) => write!(f, "TaxiiResponse({refusal:?})"),
        }
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streamed({:?})", self.head.body.kind())
    }
}

impl From<Message<'static>> for TaxiiResponse {
    fn from(message: Message<'static>) -> Self {
        Self::Whole(Box::new(message))
    }
}

/// Blocks that come one by one. What goes wrong cuts the answer off.
pub trait Blocks: Send {
    /// The next blocks; none at the end. Each call continues where the one before stopped.
    fn next(self: Box<Self>) -> NextBlocks;
}

/// What [`Blocks::next`] gives: the blocks, and the rest to ask again.
pub type NextBlocks = Pin<
    Box<
        dyn Future<
                Output = Result<
                    Option<(Vec<ContentBlock<'static>>, Box<dyn Blocks>)>,
                    BlocksFailed,
                >,
            > + Send,
    >,
>;

/// Why there are no further blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the blocks cannot be read further: {0}")]
pub struct BlocksFailed(pub String);

/// A body that writes a message as its blocks come.
pub(crate) struct MessageBody {
    state: State,
    writer: MessageWriter,
}

enum State {
    Begin(Box<Streamed>),
    Waiting(NextBlocks),
    Over,
}

impl MessageBody {
    pub(crate) fn new(stream: Box<Streamed>, dialect: Dialect) -> Self {
        Self { state: State::Begin(stream), writer: MessageWriter::new(dialect) }
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.state = State::Over;
        self.writer.end(None, out)
    }
}

fn cut_off(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BodyError {
    BodyError::Incomplete(reason.into())
}

impl HttpBody for MessageBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let mut out = Vec::new();
        loop {
            let written = match std::mem::replace(&mut this.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Begin(stream) => {
                    let begun = this.writer.begin(&stream.head, &mut out);
                    this.state = State::Waiting(stream.blocks.next());
                    begun
                }
                State::Waiting(mut next) => {
                    let polled = next.as_mut().poll(cx);
                    if polled.is_pending() {
                        this.state = State::Waiting(next);
                        if !out.is_empty() {
                            return Poll::Ready(Some(Ok(Frame::data(out.into()))));
                        }
                    }
                    match ready!(polled) {
                        Err(error) => return Poll::Ready(Some(Err(cut_off(error)))),
                        Ok(None) => this.end(&mut out),
                        Ok(Some((blocks, rest))) => {
                            this.state = State::Waiting(rest.next());
                            blocks.iter().try_for_each(|block| this.writer.block(block, &mut out))
                        }
                    }
                }
            };
            if let Err(error) = written {
                this.state = State::Over;
                return Poll::Ready(Some(Err(cut_off(error))));
            }
            if out.len() >= PIECE || matches!(this.state, State::Over) {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
    }
}

/// The octets that are gathered before they are handed on.
const PIECE: usize = 64 << 10;
