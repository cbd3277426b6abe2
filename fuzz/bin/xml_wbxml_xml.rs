//! libFuzzer calls `bindery_fuzz::convert::xml_wbxml_xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bindery_fuzz::convert::xml_wbxml_xml(data));
