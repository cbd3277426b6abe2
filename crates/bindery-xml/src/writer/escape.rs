//! Escaping, in the forms of Canonical XML 1.0, section 2.3.

use crate::chars::{forbidden, is_ncname, whole_qname};
use crate::error::{Construct, ErrorKind, SyntaxFault};

/// Appends text.
pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    escaped(text, out, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Appends `="value"`.
pub(super) fn value(value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"=\"");
    escaped(value, out, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
    out.push(b'"');
}

#[inline]
fn escaped(text: &str, out: &mut Vec<u8>, escape: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(replacement) = escape(*byte) {
            out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            out.extend_from_slice(replacement.as_bytes());
            from = at + 1;
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

/// A document type declaration.
pub(super) fn doctype(
    name: &str,
    public_id: Option<&str>,
    system_id: Option<&str>,
) -> Result<String, ErrorKind> {
    let fault =
        |expected| ErrorKind::from(SyntaxFault::Prolog { construct: Construct::Doctype, expected });
    if whole_qname(name).is_none() && !is_ncname(name) {
        return Err(SyntaxFault::Name.into());
    }
    let Some(system) = system_id else {
        return match public_id {
            None => Ok(format!("<!DOCTYPE {name}>")),
            Some(_) => Err(fault("a system identifier behind the public one")),
        };
    };
    if let Some((_, found)) = forbidden(system) {
        return Err(SyntaxFault::Character { found }.into());
    }
    let quote = if system.contains('"') { '\'' } else { '"' };
    if system.contains(quote) {
        return Err(fault("a system identifier with one kind of quotes"));
    }
    let Some(public) = public_id else {
        return Ok(format!("<!DOCTYPE {name} SYSTEM {quote}{system}{quote}>"));
    };
    if !public.bytes().all(crate::chars::is_public) {
        return Err(fault("a character of public identifiers"));
    }
    Ok(format!("<!DOCTYPE {name} PUBLIC \"{public}\" {quote}{system}{quote}>"))
}
