//! What the specification says of each attribute, as data.

mod attributes;

use bindery_ttlv::{
    ItemType, ProtocolVersion,
    registry::{Enumeration, ObjectType},
};

/// The rules for one standard attribute (KMIP 1.4, section 3).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttributeRow {
    /// The Attribute Name.
    pub name: &'static str,
    /// The type of its value.
    pub item_type: ItemType,
    /// The enumeration or bit mask that the value belongs to.
    pub enumeration: Option<&'static Enumeration>,
    /// Whether every object that the attribute applies to has it.
    pub always: bool,
    /// Who sets it first.
    pub set_by: SetBy,
    /// Whether a client may name it in the Template-Attribute of Create or Register.
    pub template: bool,
    /// Whether the server may change it without being asked.
    pub server_changes: Change,
    /// Whether a client may change it.
    pub client_changes: Change,
    /// Whether a client may delete it.
    pub client_deletes: Change,
    /// Whether an object may have several instances.
    pub multiple: bool,
    /// The types of objects that may have it.
    pub applies_to: &'static [ObjectType],
    /// The first version that has it.
    pub since: ProtocolVersion,
    /// The section of the KMIP 1.4 specification.
    pub section: &'static str,
}

/// Who sets an attribute first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetBy {
    /// The server.
    Server,
    /// The client.
    Client,
    /// Either.
    Both,
}

/// Whether an attribute may be changed or deleted once it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Never.
    No,
    /// Always.
    Yes,
    /// While the object is Pre-Active.
    PreActive,
    /// While the object is Pre-Active or Active and the date has not come.
    PreActiveOrActive,
    /// Until Get Usage Allocation was done.
    Unallocated,
    /// Only what the server itself filled in.
    Generated,
}

impl AttributeRow {
    /// Every standard attribute, in the order of the specification.
    pub const fn all() -> &'static [Self] {
        attributes::ROWS
    }

    /// The attribute of a name; capitals count.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let row = |at: &u16| attributes::ROWS.get(usize::from(*at));
        let at = attributes::BY_NAME
            .binary_search_by(|at| row(at).map_or("", |row| row.name).cmp(name))
            .ok()?;
        attributes::BY_NAME.get(at).and_then(row)
    }

    /// Whether objects of a type may have the attribute.
    pub fn applies_to(&self, object_type: ObjectType) -> bool {
        self.applies_to.contains(&object_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for row in AttributeRow::all() {
            let found = AttributeRow::by_name(row.name).map(|found| found.section);
            assert_eq!(found, Some(row.section), "{}", row.name);
        }
        assert!(AttributeRow::by_name("state").is_none());
        assert!(AttributeRow::by_name("x-mine").is_none());
        assert!(AttributeRow::by_name("").is_none());
    }

    #[test]
    fn rows_follow_from_the_table_beside_the_crate() {
        let row = AttributeRow::by_name("Activation Date").unwrap();
        assert_eq!(row.item_type, ItemType::DateTime);
        assert_eq!((row.set_by, row.client_changes), (SetBy::Both, Change::PreActive));
        assert!(!row.applies_to(ObjectType::OPAQUE_OBJECT));
        let row = AttributeRow::by_name("Cryptographic Usage Mask").unwrap();
        assert_eq!(row.enumeration.map(Enumeration::name), Some("CryptographicUsageMask"));
        assert_eq!(row.item_type, ItemType::Integer);
        let row = AttributeRow::by_name("Sensitive").unwrap();
        assert_eq!(row.since, ProtocolVersion::V1_4);
        assert_eq!(row.applies_to.len(), 9);
    }
}
