//! libFuzzer calls `bindery_fuzz::omadm::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::omadm::session(data));
