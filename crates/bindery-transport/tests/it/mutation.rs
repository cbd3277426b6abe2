//! Rules of the card switched off, one at a time, for `cargo xtask conformance --mutate`: a test that names the row of
//! the rule has to fail then. The list, and which rows each mutation breaks, is `tests/mutations.toml`.

use bindery_core::{MediaType, Profile};
use http::{Method, StatusCode, Version};

/// The name of the mutation; set by `cargo xtask conformance --mutate` only.
const VARIABLE: &str = "BINDERY_MUTATION";

/// The card, without the rule that the environment names. An unknown name changes nothing, so that it is reported as a
/// mutation that no test sees.
pub(crate) fn mutated(mut profile: Profile) -> Profile {
    match std::env::var(VARIABLE).as_deref() {
        Ok("methods") => profile.methods.extend([
            Method::GET,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::TRACE,
            Method::PATCH,
        ]),
        Ok("request-media-types") => profile
            .request_media_types
            .extend(["text/plain", "multipart/mixed", "message/http"].map(MediaType::from_static)),
        Ok("response-media-types") => profile.response_media_types.clear(),
        Ok("message-statuses") => profile.message_statuses.extend([
            StatusCode::NOT_FOUND,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
        ]),
        Ok("response-headers") => profile.response_headers.clear(),
        Ok("versions") => profile.versions = vec![Version::HTTP_10, Version::HTTP_11],
        _ => {}
    }
    profile
}
