//! TTLV in JSON (KMIP Additional Message Encodings 1.0, section 6; Profiles 2.1, section 5.5), to binary and back.
//!
//! An item is an object: `{"tag": "BatchCount", "type": "Integer", "value": 1}`; a structure has no type, and its value
//! is an array of items. Whatever binary TTLV says comes back the same.

mod read;
mod token;
mod write;

pub use read::from_json;
pub use write::{to_json, to_json_indented};
