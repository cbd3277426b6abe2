//! libFuzzer calls `bindery_fuzz::xml::read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::xml::read(data));
