//! Reads the OASIS test cases of KMIP in a directory: every request and response of every case (XML) becomes binary
//! TTLV, typed messages and JSON, and comes back from each the same. `cargo xtask oasis DIR --decode` runs it.
//!
//! A case fails by the first message that does not, and by a message of which the types know an operation's payload
//! not at all. Variables of the cases (`$UNIQUE_IDENTIFIER_0`, `$NOW+60`) get a value first.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool prints")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bindery_kmip::message::{RequestMessage, RequestPayload, ResponseMessage, ResponsePayload};
use bindery_ttlv::{
    ItemType, Options, Reader, Tag, XmlMessages, from_json, from_xml, to_json, to_xml,
};
use bytes::Bytes;

/// The time that `$NOW` stands for.
const NOW: i64 = 1_700_000_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let directories: Vec<PathBuf> = arguments.by_ref().map(PathBuf::from).collect();
    if directories.is_empty() {
        eprintln!("usage: oasis DIR..");
        return ExitCode::from(2);
    }
    let mut files = Vec::new();
    for directory in &directories {
        if let Err(error) = collect(directory, &mut files) {
            eprintln!("{}: {error}", directory.display());
            return ExitCode::from(2);
        }
    }
    files.sort();
    let mut failed = 0;
    for file in &files {
        match case(file) {
            Ok(messages) => println!("ok\t{}\t{messages} messages", file.display()),
            Err(reason) => {
                failed += 1;
                println!("FAIL\t{}\t{}", file.display(), reason.replace(['\t', '\n'], " "));
            }
        }
    }
    println!("{} passed, {failed} failed", files.len() - failed);
    ExitCode::from(u8::from(failed > 0 || files.is_empty()))
}

/// The XML files of a directory and of those inside it, or the one file that is named.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Goes through a case; gives the number of its messages.
fn case(file: &Path) -> Result<usize, String> {
    let octets = fs::read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(octets).map_err(|error| format!("not UTF-8: {error}"))?;
    let options = Options::STRICT;
    let mut messages = XmlMessages::new(&text, &options).with_substitute(&substitute);
    let mut number = 0;
    loop {
        let mut binary = Vec::new();
        let read = messages.next_message(&mut binary);
        let more = read.map_err(|error| format!("message {}: {error}", number + 1))?;
        if !more {
            break;
        }
        number += 1;
        let binary = Bytes::from(binary);
        forms(&binary).map_err(|reason| format!("message {number}: {reason}"))?;
        typed(&binary).map_err(|reason| format!("message {number}: {reason}"))?;
    }
    if number == 0 { Err("the case has no message".to_owned()) } else { Ok(number) }
}

/// Binary to XML, to binary, to JSON, to binary: the same each time.
fn forms(binary: &Bytes) -> Result<(), String> {
    let options = Options::STRICT;
    let (mut xml, mut json) = (Vec::new(), Vec::new());
    to_xml(binary, &options, &mut xml).map_err(|error| error.to_string())?;
    to_json(binary, &options, &mut json).map_err(|error| error.to_string())?;
    let (mut from_x, mut from_j) = (Vec::new(), Vec::new());
    from_xml(&xml, &options, &mut from_x).map_err(|error| error.to_string())?;
    from_json(&json, &options, &mut from_j).map_err(|error| error.to_string())?;
    match (from_x == *binary, from_j == *binary) {
        (true, true) => Ok(()),
        (false, _) => Err("the message does not come back from XML as it was".to_owned()),
        (true, false) => Err("the message does not come back from JSON as it was".to_owned()),
    }
}

/// To types and back.
fn typed(binary: &Bytes) -> Result<(), String> {
    let first = Reader::new(binary).next().and_then(Result::ok).map(|item| item.tag);
    let options = Options::STRICT;
    let back = match first {
        Some(Tag::REQUEST_MESSAGE) => {
            let message = RequestMessage::decode(binary, &options).map_err(|e| e.to_string())?;
            for item in &message.batch_items {
                match &item.payload {
                    RequestPayload::Faulty(faulty) => return Err(faulty.error.to_string()),
                    RequestPayload::Unknown(_) => {
                        return Err(format!("the request {} has no type", item.operation));
                    }
                    _ => {}
                }
            }
            message.encode()
        }
        Some(Tag::RESPONSE_MESSAGE) => {
            let message = ResponseMessage::decode(binary, &options).map_err(|e| e.to_string())?;
            for item in &message.batch_items {
                if let (Some(ResponsePayload::Unknown(_)), Some(operation)) =
                    (&item.payload, item.operation)
                {
                    return Err(format!("the response {operation} has no type"));
                }
            }
            message.encode()
        }
        other => return Err(format!("{other:?} is neither a request nor a response")),
    };
    match back {
        Ok(back) if back == *binary => Ok(()),
        Ok(_) => Err("the typed message is not written as it was read".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A value for a variable: times from `$NOW` on, and for others octets that are made of the name. Text stays as it is.
fn substitute(_: Tag, item_type: ItemType, value: &str) -> Option<String> {
    let name = value.strip_prefix('$')?;
    match item_type {
        ItemType::DateTime | ItemType::DateTimeExtended => {
            let offset: i64 = match name.strip_prefix("NOW")? {
                "" => 0,
                offset => offset.parse().ok()?,
            };
            let unit = if item_type == ItemType::DateTime { 1 } else { 1_000_000 };
            Some(format!("0x{:016x}", (NOW + offset) * unit))
        }
        ItemType::ByteString => Some(bindery_ttlv::hex::Hex(name.as_bytes()).to_string()),
        ItemType::BigInteger => Some("0000000000000001".to_owned()),
        ItemType::Integer | ItemType::LongInteger | ItemType::Interval => Some("1".to_owned()),
        ItemType::Boolean => Some("true".to_owned()),
        ItemType::Enumeration => Some("0x00000001".to_owned()),
        _ => None,
    }
}
