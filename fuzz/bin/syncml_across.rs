//! libFuzzer calls `bindery_fuzz::syncml::across`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::syncml::across(data));
