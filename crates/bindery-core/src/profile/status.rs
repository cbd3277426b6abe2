//! From a fault to a status code, and the response that carries it.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::{Profile, RefusalForm};
use crate::{Body, Fault, Refusal};

/// Where a refusal is explained when the profile allows no content but its own.
pub(super) const REFUSAL_FIELD: HeaderName = HeaderName::from_static("bindery-refusal");

/// The most characters of an explanation that are sent or kept: it may repeat what a peer sent,
/// and a field is to stay far under the limits that peers have for their headers.
pub(super) const EXPLANATION: usize = 1024;

impl Profile {
    /// The status that a refusal gets: the card's override, or else the default table (RFC 9110,
    /// section 15). This is the only place that gives a fault a status.
    pub fn status(&self, refusal: &Refusal) -> StatusCode {
        let fault = refusal.fault();
        self.status_overrides
            .iter()
            .find(|(key, _)| *key == fault)
            .map_or_else(|| default_status(fault), |(_, status)| *status)
    }

    /// The response that carries a refusal: its status, the fields that HTTP asks for beside that
    /// status, the card's fields, and the explanation in the card's form.
    pub fn refusal_response(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status(refusal);
        let field = match refusal {
            Refusal::Method { allowed } => Some((header::ALLOW, list(allowed))),
            Refusal::UnknownMethod => Some((header::ALLOW, list(&self.methods))),
            Refusal::MediaType { expected, .. } => Some((header::ACCEPT, list(expected))),
            Refusal::ContentCoding { expected } => {
                let expected = if expected.is_empty() { &["identity"][..] } else { expected };
                Some((header::ACCEPT_ENCODING, list(expected)))
            }
            Refusal::TooManyRequests { retry_after } => {
                Some((header::RETRY_AFTER, retry_after.to_string()))
            }
            _ => None,
        };
        match refusal {
            Refusal::Unauthorized { challenges, .. } => {
                put_all(&mut response, &header::WWW_AUTHENTICATE, challenges);
            }
            Refusal::ProxyUnauthorized { challenges, .. } => {
                put_all(&mut response, &header::PROXY_AUTHENTICATE, challenges);
            }
            Refusal::UpgradeRequired { protocols } => {
                let upgrade = HeaderValue::from_static("Upgrade");
                response.headers_mut().insert(header::CONNECTION, upgrade);
                response.headers_mut().insert(header::UPGRADE, protocols.clone());
            }
            _ => {}
        }
        if let Some((name, value)) = field
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name, value);
        }
        self.put_response_headers(&mut response);
        self.explain(refusal, &mut response);
        response
    }

    pub(super) fn put_response_headers(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        // The binding's own value wins; a name that stands on the card twice goes out twice.
        let missing: Vec<_> =
            self.response_headers.iter().filter(|(name, _)| !headers.contains_key(name)).collect();
        for (name, value) in missing {
            headers.append(name, value.clone());
        }
    }

    fn explain(&self, refusal: &Refusal, response: &mut Response<Body>) {
        let said: String = refusal.to_string().chars().take(EXPLANATION).collect();
        let text = format!("{said}; {}", refusal.hint());
        match self.refusal_form {
            RefusalForm::Text => {
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                *response.body_mut() = format!("{text}\n").into();
            }
            RefusalForm::Field => {
                // What a peer sent may stand in the text: only printable ASCII goes out.
                let safe: String =
                    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
                if let Ok(value) = HeaderValue::try_from(safe) {
                    response.headers_mut().insert(REFUSAL_FIELD, value);
                }
            }
        }
    }
}

fn put_all(response: &mut Response<Body>, name: &HeaderName, values: &[HeaderValue]) {
    for value in values {
        response.headers_mut().append(name, value.clone());
    }
}

const fn default_status(fault: Fault) -> StatusCode {
    match fault {
        Fault::MissingHeader
        | Fault::ForbiddenHeader
        | Fault::MalformedHeader
        | Fault::BodyIncomplete
        | Fault::MalformedBody => StatusCode::BAD_REQUEST,
        Fault::ClearChannel | Fault::Unidentified | Fault::Forbidden | Fault::TunnelForbidden => {
            StatusCode::FORBIDDEN
        }
        Fault::ProxyUnauthorized => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        Fault::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        Fault::Unreachable => StatusCode::BAD_GATEWAY,
        Fault::UnreachableInTime => StatusCode::GATEWAY_TIMEOUT,
        Fault::Unauthorized => StatusCode::UNAUTHORIZED,
        Fault::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Fault::Target => StatusCode::NOT_FOUND,
        Fault::Method => StatusCode::METHOD_NOT_ALLOWED,
        Fault::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Fault::Timeout => StatusCode::REQUEST_TIMEOUT,
        Fault::LengthRequired => StatusCode::LENGTH_REQUIRED,
        Fault::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::TargetTooLong => StatusCode::URI_TOO_LONG,
        Fault::MediaType | Fault::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Fault::Expectation => StatusCode::EXPECTATION_FAILED,
        Fault::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Fault::UnknownMethod | Fault::TransferCoding => StatusCode::NOT_IMPLEMENTED,
        Fault::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        Fault::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
