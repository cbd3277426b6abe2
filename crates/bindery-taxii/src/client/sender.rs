//! What a server's pushes go out by.

use std::sync::Arc;

use bindery_taxii_xml::{Body, Dialect, Message, StatusType};
use http::Uri;

use super::{Client, succeeded};
use crate::{
    Ids,
    service::{PushFailed, PushTo, SendPush, Sending},
};

/// Sends pushes over connections of a transport, a new one for each message. Whether an inbox may be in clear, and on
/// which hosts, was decided when it was subscribed
/// ([`PushRules`](crate::service::PushRules)); the transport's connector says which authorities are trusted and which certificate
/// is shown.
#[derive(Debug)]
pub struct PushSender {
    transport: bindery_transport::Client,
    ids: Arc<Ids>,
    clear: bool,
}

impl PushSender {
    /// A sender over TLS only.
    pub const fn new(transport: bindery_transport::Client, ids: Arc<Ids>) -> Self {
        Self { transport, ids, clear: false }
    }

    /// The same, to inboxes in clear too.
    #[must_use]
    pub const fn allow_clear(mut self) -> Self {
        self.clear = true;
        self
    }

    async fn push(
        &self,
        to: &PushTo,
        dialect: Dialect,
        message: Message<'static>,
    ) -> Result<(), PushFailed> {
        let failed = |why: String| PushFailed(format!("{}: {why}", to.address));
        let url: Uri = to.address.parse().map_err(|_| failed("no URL".to_owned()))?;
        let mut builder = Client::builder(Arc::clone(&self.ids)).dialect(dialect);
        if self.clear {
            builder = builder.allow_clear();
        }
        let mut client = builder.build(self.transport.clone());
        let answer = client.call(&url, message).await.map_err(|error| failed(error.to_string()))?;
        match succeeded(answer.message.body, answer.origin) {
            Ok(Body::Status(status)) if status.status_type == StatusType::Success => Ok(()),
            Ok(other) => Err(failed(format!("it answered with a {:?}", other.kind()))),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl SendPush for PushSender {
    fn send<'a>(
        &'a self,
        to: &'a PushTo,
        dialect: Dialect,
        message: Message<'static>,
    ) -> Sending<'a> {
        Box::pin(self.push(to, dialect, message))
    }
}
