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

/// A request line or a status, without the query of the address unless secrets are to be shown: it
/// proves whose session it is.
pub(crate) fn shown_head(head: &str, secrets: bool) -> String {
    match head.split_once('?') {
        Some((before, _)) if !secrets => format!("{before}?(hidden)"),
        _ => head.to_owned(),
    }
}

/// A field's value, without what proves something unless secrets are to be shown.
pub(crate) fn shown_field(name: &str, value: &str, secrets: bool) -> String {
    if secrets {
        return value.to_owned();
    }
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie" => "(hidden)".to_owned(),
        "x-syncml-hmac" => {
            let parts = value.split(',').map(|part| match part.trim_start().starts_with("mac=") {
                true => " mac=(hidden)",
                false => part,
            });
            parts.collect::<Vec<_>>().join(",").trim_start().to_owned()
        }
        _ => value.to_owned(),
    }
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
            "head": shown_head(&entry.head, output.show_secrets),
            "fields": fields(entry, output),
            "body_octets": message.len(),
            "body": shown.json,
        })));
    }
    let arrow = if entry.from == "server" { '<' } else { '>' };
    let (at, device) = (&entry.at, &entry.device);
    let head = shown_head(&entry.head, output.show_secrets);
    let mut text = format!("{arrow} {at}  {device}  {head}   {} octets\n", message.len());
    if !message.is_empty() {
        text.push_str(&shown.text);
    }
    write_stdout(format!("{}\n\n", output::clean_lines(&text)).as_bytes())?;
    Ok(None)
}

fn fields(entry: &Entry, output: &Output) -> std::collections::BTreeMap<String, String> {
    let shown = |(name, value): &(String, String)| {
        (name.clone(), shown_field(name, value, output.show_secrets))
    };
    entry.fields.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_something_is_hidden() {
        assert_eq!(shown_head("POST /dm?s=abc", false), "POST /dm?(hidden)");
        assert_eq!(shown_head("POST /dm?s=abc", true), "POST /dm?s=abc");
        assert_eq!(shown_head("200 OK", false), "200 OK");
        let hmac = "algorithm=MD5, username=\"x\", mac=AbC==";
        assert_eq!(
            shown_field("X-SyncML-HMAC", hmac, false),
            "algorithm=MD5, username=\"x\", mac=(hidden)"
        );
        assert_eq!(shown_field("x-syncml-hmac", hmac, true), hmac);
        assert_eq!(shown_field("x-syncml-hmac", "mac=AbC==", false), "mac=(hidden)");
        assert_eq!(shown_field("authorization", "Basic eA==", false), "(hidden)");
        assert_eq!(shown_field("accept", "x", false), "x");
    }
}
