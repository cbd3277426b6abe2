//! The contracts from outside: three small bindings shaped like the three protocols, client half
//! against server half without a socket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where its premise fails"
)]

mod bound;
mod conversation;
mod forms;
mod status_message;
mod support;
