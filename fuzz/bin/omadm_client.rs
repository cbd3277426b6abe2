//! libFuzzer calls `bindery_fuzz::omadm::client`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::omadm::client(data));
