//! libFuzzer calls `bindery_fuzz::syncml::decode_encode_decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::syncml::decode_encode_decode(data));
