//! What a message says, by its kind.

use super::{
    CollectionInformationResponse, DiscoveryResponse, Inbox, PollFulfillment, PollRequest,
    PollResponse, StatusMessage, SubscriptionAlert, SubscriptionRequest, SubscriptionResponse,
};
use crate::dialect::Dialect;
use crate::error::WriteFault;
use crate::node::{Node, Record};

/// The messages with content of their own: `Variant(Type)`; those without: `Variant`.
macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident($ty:ident),)+ ; $($(#[$bare_doc:meta])* $bare:ident,)+) => {
        /// What a message says.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Body {
            $($(#[$doc])* $name($ty),)+
            $($(#[$bare_doc])* $bare,)+
        }

        /// The kind of a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MessageKind {
            $($(#[$doc])* $name,)+
            $($(#[$bare_doc])* $bare,)+
        }

        impl Body {
            /// Its kind.
            pub const fn kind(&self) -> MessageKind {
                match self {
                    $(Self::$name(_) => MessageKind::$name,)+
                    $(Self::$bare => MessageKind::$bare,)+
                }
            }

            pub(crate) fn read(kind: MessageKind, node: &mut Node<'_>, d: Dialect) -> Option<Self> {
                match kind {
                    $(MessageKind::$name => $ty::read_node(node, d).map(Self::$name),)+
                    $(MessageKind::$bare => Some(Self::$bare),)+
                }
            }

            pub(crate) fn write(&self, d: Dialect) -> Result<Node<'_>, WriteFault> {
                match self {
                    $(Self::$name(body) => body.write_node(d),)+
                    $(Self::$bare => Ok(Node::default()),)+
                }
            }
        }

        $(impl From<$ty> for Body {
            fn from(body: $ty) -> Self {
                Self::$name(body)
            }
        })+
    };
}

bodies! {
    /// Status Message; in the draft, Error Message.
    Status(StatusMessage),
    /// Discovery Response.
    DiscoveryResponse(DiscoveryResponse),
    /// Collection Information Response; before 1.1, Feed Information Response.
    CollectionInformationResponse(CollectionInformationResponse),
    /// Subscription Management Request.
    SubscriptionRequest(SubscriptionRequest),
    /// Subscription Management Response.
    SubscriptionResponse(SubscriptionResponse),
    /// Subscription Alert, which only the draft's schema has.
    SubscriptionAlert(SubscriptionAlert),
    /// Poll Request.
    PollRequest(PollRequest),
    /// Poll Response.
    PollResponse(PollResponse),
    /// Inbox Message; in the draft, STIX Message.
    Inbox(Inbox),
    /// Poll Fulfillment (1.1).
    PollFulfillment(PollFulfillment),
    ;
    /// Discovery Request.
    DiscoveryRequest,
    /// Collection Information Request; before 1.1, Feed Information Request.
    CollectionInformationRequest,
}
