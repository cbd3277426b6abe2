//! libFuzzer calls `bindery_fuzz::upgrade::upgrade`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::upgrade::upgrade(data));
