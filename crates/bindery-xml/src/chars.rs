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
    let mut at = 0;
    // Blocks without control characters and without the first byte of U+FFFE and U+FFFF need no closer look.
    for block in text.as_bytes().chunks(64) {
        let suspect = block.iter().fold(false, |found, &b| {
            found | ((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r')) | (b == 0xEF)
        });
        if suspect {
            let found = block.iter().enumerate().find_map(|(i, _)| {
                let at = at + i;
                let c = text.get(at..)?.chars().next()?;
                (!is_char(c)).then_some((at, c))
            });
            if found.is_some() {
                return found;
            }
        }
        at += block.len();
    }
    None
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
