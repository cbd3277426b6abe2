//! `Content-MD5` (section 5.4; RFC 1864): against accidents, not against attackers.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use md5::{Digest as _, Md5};

/// The field's name.
pub(crate) const FIELD: HeaderName = HeaderName::from_static("content-md5");

/// The field's value for a body.
pub(super) fn value(body: &[u8]) -> Option<HeaderValue> {
    HeaderValue::try_from(STANDARD.encode(Md5::digest(body))).ok()
}

/// Whether the body is the one that the field speaks of; true where there is none.
pub(super) fn fits(headers: &HeaderMap, body: &[u8]) -> bool {
    let own = Md5::digest(body);
    headers
        .get_all(FIELD)
        .iter()
        .all(|value| STANDARD.decode(value.as_bytes().trim_ascii()).is_ok_and(|said| *own == *said))
}
