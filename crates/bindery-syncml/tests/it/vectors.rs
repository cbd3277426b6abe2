//! Captured messages: they lie outside the repository, where BINDERY_VECTORS says.

use std::fs;
use std::path::{Path, PathBuf};

use bindery_syncml::{Form, Options, SyncMl, WriteOptions};
use bytes::Bytes;

/// The files with this ending in `omadm`, or nothing with a message.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("BINDERY_VECTORS") else {
        eprintln!("skipped: BINDERY_VECTORS is not set");
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut folders = vec![Path::new(&root).join("omadm")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// These are fragments, or no well-formed XML: what is wrong must be said.
const BROKEN: [&str; 3] = ["putE7.xml", "sync_init.xml", "sync_engine_status.xml"];

#[test]
fn every_captured_message_is_read_and_written_back_equal_in_both_encodings() {
    for path in files(&[".xml", ".wbxml"]) {
        let bytes = Bytes::from(fs::read(&path).unwrap());
        let read = SyncMl::decode(&bytes, &Options::LENIENT);
        if BROKEN.iter().any(|name| path.ends_with(name)) {
            assert!(read.is_err(), "{}", path.display());
            continue;
        }
        let message = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for options in [WriteOptions::XML, WriteOptions::WBXML] {
            let mut written = Vec::new();
            let form = options.form;
            if let Err(error) = message.encode(&mut written, &options) {
                panic!("{}: {form:?}: {error}", path.display());
            }
            let again = SyncMl::decode(&written.clone().into(), &Options::LENIENT).unwrap();
            assert!(again == message, "{}: {form:?}\n{message:#?}\n{again:#?}", path.display());
            assert!(message.encoded_len(&options) >= written.len());
        }
    }
}

/// The captures of 1.1 and 1.2 are canonical, but for DevInf, which SyncEvolution writes in another order than the DTD.
#[test]
fn canonical_captures_are_written_back_byte_for_byte() {
    let (mut equal, mut other) = (0, Vec::new());
    for path in files(&["-request.wbxml", "-response.wbxml"]) {
        let bytes = Bytes::from(fs::read(&path).unwrap());
        let message = SyncMl::decode(&bytes, &Options::LENIENT).unwrap();
        let mut written = Vec::new();
        message.encode(&mut written, &WriteOptions::WBXML).unwrap();
        if written == bytes {
            equal += 1;
            assert_eq!(message.encoded_len(&WriteOptions::WBXML), written.len());
        } else {
            other.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    eprintln!("{equal} equal, not: {other:?}");
    assert!(other.iter().all(|name| name.starts_with("01-")), "{other:?}");
}

/// libwbxml's XML of a capture gives the same value. It leaves carriage returns as they are, so that they are lost.
#[test]
fn a_capture_and_its_xml_are_the_same_message() {
    for path in files(&[".from-wbxml.xml"]) {
        let xml = Bytes::from(fs::read(&path).unwrap());
        let name = path.to_string_lossy().replace(".from-wbxml.xml", ".wbxml");
        let wbxml = Bytes::from(fs::read(&name).unwrap());
        assert_eq!((Form::detect(&xml), Form::detect(&wbxml)), (Form::Xml, Form::Wbxml));
        let from_xml = SyncMl::decode(&xml, &Options::LENIENT).unwrap();
        let from_wbxml = SyncMl::decode(&wbxml, &Options::LENIENT).unwrap();
        assert!(
            normal(from_xml.clone()) == normal(from_wbxml.clone()),
            "{name}\n{from_xml:#?}\n{from_wbxml:#?}"
        );
    }
}

/// The message as XML in one form, without carriage returns; the two media types of DevInf are one.
fn normal(message: SyncMl) -> String {
    let mut xml = Vec::new();
    message.encode(&mut xml, &WriteOptions::XML).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    xml.replace("]]>&#xD;<![CDATA[", "").replace("&#xD;", "").replace("devinf+wbxml", "devinf+xml")
}
