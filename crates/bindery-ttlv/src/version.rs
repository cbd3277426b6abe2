//! What a message's version does not have, by the registry's first and last versions.

use std::fmt;

use crate::registry::{Row, fields};
use crate::{Error, ErrorKind, Options, ProtocolVersion, Tag, Value, Visit, Walk};

/// The newest version whose last rows were taken from the specification's own tables.
const NEWEST: ProtocolVersion = ProtocolVersion::V2_1;

/// Refuses the first item of a message that `version` does not have: see [`Misfits`].
///
/// # Errors
/// [`ErrorKind::Version`] with the item's place; or the message is malformed, or passes a limit.
pub fn check_version(
    message: &[u8],
    version: ProtocolVersion,
    options: &Options,
) -> Result<(), Error> {
    let first = Misfits::new(message, version, options).next();
    first.map_or(Ok(()), |error| Err(error.locate(message)))
}

/// The items of a message whose tag, enumeration value or mask bit the tables of a version do not list, or that stand as
/// fields in structures that did not have them then: they came later, or are gone (1.x forms in 2.x, and 2.x forms in
/// 1.x). Each is an error ([`ErrorKind::Version`]) without its path ([`Error::locate`]); a malformed item is the last.
///
/// It is one [`Walk`] with look-ups in the registry (`tags.csv`, `enumerations.csv`, `fields.csv`). Not looked at are
/// attributes that 1.x names by text. Numbers without a row, such as a vendor's, pass, and so does all
/// of a message of a version before 1.0.
pub struct Misfits<'a> {
    walk: Walk<'a>,
    /// Of the last misfit.
    depth: u16,
    version: ProtocolVersion,
    /// The structure that was last begun at each depth.
    structures: [Tag; DEPTH],
    /// The operation of the batch item.
    operation: u32,
}

/// The depth to which structures are told apart: a Template-Attribute's parts are at 6.
const DEPTH: usize = 16;

/// The version only: the message may hold secrets.
impl fmt::Debug for Misfits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Misfits(of KMIP {}, {:?})", self.version, self.walk)
    }
}

impl<'a> Misfits<'a> {
    /// What `version` does not have of a message.
    pub fn new(message: &'a [u8], version: ProtocolVersion, options: &'a Options) -> Self {
        let walk = Walk::new(message, options);
        // No field is looked for in a Request Message.
        let structures = [Tag::REQUEST_MESSAGE; DEPTH];
        Self { walk, depth: 0, version, structures, operation: 0 }
    }

    /// How many structures the last misfit is inside of.
    pub const fn depth(&self) -> u16 {
        self.depth
    }

    fn misfit(&mut self, visit: &Visit<'_>) -> Option<ErrorKind> {
        let (tag, value, version) = (visit.item.tag, visit.item.value, self.version);
        if version < ProtocolVersion::V1_0 {
            return None;
        }
        let depth = usize::from(visit.depth);
        let parent = depth.checked_sub(1).and_then(|above| self.structures.get(above)).copied();
        if let Value::Structure(_) = value {
            if let Some(place) = self.structures.get_mut(depth) {
                *place = tag;
            }
            if tag == Tag::BATCH_ITEM {
                self.operation = 0;
            }
        }
        if let (Tag::OPERATION, Some(Tag::BATCH_ITEM), Value::Enumeration(code)) =
            (tag, parent, value)
        {
            self.operation = code;
        }
        of_tag(tag, version)
            .or_else(|| of_field(parent?, self.operation, tag, version))
            .or_else(|| of_value(tag, &value, version))
    }
}

impl Iterator for Misfits<'_> {
    type Item = Error;

    fn next(&mut self) -> Option<Error> {
        loop {
            let visit = match self.walk.next()? {
                Ok(visit) => visit,
                Err(error) => return Some(error),
            };
            if let Some(kind) = self.misfit(&visit) {
                self.depth = visit.depth;
                return Some(Error::new(kind, visit.item.offset));
            }
        }
    }
}

fn kind(tag: Tag, value: Option<u32>, row: &Row, version: ProtocolVersion) -> ErrorKind {
    let (since, until) = (row.since(), row.until());
    ErrorKind::Version { tag, value, within: None, since, until, version }
}

fn of_tag(tag: Tag, version: ProtocolVersion) -> Option<ErrorKind> {
    let row = tag.row().filter(|row| !lists(row, version))?;
    Some(kind(tag, None, row, version))
}

/// A field that another version has in this structure.
fn of_field(parent: Tag, operation: u32, tag: Tag, version: ProtocolVersion) -> Option<ErrorKind> {
    let payload = parent == Tag::REQUEST_PAYLOAD || parent == Tag::RESPONSE_PAYLOAD;
    let row = fields::row(parent, if payload { operation } else { 0 }, tag)?;
    let (since, until) = (row.since(), row.until());
    (!within(since, until, version)).then_some(ErrorKind::Version {
        tag,
        value: None,
        within: Some(parent),
        since,
        until,
        version,
    })
}

fn of_value(tag: Tag, value: &Value<'_>, version: ProtocolVersion) -> Option<ErrorKind> {
    match *value {
        Value::Enumeration(code) => {
            let row = tag.enumeration().filter(|table| !table.is_mask())?.row(code)?;
            (!lists(row, version)).then(|| kind(tag, Some(code), row, version))
        }
        Value::Integer(bits) => {
            let (bits, table) = (bits.cast_unsigned(), tag.enumeration()?);
            let rows = table.is_mask().then(|| table.rows())?;
            let row = rows.iter().find(|row| bits & row.value() != 0 && !lists(row, version))?;
            Some(kind(tag, Some(row.value()), row, version))
        }
        _ => None,
    }
}

/// Whether the tables of a version have the row.
fn lists(row: &Row, version: ProtocolVersion) -> bool {
    within(row.since(), row.until(), version)
}

/// What stands in the newest tables is not gone.
fn within(since: ProtocolVersion, until: ProtocolVersion, version: ProtocolVersion) -> bool {
    since <= version && until >= version.min(NEWEST)
}
