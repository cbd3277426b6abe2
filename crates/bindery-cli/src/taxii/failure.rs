//! From what went wrong in an exchange to exit code, layer and hint.

use bindery_taxii::{ClientError, Origin};
use bindery_taxii_xml::StatusType;

use crate::{
    error::{Exit, Failure, Layer},
    kmip::failure,
};

/// A call that came to nothing.
pub(crate) fn of(error: &ClientError) -> Failure {
    match error {
        ClientError::Transport(error) => failure::transport(error),
        ClientError::Unexpected(unexpected) => failure::unexpected(unexpected).hint(
            "check that the URL leads to a TAXII service of this version; -t chooses another",
        ),
        ClientError::Request(error) => failure::encode(error),
        ClientError::Status { status, origin } => {
            // The status of HTTP is the message's beginning then.
            let clear = *origin == Origin::Http
                && status.message.as_ref().is_some_and(|said| said.starts_with("HTTP 426"));
            let refused =
                matches!(status.status_type, StatusType::Unauthorized | StatusType::Denied);
            let exit = if refused { Exit::NotAuthorised } else { Exit::Protocol };
            let name = bindery_taxii_xml::Dialect::ALL
                .into_iter()
                .rev()
                .find_map(|dialect| status.status_type.name(dialect));
            Failure::new(exit, Layer::Profile, error.to_string())
                .hint(if clear { failure::UPGRADE } else { hint(&status.status_type) })
                .detail("status_type", name.unwrap_or("FAILURE"))
        }
        ClientError::Limit { .. } => {
            Failure::new(Exit::Protocol, Layer::Profile, error.to_string())
                .hint("raise --limit, or ask for a shorter range")
        }
        ClientError::NoService { .. } => {
            Failure::new(Exit::Protocol, Layer::Profile, error.to_string())
                .hint("bindery taxii discovery lists the services; --service-url names one")
        }
        other => Failure::new(Exit::Protocol, Layer::Profile, other.to_string())
            .hint("-v shows the exchange"),
    }
}

const fn hint(status: &StatusType) -> &'static str {
    match status {
        StatusType::Unauthorized => "show who you are: --user with --password-file, or --cert",
        StatusType::Denied => "ask the server's operator for permission",
        StatusType::NotFound => "bindery taxii collections lists what is there",
        StatusType::DestinationCollectionError => "--dest names the collection that content is for",
        StatusType::UnsupportedContent => "--binding names what the content is",
        StatusType::UnsupportedMessage => "-t chooses another version of TAXII",
        StatusType::Retry => "try again later",
        _ => "-v shows the exchange",
    }
}
