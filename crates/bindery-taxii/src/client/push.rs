//! Content, sent to an inbox.

use bindery_core::EncodeError;
use bindery_taxii_xml::{Body, ContentBlock, Dialect, Inbox, StatusMessage, StatusType};
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
        if blocks.is_empty() && self.dialect == Dialect::Draft {
            return Err(EncodeError::new("the draft sends at least one block; add one").into());
        }
        let message = self.message(inbox.into(), blocks);
        let answer = self.call(url, message).await?;
        match succeeded(answer.message.body, answer.origin)? {
            Body::Status(status) if status.status_type == StatusType::Success => Ok(status),
            other => Err(unfit(&other, "a Status Message")),
        }
    }
}
