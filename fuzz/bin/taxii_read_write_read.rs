//! libFuzzer calls `bindery_fuzz::taxii::read_write_read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::taxii::read_write_read(data));
