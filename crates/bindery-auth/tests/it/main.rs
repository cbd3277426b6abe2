//! Server and client against each other, in virtual time.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod basic;
mod digest;
mod guarded;
mod limits;
mod proxy;
mod support;
