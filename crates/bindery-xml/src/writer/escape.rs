//! Escaping, in the forms of Canonical XML 1.0, section 2.3.

use crate::chars::{
    CONTROL, MARKUP, VALUE, class, forbidden, is_ncname, is_noncharacter, run, whole_qname,
};
use crate::error::{Construct, ErrorKind, SyntaxFault};

/// Appends text, up to a character that XML cannot carry.
#[inline]
pub(super) fn text(text: &str, out: &mut Vec<u8>) -> Result<(), ErrorKind> {
    escaped(text, out, MARKUP, |byte| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'\r' => "&#xD;",
        _ => "",
    })
}

/// Appends `="value"`, up to a character that XML cannot carry.
#[inline]
pub(super) fn value(value: &str, out: &mut Vec<u8>) -> Result<(), ErrorKind> {
    out.extend_from_slice(b"=\"");
    escaped(value, out, VALUE, |byte| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'"' => "&quot;",
        b'\t' => "&#x9;",
        b'\n' => "&#xA;",
        b'\r' => "&#xD;",
        _ => "",
    })?;
    out.push(b'"');
    Ok(())
}

#[inline]
fn escaped(
    text: &str,
    out: &mut Vec<u8>,
    stop: u8,
    escape: impl Fn(u8) -> &'static str,
) -> Result<(), ErrorKind> {
    let bytes = text.as_bytes();
    let plain = run(bytes, stop);
    if plain == bytes.len() {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    escaped_from(text, plain, out, stop, escape)
}

/// The same for a text with something else at this place.
fn escaped_from(
    text: &str,
    mut at: usize,
    out: &mut Vec<u8>,
    stop: u8,
    escape: impl Fn(u8) -> &'static str,
) -> Result<(), ErrorKind> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(byte) = bytes.get(at) {
        let replacement = escape(*byte);
        if !replacement.is_empty() {
            out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
            out.extend_from_slice(replacement.as_bytes());
            from = at + 1;
        } else if class(*byte) & CONTROL != 0
            && (*byte != 0xEF || is_noncharacter(bytes.get(at..).unwrap_or_default()))
        {
            let found = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
            return Err(SyntaxFault::Character { found }.into());
        }
        at += 1;
        at += run(bytes.get(at..).unwrap_or_default(), stop);
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(())
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
