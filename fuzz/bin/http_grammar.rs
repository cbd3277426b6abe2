//! libFuzzer calls `bindery_fuzz::fields::grammar`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::fields::grammar(data));
