//! libFuzzer calls `bindery_fuzz::taxii_service::head`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::taxii_service::head(data));
