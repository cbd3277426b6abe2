//! A message from a file or standard input, in whatever form it comes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bindery_ttlv::{FormError, Limits, Options, Tag, from_json, from_xml, hex};

use crate::{
    args::Form,
    error::{Exit, Failure, Layer, Result},
};

/// The longest input, in octets: hexadecimal digits with white space take a few for each octet of
/// the longest message.
const LONGEST: u64 = 4 * Limits::DEFAULT.message_length as u64;

/// What the namespaces of KMIP's XML begin with.
const KMIP_NAMESPACE: &str = "urn:oasis:tc:kmip:";

/// Reads a message as binary TTLV, whose form is recognised.
///
/// # Errors
/// The file cannot be read or is too long, or is not of a form of TTLV.
pub(crate) fn read_message(file: &Path, options: &Options) -> Result<Vec<u8>> {
    let octets = read_some(file)?;
    let form = recognise(&octets);
    to_ttlv(octets, form, options)
}

/// Reads a file whole, which has to hold something.
///
/// # Errors
/// The file cannot be read, is too long, or is empty.
pub(super) fn read_some(file: &Path) -> Result<Vec<u8>> {
    let octets = read(file)?;
    if octets.is_empty() {
        return Err(undecodable("the input is empty".to_owned(), Some(0))
            .hint("name a file, or write the message to standard input"));
    }
    Ok(octets)
}

/// A message of a form of TTLV as binary TTLV.
///
/// # Errors
/// It is not of that form.
pub(super) fn to_ttlv(octets: Vec<u8>, form: Form, options: &Options) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    match form {
        Form::Wbxml | Form::Xml => {
            return Err(undecodable("expected TTLV, found WBXML or XML".to_owned(), Some(0))
                .hint("give a message of KMIP"));
        }
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

/// WBXML begins with its version, 00 to 03, and TTLV with 42 or 54. TTLV holds octets that no text does. Of text, the
/// first character tells; what begins as neither XML nor JSON is taken for hexadecimal digits, so that a slip in them
/// is reported by line and column. Of XML, the document element tells whether it is TTLV.
pub(super) fn recognise(octets: &[u8]) -> Form {
    match octets {
        // UTF-16, which TTLV does not use.
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', ..] | [b'<', 0, ..] => return Form::Xml,
        [0..=3, ..] => return Form::Wbxml,
        _ => {}
    }
    let text = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match text.iter().find(|octet| !octet.is_ascii_whitespace()) {
        // No tag begins so. A zero in it is a fault that the reader of XML tells.
        Some(b'<') => recognise_xml(octets),
        // The length field of a message of less than 16 MiB has an octet that is 0.
        _ if octets.contains(&0) => Form::Ttlv,
        Some(b'{') => Form::TtlvJson,
        _ if octets.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) => {
            Form::TtlvHex
        }
        _ => Form::Ttlv,
    }
}

/// The form of an XML document, by its document element. What cannot be read that far is XML: its reader says why.
fn recognise_xml(octets: &[u8]) -> Form {
    let tolerance = bindery_xml::Tolerance::STRICT.with_doctype(true);
    let options = bindery_xml::Options::STRICT.with_tolerance(tolerance);
    let source = bindery_xml::Source::with_options(octets, &options);
    let mut reader = source.reader();
    while let Ok(Some(event)) = reader.next_event() {
        if let bindery_xml::Event::Start(start) = event {
            let (namespace, local) = (start.name().namespace(), start.name().local());
            let kmip = namespace.starts_with(KMIP_NAMESPACE)
                || (namespace.is_empty() && (local == "TTLV" || Tag::from_name(local).is_some()));
            return if kmip { Form::TtlvXml } else { Form::Xml };
        }
    }
    Form::Xml
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

pub(super) fn undecodable(message: String, offset: Option<u64>) -> Failure {
    Failure::new(Exit::Undecodable, Layer::Codec, message).detail("offset", offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognised() {
        assert_eq!(recognise(b"\x42\x00\x78\x01"), Form::Ttlv);
        assert_eq!(recognise(b" <a>\0</a>"), Form::Xml);
        assert_eq!(recognise(b"42 00 78\n01"), Form::TtlvHex);
        assert_eq!(recognise(b"42007z"), Form::TtlvHex);
        assert_eq!(recognise(b" <a b='\xc3\xa9'/>"), Form::Xml);
        assert_eq!(recognise(b"<!-- x --><RequestMessage/>"), Form::TtlvXml);
        assert_eq!(recognise(b"<x xmlns='urn:oasis:tc:kmip:xmlns'/>"), Form::TtlvXml);
        assert_eq!(recognise(b"<\0a\0/\0>\0"), Form::Xml);
        assert_eq!(recognise(b"\x03\x01\x6a\0\x45"), Form::Wbxml);
        assert_eq!(recognise(b"\xef\xbb\xbf{\"tag\": 1}"), Form::TtlvJson);
        assert_eq!(recognise(b"\xff\xff\xfd"), Form::Ttlv);
    }
}
