//! Compares this crate with the tools of libwbxml, `wbxml2xml` and `xml2wbxml`: XML as an infoset, WBXML byte for
//! byte. `cargo xtask interop wbxml` runs it.
//!
//! Arguments: the list of deviations (TOML), the number of documents to make for each language, and directories in
//! which each `NAME.wbxml` is taken, with the `NAME.xml` beside it if there is one. A difference that is not listed
//! fails, and so does a listed one of a document that no longer differs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool prints")]

#[path = "libwbxml/deviations.rs"]
mod deviations;
#[path = "libwbxml/generator.rs"]
mod generator;
#[path = "../tests/it/convert/infoset.rs"]
mod infoset;
#[path = "libwbxml/tools.rs"]
mod tools;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bindery_wbxml::{FromXml, Language, Options, Reader, from_xml, languages, to_xml};

use deviations::{Deviations, Direction, Listed, Spelling};
use infoset::infoset;

/// What differs, if something does.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs every comparison; gives how many failed.
fn run() -> Result<usize, String> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: libwbxml DEVIATIONS COUNT [DIR..]";
    let list = PathBuf::from(arguments.next().ok_or(usage)?);
    let count: u32 = arguments.next().and_then(|text| text.parse().ok()).ok_or(usage)?;
    let mut deviations = Deviations::read(&list)?;
    let mut failed = 0;
    for directory in arguments {
        let mut files =
            documents(Path::new(&directory)).map_err(|e| format!("{directory}: {e}"))?;
        files.sort();
        println!("{directory}: {} documents", files.len());
        for file in files {
            failed += compare_file(&file, &mut deviations)?;
        }
    }
    if count > 0 {
        for language in Language::all() {
            failed += compare_generated(language, count, &mut deviations)?;
        }
    }
    for line in deviations.gone() {
        failed += 1;
        println!("FAIL {line}");
    }
    Ok(failed)
}

/// The WBXML files of a directory and of those inside it.
fn documents(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut waiting, mut files) = (vec![directory.to_owned()], Vec::new());
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "wbxml") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The language that a document does not name itself: by its folder's name, else ActiveSync.
fn unnamed(file: &Path, document: &[u8]) -> Option<&'static Language> {
    if Reader::new(document).ok()?.language().is_some() {
        return None;
    }
    let folder = file.parent()?.file_name()?.to_str()?;
    Language::by_id(folder).or(Some(&languages::ACTIVESYNC))
}

/// Both directions of one file; gives how many failed.
fn compare_file(file: &Path, deviations: &mut Deviations) -> Result<usize, String> {
    let read = |path: &Path| fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let document = read(file)?;
    let language = unnamed(file, &document);
    let source_file = file.with_extension("xml");
    let source = if source_file.is_file() { Some(read(&source_file)?) } else { None };
    let stem = file.with_extension("");
    let folder = stem.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let name = format!("{folder}/{}", stem.file_name().unwrap_or_default().to_string_lossy());
    let mut failed = 0;
    for (direction, outcome) in compare(&document, source.as_deref(), language)? {
        let mut listed = deviations.document(direction, &name, outcome.is_err());
        if let (Err(reason), false) = (&outcome, listed)
            && let Some(language) = language.or_else(|| {
                Reader::new(&document).ok().and_then(|r| r.prologue().public_id.language())
            })
        {
            // What the list says of the language is true of documents by others too.
            let reason = (direction, reason.clone());
            let source = source.as_deref();
            listed = explained((&document, source), language, reason, deviations)?.0;
        }
        failed += usize::from(!report(direction, &name, outcome, listed));
    }
    Ok(failed)
}

/// Documents made for a language; one line a direction. Gives how many documents failed.
fn compare_generated(
    language: &'static Language,
    count: u32,
    deviations: &mut Deviations,
) -> Result<usize, String> {
    let id = language.id();
    let (mut failed, mut different) = (0, Vec::new());
    for number in 0..count {
        let document = generator::document(language, number)?;
        for (direction, outcome) in compare(&document, None, Some(language))? {
            let Err(reason) = outcome else { continue };
            let (listed, reason) =
                explained((&document, None), language, (direction, reason), deviations)?;
            if listed {
                different.push(direction);
            } else {
                failed += 1;
                println!("FAIL {direction} generated {id} {number}: {reason}");
            }
        }
    }
    deviations.covered(id);
    if failed == 0 {
        for direction in [Direction::ToXml, Direction::FromXml] {
            let listed = different.iter().filter(|listed| **listed == direction).count();
            println!("ok {direction} generated {id}: {count} documents, {listed} as listed");
        }
    }
    Ok(failed)
}

/// Whether the WBXML that libwbxml makes of our XML reads as that XML.
fn read_the_same(xml: &[u8], language: &'static Language) -> Result<Outcome, String> {
    let theirs = tools::xml2wbxml(xml)?;
    Ok(theirs.and_then(|theirs| {
        let mut read = Vec::new();
        let options = Options::STRICT.with_language(language);
        to_xml(&theirs, &options, &mut read).map_err(|e| format!("its WBXML: {e}"))?;
        same_infoset(xml, &read)
    }))
}

/// One direction with our XML in libwbxml's spelling: everything else must be the same.
fn compare_spelled(
    document: &[u8],
    (xml, spelling): (&str, &Spelling),
    language: &'static Language,
    direction: Direction,
) -> Result<Outcome, String> {
    Ok(match direction {
        Direction::ToXml => {
            let theirs = tools::wbxml2xml(document, Some(language))?;
            theirs.and_then(|theirs| {
                let theirs = spelling.undo_words(&String::from_utf8_lossy(&theirs));
                same_infoset(xml.as_bytes(), theirs.as_bytes())
            })
        }
        Direction::FromXml => {
            let theirs = tools::xml2wbxml(xml.as_bytes())?;
            theirs.and_then(|theirs| same_bytes(document, &theirs))
        }
    })
}

/// Whether the list says of a document's language why it differs in this way; and how it differs, as far as is known.
fn explained(
    (document, source): (&[u8], Option<&[u8]>),
    language: &'static Language,
    (direction, reason): (Direction, String),
    deviations: &mut Deviations,
) -> Result<(bool, String), String> {
    let mut xml = Vec::new();
    let options = Options::STRICT.with_language(language);
    if to_xml(document, &options, &mut xml).is_err() {
        return Ok((false, reason));
    }
    if let (Direction::FromXml, Some(source)) = (direction, source) {
        xml = source.to_vec();
    }
    let (text, id) = (String::from_utf8_lossy(&xml), language.id());
    let mut listed = deviations.generated(direction, id, &text, &reason);
    let mut reason = reason;
    if let Listed::Spelled(spelling) = &listed {
        let xml = spelling.namespaces(&text, language);
        let again = compare_spelled(document, (&xml, spelling), language, direction)?;
        listed = match again {
            Ok(()) => Listed::Yes,
            Err(again) => {
                reason = again;
                deviations.generated(direction, id, &xml, &reason)
            }
        };
    }
    if listed == Listed::SameXml {
        match read_the_same(&xml, language)? {
            Ok(()) => listed = Listed::Yes,
            Err(again) => reason = again,
        }
    }
    Ok((listed == Listed::Yes, reason))
}

/// Prints how a comparison ended; false if it failed.
fn report(direction: Direction, name: &str, outcome: Outcome, listed: bool) -> bool {
    match outcome {
        Ok(()) => println!("ok {direction} {name}"),
        Err(_) if listed => println!("ok {direction} {name}: differs as listed"),
        Err(reason) => {
            println!("FAIL {direction} {name}: {reason}");
            return false;
        }
    }
    true
}

/// Our XML of a document beside theirs; then our WBXML of XML beside theirs: of `source`, else of our XML.
fn compare(
    document: &[u8],
    source: Option<&[u8]>,
    language: Option<&'static Language>,
) -> Result<[(Direction, Outcome); 2], String> {
    let options = language.map_or(Options::STRICT, |l| Options::STRICT.with_language(l));
    let from = language.map_or_else(FromXml::default, |l| FromXml::default().with_language(l));
    let mut xml = Vec::new();
    let written = to_xml(document, &options, &mut xml).map_err(|e| format!("ours: {e}"));
    let theirs = tools::wbxml2xml(document, language)?;
    let to = written.and_then(|()| same_infoset(&xml, &theirs?));
    let source = source.unwrap_or(&xml);
    let mut made = Vec::new();
    let ours = from_xml(source, &from, &mut made).map_err(|e| format!("ours: {e}"));
    let theirs = tools::xml2wbxml(source)?;
    let back = ours.and_then(|()| same_bytes(&made, &theirs?));
    Ok([(Direction::ToXml, to), (Direction::FromXml, back)])
}

fn same_infoset(ours: &[u8], theirs: &[u8]) -> Outcome {
    let ours = infoset(ours).map_err(|e| format!("our XML: {e}"))?;
    let theirs = infoset(theirs).map_err(|e| format!("its XML is none: {e}"))?;
    let at = ours.iter().zip(&theirs).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| ours.len().min(theirs.len()));
    if ours == theirs {
        return Ok(());
    }
    Err(format!("item {at}: ours {:?}, its {:?}", ours.get(at), theirs.get(at)))
}

fn same_bytes(ours: &[u8], theirs: &[u8]) -> Outcome {
    if ours == theirs {
        return Ok(());
    }
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| ours.len().min(theirs.len()));
    let part = |bytes: &[u8]| {
        let rest = bytes.get(at..).unwrap_or_default();
        format!("{:02X?}", rest.get(..16).unwrap_or(rest))
    };
    Err(format!("offset {at}: ours {}, its {}", part(ours), part(theirs)))
}
