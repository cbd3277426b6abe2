//! A message from a file or standard input, in whatever form it comes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use bindery_ttlv::{Limits, hex};

use crate::{
    args::Form,
    error::{Exit, Failure, Layer, Result},
};

/// The longest input, in octets: hexadecimal digits with white space take a few for each octet of
/// the longest message.
const LONGEST: u64 = 4 * Limits::DEFAULT.message_length as u64;

/// Reads a message; without a form it is recognised.
///
/// # Errors
/// The file cannot be read or is too long, or is not of that form.
pub(crate) fn read_message(file: &Path, form: Option<Form>) -> Result<Vec<u8>> {
    let octets = read(file)?;
    if octets.is_empty() {
        return Err(undecodable("the input is empty".to_owned(), 0)
            .hint("name a file, or write the message to standard input"));
    }
    match form.map_or_else(|| recognise(&octets), Ok)? {
        Form::Ttlv => Ok(octets),
        Form::TtlvHex => from_hex(octets),
    }
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

/// TTLV holds octets that no text does; text is taken for hexadecimal digits, so that a slip in
/// them is reported by line and column.
fn recognise(octets: &[u8]) -> Result<Form> {
    let text = octets.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace());
    if !text {
        return Ok(Form::Ttlv);
    }
    let first = octets.iter().find(|octet| !octet.is_ascii_whitespace());
    match first {
        Some(b'<' | b'{' | b'[') => {
            let message = "at offset 0: expected TTLV or its hexadecimal digits, found text that \
                           looks like XML or JSON";
            Err(undecodable(message.to_owned(), 0).hint("this release decodes TTLV only"))
        }
        _ => Ok(Form::TtlvHex),
    }
}

fn from_hex(octets: Vec<u8>) -> Result<Vec<u8>> {
    let text = String::from_utf8(octets).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        undecodable(format!("hex: at offset {offset}: expected text, found other octets"), offset)
            .hint("use --from ttlv for octets")
    })?;
    hex::parse(&text).map_err(|error| undecodable(error.to_string(), 0))
}

fn undecodable(message: String, offset: usize) -> Failure {
    Failure::new(Exit::Undecodable, Layer::Codec, message).detail("offset", offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_recognised() {
        assert_eq!(recognise(b"\x42\x00\x78\x01").unwrap(), Form::Ttlv);
        assert_eq!(recognise(b"42 00 78\n01").unwrap(), Form::TtlvHex);
        assert_eq!(recognise(b"42007z").unwrap(), Form::TtlvHex);
        assert_eq!(recognise(b" <a/>").unwrap_err().exit, Exit::Undecodable);
    }
}
