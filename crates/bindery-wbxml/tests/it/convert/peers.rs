//! libwbxml's documents beside ours, where `BINDERY_VECTORS` says they are: what its `wbxml2xml` has made of a document
//! is the same infoset, and its `xml2wbxml -n -k` has made the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use bindery_wbxml::{FromXml, Language, Options, Reader, from_xml, languages, to_xml};

use super::infoset::infoset;

fn language_of(folder: &str, document: &[u8]) -> Option<&'static Language> {
    let known = Reader::new(document).unwrap().language();
    if known.is_some() { None } else { Language::by_id(folder).or(Some(&languages::ACTIVESYNC)) }
}

/// Where libwbxml is not followed, and why. A row that no longer is a difference fails too.
const DEVIATIONS: &[(&str, &str)] = &[
    (
        "back syncml/syncml-003",
        "it rewrites the text of Type (+wbxml to +xml); text stays as it is here",
    ),
    ("back syncml/syncml-004", "the same"),
    ("bytes syncml/syncml-003", "the same, on the way to WBXML"),
    ("bytes syncml/syncml-004", "the same, on the way to WBXML"),
    (
        "bytes ddf/syncml_with_ddf-001",
        "it makes a document of DM DDF, which SyncML 1.2 has as its page 2",
    ),
    ("bytes prov/prov-008", "it goes to page 0 and back for an attribute that page 1 has too"),
    ("ours prov/prov-008", "the same"),
    (
        "bytes syncml/syncml-012",
        "it makes opaque data of the text of some Data; text is a string here",
    ),
    ("bytes syncml/syncml-013", "the same, and it makes CR LF of LF"),
    ("bytes syncml/syncml-014", "it makes CR LF of LF in opaque data"),
];

struct Pair {
    name: String,
    document: Vec<u8>,
    /// What its `wbxml2xml` has made of the document.
    back: Vec<u8>,
    /// What its `xml2wbxml -k -n` has made the document of.
    source: Option<Vec<u8>>,
    language: Option<&'static Language>,
}

fn pairs(vectors: &Path) -> Vec<Pair> {
    let mut out = Vec::new();
    for folder in fs::read_dir(vectors.join("wbxml/libwbxml-suite")).unwrap() {
        let folder = folder.unwrap().path();
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "wbxml") {
                let document = fs::read(&path).unwrap();
                out.push(Pair {
                    name: format!("{id}/{}", path.file_stem().unwrap().to_string_lossy()),
                    back: fs::read(path.with_extension("back.xml")).unwrap(),
                    source: fs::read(path.with_extension("xml")).ok(),
                    language: language_of(&id, &document),
                    document,
                });
            }
        }
    }
    out
}

/// What differs: the infoset that `wbxml2xml` has made (`back`), our way there and back (`ours`), what `xml2wbxml` has
/// made (`bytes`).
fn differences(pair: &Pair, malformed: &mut u32) -> Vec<String> {
    let name = &pair.name;
    let options = pair.language.map_or(Options::STRICT, |l| Options::STRICT.with_language(l));
    let from = pair.language.map_or_else(FromXml::default, |l| FromXml::default().with_language(l));
    let mut out = Vec::new();
    let mut xml = Vec::new();
    to_xml(&pair.document, &options, &mut xml).unwrap_or_else(|e| panic!("{name}: {e}"));
    let ours = infoset(&xml).unwrap_or_else(|e| panic!("{name}: {e}"));
    match infoset(&pair.back) {
        Ok(theirs) if ours == theirs => {}
        Ok(_) => out.push(format!("back {name}")),
        // It has copied octets of an opaque that no XML can hold.
        Err(_) => *malformed += 1,
    }
    let mut again = Vec::new();
    from_xml(&xml, &from, &mut again).unwrap_or_else(|e| panic!("{name}: {e}"));
    if again != pair.document {
        out.push(format!("ours {name}"));
    }
    let mut made = Vec::new();
    match pair.source.as_ref().map_or(Ok(()), |source| from_xml(source, &from, &mut made)) {
        Ok(()) if pair.source.is_none() || made == pair.document => {}
        Ok(()) => out.push(format!("bytes {name}")),
        Err(error) => out.push(format!("bytes {name}: {error}")),
    }
    out
}

#[test]
fn libwbxml_makes_the_same_of_its_own_documents() {
    let Some(vectors) = std::env::var_os("BINDERY_VECTORS").map(PathBuf::from) else {
        eprintln!("not run: documents of libwbxml (BINDERY_VECTORS is not set)");
        return;
    };
    let pairs = pairs(&vectors);
    assert!(!pairs.is_empty());
    let mut malformed = 0;
    let mut found: Vec<String> =
        pairs.iter().flat_map(|pair| differences(pair, &mut malformed)).collect();
    found.sort();
    let mut listed: Vec<&str> = DEVIATIONS.iter().map(|row| row.0).collect();
    listed.sort_unstable();
    assert_eq!(found, listed, "{} pairs, {malformed} that libwbxml made no XML of", pairs.len());
    assert_eq!(malformed, 2);
}
