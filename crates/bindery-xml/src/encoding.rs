//! From bytes to characters: byte order marks, the declared encoding, decoding in pieces (XML 1.0, section 4.3.3 and
//! appendix F).

use std::fmt;

use crate::error::{Construct, EncodingFault, ErrorKind, Limit, SyntaxFault, shown};
use crate::options::Options;

/// How many bytes are looked through for the end of the XML declaration.
const HEAD: usize = 1024;

/// An encoding that is read. Writers write UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8 (RFC 3629), also without a declaration.
    Utf8,
    /// US-ASCII.
    UsAscii,
    /// ISO-8859-1: every byte is the character of the same number.
    Iso8859_1,
    /// UTF-16 with the low byte first.
    Utf16Le,
    /// UTF-16 with the high byte first; also what UTF-16 without a byte order mark is (RFC 2781, section 4.3).
    Utf16Be,
}

/// Names and aliases of IANA's registry "Character Sets", in lower case, and the common `utf8`.
const LABELS: [(Encoding, &[&str]); 5] = [
    (Encoding::Utf8, &["utf-8", "csutf8", "utf8"]),
    (
        Encoding::UsAscii,
        &[
            "us-ascii",
            "ascii",
            "csascii",
            "iso646-us",
            "ansi_x3.4-1968",
            "ansi_x3.4-1986",
            "iso_646.irv:1991",
            "iso-ir-6",
            "us",
            "ibm367",
            "cp367",
        ],
    ),
    (
        Encoding::Iso8859_1,
        &[
            "iso-8859-1",
            "iso_8859-1",
            "iso_8859-1:1987",
            "latin1",
            "l1",
            "csisolatin1",
            "iso-ir-100",
            "ibm819",
            "cp819",
        ],
    ),
    (Encoding::Utf16Le, &["utf-16le", "csutf16le"]),
    (Encoding::Utf16Be, &["utf-16be", "csutf16be", "utf-16", "csutf16"]),
];

impl Encoding {
    /// The encoding of an IANA name or alias, in any case. `UTF-16` is [`Utf16Be`](Self::Utf16Be) as far as no byte
    /// order mark says otherwise.
    pub fn from_label(label: &str) -> Option<Self> {
        let known = |name: &&str| label.eq_ignore_ascii_case(name);
        LABELS.iter().find(|(_, labels)| labels.iter().any(known)).map(|(e, _)| *e)
    }

    /// IANA's preferred name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::UsAscii => "US-ASCII",
            Self::Iso8859_1 => "ISO-8859-1",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        }
    }

    const fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// How many bytes a text has in this encoding.
    pub(crate) fn length_of(self, text: &str) -> usize {
        match self {
            Self::Utf8 | Self::UsAscii => text.len(),
            Self::Iso8859_1 => text.chars().count(),
            Self::Utf16Le | Self::Utf16Be => text.chars().map(|c| c.len_utf16() * 2).sum(),
        }
    }

    /// Appends the characters at the start of `bytes`; how many bytes they were. What is left is incomplete, or wrong
    /// at its first character.
    fn decode(self, bytes: &[u8], text: &mut String) -> (usize, bool) {
        match self {
            Self::Utf8 => {
                let (valid, wrong) = utf8(bytes);
                text.push_str(valid);
                (valid.len(), wrong)
            }
            Self::UsAscii => {
                let valid = ascii(bytes);
                text.push_str(valid);
                (valid.len(), valid.len() < bytes.len())
            }
            Self::Iso8859_1 => {
                text.extend(bytes.iter().map(|b| char::from(*b)));
                (bytes.len(), false)
            }
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes, text),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes, text),
        }
    }

    /// The whole characters at the start of the bytes, where they are UTF-8 as they stand.
    pub(crate) fn borrowed(self, bytes: &[u8]) -> Option<(&str, bool)> {
        match self {
            Self::Utf8 => Some(utf8(bytes)),
            Self::UsAscii => Some((ascii(bytes), !bytes.is_ascii())),
            _ => None,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The valid start, and whether what follows can never become valid.
fn utf8(bytes: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(valid).unwrap_or_default(), error.error_len().is_some())
        }
    }
}

fn ascii(bytes: &[u8]) -> &str {
    let length = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(bytes.len());
    bytes.get(..length).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, text: &mut String) -> (usize, bool) {
    let mut used = 0;
    let mut units = bytes.chunks_exact(2).filter_map(|b| b.try_into().ok()).map(unit);
    while let Some(first) = units.next() {
        let second = match first {
            0xD800..=0xDBFF => match units.next() {
                Some(second) => Some(second),
                None => return (used, false),
            },
            _ => None,
        };
        match char::decode_utf16(std::iter::once(first).chain(second)).next() {
            Some(Ok(c)) => {
                text.push(c);
                used += c.len_utf16() * 2;
            }
            _ => return (used, true),
        }
    }
    (used, false)
}

/// What the first bytes say: the encoding, and the length of the byte order mark.
pub(crate) type Detected = (Encoding, usize);

/// The encoding of a document that begins with these bytes; nothing when more of them are needed to tell.
pub(crate) fn detect(
    bytes: &[u8],
    finished: bool,
    options: &Options,
) -> Result<Option<Detected>, ErrorKind> {
    if bytes.len() < 4 && !finished {
        return Ok(None);
    }
    let (family, mark) = match bytes {
        [0, 0, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0, 0, ..]
        | [0, 0, 0, b'<', ..]
        | [b'<', 0, 0, 0, ..] => {
            return Err(unsupported("UTF-32"));
        }
        [0x4C, 0x6F, 0xA7, 0x94, ..] => return Err(unsupported("EBCDIC")),
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
        [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
        [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
        [b'<', 0, ..] => (Encoding::Utf16Le, 0),
        [0, b'<', ..] => (Encoding::Utf16Be, 0),
        _ => (Encoding::Utf8, 0),
    };
    if let Some(outer) = options.encoding {
        let same = outer.is_utf16() == family.is_utf16();
        // A mark says which UTF-16 it is; one of another family is for the reader to refuse as a character.
        let encoding = if same && outer.is_utf16() && mark > 0 { family } else { outer };
        let skipped = if same && (outer.is_utf16() || outer == Encoding::Utf8) { mark } else { 0 };
        return Ok(Some((encoding, skipped)));
    }
    match label(bytes.get(mark..).unwrap_or_default(), family, finished) {
        Label::Unknown => Ok(None),
        Label::None => Ok(Some((family, mark))),
        Label::TooLong => {
            let expected = "?> within 1,024 characters";
            Err(SyntaxFault::Prolog { construct: Construct::Declaration, expected }.into())
        }
        Label::Named(name) => named(&name, family, mark, options).map(|found| Some((found, mark))),
    }
}

fn unsupported(name: &str) -> ErrorKind {
    EncodingFault::Unsupported { name: shown(name) }.into()
}

/// The declared encoding, when it fits the first bytes.
fn named(
    name: &str,
    family: Encoding,
    mark: usize,
    options: &Options,
) -> Result<Encoding, ErrorKind> {
    let declared = Encoding::from_label(name).ok_or_else(|| unsupported(name))?;
    let generic = name.eq_ignore_ascii_case("utf-16") || name.eq_ignore_ascii_case("csutf16");
    let fits = match (declared.is_utf16(), family.is_utf16()) {
        (true, true) => generic || declared == family,
        (false, false) => mark == 0 || declared == Encoding::Utf8,
        _ => false,
    };
    if fits {
        return Ok(if family.is_utf16() { family } else { declared });
    }
    if declared.is_utf16() && !family.is_utf16() && options.tolerance.utf16_label {
        return Ok(Encoding::Utf8);
    }
    Err(EncodingFault::Contradiction { declared: shown(name), found: family }.into())
}

enum Label {
    /// More bytes are needed.
    Unknown,
    None,
    /// The declaration does not end where one is looked for.
    TooLong,
    Named(String),
}

/// The encoding's name in the XML declaration. Whether the declaration is well-formed is checked when it is read.
fn label(bytes: &[u8], family: Encoding, finished: bool) -> Label {
    const OPENING: &str = "<?xml";
    let width = if family.is_utf16() { 2 } else { 1 };
    let low = usize::from(family == Encoding::Utf16Be);
    let mut head = String::new();
    for unit in bytes.chunks_exact(width).take(HEAD) {
        let c = match unit.get(low).or_else(|| unit.first()) {
            Some(b) if b.is_ascii() && (width == 1 || unit.contains(&0)) => char::from(*b),
            _ => '\u{FFFD}',
        };
        head.push(c);
        // No declaration goes on behind it, and nothing else is looked for.
        if c == '>' {
            break;
        }
    }
    let full = head.chars().count() == HEAD;
    let complete = finished || full;
    let space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    // White space tells the declaration from an instruction whose target begins with the same letters.
    match head.strip_prefix(OPENING).map(|rest| rest.starts_with(space)) {
        Some(true) => {}
        Some(false) if head.len() > OPENING.len() || complete => return Label::None,
        None if complete || !OPENING.starts_with(&head) => return Label::None,
        _ => return Label::Unknown,
    }
    let inside = match head.split_once('>') {
        Some((inside, _)) => inside,
        None if full => return Label::TooLong,
        None if finished => return Label::None,
        None => return Label::Unknown,
    };
    let value = inside.split_once("encoding").and_then(|(_, rest)| {
        let rest = rest.trim_start_matches(space).strip_prefix('=')?.trim_start_matches(space);
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split_once(quote)
    });
    value.map_or(Label::None, |(name, _)| Label::Named(name.to_owned()))
}

/// Decodes a document that arrives in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    /// The first bytes, as long as the encoding is not known.
    head: Vec<u8>,
    detected: Option<Detected>,
    /// The start of a character whose end has not arrived.
    rest: Vec<u8>,
    /// Bytes taken.
    total: u64,
    fault: Option<ErrorKind>,
}

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self { head: Vec::new(), detected: None, rest: Vec::new(), total: 0, fault: None }
    }

    pub(crate) const fn detected(&self) -> Option<Detected> {
        self.detected
    }

    /// What is wrong behind the characters that were decoded.
    pub(crate) const fn fault(&self) -> Option<&ErrorKind> {
        self.fault.as_ref()
    }

    /// Decodes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], options: &Options, text: &mut String) {
        if self.fault.is_some() {
            return;
        }
        let maximum = options.limits.document_length;
        let left = usize::try_from(maximum.saturating_sub(self.total)).unwrap_or(usize::MAX);
        let allowed = bytes.get(..left).unwrap_or(bytes);
        self.total = self.total.saturating_add(u64::try_from(allowed.len()).unwrap_or(u64::MAX));
        let cut = allowed.len() < bytes.len();
        self.take(allowed, cut, options, text);
        if cut && self.fault.is_none() {
            self.fault = Some(ErrorKind::Limit { limit: Limit::DocumentLength, maximum });
        }
    }

    /// The document has ended.
    pub(crate) fn finish(&mut self, options: &Options, text: &mut String) {
        if self.fault.is_some() {
            return;
        }
        self.take(&[], true, options, text);
        if let (false, None, Some((encoding, _))) =
            (self.rest.is_empty(), &self.fault, self.detected)
        {
            self.fault = Some(EncodingFault::Invalid { encoding }.into());
        }
    }

    fn take(&mut self, bytes: &[u8], last: bool, options: &Options, text: &mut String) {
        if let Some((encoding, _)) = self.detected {
            self.decode(encoding, bytes, text);
            return;
        }
        self.head.extend_from_slice(bytes);
        match detect(&self.head, last, options) {
            Ok(None) => {}
            Ok(Some((encoding, mark))) => {
                self.detected = Some((encoding, mark));
                let head = std::mem::take(&mut self.head);
                self.decode(encoding, head.get(mark..).unwrap_or_default(), text);
            }
            Err(fault) => {
                self.head = Vec::new();
                self.fault = Some(fault);
            }
        }
    }

    fn decode(&mut self, encoding: Encoding, bytes: &[u8], text: &mut String) {
        let wrong = if self.rest.is_empty() {
            let (used, wrong) = encoding.decode(bytes, text);
            self.rest.extend_from_slice(bytes.get(used..).unwrap_or_default());
            wrong
        } else {
            self.rest.extend_from_slice(bytes);
            let rest = std::mem::take(&mut self.rest);
            let (used, wrong) = encoding.decode(&rest, text);
            self.rest.extend_from_slice(rest.get(used..).unwrap_or_default());
            wrong
        };
        if wrong {
            self.rest = Vec::new();
            self.fault = Some(EncodingFault::Invalid { encoding }.into());
        }
    }
}
