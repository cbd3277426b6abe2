//! What the end-to-end and conformance tests share.
//!
//! - [`paths`]: where the checked-in data of the tests stands.
//! - [`requirements`]: the requirement rows, `requirements/*.toml`.

pub mod paths;
pub mod requirements;
