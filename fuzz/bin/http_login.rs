//! libFuzzer calls `bindery_fuzz::fields::login`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::fields::login(data));
