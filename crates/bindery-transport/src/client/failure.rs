//! From the libraries' errors to ours.

use std::{error::Error, io, net::SocketAddr};

use bindery_core::BodyError;
use bindery_tls::TlsError;

use crate::{ErrorKind, Layer, TransportError};

/// A handshake that failed.
pub(super) fn tls(error: TlsError, address: Option<SocketAddr>) -> TransportError {
    TransportError::tls("the TLS handshake failed".to_owned(), &error)
        .with_address(address)
        .with_source(error)
}

/// A failure of the HTTP engine, or of what lies below it.
pub(super) fn http(error: hyper::Error) -> TransportError {
    if let Some(tls) = tls_within(&error) {
        let message = format!("the server ended the TLS connection: {tls}");
        return TransportError::tls(message, tls).with_source(error);
    }
    let (kind, message) = if error.is_parse_too_large() {
        (ErrorKind::TooLarge, "the answer's header section is longer than the limit".to_owned())
    } else if error.is_parse() {
        (ErrorKind::Protocol, format!("the answer is not HTTP/1: {error}"))
    } else if error.is_user() {
        (ErrorKind::Request, format!("the request cannot be sent: {error}"))
    } else {
        (ErrorKind::Closed, "the connection ended before the whole answer was there".to_owned())
    };
    TransportError::new(kind, Layer::Http, message).with_source(error)
}

/// A response's body that could not be read.
pub(super) fn body(error: BodyError) -> TransportError {
    let (kind, message) = match &error {
        BodyError::TooLarge { limit } => {
            (ErrorKind::TooLarge, format!("the answer's body is longer than {limit} octets"))
        }
        BodyError::Timeout(_) => (ErrorKind::Timeout, error.to_string()),
        BodyError::Coding(reason) => {
            (ErrorKind::Coding, format!("the answer's content coding is faulty: {reason}"))
        }
        BodyError::Digest(field) => (
            ErrorKind::Protocol,
            format!("the answer's body is not the one that {field} speaks of"),
        ),
        _ => (ErrorKind::Closed, "the connection ended inside the answer's body".to_owned()),
    };
    TransportError::new(kind, Layer::Http, message).with_source(error)
}

fn tls_within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        if let Some(found) = error.downcast_ref::<io::Error>().and_then(TlsError::in_io) {
            return Some(found);
        }
        next = error.source();
    }
    None
}
