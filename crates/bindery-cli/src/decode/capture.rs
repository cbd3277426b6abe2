//! Captures: sessions that `bindery omadm simulate --capture` wrote, one line of JSON for each message.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::undecodable;
use crate::{
    error::{Failure, Result},
    output::{self, Document, Format, Output, write_stdout},
};

/// What the first line of a capture begins with.
const MARK: &[u8] = b"{\"bindery-capture\":";

/// A message of a capture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it went or came (RFC 3339).
    pub(crate) at: String,
    /// The device whose session it is of.
    pub(crate) device: String,
    /// `device` or `server`.
    pub(crate) from: String,
    /// The request line, or the status.
    pub(crate) head: String,
    /// The HTTP fields, as the binding gives or takes them.
    pub(crate) fields: Vec<(String, String)>,
    /// The octets of the body, in hexadecimal digits.
    pub(crate) octets: String,
}

impl Entry {
    /// The line with which a capture begins.
    pub(crate) const FIRST: &str = "{\"bindery-capture\":1}";
}

pub(super) fn is_one(octets: &[u8]) -> bool {
    octets.starts_with(MARK)
}

/// Prints a capture, each message decoded.
///
/// # Errors
/// A line is none; what stands before it has then been printed.
pub(super) fn decode(octets: &[u8], output: &Output) -> Result<()> {
    let mut entries = Vec::new();
    let mut offset = 0_u64;
    for (number, line) in octets.split(|octet| *octet == b'\n').enumerate() {
        let begin = offset;
        offset += line.len() as u64 + 1;
        if number == 0 || line.is_empty() {
            continue;
        }
        let wrong = |reason: String| {
            undecodable(format!("capture: line {}: {reason}", number + 1), Some(begin))
                .hint("a capture is what bindery omadm simulate --capture writes")
        };
        let entry: Entry = serde_json::from_slice(line).map_err(|e| wrong(e.to_string()))?;
        let message =
            output::unhex(&entry.octets).ok_or_else(|| wrong("octets: no hex".to_owned()))?;
        let value = one(&entry, &message, output)?;
        entries.extend(value);
    }
    if output.format == Format::Table {
        return Ok(());
    }
    if matches!(output.format, Format::Raw | Format::Hex) {
        return Err(Failure::usage("a capture has several messages")
            .hint("use -o table, json or yaml; its lines have the octets in hexadecimal digits"));
    }
    Document::new(Value::Array(entries), "").print(output)
}

fn one(entry: &Entry, message: &[u8], output: &Output) -> Result<Option<Value>> {
    let shown = super::shown_markup(message, output.show_secrets);
    if output.format != Format::Table {
        return Ok(Some(json!({
            "at": entry.at,
            "device": entry.device,
            "from": entry.from,
            "head": entry.head,
            "fields": entry.fields.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "body_octets": message.len(),
            "body": shown.json,
        })));
    }
    let arrow = if entry.from == "server" { '<' } else { '>' };
    let (at, device, head) = (&entry.at, &entry.device, &entry.head);
    let mut text = format!("{arrow} {at}  {device}  {head}   {} octets\n", message.len());
    if !message.is_empty() {
        text.push_str(&shown.text);
    }
    write_stdout(format!("{}\n\n", output::clean_lines(&text)).as_bytes())?;
    Ok(None)
}
