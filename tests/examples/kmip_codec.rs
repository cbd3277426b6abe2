//! Reads KMIP messages by the typed codec and writes them again: a message in hexadecimal on a line of standard input,
//! the same from the types on a line of standard output, or `!` and why not. `cargo xtask interop kmip-codec` runs it
//! beside PyKMIP.
//!
//! A payload that has no type of its own counts as a failure, and so does a message that the XML or JSON form changes.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::io::{self, BufRead, Write};

use bindery_kmip::message::{RequestMessage, RequestPayload, ResponseMessage, ResponsePayload};
use bindery_ttlv::hex::{self, Hex};
use bindery_ttlv::{Options, Reader, Tag, Tolerance, from_json, from_xml, to_json, to_xml};
use bytes::Bytes;

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(octets) => println!("{}", Hex(&octets)),
            Err(reason) => println!("! {}", reason.replace('\n', " ")),
        }
        io::stdout().flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<Bytes, String> {
    let octets = Bytes::from(hex::parse(line).map_err(|error| error.to_string())?);
    let written = typed(&octets)?;
    forms(&written)?;
    Ok(written)
}

fn typed(octets: &Bytes) -> Result<Bytes, String> {
    let first = Reader::new(octets).next().and_then(Result::ok).map(|item| item.tag);
    let written = if first == Some(Tag::RESPONSE_MESSAGE) {
        let message = ResponseMessage::decode(octets, &options()).map_err(text)?;
        for item in &message.batch_items {
            if matches!(item.payload, Some(ResponsePayload::Unknown(_))) {
                return Err(format!("the response {:?} has no type", item.operation));
            }
        }
        message.encode()
    } else {
        let message = RequestMessage::decode(octets, &options()).map_err(text)?;
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
    };
    written.map_err(text)
}

/// Through XML and through JSON, and back.
fn forms(octets: &[u8]) -> Result<(), String> {
    let options = Options::STRICT;
    let (mut xml, mut json) = (Vec::new(), Vec::new());
    to_xml(octets, &options, &mut xml).map_err(text)?;
    to_json(octets, &options, &mut json).map_err(text)?;
    let (mut of_xml, mut of_json) = (Vec::new(), Vec::new());
    from_xml(&xml, &options, &mut of_xml).map_err(text)?;
    from_json(&json, &options, &mut of_json).map_err(text)?;
    if of_xml != octets {
        return Err("XML changes the message".to_owned());
    }
    if of_json != octets {
        return Err("JSON changes the message".to_owned());
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Strict, but for one thing: PyKMIP writes some structures into messages of versions that do not have them yet, or not
/// any more.
fn options() -> Options {
    let mut tolerance = Tolerance::STRICT;
    tolerance.other_versions = true;
    Options::STRICT.with_tolerance(tolerance)
}
