//! A message from a file or standard input, in whatever form it comes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bindery_ttlv::{FormError, Limits, Options, from_json, from_xml, hex};

use crate::{
    args::Form,
    error::{Exit, Failure, Layer, Result},
};

/// The longest input, in octets: hexadecimal digits with white space take a few for each octet of
/// the longest message.
const LONGEST: u64 = 4 * Limits::DEFAULT.message_length as u64;

/// Reads a message as binary TTLV; without a form it is recognised.
///
/// # Errors
/// The file cannot be read or is too long, or is not of that form.
pub(crate) fn read_message(file: &Path, form: Option<Form>, options: &Options) -> Result<Vec<u8>> {
    let octets = read(file)?;
    if octets.is_empty() {
        return Err(undecodable("the input is empty".to_owned(), Some(0))
            .hint("name a file, or write the message to standard input"));
    }
    let mut message = Vec::new();
    match form.unwrap_or_else(|| recognise(&octets)) {
        Form::Ttlv => return Ok(octets),
        Form::TtlvHex => return from_hex(octets),
        Form::TtlvXml => from_xml(&octets, options, &mut message),
        Form::TtlvJson => from_json(&octets, options, &mut message),
    }
    .map_err(|error| malformed(&error))?;
    Ok(message)
}

/// Reads a file whole, or standard input for `-`.
///
/// # Errors
/// It cannot be read, or is longer than four of the longest messages.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| {
        Failure::usage(format!("{}: {error}", file.display()))
            .hint("name a file that can be read, or - for standard input")
    };
    let mut octets = Vec::new();
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).map_err(failed)?)
    };
    source.take(LONGEST + 1).read_to_end(&mut octets).map_err(failed)?;
    if octets.len() as u64 > LONGEST {
        return Err(Failure::usage(format!("{}: longer than {LONGEST} octets", file.display()))
            .hint("give one message"));
    }
    Ok(octets)
}

/// TTLV holds octets that no text does. Of text, the first character tells; what begins as neither XML nor JSON is
/// taken for hexadecimal digits, so that a slip in them is reported by line and column.
fn recognise(octets: &[u8]) -> Form {
    // The length field of a message of less than 16 MiB has an octet that is 0.
    if octets.contains(&0) {
        return Form::Ttlv;
    }
    let text = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match text.iter().find(|octet| !octet.is_ascii_whitespace()) {
        Some(b'<') => Form::TtlvXml,
        Some(b'{') => Form::TtlvJson,
        _ if octets.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) => {
            Form::TtlvHex
        }
        _ => Form::Ttlv,
    }
}

/// The failure of reading or writing a text form.
pub(crate) fn malformed(error: &FormError) -> Failure {
    let mut failure = undecodable(error.to_string(), error.offset()).hint(error.remedy());
    if let Some((line, column)) = error.line_and_column() {
        failure = failure.detail("line", line).detail("column", column);
    }
    failure
}

fn from_hex(octets: Vec<u8>) -> Result<Vec<u8>> {
    let text = String::from_utf8(octets).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let message = format!("hex: at offset {offset}: expected text, found other octets");
        undecodable(message, Some(offset as u64)).hint("use --from ttlv for octets")
    })?;
    hex::parse(&text).map_err(|error| undecodable(error.to_string(), Some(0)))
}

fn undecodable(message: String, offset: Option<u64>) -> Failure {
    Failure::new(Exit::Undecodable, Layer::Codec, message).detail("offset", offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognised() {
        assert_eq!(recognise(b"\x42\x00\x78\x01"), Form::Ttlv);
        assert_eq!(recognise(b"42 00 78\n01"), Form::TtlvHex);
        assert_eq!(recognise(b"42007z"), Form::TtlvHex);
        assert_eq!(recognise(b" <a b='\xc3\xa9'/>"), Form::TtlvXml);
        assert_eq!(recognise(b"\xef\xbb\xbf{\"tag\": 1}"), Form::TtlvJson);
        assert_eq!(recognise(b"\xff\xfe\xfd"), Form::Ttlv);
    }
}
