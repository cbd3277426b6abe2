//! What opaque data means: bytes to text and back, each only where the way back gives the same.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::OpaqueForm;

impl OpaqueForm {
    /// The text of opaque bytes; `None` when they are not of this form, so that bytes should stay bytes.
    ///
    /// Text and what goes by type is UTF-8; a digest or an embedded document mostly is not.
    ///
    /// ```
    /// use bindery_wbxml::OpaqueForm;
    ///
    /// let bytes = [0x19, 0x99, 0x06, 0x25, 0x15, 0x23, 0x15];
    /// assert_eq!(OpaqueForm::DateTime.to_text(&bytes).as_deref(), Some("1999-06-25T15:23:15Z"));
    /// ```
    pub fn to_text(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Text | Self::ByType => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Base64 => Some(Cow::Owned(STANDARD.encode(bytes))),
            Self::DateTime => date_time(bytes).map(Cow::Owned),
            Self::WvDateTime => wv_date_time(bytes).map(Cow::Owned),
            Self::WvInteger => wv_integer(bytes).map(Cow::Owned),
        }
    }

    /// The opaque bytes of a text; `None` when it is not of this form, so that it should stay text. The bytes are the
    /// shortest that stand for it.
    ///
    /// ```
    /// use bindery_wbxml::OpaqueForm;
    ///
    /// let bytes = OpaqueForm::DateTime.to_opaque("1999-06-30T00:00:00Z");
    /// assert_eq!(bytes, Some(vec![0x19, 0x99, 0x06, 0x30]));
    /// ```
    pub fn to_opaque(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Text | Self::ByType => text.as_bytes().to_vec(),
            Self::Base64 => STANDARD.decode(text).ok()?,
            Self::DateTime => date_time_bytes(text)?,
            Self::WvDateTime => wv_date_time_bytes(text)?,
            Self::WvInteger => wv_integer_bytes(text)?,
        };
        (self.to_text(&bytes)? == text).then_some(bytes)
    }
}

/// Two decimal digits of a byte.
fn digits(byte: u8) -> Option<[char; 2]> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 10);
    Some([digit(byte >> 4)?, digit(byte & 0x0F)?])
}

/// `1999-06-25T15:23:15Z` of up to seven bytes; missing ones at the end are zero (SI 1.0, section 8.2.2).
fn date_time(bytes: &[u8]) -> Option<String> {
    if !(4..=7).contains(&bytes.len()) {
        return None;
    }
    let mut text = String::with_capacity(20);
    for at in 0..7 {
        text.push_str(["", "", "-", "-", "T", ":", ":"].get(at)?);
        text.extend(digits(bytes.get(at).copied().unwrap_or(0))?);
    }
    text.push('Z');
    Some(text)
}

fn date_time_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != 7 || !rest.is_empty() {
        return None;
    }
    let mut bytes: Vec<u8> =
        pairs.iter().map(|[high, low]| (high & 0x0F) << 4 | (low & 0x0F)).collect();
    // The date itself is always there.
    while bytes.len() > 4 && bytes.last() == Some(&0) {
        bytes.pop();
    }
    Some(bytes)
}

/// The places of year, month, day, hour, minute and second in six bytes: the lowest bit and how many.
const WV_FIELDS: [(u32, u32); 6] = [(34, 12), (30, 4), (25, 5), (20, 5), (14, 6), (8, 6)];

/// `20011019T095031Z` of six bytes: two bits of zero, fields of bits, and a letter for the time zone (Wireless Village
/// CSP Data Types 1.1, section 4.2).
fn wv_date_time(bytes: &[u8]) -> Option<String> {
    let word = bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let zone = char::from(*bytes.last()?);
    if bytes.len() != 6 || word >> 46 != 0 || !zone.is_ascii_uppercase() || zone == 'J' {
        return None;
    }
    let [year, month, day, hour, minute, second] =
        WV_FIELDS.map(|(low, bits)| word >> low & ((1 << bits) - 1));
    Some(format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{zone}"))
}

fn wv_date_time_bytes(text: &str) -> Option<Vec<u8>> {
    let zone = text.bytes().last()?;
    let mut word = u64::from(zone);
    let places = [(0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15)];
    for ((from, to), (low, bits)) in places.into_iter().zip(WV_FIELDS) {
        let value: u64 = text.get(from..to)?.parse().ok()?;
        if value >> bits != 0 {
            return None;
        }
        word |= value << low;
    }
    let [_, _, bytes @ ..] = word.to_be_bytes();
    Some(bytes.to_vec())
}

/// A number of one to four bytes (Wireless Village CSP Data Types 1.1, section 4.1).
fn wv_integer(bytes: &[u8]) -> Option<String> {
    if !(1..=4).contains(&bytes.len()) {
        return None;
    }
    Some(bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)).to_string())
}

fn wv_integer_bytes(text: &str) -> Option<Vec<u8>> {
    let number: u32 = text.parse().ok()?;
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::OpaqueForm;

    #[test]
    fn forms_and_back() {
        for (form, text, bytes) in [
            (OpaqueForm::Text, "abc", &b"abc"[..]),
            (OpaqueForm::Base64, "AAEC/w==", &[0, 1, 2, 0xFF]),
            (OpaqueForm::Base64, "", &[]),
            (OpaqueForm::DateTime, "2002-04-16T06:40:00Z", &[0x20, 0x02, 0x04, 0x16, 0x06, 0x40]),
            (OpaqueForm::DateTime, "1999-06-30T00:00:00Z", &[0x19, 0x99, 0x06, 0x30]),
            (OpaqueForm::DateTime, "2000-01-01T00:00:01Z", &[0x20, 0, 0x01, 0x01, 0, 0, 0x01]),
            // 00 011111010001 1010 10011 01001 110010 011111 01011010
            (OpaqueForm::WvDateTime, "20011019T095031Z", &[0x1F, 0x46, 0xA6, 0x9C, 0x9F, 0x5A]),
            (OpaqueForm::WvInteger, "200", &[0xC8]),
            (OpaqueForm::WvInteger, "0", &[0]),
            (OpaqueForm::WvInteger, "4294967295", &[0xFF, 0xFF, 0xFF, 0xFF]),
        ] {
            assert_eq!(form.to_text(bytes).as_deref(), Some(text), "{form:?}");
            assert_eq!(form.to_opaque(text).as_deref(), Some(bytes), "{form:?} {text}");
        }
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        for (form, text) in [
            (OpaqueForm::Base64, "AAEC/w"),
            (OpaqueForm::Base64, "AAEC/w==\n"),
            (OpaqueForm::Base64, "AAEC/x=="),
            (OpaqueForm::DateTime, "1999-06-30"),
            (OpaqueForm::DateTime, "1999-06-30 00:00:00Z"),
            (OpaqueForm::DateTime, "19990630T000000Z"),
            (OpaqueForm::WvDateTime, "20011019T095031"),
            (OpaqueForm::WvDateTime, "2001-10-19T09:50"),
            (OpaqueForm::WvDateTime, "20011019T095031J"),
            (OpaqueForm::WvDateTime, "20011719T095031Z"),
            (OpaqueForm::WvInteger, "007"),
            (OpaqueForm::WvInteger, "+7"),
            (OpaqueForm::WvInteger, "4294967296"),
        ] {
            assert_eq!(form.to_opaque(text), None, "{form:?} {text}");
        }
        for (form, bytes) in [
            (OpaqueForm::Text, &[0xC0, 0x80][..]),
            (OpaqueForm::DateTime, &[0x19, 0x99, 0x06]),
            (OpaqueForm::DateTime, &[0x19, 0x99, 0x0A, 0x01]),
            (OpaqueForm::DateTime, &[0; 8]),
            (OpaqueForm::WvDateTime, &[0xFF; 6]),
            (OpaqueForm::WvInteger, &[]),
            (OpaqueForm::WvInteger, &[0; 5]),
        ] {
            assert_eq!(form.to_text(bytes), None, "{form:?}");
        }
    }
}
