//! libFuzzer calls `bindery_fuzz::ttlv_forms::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::ttlv_forms::json(data));
