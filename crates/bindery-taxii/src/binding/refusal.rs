//! Refusals in TAXII's words, and what a client takes foreign answers for.

use bindery_core::{Context, Fault, Refusal};
use bindery_taxii_xml::{Detail, Dialect, Message, StatusMessage, StatusType, write};
use http::{Response, StatusCode, header};

use super::{Reply, TaxiiHttp, fields};
use crate::names::Names;

/// The longest explanation, in characters.
const LONGEST: usize = 1024;

impl TaxiiHttp {
    /// A refusal: in 1.0 and 1.1 a Status Message, with HTTP status 200 where it is about the message; in the draft
    /// the status alone (section 7: what headers, parsing or validation show is an HTTP status).
    pub(super) fn refusal(
        &self,
        cx: &Context,
        reply: Option<Reply>,
        refusal: &Refusal,
    ) -> Response<bindery_core::Body> {
        let mut response = self.card.refusal_response(refusal);
        // Section 6.1: in no response, though RFC 9110 suggests it beside 415.
        response.headers_mut().remove(header::ACCEPT);
        let carrier = self.carrier(&cx.channel);
        let Some(reply) = reply else {
            // The rule book is not known: the protocol's id is all that both want.
            let dialect = if self.dialects.draft { Dialect::Draft } else { Dialect::V1_1 };
            fields::put_protocol(response.headers_mut(), dialect, carrier);
            return response;
        };
        if reply.dialect == Dialect::Draft {
            fields::put_protocol(response.headers_mut(), Dialect::Draft, carrier);
            return response;
        }
        let status_type = status_type(refusal);
        let about_the_message = matches!(
            refusal.fault(),
            Fault::MalformedBody | Fault::MalformedHeader | Fault::MissingHeader | Fault::MediaType
        );
        let mut status = StatusMessage::new(status_type);
        if status.status_type == StatusType::UnsupportedMessage {
            status.details = supported(reply.dialect);
            if reply.dialect == Dialect::V1_0 {
                status.detail_text = Some(Names::of(Dialect::V1_0).message().to_owned());
            }
        }
        let text = format!("{refusal}; {}", refusal.hint());
        status.message = Some(printable(&text));
        // What hides is the same as what is not there, where no message was read.
        let hides = refusal.fault() == Fault::Target;
        let asked = reply.in_response_to.as_deref().filter(|_| !hides).unwrap_or("0");
        let message = Message::new(self.ids.message(reply.dialect), Some(asked), status.into());
        let mut out = Vec::new();
        if write(&message, reply.dialect, &mut out).is_ok() {
            *response.body_mut() = out.into();
            fields::put(response.headers_mut(), reply.dialect, carrier);
            if about_the_message {
                *response.status_mut() = StatusCode::OK;
            }
        }
        response
    }
}

/// The message bindings that are taken, as details of UNSUPPORTED_MESSAGE.
fn supported(dialect: Dialect) -> Vec<Detail> {
    if dialect != Dialect::V1_1 {
        return Vec::new();
    }
    let ids = [Dialect::V1_1, Dialect::V1_0].map(|one| Names::of(one).message());
    ids.iter().filter_map(|id| detail("SUPPORTED_BINDING", id)).collect()
}

/// A status detail of a text.
pub(crate) fn detail(name: &str, value: &str) -> Option<Detail> {
    let value = bindery_xml::Inside::text(value).ok()?;
    Some(Detail { name: name.to_owned(), value })
}

/// What may stand in XML, and not more than is useful.
pub(crate) fn printable(text: &str) -> String {
    let shown = text.chars().take(LONGEST);
    shown
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
        .collect()
}

fn status_type(refusal: &Refusal) -> StatusType {
    match refusal.fault() {
        Fault::MalformedBody
        | Fault::MalformedHeader
        | Fault::MissingHeader
        | Fault::ForbiddenHeader
        | Fault::BodyTooLarge
        | Fault::BodyIncomplete
        | Fault::ContentCoding => StatusType::BadMessage,
        Fault::Unauthorized | Fault::Unidentified | Fault::Forbidden | Fault::ClearChannel => {
            StatusType::Unauthorized
        }
        Fault::MediaType | Fault::NotAcceptable => StatusType::UnsupportedMessage,
        Fault::Overloaded | Fault::TooManyRequests => StatusType::Retry,
        _ => StatusType::Failure,
    }
}

/// What a client takes an answer for that is not TAXII's (TAXII 1.0 HTTP binding, section 6).
pub const fn of_status(status: StatusCode) -> StatusType {
    match status.as_u16() {
        400 | 413 => StatusType::BadMessage,
        401 | 403 | 407 => StatusType::Unauthorized,
        406 | 415 => StatusType::UnsupportedMessage,
        _ => StatusType::Failure,
    }
}

/// What a client takes a TLS alert for (the same section): `handshake_failure`, those about certificates, `unknown_ca`
/// and `access_denied` are UNAUTHORIZED.
pub const fn of_alert(alert: u8) -> StatusType {
    match alert {
        40 | 41 | 42 | 43 | 48 | 49 => StatusType::Unauthorized,
        _ => StatusType::Failure,
    }
}
