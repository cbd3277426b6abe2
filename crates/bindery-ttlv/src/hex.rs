//! The hexadecimal form of a message (`ttlv-hex`): what people paste.

use std::fmt;

use thiserror::Error;

/// Why a text is not hexadecimal, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HexError {
    /// A character that is neither a hexadecimal digit nor white space.
    #[error(
        "hex: line {line}, column {column}: {found:?} is no hexadecimal digit; give only 0-9, a-f, A-F and spaces"
    )]
    Digit {
        /// The line, from 1.
        line: usize,
        /// The character in its line, from 1.
        column: usize,
        /// The character.
        found: char,
    },
    /// An odd number of digits.
    #[error(
        "hex: {digits} digits are half a byte too many or too few; every byte needs two digits"
    )]
    Odd {
        /// How many digits the text has.
        digits: usize,
    },
}

/// Reads hexadecimal digits of either case; white space may stand anywhere, also inside a byte.
///
/// # Errors
/// If another character is found, or half a byte is left over.
pub fn parse(text: &str) -> Result<Vec<u8>, HexError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let (mut line, mut column) = (1, 0);
    for found in text.chars() {
        column += 1;
        if found == '\n' {
            (line, column) = (line + 1, 0);
        }
        if found.is_whitespace() {
            continue;
        }
        let digit = found.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digit = digit.ok_or(HexError::Digit { line, column, found })?;
        high = match high {
            None => Some(digit),
            Some(high) => {
                bytes.push(high << 4 | digit);
                None
            }
        };
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(HexError::Odd { digits: 2 * bytes.len() + 1 }),
    }
}

/// Bytes that print as lower-case hexadecimal digits, upper-case with `{:X}`.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(self, f)
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(self, f)
    }
}

impl fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(self.0, b"0123456789abcdef", f)
    }
}

impl fmt::UpperHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(self.0, b"0123456789ABCDEF", f)
    }
}

/// Writes by blocks: a formatter call for every byte would take most of the time.
fn write_digits(bytes: &[u8], digits: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digit = |value: u8| digits.get(usize::from(value & 15)).copied().unwrap_or(b'0');
    for block in bytes.chunks(64) {
        let mut text = [0; 128];
        for (pair, byte) in text.chunks_exact_mut(2).zip(block) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(*byte)]);
        }
        let text = text.get(..2 * block.len()).unwrap_or_default();
        f.write_str(std::str::from_utf8(text).unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Hex, HexError, parse};

    #[test]
    fn reads_and_prints() {
        assert_eq!(parse("42 00\n0D\t02").unwrap(), [0x42, 0x00, 0x0D, 0x02]);
        assert_eq!(parse("4 2").unwrap(), [0x42]);
        assert_eq!(parse(" \r\n").unwrap(), []);
        assert_eq!(format!("{} {:X}", Hex(&[0xAB, 1]), Hex(&[0xAB, 1])), "ab01 AB01");
        let long: Vec<u8> = (0..=255).collect();
        assert_eq!(parse(&Hex(&long).to_string()).unwrap(), long);
    }

    #[test]
    fn says_where() {
        assert_eq!(parse("42\n0é"), Err(HexError::Digit { line: 2, column: 2, found: 'é' }));
        assert_eq!(parse("0x42"), Err(HexError::Digit { line: 1, column: 2, found: 'x' }));
        assert_eq!(parse("42 0"), Err(HexError::Odd { digits: 3 }));
    }
}
