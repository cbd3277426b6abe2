//! Failures inside TAXII: Status Messages.

use bindery_taxii_xml::{Dialect, StatusMessage, StatusType};

use super::{CommitError, FeedStoreError};
use crate::binding::{detail, printable};

/// A request that is answered with a Status Message.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    status_type: StatusType,
    message: String,
    details: Vec<(&'static str, String)>,
}

impl Fault {
    pub(super) fn new(status_type: StatusType, message: impl Into<String>) -> Self {
        Self { status_type, message: message.into(), details: Vec::new() }
    }

    /// The same with a detail more.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    pub(super) fn not_found(what: &str, item: &str) -> Self {
        Self::new(StatusType::NotFound, format!("there is no {what} {item:?}")).with("ITEM", item)
    }

    /// The message of a dialect. What a dialect does not have becomes the next best.
    pub(super) fn into_status(self, dialect: Dialect) -> StatusMessage {
        let known = self.status_type.name(dialect).is_some();
        let status_type = if known { self.status_type } else { StatusType::Failure };
        let mut status = StatusMessage::new(status_type);
        status.message = Some(printable(&self.message));
        if dialect == Dialect::V1_1 {
            status.details =
                self.details.iter().filter_map(|(name, value)| detail(name, value)).collect();
        } else if known && !self.details.is_empty() {
            // One text: of a list, what stands in it with blanks between.
            let values = self.details.iter().map(|(_, value)| value.as_str());
            status.detail_text = Some(printable(&values.collect::<Vec<_>>().join(" ")));
        }
        status
    }

    /// What it says to people.
    pub(super) fn into_reason(self) -> String {
        self.message
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status_type == StatusType::NotFound
    }
}

impl From<&FeedStoreError> for Fault {
    fn from(error: &FeedStoreError) -> Self {
        match error {
            FeedStoreError::Unavailable(_) => {
                Self::new(StatusType::Retry, "the server has too much to do; try again later")
                    .with("ESTIMATED_WAIT", "5")
            }
            _ => Self::new(StatusType::Failure, "the server failed; its log says why"),
        }
    }
}

impl From<&CommitError> for Fault {
    fn from(error: &CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Unknown(_) => Self::new(
                StatusType::Failure,
                "the server failed, and the message may have been taken; send it again",
            ),
            CommitError::Limit { .. } => {
                let reason = "the server holds as much as it may; try again later";
                Self::new(StatusType::Retry, reason).with("ESTIMATED_WAIT", "60")
            }
            _ => Self::new(
                StatusType::Failure,
                "others change the same thing at the same time; send the message again",
            ),
        }
    }
}

/// A success with a message for people.
pub(super) fn success(message: Option<String>) -> StatusMessage {
    let mut status = StatusMessage::new(StatusType::Success);
    status.message = message;
    status
}
