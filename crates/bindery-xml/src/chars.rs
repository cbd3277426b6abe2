//! Characters and names (XML 1.0, productions 2 to 5; Namespaces in XML 1.0, productions 4 to 11).

/// S (production 3).
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Char (production 2).
pub(crate) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The first character of the text that is no Char, with its offset.
pub(crate) fn forbidden(text: &str) -> Option<(usize, char)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        at += run(rest, CONTROL);
        match bytes.get(at..)? {
            [] => return None,
            [0xEF, ..] if !is_noncharacter(bytes.get(at..)?) => at += 1,
            _ => return Some((at, text.get(at..)?.chars().next()?)),
        }
    }
}

/// Whether U+FFFE or U+FFFF stands at the start, which are no Char.
pub(crate) const fn is_noncharacter(bytes: &[u8]) -> bool {
    matches!(bytes, [0xEF, 0xBF, 0xBE | 0xBF, ..])
}

/// S.
pub(crate) const SPACE: u8 = 1;
/// The ASCII characters that begin an NCName.
pub(crate) const NAME_START: u8 = 1 << 1;
/// The ASCII characters of an NCName.
pub(crate) const NAME: u8 = 1 << 2;
/// Control characters that are no Char, and the first byte of those characters beyond ASCII that are none.
pub(crate) const CONTROL: u8 = 1 << 3;
/// The same, and what ends text, is replaced in it, or may not stand in it: `<`, `&`, CR, `>`.
pub(crate) const MARKUP: u8 = 1 << 4;
/// The same as `CONTROL`, and what ends an attribute's value or is replaced in it: quotes, `<`, `&`, tab, CR, LF.
pub(crate) const VALUE: u8 = 1 << 5;

#[expect(clippy::indexing_slicing, reason = "by a byte, when this is compiled")]
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        let mut class = 0;
        if is_space(byte) {
            class |= SPACE;
        }
        if byte.is_ascii_alphabetic() || byte == b'_' {
            class |= NAME_START | NAME;
        }
        if byte.is_ascii_digit() || byte == b'-' || byte == b'.' {
            class |= NAME;
        }
        if stops(byte, CONTROL) {
            class |= CONTROL;
        }
        if stops(byte, MARKUP) {
            class |= MARKUP;
        }
        if stops(byte, VALUE) {
            class |= VALUE;
        }
        classes[byte as usize] = class;
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

/// What a byte is, as bits.
#[inline(always)]
pub(crate) fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether a byte is of one of the three classes at which [`run`] stops. Without branches: blocks of bytes are looked
/// at at once.
#[inline(always)]
const fn stops(byte: u8, class: u8) -> bool {
    let control = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let suspect = control | (byte == 0xEF);
    match class {
        MARKUP => suspect | (byte == b'<') | (byte == b'&') | (byte == b'>') | (byte == b'\r'),
        VALUE => {
            let quote = (byte == b'"') | (byte == b'\'');
            (byte < 0x20) | (byte == 0xEF) | quote | (byte == b'<') | (byte == b'&')
        }
        _ => suspect,
    }
}

/// How many bytes at the start are not of this class: `CONTROL`, `MARKUP` or `VALUE`.
#[inline]
pub(crate) fn run(bytes: &[u8], stop: u8) -> usize {
    // Most runs are short.
    for (at, byte) in bytes.iter().take(SHORT).enumerate() {
        if class(*byte) & stop != 0 {
            return at;
        }
    }
    if bytes.len() <= SHORT {
        return bytes.len();
    }
    match stop {
        MARKUP => long_run::<MARKUP>(bytes),
        VALUE => long_run::<VALUE>(bytes),
        _ => long_run::<CONTROL>(bytes),
    }
}

const SHORT: usize = 16;

/// The same behind the first bytes, which are not of the class.
fn long_run<const STOP: u8>(bytes: &[u8]) -> usize {
    let rest = bytes.get(SHORT..).unwrap_or_default();
    let (blocks, _) = rest.as_chunks::<32>();
    // A block of fixed length is looked at at once.
    let clean =
        |block: &&[u8; 32]| !block.iter().fold(false, |found, byte| found | stops(*byte, STOP));
    let from = 32 * blocks.iter().take_while(clean).count();
    let rest = rest.get(from..).unwrap_or_default();
    let inside = rest.iter().position(|byte| class(*byte) & STOP != 0);
    SHORT + from + inside.unwrap_or(rest.len())
}

const fn is_name_start(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// How many bytes at the start of the text are an NCName; 0 when it begins with none.
fn ncname(text: &str) -> usize {
    let mut end = 0;
    for &byte in text.as_bytes() {
        let inner = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_');
        if !(inner || (end > 0 && matches!(byte, b'-' | b'.' | b'0'..=b'9'))) {
            break;
        }
        end += 1;
    }
    let rest = text.get(end..).unwrap_or_default();
    for c in rest.chars() {
        if !(if end == 0 { is_name_start(c) } else { is_name_char(c) }) {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// A qualified name at the start of a text: the bytes of its prefix (0 without one) and of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QName {
    pub(crate) prefix: usize,
    pub(crate) length: usize,
}

/// Reads a qualified name (QName) at the start of the text.
pub(crate) fn qname(text: &str) -> Option<QName> {
    let first = ncname(text);
    if first == 0 {
        return None;
    }
    if text.as_bytes().get(first) != Some(&b':') {
        return Some(QName { prefix: 0, length: first });
    }
    let second = ncname(text.get(first + 1..)?);
    (second > 0).then_some(QName { prefix: first, length: first + 1 + second })
}

/// Whether the whole text is a qualified name.
pub(crate) fn whole_qname(text: &str) -> Option<QName> {
    qname(text).filter(|name| name.length == text.len())
}

/// Whether the whole text is a name without a colon.
pub(crate) fn is_ncname(text: &str) -> bool {
    !text.is_empty() && ncname(text) == text.len()
}

/// PubidChar (production 13).
pub(crate) fn is_public(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(&byte)
}
