//! The tokens of JSON (RFC 8259), borrowed, one after the other.

use std::borrow::Cow;

/// A token. Strings and numbers are as they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    Colon,
    Comma,
    /// What stands between the quotes; its escapes are checked.
    Text(&'t str),
    Number(&'t str),
    Truth(bool),
    Null,
}

/// What is wrong at a place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// Goes through a text.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Where the last token begins.
    begin: usize,
}

impl<'t> Tokens<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0, begin: 0 }
    }

    /// Where the last token begins, in octets.
    pub(super) const fn begin(&self) -> usize {
        self.begin
    }

    /// The next token; `None` at the end of the text.
    pub(super) fn next_token(&mut self) -> Result<Option<Token<'t>>, Wrong> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.begin = self.at + (rest.len() - trimmed.len());
        let Some(&first) = trimmed.as_bytes().first() else {
            self.at = self.begin;
            return Ok(None);
        };
        let (token, length) = match first {
            b'{' => (Token::BeginObject, 1),
            b'}' => (Token::EndObject, 1),
            b'[' => (Token::BeginArray, 1),
            b']' => (Token::EndArray, 1),
            b':' => (Token::Colon, 1),
            b',' => (Token::Comma, 1),
            b'"' => {
                let inside = self.string(trimmed)?;
                (Token::Text(inside), inside.len() + 2)
            }
            b'-' | b'0'..=b'9' => {
                let number = number(trimmed);
                if !is_number(number) {
                    return Err(self.wrong("no number of JSON"));
                }
                (Token::Number(number), number.len())
            }
            _ if trimmed.starts_with("true") => (Token::Truth(true), 4),
            _ if trimmed.starts_with("false") => (Token::Truth(false), 5),
            _ if trimmed.starts_with("null") => (Token::Null, 4),
            _ => return Err(self.wrong("no value of JSON begins like this")),
        };
        self.at = self.begin + length;
        Ok(Some(token))
    }

    const fn wrong(&self, what: &'static str) -> Wrong {
        Wrong { at: self.begin, what }
    }

    /// What stands between the quotes of a string.
    fn string(&self, text: &'t str) -> Result<&'t str, Wrong> {
        let bytes = text.as_bytes();
        let mut at = 1;
        loop {
            at += plain(bytes.get(at..).unwrap_or_default());
            let wrong = |what| Wrong { at: self.begin + at, what };
            match bytes.get(at) {
                None => return Err(self.wrong("a string without its end")),
                Some(b'"') => return Ok(text.get(1..at).unwrap_or_default()),
                Some(b'\\') => {
                    at += escape(bytes.get(at + 1..).unwrap_or_default()).map_err(wrong)?;
                }
                Some(_) => {
                    return Err(wrong("a control character in a string; write it as \\u00XX"));
                }
            }
        }
    }
}

/// How many octets at the beginning stand for themselves: by blocks, of which the compiler compares all octets at once.
fn plain(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let ends = |byte: u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let whole = blocks.iter().take_while(|b| !b.iter().fold(false, |any, &it| any | ends(it)));
    let at = BLOCK * whole.count();
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| ends(byte)).unwrap_or(rest.len())
}

/// The length of an escape, from what stands behind its backslash.
fn escape(rest: &[u8]) -> Result<usize, &'static str> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Ok(2),
        [b'u', digits @ ..] => match digits.get(..4) {
            Some(four) if four.iter().all(u8::is_ascii_hexdigit) => Ok(6),
            _ => Err("an escape \\u without four digits"),
        },
        _ => Err("an escape that JSON does not have"),
    }
}

fn number(text: &str) -> &str {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// RFC 8259, section 6.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// A string's characters, from what stands between its quotes. `None` for half of a surrogate pair.
pub(super) fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let mut chars = escape.chars();
        let c = match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (c, length) = code(escape)?;
                text.push(c);
                rest = escape.get(length..)?;
                continue;
            }
            c => c,
        };
        text.push(c);
        rest = chars.as_str();
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// The character of `uXXXX` or `uXXXX\uXXXX`, and how much of the text that is.
fn code(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u32::from_str_radix(escape.get(at..at + 4)?, 16).ok();
    let high = unit(1)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high)?, 5));
    }
    let low = escape.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7))?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    Some((char::from_u32(code)?, 11))
}

#[cfg(test)]
mod tests {
    use super::{Token, Tokens, is_number, unescape};

    fn all(text: &str) -> Result<Vec<Token<'_>>, (usize, &'static str)> {
        let mut tokens = Tokens::new(text);
        let mut found = Vec::new();
        while let Some(token) = tokens.next_token().map_err(|wrong| (wrong.at, wrong.what))? {
            found.push(token);
        }
        Ok(found)
    }

    #[test]
    fn tokens() {
        use Token::{
            BeginArray, BeginObject, Colon, Comma, EndArray, EndObject, Null, Text, Truth,
        };
        let found = all(" {\"a\\\"\":[true,false ,null]}\r\n").unwrap();
        let expected = [
            BeginObject,
            Text("a\\\""),
            Colon,
            BeginArray,
            Truth(true),
            Comma,
            Truth(false),
            Comma,
            Null,
            EndArray,
            EndObject,
        ];
        assert_eq!(found, expected);
        assert_eq!(all("-12.5e+3 0").unwrap(), [Token::Number("-12.5e+3"), Token::Number("0")]);
    }

    #[test]
    fn numbers() {
        for good in ["0", "-0", "10", "1.5", "1e9", "1E-9", "-0.0e+0"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".5", "1e", "1e+", "1-2", "--1", "+1", "1.5.5"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape("plain").unwrap(), "plain");
        assert_eq!(unescape("\\\"\\\\\\/\\b\\f\\n\\r\\t").unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(unescape("a\\u00e9b\\uD83D\\uDE00c").unwrap(), "a\u{e9}b\u{1f600}c");
        for half in ["\\uD83D", "\\uD83Dx", "\\uD83D\\n", "\\uD83D\\u0041", "\\uDE00"] {
            assert_eq!(unescape(half), None, "{half}");
        }
    }

    #[test]
    fn faults_have_a_place() {
        assert_eq!(all("  x").unwrap_err().0, 2);
        assert_eq!(all("\"a\\x\"").unwrap_err().0, 2);
        assert_eq!(all("\"a\\u12\"").unwrap_err().0, 2);
        assert_eq!(all("\"a\nb\"").unwrap_err().0, 2);
        assert_eq!(all(" \"a").unwrap_err().0, 1);
        assert_eq!(all("\"\\").unwrap_err().0, 1);
        assert_eq!(all("[01]").unwrap_err().0, 1);
        assert_eq!(all("truex").unwrap_err().0, 4);
    }
}
