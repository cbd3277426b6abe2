//! From what went wrong in an exchange to exit code, layer and hint.

use bindery_core::{BodyError, EncodeError, Unexpected};
use bindery_kmip::message::ResponseBatchItem;
use bindery_transport::{ErrorKind, Layer as TransportLayer, TransportError};
use bindery_ttlv::registry::{ResultReason, ResultStatus};
use http::StatusCode;

use crate::error::{Exit, Failure, Layer};

/// The connection or the exchange over it failed.
pub(crate) fn transport(error: &TransportError) -> Failure {
    let layer = match error.layer() {
        TransportLayer::Tcp => Layer::Tcp,
        TransportLayer::Proxy => Layer::Proxy,
        TransportLayer::Tls => Layer::Tls,
        _ => Layer::Http,
    };
    let exit = match error.kind() {
        ErrorKind::Proxy
            if error.proxy_status() == Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED) =>
        {
            Exit::NotAuthorised
        }
        ErrorKind::Request => Exit::Usage,
        ErrorKind::Protocol | ErrorKind::TooLarge | ErrorKind::Coding => Exit::Undecodable,
        _ => Exit::Connection,
    };
    Failure::new(exit, layer, with_cause(error)).hint(error.hint())
}

/// An error and its cause, on one line; deeper causes say the same in a library's words.
fn with_cause(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    match error.source().map(ToString::to_string) {
        Some(cause) if !text.contains(&cause) => format!("{text}: {cause}"),
        _ => text,
    }
}

/// The request cannot be sent.
pub(crate) fn encode(error: &EncodeError) -> Failure {
    let text = error.to_string();
    let failure = Failure::new(Exit::Usage, Layer::Profile, &*text);
    match text.contains("is not sent over http;") {
        true => failure.hint(UPGRADE),
        false => failure,
    }
}

/// What to do where a server, or a protocol, takes nothing in clear.
pub(crate) const UPGRADE: &str = "name an https URL; where the server begins in clear and upgrades to TLS \
                                  (RFC 2817), --upgrade required";

/// The answer's body could not be read.
pub(crate) fn body(error: &BodyError) -> Failure {
    let exit = match error {
        BodyError::Timeout(_) | BodyError::Incomplete(_) => Exit::Connection,
        _ => Exit::Undecodable,
    };
    Failure::new(exit, Layer::Http, format!("the answer's body: {error}"))
        .hint("try again; -vv shows the exchange")
}

/// The answer is not the protocol's.
pub(crate) fn unexpected(unexpected: &Unexpected) -> Failure {
    let (exit, layer, hint) = match unexpected {
        Unexpected::Status { status, .. }
            if matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
        {
            (Exit::NotAuthorised, Layer::Http, "show a certificate that the server accepts")
        }
        Unexpected::Status { status, .. } if *status == StatusCode::UPGRADE_REQUIRED => {
            (Exit::Protocol, Layer::Http, UPGRADE)
        }
        Unexpected::Status { status, .. } if *status == StatusCode::NOT_FOUND => {
            (Exit::Protocol, Layer::Http, "check the path of the URL; KMIP is usually at /kmip")
        }
        Unexpected::Status { .. } => {
            (Exit::Protocol, Layer::Http, "check that the URL leads to a KMIP server")
        }
        Unexpected::MediaType { .. } | Unexpected::Body(_) => {
            (Exit::Undecodable, Layer::Http, "check that the URL leads to a KMIP server")
        }
        Unexpected::Malformed(_) => (
            Exit::Undecodable,
            Layer::Codec,
            "-vv shows the octets; report it to the server's maker",
        ),
        _ => (Exit::Undecodable, Layer::Profile, "-v shows the exchange"),
    };
    let failure = Failure::new(exit, layer, unexpected.to_string()).hint(hint);
    match unexpected {
        Unexpected::Status { status, .. } => failure.detail("status", status.as_u16()),
        _ => failure,
    }
}

/// The answer is well-formed and still not what it should be.
pub(crate) fn mismatch(reason: &str) -> Failure {
    Failure::new(Exit::Undecodable, Layer::Profile, reason.to_owned()).hint("-v shows the exchange")
}

/// The failure that an item of an answer tells of, if it does.
pub(crate) fn of_item(item: &ResponseBatchItem) -> Option<Failure> {
    if item.result_status == ResultStatus::SUCCESS {
        return None;
    }
    let reason = item.result_reason.unwrap_or(ResultReason::GENERAL_FAILURE);
    let title = reason.row().map_or("an unnamed reason", |row| row.title());
    let operation = item.operation.map_or_else(|| "the request".to_owned(), |o| o.to_string());
    let message = match &item.result_message {
        Some(message) => format!("{operation}: {title}: {message}"),
        None => format!("{operation}: {title}"),
    };
    let exit = match reason {
        ResultReason::AUTHENTICATION_NOT_SUCCESSFUL | ResultReason::PERMISSION_DENIED => {
            Exit::NotAuthorised
        }
        _ => Exit::Protocol,
    };
    let failure = Failure::new(exit, Layer::Profile, message)
        .hint(hint(reason))
        .detail("result_status", item.result_status.to_string())
        .detail("result_reason", reason.to_string());
    Some(failure)
}

const fn hint(reason: ResultReason) -> &'static str {
    match reason {
        ResultReason::ITEM_NOT_FOUND => "bindery kmip locate lists the objects that are yours",
        ResultReason::OPERATION_NOT_SUPPORTED => "bindery kmip query lists what the server can do",
        ResultReason::AUTHENTICATION_NOT_SUCCESSFUL => {
            "check --cert: the server does not know this client"
        }
        ResultReason::PERMISSION_DENIED | ResultReason::ILLEGAL_OPERATION => {
            "the object's state or its owner forbids it: bindery kmip get-attributes OBJECT -a State"
        }
        ResultReason::INVALID_MESSAGE | ResultReason::INVALID_FIELD => {
            "check the options; -v shows the messages"
        }
        ResultReason::RESPONSE_TOO_LARGE => "ask for less",
        _ => "-v shows the messages",
    }
}
