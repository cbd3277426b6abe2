//! libwbxml through its C API, for benchmarks beside ours, and the documents of the other benchmarks.

#[path = "../../src/wbxml.rs"]
pub mod documents;
pub mod peer;
#[path = "../../src/xml.rs"]
pub mod xml;
