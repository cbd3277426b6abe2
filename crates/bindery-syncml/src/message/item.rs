//! What a command works on.

use crate::macros::{field_read, field_rule, field_type, field_write, structure};
use crate::{Meta, Source, Target};

structure! {
    /// Item: an address and what belongs there (RepPro 1.2, 6.3).
    Item = ITEM {
        /// Where it goes.
        opt target: [Target] = TARGET,
        /// Where it comes from.
        opt source: [Source] = SOURCE,
        /// The parent at the sender's side (DS 1.2).
        opt source_parent: [SourceParent] = SOURCE_PARENT,
        /// The parent at the receiver's side (DS 1.2).
        opt target_parent: [TargetParent] = TARGET_PARENT,
        /// What the data is.
        boxed meta: [Meta] = META,
        /// The data.
        opt data: data = DATA,
        /// The data goes on in the next message.
        opt more_data: flag = MORE_DATA,
    }
}

impl Item {
    /// An item with a target address, as a server of OMA DM writes it.
    pub fn to(uri: &str) -> Self {
        Self { target: Some(uri.into()), ..Self::default() }
    }

    /// The address: that of Target, otherwise that of Source.
    pub fn uri(&self) -> Option<&str> {
        let target = self.target.as_ref().map(|target| &*target.loc_uri);
        target.or_else(|| self.source.as_ref().map(|source| &*source.loc_uri))
    }
}

structure! {
    /// SourceParent: the parent of an item at the sender's side.
    SourceParent = SOURCE_PARENT {
        /// The address.
        one loc_uri: text = LOC_URI,
    }
}

structure! {
    /// TargetParent: the parent of an item at the receiver's side.
    TargetParent = TARGET_PARENT {
        /// The address.
        one loc_uri: text = LOC_URI,
    }
}

structure! {
    /// Filter: what is wanted of a data store (DS 1.2).
    Filter = FILTER {
        /// The type of the query.
        boxed meta: [Meta] = META,
        /// Which fields.
        boxed field: [Field] = FIELD,
        /// Which records.
        boxed record: [Record] = RECORD,
        /// Inclusive or exclusive.
        opt filter_type: text = FILTER_TYPE,
    }
}

structure! {
    /// Field of a Filter.
    Field = FIELD {
        /// The fields.
        one item: [Item] = ITEM,
    }
}

structure! {
    /// Record of a Filter.
    Record = RECORD {
        /// The query.
        one item: [Item] = ITEM,
    }
}
