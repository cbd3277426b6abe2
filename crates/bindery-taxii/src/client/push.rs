//! Content, sent to an inbox.

use bindery_core::EncodeError;
use bindery_taxii_xml::{Body, ContentBlock, Dialect, Inbox, Message, StatusMessage, StatusType};
use http::Uri;

use super::{Client, ClientError, succeeded, unfit};

impl Client {
    /// Sends blocks to an inbox in one message; in 1.1 for these collections, or for whom the inbox chooses where there
    /// are none.
    ///
    /// # Errors
    /// As [`call`](Self::call), and a status other than SUCCESS: then, as a service of ours has it, nothing was kept. Before
    /// 1.1 collections cannot be named; the draft's blocks have all one binding.
    pub async fn push(
        &mut self,
        url: &Uri,
        collections: Vec<String>,
        blocks: Vec<ContentBlock<'static>>,
    ) -> Result<StatusMessage, ClientError> {
        let content_binding = match (self.dialect, blocks.first()) {
            (Dialect::Draft, Some(first)) => Some(first.binding.id.clone()),
            _ => None,
        };
        let inbox = Inbox {
            result_id: None,
            destination_collections: collections,
            message: None,
            source_subscription: None,
            subscription_id: None,
            record_count: None,
            content_binding,
        };
        self.push_message(url, inbox, blocks).await
    }

    /// Sends an Inbox Message as it is: to a subscriber, say.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn push_message(
        &mut self,
        url: &Uri,
        inbox: Inbox,
        blocks: Vec<ContentBlock<'static>>,
    ) -> Result<StatusMessage, ClientError> {
        let message = self.message(inbox.into(), blocks);
        self.deliver(url, message).await
    }

    /// The same under an id of the caller's: who sends a message again, having seen no answer, gives it the id that it had, so
    /// that the receiver can tell. It has the form that the dialect wants: digits in 1.0, a GUID in the draft.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn push_message_as(
        &mut self,
        url: &Uri,
        id: impl Into<String>,
        inbox: Inbox,
        blocks: Vec<ContentBlock<'static>>,
    ) -> Result<StatusMessage, ClientError> {
        let mut message = self.message(inbox.into(), blocks);
        message.id = id.into();
        self.deliver(url, message).await
    }

    async fn deliver(
        &mut self,
        url: &Uri,
        message: Message<'static>,
    ) -> Result<StatusMessage, ClientError> {
        if message.blocks.is_empty() && self.dialect == Dialect::Draft {
            return Err(EncodeError::new("the draft sends at least one block; add one").into());
        }
        let answer = self.call(url, message).await?;
        match succeeded(answer.message.body, answer.origin)? {
            Body::Status(status) if status.status_type == StatusType::Success => Ok(status),
            other => Err(unfit(&other, "a Status Message")),
        }
    }
}
