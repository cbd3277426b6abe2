//! Get Attribute List: operation 0x0C (KMIP 1.4, section 4.13).

use bindery_ttlv::{RawItem, Text, Ttlv};

use super::{AttributeReference, UniqueIdentifier};

/// Which object's attribute names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct GetAttributeListRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetAttributeListRequest {
    /// A request for the attribute names of an object.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), unknown: Vec::new() }
    }
}

/// The names of the attributes that the object has.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct GetAttributeListResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The names.
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_names: Vec<Text>,
    /// The same in the form of 2.x.
    #[ttlv(tag = ATTRIBUTE_REFERENCE)]
    pub attribute_references: Vec<AttributeReference>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetAttributeListResponse {
    /// A response from the Unique Identifier and the names.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>, attribute_names: Vec<Text>) -> Self {
        Self {
            unique_identifier: unique_identifier.into(),
            attribute_names,
            attribute_references: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// The names, whatever their form; a vendor's attribute of 2.x as `VENDOR-NAME`.
    pub fn into_names(mut self) -> Vec<Text> {
        let referred = self.attribute_references.iter().map(AttributeReference::display_name);
        self.attribute_names.extend(referred);
        self.attribute_names
    }
}
