//! Octets in hexadecimal, with key material blanked out.

use std::fmt::Write;

use bindery_ttlv::{HEADER_LENGTH, Options, Tag, Value, Walk};

/// Octets a line.
const LINE: usize = 16;

/// The octets of a message, sixteen a line behind their offset; hidden ones are `**`. A message
/// that cannot be read to its end is hidden from the fault on.
pub(crate) fn dump(message: &[u8], show_secrets: bool) -> String {
    let hidden = if show_secrets { Vec::new() } else { hidden(message) };
    lines(message, &hidden)
}

/// The octets of something that holds no secrets.
pub(crate) fn dump_all(octets: &[u8]) -> String {
    lines(octets, &[])
}

fn lines(message: &[u8], hidden: &[bool]) -> String {
    let mut text = String::with_capacity(message.len() * 4);
    for (line, octets) in message.chunks(LINE).enumerate() {
        let offset = line * LINE;
        // Writing to a String does not fail.
        let _ = write!(text, "{offset:06x} ");
        for (position, octet) in (offset..).zip(octets) {
            let _ = if hidden.get(position).is_some_and(|hidden| *hidden) {
                write!(text, " **")
            } else {
                write!(text, " {octet:02x}")
            };
        }
        text.push('\n');
    }
    text
}

/// For each octet whether it is hidden.
fn hidden(message: &[u8]) -> Vec<bool> {
    let mut hidden = vec![false; message.len()];
    let mut hide = |from: usize, to: usize| {
        let to = to.min(message.len());
        if let Some(octets) = hidden.get_mut(from.min(to)..to) {
            octets.fill(true);
        }
    };
    for visit in Walk::new(message, &Options::LENIENT) {
        match visit {
            Ok(visit) => {
                let item = visit.item;
                let envelope = matches!(item.tag, Tag::KEY_VALUE | Tag::CREDENTIAL_VALUE)
                    && matches!(item.value, Value::Structure(_));
                if item.tag.is_secret() && !envelope {
                    let value = item.offset + HEADER_LENGTH;
                    hide(value, value.saturating_add(length(message, item.offset)));
                }
            }
            // What stands behind a fault could be anything.
            Err(error) => hide(error.offset(), message.len()),
        }
    }
    hidden
}

/// The length field of the item at an offset.
fn length(message: &[u8], offset: usize) -> usize {
    let field = message.get(offset + 4..offset + 8).and_then(|field| field.try_into().ok());
    field.map_or(0, |field| usize::try_from(u32::from_be_bytes(field)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use bindery_ttlv::hex;

    use super::*;

    #[test]
    fn key_material_is_blanked_out() {
        let message = "420045 01 00000010 420043 08 00000008 0102030405060708";
        let message = hex::parse(message).unwrap();
        let shown = dump(&message, true);
        assert!(shown.contains("01 02 03 04 05 06 07 08"), "{shown}");
        let blank = dump(&message, false);
        assert!(!blank.contains("02 03"), "{blank}");
        assert!(blank.ends_with("000010  ** ** ** ** ** ** ** **\n"), "{blank}");
    }

    #[test]
    fn what_cannot_be_read_is_blanked_out() {
        let blank = dump(b"\x42\x00\x43\x08\xff\xff\xff\xffsecret", false);
        assert!(!blank.contains("73"), "{blank}");
    }
}
