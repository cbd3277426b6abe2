//! Distinguished names as text (RFC 4514).

use std::fmt::Write as _;

use x509_parser::{
    asn1_rs::{Any, SerializeError, ToDer as _},
    oid_registry::{OID_X509_COMMON_NAME, Oid},
    x509::{AttributeTypeAndValue, X509Name},
};

/// The attribute types that RFC 4514, section 3, writes by name. Every other type is written as
/// its dotted number, and its value as `#` and the hexadecimal digits of its BER form.
const NAMES: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The longest name that is written, in octets: it becomes an account's name, a log field and a
/// database key.
pub(crate) const LIMIT: usize = 1024;

/// A name as RFC 4514 writes it: the most specific part first.
///
/// Two names that differ give two texts, apart from the character set that a value is encoded in.
pub(crate) fn rfc4514(name: &X509Name<'_>) -> Result<String, String> {
    check_whole(name)?;
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for part in parts.into_iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            write_attribute(&mut text, attribute)?;
        }
        if text.len() > LIMIT {
            return Err(format!("its name is longer than {LIMIT} octets"));
        }
    }
    Ok(text)
}

/// The one Common Name of a name; nothing where it has none.
pub(crate) fn common_name(name: &X509Name<'_>) -> Result<Option<String>, String> {
    check_whole(name)?;
    let mut found = name.iter_attributes().filter(|a| a.attr_type() == &OID_X509_COMMON_NAME);
    let value = match (found.next(), found.next()) {
        (Some(only), None) => text_of(only.attr_value())
            .ok_or_else(|| "its Common Name is no readable text".to_owned())?,
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err("its subject has more than one Common Name".into()),
    };
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err("its Common Name is empty or has control characters".into());
    }
    if value.len() > LIMIT {
        return Err(format!("its Common Name is longer than {LIMIT} octets"));
    }
    Ok(Some(value))
}

/// Whether nothing of a name was left out when it was read: the parser stops without a word at a
/// part that it cannot read, and what stands behind would not count for who somebody is.
fn check_whole(name: &X509Name<'_>) -> Result<(), String> {
    let broken = |error: SerializeError| format!("its name: {error}");
    let mut parts = Vec::new();
    for part in name.iter_rdn() {
        let mut attributes = Vec::new();
        for attribute in part.iter() {
            let mut pair = attribute.attr_type().to_der_vec().map_err(broken)?;
            pair.extend(attribute.attr_value().to_der_vec().map_err(broken)?);
            attributes.extend(element(0x30, &pair));
        }
        parts.extend(element(0x31, &attributes));
    }
    if element(0x30, &parts) == name.as_raw() {
        Ok(())
    } else {
        Err("its name is not well-formed DER".into())
    }
}

/// A DER element: tag, length in its shortest form, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|octet| **octet == 0).count();
    let digits = length.get(zeros..).unwrap_or_default();
    let mut der = vec![tag];
    match digits {
        [] => der.push(0),
        [short @ ..0x80] => der.push(*short),
        // A usize has at most eight octets.
        long => {
            der.extend(u8::try_from(long.len()).map(|count| 0x80 | count));
            der.extend_from_slice(long);
        }
    }
    der.extend_from_slice(content);
    der
}

fn write_attribute(text: &mut String, part: &AttributeTypeAndValue<'_>) -> Result<(), String> {
    let dotted = dotted(part.attr_type());
    let value = part.attr_value();
    match NAMES.iter().find(|(number, _)| *number == dotted) {
        Some((_, name)) => {
            text.push_str(name);
            text.push('=');
            if let Some(plain) = text_of(value) {
                write_escaped(text, &plain);
                return Ok(());
            }
        }
        None => {
            text.push_str(&dotted);
            text.push('=');
        }
    }
    let der = value.to_der_vec().map_err(|error| format!("a value of its name: {error}"))?;
    text.push('#');
    text.push_str(&super::hex(&der));
    Ok(())
}

fn dotted(oid: &Oid<'_>) -> String {
    oid.to_id_string()
}

/// The text of a value of a string type; `None` for another type or a broken encoding.
fn text_of(value: &Any<'_>) -> Option<String> {
    let octets = value.data;
    let ascii = || octets.is_ascii().then(|| std::str::from_utf8(octets).ok())?;
    match value.tag().0 {
        12 => std::str::from_utf8(octets).ok().map(str::to_owned),
        // NumericString, PrintableString, IA5String, VisibleString
        18 | 19 | 22 | 26 => ascii().map(str::to_owned),
        // BMPString: UTF-16, big endian
        30 if octets.len().is_multiple_of(2) => {
            let units = octets.chunks_exact(2).map(|pair| match *pair {
                [high, low] => u16::from_be_bytes([high, low]),
                _ => 0,
            });
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        _ => None,
    }
}

/// RFC 4514, section 2.4; control characters are written as octets too, so that a name is one line
/// in a log.
fn write_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '#' | ' ' if index == 0 => {
                text.push('\\');
                text.push(c);
            }
            ' ' if index == last => text.push_str("\\ "),
            c if c.is_control() => {
                let mut octets = [0; 4];
                for octet in c.encode_utf8(&mut octets).bytes() {
                    let _ = write!(text, "\\{octet:02X}");
                }
            }
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
