//! Get Attributes: operation 0x0B (KMIP 1.4, section 4.12).

use bindery_ttlv::{RawItem, Text, Ttlv};

use super::{Attribute, AttributeReference, Attributes, UniqueIdentifier};

/// Which object's attributes, and which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct GetAttributesRequest {
    /// The object; the ID Placeholder when absent.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: Option<UniqueIdentifier>,
    /// The attributes' names; all attributes without any.
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_names: Vec<Text>,
    /// The same in the form of 2.x.
    #[ttlv(tag = ATTRIBUTE_REFERENCE)]
    pub attribute_references: Vec<AttributeReference>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetAttributesRequest {
    /// A request for these attributes of an object; for all without a name.
    pub fn new(
        unique_identifier: impl Into<UniqueIdentifier>,
        attribute_names: impl IntoIterator<Item = impl Into<Text>>,
    ) -> Self {
        Self {
            unique_identifier: Some(unique_identifier.into()),
            attribute_names: attribute_names.into_iter().map(Into::into).collect(),
            attribute_references: Vec::new(),
            unknown: Vec::new(),
        }
    }
}

/// The object's attributes, as far as it has them.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct GetAttributesResponse {
    /// The object.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// The attributes, every instance of them.
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// The same in the form of 2.x.
    pub attributes_2: Option<Attributes>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl GetAttributesResponse {
    /// A response from the Unique Identifier and the attributes.
    pub fn new(unique_identifier: impl Into<UniqueIdentifier>, attributes: Vec<Attribute>) -> Self {
        let unique_identifier = unique_identifier.into();
        Self { unique_identifier, attributes, attributes_2: None, unknown: Vec::new() }
    }

    /// The attributes, whatever their form.
    pub fn into_attributes(mut self) -> Vec<Attribute> {
        self.attributes.extend(self.attributes_2.into_iter().flat_map(|list| list.attributes));
        self.attributes
    }
}
