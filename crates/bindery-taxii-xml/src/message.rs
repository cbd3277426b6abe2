//! The messages: one model for all dialects. What a dialect does not have stays empty there.

mod block;
mod body;
mod collection;
mod poll;
mod service;
mod status;
mod subscription;

use bindery_xml::{Fragment, Inside};

pub use self::block::{Content, ContentBlock};
pub use self::body::{Body, MessageKind};
pub use self::collection::{
    Collection, CollectionInformationResponse, ContentBinding, InboxService, PushMethod,
    ServiceContact,
};
pub use self::poll::{
    Inbox, PollFulfillment, PollParameters, PollRequest, PollResponse, RecordCount,
    SourceSubscription,
};
pub use self::service::{DiscoveryResponse, Query, ServiceInstance};
pub use self::status::{Detail, StatusMessage};
pub use self::subscription::{
    AlertAction, PushParameters, Subscription, SubscriptionAlert, SubscriptionParameters,
    SubscriptionRequest, SubscriptionResponse, Terms,
};
use crate::node::record;

/// A message. What it holds of the content blocks may lie in the document that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `message_id`: digits in 1.0, a URI in 1.1, 32 hexadecimal digits in the draft.
    pub id: String,
    /// `in_response_to`, which every response of 1.0 and 1.1 has and no request.
    pub in_response_to: Option<String>,
    /// The extended headers of 1.0 and 1.1.
    pub extended_headers: Vec<ExtendedHeader>,
    /// The extended headers of the draft: any elements.
    pub header_elements: Vec<Fragment<'static>>,
    /// What the message says.
    pub body: Body,
    /// The content blocks of a poll response or inbox message, in their order.
    pub blocks: Vec<ContentBlock<'a>>,
    /// The signature over the message, untouched. The draft has none.
    pub signature: Option<Fragment<'a>>,
}

impl Message<'_> {
    /// A message without headers, blocks and signature.
    pub fn new(id: impl Into<String>, in_response_to: Option<&str>, body: Body) -> Self {
        Self {
            id: id.into(),
            in_response_to: in_response_to.map(Into::into),
            extended_headers: Vec::new(),
            header_elements: Vec::new(),
            body,
            blocks: Vec::new(),
            signature: None,
        }
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            id: self.id,
            in_response_to: self.in_response_to,
            extended_headers: self.extended_headers,
            header_elements: self.header_elements,
            body: self.body,
            blocks: self.blocks.into_iter().map(ContentBlock::into_owned).collect(),
            signature: self.signature.map(Fragment::into_owned),
        }
    }
}

record! {
    /// An extended header of 1.0 and 1.1.
    ExtendedHeader {
        /// A URI that says what the header is.
        name: String = one(Name),
        /// Its value: text, elements or both.
        value: Inside<'static> = one(Inside),
    }
}
