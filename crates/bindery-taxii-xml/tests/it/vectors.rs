//! Messages made by others: every one of them reads and writes back equal.

use std::fs;
use std::path::{Path, PathBuf};

use bindery_taxii_xml::{Options, read};
use bindery_xml::Source;

use crate::round_trip;

fn vectors() -> Option<PathBuf> {
    let found = std::env::var_os("BINDERY_VECTORS").map(|root| Path::new(&root).join("taxii"));
    if found.is_none() {
        println!("skipped: BINDERY_VECTORS is not set");
    }
    found
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the vectors have this folder");
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

#[test]
fn messages_of_libtaxii_and_of_the_draft_read_and_write_back_equal() {
    let Some(root) = vectors() else { return };
    let mut count = 0;
    for folder in ["draft-1.0", "libtaxii-generated/1.0", "libtaxii-generated/1.1"] {
        for file in files(&root.join("messages").join(folder), "xml") {
            println!("{}", file.display());
            // libtaxii writes what its schema allows: some samples break a rule of the text.
            round_trip(&fs::read(&file).unwrap(), &Options::SCHEMA);
            count += 1;
        }
    }
    assert_eq!(count, 62);
}

/// The body of a recorded HTTP message, when it is XML.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let body = bytes.get(at + 4..)?;
    body.starts_with(b"<").then_some(body)
}

#[test]
fn what_clients_and_servers_sent_reads_and_writes_back_equal() {
    let Some(root) = vectors() else { return };
    let (mut good, mut bad) = (0, Vec::new());
    for extension in ["request", "response"] {
        for file in files(&root.join("wire"), extension) {
            let bytes = fs::read(&file).unwrap();
            let Some(body) = body(&bytes) else { continue };
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let source = Source::new(body);
            match read(&source, &Options::SCHEMA) {
                // Our writer keeps the rules that its begin and end break.
                Ok(_) if name.starts_with("poll-begin-after-end") => {}
                Ok(_) => {
                    round_trip(body, &Options::SCHEMA);
                    good += 1;
                }
                Err(error) => bad.push((name, extension, error.to_string())),
            }
        }
    }
    println!("{good} messages");
    for row in &bad {
        println!("{row:?}");
    }
    assert!(good > 100, "{good}");
    // Attacks and faults that were made on purpose, HTML, and feeds of 1.0 without the Content_Binding that they need.
    let expected = |name: &str, error: &str| {
        name.starts_with("err-")
            || name.starts_with("poll-begin-no-timezone")
            || error.contains("found the element html")
            || error.contains("begins no markup")
            || error.contains("expected Content_Binding")
    };
    let surprising: Vec<_> = bad.iter().filter(|(name, _, e)| !expected(name, e)).collect();
    assert!(surprising.is_empty(), "{surprising:#?}");
}
