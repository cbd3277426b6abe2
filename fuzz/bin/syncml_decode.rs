//! libFuzzer calls `bindery_fuzz::syncml::decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::syncml::decode(data));
