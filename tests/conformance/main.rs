//! Conformance: modules by document and section, a function's name is the rule in words.
//!
//! `kmip_https_0_98::section_3_2` holds the tests of that section of the KMIP HTTPS profile, and so on. Each test names
//! the rows of `requirements/` that it proves, `/// proves: KMIP-S-1`, and would fail if the row were violated.
//! `cargo xtask conformance` makes the report.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy knows only test functions, not their helpers"
)]

mod kmip_additional_message_encodings_1_0;
mod kmip_https_0_98;
mod oma_dm_http_1_3;
mod rfc_2818;
mod rfc_3205;
mod rows;
mod taxii_http_1_0_draft;
