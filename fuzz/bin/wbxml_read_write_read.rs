//! libFuzzer calls `bindery_fuzz::wbxml::read_write_read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::wbxml::read_write_read(data));
