//! Attribute values that are structures (KMIP 1.4, section 3).

use bindery_ttlv::{
    RawItem, RawValue, Text, Ttlv,
    registry::{
        AlternativeNameType, BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm,
        HashingAlgorithm, KeyFormatType, KeyRoleType, KeyValueLocationType, LinkType,
        MaskGenerator, NameType, PaddingMethod, RecommendedCurve, RevocationReasonCode,
        UsageLimitsUnit,
    },
};
use bytes::Bytes;

use crate::message::UniqueIdentifier;

/// Name (section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = NAME)]
#[non_exhaustive]
pub struct Name {
    /// The name.
    #[ttlv(tag = NAME_VALUE)]
    pub name_value: Text,
    /// What kind of name it is.
    pub name_type: NameType,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Name {
    /// A name that is text without a form.
    pub fn text(name: impl Into<Text>) -> Self {
        Self::new(name, NameType::UNINTERPRETED_TEXT_STRING)
    }

    /// A name of any type.
    pub fn new(name: impl Into<Text>, name_type: NameType) -> Self {
        Self { name_value: name.into(), name_type, unknown: Vec::new() }
    }
}

/// Cryptographic Parameters (section 3.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CRYPTOGRAPHIC_PARAMETERS)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the field of section 3.6, table 65, of the same name")]
pub struct CryptographicParameters {
    pub block_cipher_mode: Option<BlockCipherMode>,
    pub padding_method: Option<PaddingMethod>,
    pub hashing_algorithm: Option<HashingAlgorithm>,
    pub key_role_type: Option<KeyRoleType>,
    pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    #[ttlv(tag = RANDOM_IV)]
    pub random_iv: Option<bool>,
    #[ttlv(tag = IV_LENGTH)]
    pub iv_length: Option<i32>,
    #[ttlv(tag = TAG_LENGTH)]
    pub tag_length: Option<i32>,
    #[ttlv(tag = FIXED_FIELD_LENGTH)]
    pub fixed_field_length: Option<i32>,
    #[ttlv(tag = INVOCATION_FIELD_LENGTH)]
    pub invocation_field_length: Option<i32>,
    #[ttlv(tag = COUNTER_LENGTH)]
    pub counter_length: Option<i32>,
    #[ttlv(tag = INITIAL_COUNTER_VALUE)]
    pub initial_counter_value: Option<i32>,
    #[ttlv(tag = SALT_LENGTH)]
    pub salt_length: Option<i32>,
    pub mask_generator: Option<MaskGenerator>,
    #[ttlv(tag = MASK_GENERATOR_HASHING_ALGORITHM)]
    pub mask_generator_hashing_algorithm: Option<HashingAlgorithm>,
    #[ttlv(tag = P_SOURCE)]
    pub p_source: Option<Bytes>,
    #[ttlv(tag = TRAILER_FIELD)]
    pub trailer_field: Option<i32>,
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Cryptographic Domain Parameters (section 3.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CRYPTOGRAPHIC_DOMAIN_PARAMETERS)]
#[non_exhaustive]
pub struct CryptographicDomainParameters {
    /// The length of the parameter Q, in bits.
    #[ttlv(tag = QLENGTH)]
    pub qlength: Option<i32>,
    /// The elliptic curve.
    pub recommended_curve: Option<RecommendedCurve>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Digest (section 3.17).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = DIGEST)]
#[non_exhaustive]
pub struct Digest {
    /// The hash function.
    pub hashing_algorithm: HashingAlgorithm,
    /// The hash of the Key Material, the Certificate Value or the Opaque Data Value.
    #[ttlv(tag = DIGEST_VALUE)]
    pub digest_value: Option<Bytes>,
    /// The form of the key that was hashed (1.1).
    pub key_format_type: Option<KeyFormatType>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Digest {
    /// A digest from its function and value.
    pub fn new(hashing_algorithm: HashingAlgorithm, digest_value: impl Into<Bytes>) -> Self {
        Self {
            hashing_algorithm,
            digest_value: Some(digest_value.into()),
            key_format_type: None,
            unknown: Vec::new(),
        }
    }
}

/// Usage Limits (section 3.21).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = USAGE_LIMITS)]
#[non_exhaustive]
pub struct UsageLimits {
    /// How many units the object may protect in its life.
    #[ttlv(tag = USAGE_LIMITS_TOTAL)]
    pub usage_limits_total: i64,
    /// How many are left; the server's to say.
    #[ttlv(tag = USAGE_LIMITS_COUNT)]
    pub usage_limits_count: Option<i64>,
    /// What is counted.
    pub usage_limits_unit: UsageLimitsUnit,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl UsageLimits {
    /// Limits as a client sets them: so many units in all.
    pub const fn new(usage_limits_total: i64, usage_limits_unit: UsageLimitsUnit) -> Self {
        Self {
            usage_limits_total,
            usage_limits_count: None,
            usage_limits_unit,
            unknown: Vec::new(),
        }
    }
}

/// Revocation Reason (section 3.31).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REVOCATION_REASON)]
#[non_exhaustive]
pub struct RevocationReason {
    /// The reason, for programs.
    pub revocation_reason_code: RevocationReasonCode,
    /// The same for people.
    #[ttlv(tag = REVOCATION_MESSAGE)]
    pub revocation_message: Option<Text>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl RevocationReason {
    /// A reason without a message.
    pub const fn new(revocation_reason_code: RevocationReasonCode) -> Self {
        Self { revocation_reason_code, revocation_message: None, unknown: Vec::new() }
    }
}

/// Link (section 3.35).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = LINK)]
#[non_exhaustive]
pub struct Link {
    /// What the other object is to this one.
    pub link_type: LinkType,
    /// The other object's Unique Identifier.
    #[ttlv(tag = LINKED_OBJECT_IDENTIFIER)]
    pub linked_object_identifier: UniqueIdentifier,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Link {
    /// A link from its type and the other object's Unique Identifier.
    pub fn new(link_type: LinkType, linked_object_identifier: impl Into<UniqueIdentifier>) -> Self {
        let linked_object_identifier = linked_object_identifier.into();
        Self { link_type, linked_object_identifier, unknown: Vec::new() }
    }
}

/// Application Specific Information (section 3.36).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = APPLICATION_SPECIFIC_INFORMATION)]
#[non_exhaustive]
pub struct ApplicationSpecificInformation {
    /// Whose data it is.
    #[ttlv(tag = APPLICATION_NAMESPACE)]
    pub application_namespace: Text,
    /// The data; absent where the server is to make it.
    #[ttlv(tag = APPLICATION_DATA)]
    pub application_data: Option<Text>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl ApplicationSpecificInformation {
    /// Data of an application.
    pub fn new(namespace: impl Into<Text>, data: impl Into<Text>) -> Self {
        Self {
            application_namespace: namespace.into(),
            application_data: Some(data.into()),
            unknown: Vec::new(),
        }
    }
}

/// Alternative Name (section 3.40, since 1.2).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ALTERNATIVE_NAME)]
#[non_exhaustive]
pub struct AlternativeName {
    /// The name.
    #[ttlv(tag = ALTERNATIVE_NAME_VALUE)]
    pub alternative_name_value: Text,
    /// What kind of name it is.
    pub alternative_name_type: AlternativeNameType,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Key Value Location (section 3.42, since 1.2).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = KEY_VALUE_LOCATION)]
#[non_exhaustive]
pub struct KeyValueLocation {
    /// Where the Key Value is.
    #[ttlv(tag = KEY_VALUE_LOCATION_VALUE)]
    pub key_value_location_value: Text,
    /// How that is said.
    pub key_value_location_type: KeyValueLocationType,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// A vendor's attribute as KMIP 2.x writes it (2.1, section 4.58): an Attribute with a vendor in front.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ATTRIBUTE)]
#[non_exhaustive]
pub struct VendorAttribute {
    /// The vendor; `x` and `y` for attributes that clients and servers made up.
    #[ttlv(tag = VENDOR_IDENTIFICATION)]
    pub vendor_identification: Text,
    /// The attribute's name.
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_name: Text,
    /// Its value, of any type.
    #[ttlv(tag = ATTRIBUTE_VALUE)]
    pub attribute_value: RawValue,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl VendorAttribute {
    /// An attribute of a vendor's.
    pub fn new(
        vendor_identification: impl Into<Text>,
        attribute_name: impl Into<Text>,
        attribute_value: RawValue,
    ) -> Self {
        Self {
            vendor_identification: vendor_identification.into(),
            attribute_name: attribute_name.into(),
            attribute_value,
            unknown: Vec::new(),
        }
    }
}
