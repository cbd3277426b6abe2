//! libFuzzer calls `bindery_fuzz::request::fields`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::request::fields(data));
