//! Character sets of strings, by MIBenum (IANA Character Sets registry; WBXML 1.3, section 5.6).

use std::borrow::Cow;
use std::fmt;

/// A character set that strings are read and written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Charset {
    /// MIBenum 106, and the default where a document names none.
    #[default]
    Utf8,
    /// MIBenum 3.
    UsAscii,
    /// MIBenum 4.
    Iso8859_1,
    /// MIBenum 1015: each string may begin with a byte order mark, else big endian; written big endian without a mark.
    Utf16,
    /// MIBenum 1013: big endian.
    Utf16Be,
    /// MIBenum 1014: little endian.
    Utf16Le,
    /// MIBenum 1000, ISO-10646-UCS-2: two bytes a character, big endian; what they lack is no string.
    Ucs2,
}

/// Character sets with a number and a name of which this library knows no more.
const REFUSED: [(u32, &str); 26] = [
    (5, "ISO-8859-2"),
    (6, "ISO-8859-3"),
    (7, "ISO-8859-4"),
    (8, "ISO-8859-5"),
    (9, "ISO-8859-6"),
    (10, "ISO-8859-7"),
    (11, "ISO-8859-8"),
    (12, "ISO-8859-9"),
    (13, "ISO-8859-10"),
    (17, "Shift_JIS"),
    (18, "EUC-JP"),
    (36, "KS_C_5601-1987"),
    (38, "EUC-KR"),
    (39, "ISO-2022-JP"),
    (111, "ISO-8859-15"),
    (113, "GBK"),
    (114, "GB18030"),
    (1001, "ISO-10646-UCS-4"),
    (1012, "UTF-7"),
    (1017, "UTF-32"),
    (2025, "GB2312"),
    (2026, "Big5"),
    (2084, "KOI8-R"),
    (2250, "windows-1250"),
    (2251, "windows-1251"),
    (2252, "windows-1252"),
];

impl Charset {
    /// The character set of a number; `None` for 0 ("unknown") and for those that this library does not read.
    pub const fn from_mib(number: u32) -> Option<Self> {
        Some(match number {
            3 => Self::UsAscii,
            4 => Self::Iso8859_1,
            106 => Self::Utf8,
            1000 => Self::Ucs2,
            1013 => Self::Utf16Be,
            1014 => Self::Utf16Le,
            1015 => Self::Utf16,
            _ => return None,
        })
    }

    /// The number.
    pub const fn mib(self) -> u32 {
        match self {
            Self::UsAscii => 3,
            Self::Iso8859_1 => 4,
            Self::Utf8 => 106,
            Self::Ucs2 => 1000,
            Self::Utf16Be => 1013,
            Self::Utf16Le => 1014,
            Self::Utf16 => 1015,
        }
    }

    /// The preferred MIME name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsAscii => "US-ASCII",
            Self::Iso8859_1 => "ISO-8859-1",
            Self::Utf8 => "UTF-8",
            Self::Ucs2 => "ISO-10646-UCS-2",
            Self::Utf16Be => "UTF-16BE",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16 => "UTF-16",
        }
    }

    /// The name that a number has, read by this library or not.
    pub(crate) fn name_of(number: u32) -> Option<&'static str> {
        let refused = || REFUSED.iter().find(|(mib, _)| *mib == number).map(|(_, name)| *name);
        Self::from_mib(number).map(Self::name).or_else(refused)
    }

    /// Whether a character takes two bytes or four, and the end of a string two.
    const fn is_wide(self) -> bool {
        matches!(self, Self::Utf16 | Self::Utf16Be | Self::Utf16Le | Self::Ucs2)
    }

    /// How many bytes end a string.
    #[inline]
    pub(crate) const fn terminator(self) -> usize {
        if self.is_wide() { 2 } else { 1 }
    }

    /// The length of the string that begins here, without its end; `None` if it does not end.
    #[inline]
    pub(crate) fn length(self, data: &[u8]) -> Option<usize> {
        if !self.is_wide() {
            return memchr::memchr(0, data);
        }
        data.chunks_exact(2).position(|unit| unit == [0, 0]).map(|units| units * 2)
    }

    /// The text of a string without its end; `None` if its bytes are none of this character set.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::UsAscii if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::UsAscii => None,
            Self::Iso8859_1 => Some(match std::str::from_utf8(bytes) {
                Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
                _ => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
            }),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Self::Ucs2 => {
                utf16(bytes, u16::from_be_bytes).filter(|text| text.chars().all(|c| self.holds(c)))
            }
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes),
            Self::Utf16 => match bytes {
                [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
                [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
                _ => utf16(bytes, u16::from_be_bytes),
            },
        }
    }

    /// Whether a string can hold the character; U+0000 would end it.
    pub(crate) const fn holds(self, c: char) -> bool {
        match self {
            _ if c == '\0' => false,
            Self::UsAscii => c.is_ascii(),
            Self::Iso8859_1 => (c as u32) < 0x100,
            Self::Ucs2 => (c as u32) < 0x1_0000,
            Self::Utf8 | Self::Utf16 | Self::Utf16Be | Self::Utf16Le => true,
        }
    }

    /// Appends text, of which it [`holds`](Self::holds) every character, without an end.
    pub(crate) fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 | Self::UsAscii => out.extend_from_slice(text.as_bytes()),
            Self::Iso8859_1 => {
                out.extend(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
            }
            Self::Utf16 if text.starts_with(['\u{FEFF}', '\u{FFFE}']) => {
                // The first would be taken for a mark of the order: write the mark as well.
                out.extend_from_slice(&[0xFE, 0xFF]);
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16 | Self::Utf16Be | Self::Ucs2 => {
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }
}

/// `UTF-8`.
impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'static, str>> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let text: Result<String, _> =
        char::decode_utf16(units.iter().map(|pair| unit(*pair))).collect();
    text.ok().map(Cow::Owned)
}
