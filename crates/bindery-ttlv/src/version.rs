//! What a message's version does not have, by the registry's first and last versions.

use crate::registry::Row;
use crate::{Error, ErrorKind, Options, ProtocolVersion, Tag, Value, Walk};

/// The newest version whose last rows were taken from the specification's own tables.
const NEWEST: ProtocolVersion = ProtocolVersion::V2_1;

/// Refuses the first item of a message whose tag, enumeration value or mask bit the tables of `version` do not list:
/// one that came later, or that is gone (1.x forms in 2.x, and 2.x forms in 1.x).
///
/// Who writes for an old peer calls it before sending; who wants to know what a peer does wrong, after reading. The
/// typed decoders do not: what is younger than the message survives them. It is one [`Walk`] with look-ups in the
/// registry, and allocates nothing for a message that passes. It does not know in which version a tag that had been
/// there before came into a structure, nor attributes that 1.x names by text. Numbers without a row, such as a
/// vendor's, pass.
///
/// # Errors
/// [`ErrorKind::Version`] with the item's place; or the message is malformed, or passes a limit.
pub fn check_version(
    message: &[u8],
    version: ProtocolVersion,
    options: &Options,
) -> Result<(), Error> {
    for visit in Walk::new(message, options) {
        let item = visit?.item;
        if let Some(kind) = misfit(item.tag, &item.value, version) {
            return Err(Error::new(kind, item.offset).locate(message));
        }
    }
    Ok(())
}

fn misfit(tag: Tag, value: &Value<'_>, version: ProtocolVersion) -> Option<ErrorKind> {
    let kind = |value, row: &Row| {
        let (since, until) = (row.since(), row.until());
        ErrorKind::Version { tag, value, since, until, version }
    };
    if let Some(row) = tag.row().filter(|row| !lists(row, version)) {
        return Some(kind(None, row));
    }
    match *value {
        Value::Enumeration(code) => {
            let row = tag.enumeration().filter(|table| !table.is_mask())?.row(code)?;
            (!lists(row, version)).then(|| kind(Some(code), row))
        }
        Value::Integer(bits) => {
            let (bits, table) = (bits.cast_unsigned(), tag.enumeration()?);
            let rows = table.is_mask().then(|| table.rows())?;
            let row = rows.iter().find(|row| bits & row.value() != 0 && !lists(row, version))?;
            Some(kind(Some(row.value()), row))
        }
        _ => None,
    }
}

/// Whether the tables of a version have the row. A row that stands in the newest tables is not gone.
fn lists(row: &Row, version: ProtocolVersion) -> bool {
    row.since() <= version && row.until() >= version.min(NEWEST)
}
