//! Tests of bindery-ttlv through its public API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper of tests fails like a test"
)]

mod arbitrary;
mod derive;
mod forms;
mod malformed;
mod messages;
mod primitives;
mod ui;
mod version;

use bindery_ttlv::{Writer, hex};
use bytes::Bytes;

/// A message from hexadecimal digits.
fn bytes(text: &str) -> Bytes {
    hex::parse(text).unwrap_or_else(|error| panic!("{error}")).into()
}

/// What is written to a writer without a maximum.
fn write(items: impl FnOnce(&mut Writer<'_>)) -> Bytes {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer);
    items(&mut writer);
    writer.finish().unwrap_or_else(|error| panic!("{error}"));
    buffer.into()
}
