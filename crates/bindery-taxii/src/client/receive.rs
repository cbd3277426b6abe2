//! The inbox of a client: what a service pushes to it.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bindery_core::{Context, Handler};
use bindery_taxii_xml::{Body, ContentBlock, Dialect, Inbox, Message, StatusMessage, StatusType};

use crate::{Ids, TaxiiRequest, TaxiiResponse};

/// Content that was pushed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// The message's id. A server of ours sends what it has to send again under the id that it had.
    pub id: String,
    /// The dialect of the message.
    pub dialect: Dialect,
    /// Where it comes from and what it belongs to: a subscription, a result.
    pub inbox: Inbox,
    /// The blocks.
    pub blocks: Vec<ContentBlock<'static>>,
}

/// The future of [`ReceivePush::receive`].
pub type Receiving<'a> = Pin<Box<dyn Future<Output = Result<(), StatusMessage>> + Send + 'a>>;

/// What takes content that is pushed.
pub trait ReceivePush: fmt::Debug + Send + Sync {
    /// Takes the content of one Inbox Message. SUCCESS is answered once this is done: what it took has to be safe by then.
    ///
    /// # Errors
    /// The status that is answered: the sender may try again.
    fn receive<'a>(&'a self, cx: &'a Context, received: Received) -> Receiving<'a>;
}

/// An inbox: the handler of a [`TaxiiHttp`](crate::TaxiiHttp) whose service is [`Service::Inbox`](crate::Service::Inbox).
///
/// It answers an Inbox Message with SUCCESS, or what the receiver says; every other message is a FAILURE. Who may send is the
/// endpoint's matter, or the receiver's, which sees the [`Context`].
#[derive(Debug)]
pub struct PushReceiver<R> {
    receiver: R,
    ids: Arc<Ids>,
}

impl<R> PushReceiver<R> {
    /// An inbox for a receiver; `ids` makes the ids of the answers.
    pub const fn new(receiver: R, ids: Arc<Ids>) -> Self {
        Self { receiver, ids }
    }

    /// The receiver.
    pub const fn receiver(&self) -> &R {
        &self.receiver
    }
}

impl<R: ReceivePush> Handler<TaxiiRequest> for PushReceiver<R> {
    type Response = TaxiiResponse;

    async fn handle(&self, cx: &Context, request: TaxiiRequest) -> TaxiiResponse {
        let TaxiiRequest { dialect, mut message, rest, .. } = request;
        if let Some(mut rest) = rest {
            // What is pushed is taken whole, under the card's limit.
            loop {
                match rest.next_block().await {
                    Ok(Some(block)) => message.blocks.push(block),
                    Ok(None) => break,
                    Err(refusal) => return TaxiiResponse::Refused(refusal),
                }
            }
        }
        let status = match message.body {
            Body::Inbox(inbox) => {
                let id = message.id.clone();
                let received = Received { id, dialect, inbox, blocks: message.blocks };
                match self.receiver.receive(cx, received).await {
                    Ok(()) => StatusMessage::new(StatusType::Success),
                    Err(status) => status,
                }
            }
            other => {
                let mut status = StatusMessage::new(StatusType::Failure);
                let kind = other.kind();
                status.message = Some(format!("a {kind:?} is no message for an inbox"));
                status
            }
        };
        Message::new(self.ids.message(dialect), Some(&message.id), status.into()).into()
    }
}
