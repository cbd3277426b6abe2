//! libFuzzer calls `bindery_fuzz::kmip::typed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::kmip::typed(data));
