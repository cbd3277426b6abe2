//! Section 3.2.1: HTTP encoding.

mod client;
mod options;
mod server;
mod versions;
