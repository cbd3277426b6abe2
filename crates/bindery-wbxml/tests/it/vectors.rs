//! Documents of other encoders, where `BINDERY_VECTORS` says they are: libwbxml's test suite, SyncML messages captured
//! from libsynthesis, documents of phones.

use std::fs;
use std::path::{Path, PathBuf};

use bindery_wbxml::{Event, Options, Reader, languages};

use super::copy;

fn documents(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documents(&path, out);
        } else if path.extension().is_some_and(|e| e == "wbxml") {
            out.push(path);
        }
    }
}

/// Each is read without a complaint, every name is known, and the canonical copy is the same bytes.
#[test]
fn documents_of_other_encoders_are_read_and_written_back() {
    let Some(vectors) = std::env::var_os("BINDERY_VECTORS").map(PathBuf::from) else {
        eprintln!("not run: documents of other encoders (BINDERY_VECTORS is not set)");
        return;
    };
    let mut paths = Vec::new();
    for folder in ["wbxml", "omadm"] {
        documents(&vectors.join(folder), &mut paths);
    }
    assert!(!paths.is_empty(), "no documents under {}", vectors.display());
    for path in paths {
        let mut document = fs::read(&path).unwrap();
        if path.starts_with(vectors.join("omadm/samples")) && document.last() == Some(&b'\n') {
            // An editor's, not the phone's.
            document.pop();
        }
        let mut options = Options::STRICT;
        if Reader::new(&document).unwrap().language().is_none() {
            options = options.with_language(&languages::ACTIVESYNC);
        }
        let reader = Reader::with_options(&document, &options);
        for event in reader.unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            let event = event.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            if let Event::StartElement(start) = event {
                assert!(start.name.as_str().is_some(), "{}: {}", path.display(), start.name);
            }
        }
        assert_eq!(copy(&document, &options), document, "{}", path.display());
    }
}
