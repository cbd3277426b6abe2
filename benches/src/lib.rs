//! What the benchmarks measure: the same messages in our types and in each peer's.
//!
//! The benchmarks themselves stand in `benches/`, their results in the README.

pub mod http;
pub mod kmip;
pub mod omadm;
pub mod taxii;
pub mod tls;
pub mod wbxml;
pub mod xml;
