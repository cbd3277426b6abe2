//! libFuzzer calls `bindery_fuzz::tunnel::tunnel`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::tunnel::tunnel(data));
