//! libFuzzer calls `bindery_fuzz::ttlv::lenient`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::ttlv::lenient(data));
