//! libFuzzer calls `bindery_fuzz::taxii_service::query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::taxii_service::query(data));
