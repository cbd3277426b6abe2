//! Status messages.

use bindery_xml::Inside;

use crate::node::record;
use crate::registry::StatusType;

record! {
    /// Status Message; in the draft, Error Message.
    StatusMessage {
        /// How the request went.
        status_type: StatusType = one(StatusType),
        /// The detail as text (draft, 1.0).
        detail_text: Option<String> = opt(StatusText),
        /// The details by name (1.1); [`DETAILS`](crate::DETAILS) says which ones a status type has.
        details: Vec<Detail> = wrapped(StatusDetail, Detail),
        /// A message for people.
        message: Option<String> = opt(Message),
    }
}

record! {
    /// A status detail of 1.1.
    Detail {
        /// Its name: one of the registry's, or a URI.
        name: String = one(Name),
        /// Its value.
        value: Inside<'static> = one(Inside),
    }
}

impl StatusMessage {
    /// A status type and nothing else.
    pub const fn new(status_type: StatusType) -> Self {
        Self { status_type, detail_text: None, details: Vec::new(), message: None }
    }

    /// The first detail of a name, as text.
    pub fn detail(&self, name: &str) -> Option<String> {
        let detail = self.details.iter().find(|detail| detail.name == name)?;
        detail.value.as_text().map(std::borrow::Cow::into_owned)
    }
}
