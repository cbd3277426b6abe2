//! Managed Objects (KMIP 1.4, section 2.2).

mod key_block;

use std::fmt;

use bindery_ttlv::{
    BigInteger, Decode, Element, Encode, Error, RawItem, Tag, Ttlv, Writer,
    registry::{CertificateType, ObjectType, SecretDataType, SplitKeyMethod},
};
use bytes::Bytes;

pub use key_block::{
    EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
    KeyWrappingSpecification, MacSignatureKeyInformation, PlainKeyValue, TransparentField,
    TransparentKey, TransparentValue,
};

use super::Attribute;
use crate::Secret;

/// A Managed Object of any type of KMIP 1.0 to 1.4.
///
/// Key material, secret data and opaque data are copied out of the message into [`Secret`]s, once;
/// everything else is a slice of it.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[non_exhaustive]
pub enum ManagedObject {
    /// Certificate (section 2.2.1).
    Certificate(Certificate),
    /// Symmetric Key (section 2.2.2).
    SymmetricKey(SymmetricKey),
    /// Public Key (section 2.2.3).
    PublicKey(PublicKey),
    /// Private Key (section 2.2.4).
    PrivateKey(PrivateKey),
    /// Split Key (section 2.2.5).
    SplitKey(SplitKey),
    /// Template (section 2.2.6, deprecated since 1.3).
    Template(Template),
    /// Secret Data (section 2.2.7).
    SecretData(SecretData),
    /// Opaque Object (section 2.2.8).
    OpaqueObject(OpaqueObject),
    /// PGP Key (section 2.2.9, since 1.2).
    PgpKey(PgpKey),
}

impl ManagedObject {
    /// The object's type.
    pub const fn object_type(&self) -> ObjectType {
        match self {
            Self::Certificate(_) => ObjectType::CERTIFICATE,
            Self::SymmetricKey(_) => ObjectType::SYMMETRIC_KEY,
            Self::PublicKey(_) => ObjectType::PUBLIC_KEY,
            Self::PrivateKey(_) => ObjectType::PRIVATE_KEY,
            Self::SplitKey(_) => ObjectType::SPLIT_KEY,
            Self::Template(_) => ObjectType::TEMPLATE,
            Self::SecretData(_) => ObjectType::SECRET_DATA,
            Self::OpaqueObject(_) => ObjectType::OPAQUE_OBJECT,
            Self::PgpKey(_) => ObjectType::PGP_KEY,
        }
    }

    /// The object's Key Block; `None` for a type that has none.
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(key) => Some(&key.key_block),
            Self::PublicKey(key) => Some(&key.key_block),
            Self::PrivateKey(key) => Some(&key.key_block),
            Self::SplitKey(key) => Some(&key.key_block),
            Self::SecretData(data) => Some(&data.key_block),
            Self::PgpKey(key) => Some(&key.key_block),
            Self::Certificate(_) | Self::Template(_) | Self::OpaqueObject(_) => None,
        }
    }
}

/// Certificate (section 2.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CERTIFICATE)]
#[non_exhaustive]
pub struct Certificate {
    /// X.509, or PGP (deprecated since 1.2).
    pub certificate_type: CertificateType,
    /// The certificate, DER.
    #[ttlv(tag = CERTIFICATE_VALUE)]
    pub certificate_value: Bytes,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Certificate {
    /// A certificate from its type and encoded form.
    pub fn new(certificate_type: CertificateType, certificate_value: impl Into<Bytes>) -> Self {
        let certificate_value = certificate_value.into();
        Self { certificate_type, certificate_value, unknown: Vec::new() }
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $type:ident $tag:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
        #[ttlv(tag = $tag)]
        #[non_exhaustive]
        pub struct $type {
            /// The key and what is known of it.
            pub key_block: KeyBlock,
            /// Fields that are not named above, where they stood.
            #[ttlv(unknown)]
            pub unknown: Vec<RawItem>,
        }

        impl $type {
            /// A key from its Key Block.
            pub const fn new(key_block: KeyBlock) -> Self {
                Self { key_block, unknown: Vec::new() }
            }
        }
    )*};
}

keys! {
    /// Symmetric Key (section 2.2.2).
    SymmetricKey SYMMETRIC_KEY;
    /// Public Key (section 2.2.3).
    PublicKey PUBLIC_KEY;
    /// Private Key (section 2.2.4).
    PrivateKey PRIVATE_KEY;
}

/// Split Key (section 2.2.5).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = SPLIT_KEY)]
#[non_exhaustive]
pub struct SplitKey {
    /// How many parts there are.
    #[ttlv(tag = SPLIT_KEY_PARTS)]
    pub split_key_parts: i32,
    /// Which part this is, from 1 on.
    #[ttlv(tag = KEY_PART_IDENTIFIER)]
    pub key_part_identifier: i32,
    /// How many parts make the key.
    #[ttlv(tag = SPLIT_KEY_THRESHOLD)]
    pub split_key_threshold: i32,
    /// How the key was split.
    pub split_key_method: SplitKeyMethod,
    /// The prime of Polynomial Sharing Prime Field.
    #[ttlv(tag = PRIME_FIELD_SIZE)]
    pub prime_field_size: Option<BigInteger>,
    /// The part.
    pub key_block: KeyBlock,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Template (section 2.2.6, deprecated since 1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = TEMPLATE)]
#[non_exhaustive]
pub struct Template {
    /// The attributes that objects made from it get.
    #[ttlv(tag = ATTRIBUTE)]
    pub attributes: Vec<Attribute>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Template {
    /// A template of these attributes.
    pub const fn new(attributes: Vec<Attribute>) -> Self {
        Self { attributes, unknown: Vec::new() }
    }
}

/// Secret Data (section 2.2.7).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = SECRET_DATA)]
#[non_exhaustive]
pub struct SecretData {
    /// What kind of secret it is.
    pub secret_data_type: SecretDataType,
    /// The secret.
    pub key_block: KeyBlock,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl SecretData {
    /// A secret from its type and Key Block.
    pub const fn new(secret_data_type: SecretDataType, key_block: KeyBlock) -> Self {
        Self { secret_data_type, key_block, unknown: Vec::new() }
    }
}

/// Opaque Object (section 2.2.8).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = OPAQUE_OBJECT)]
#[non_exhaustive]
pub struct OpaqueObject {
    /// What kind of data it is; agreed between the clients.
    #[ttlv(tag = OPAQUE_DATA_TYPE)]
    pub opaque_data_type: OpaqueDataType,
    /// The data. A [`Secret`], because nobody here can tell that it is none.
    #[ttlv(tag = OPAQUE_DATA_VALUE)]
    pub opaque_data_value: Secret,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl OpaqueObject {
    /// An object from its type and data.
    pub const fn new(opaque_data_type: OpaqueDataType, opaque_data_value: Secret) -> Self {
        Self { opaque_data_type, opaque_data_value, unknown: Vec::new() }
    }
}

/// Opaque Data Type: the specification names no value, only the vendors' range 8XXXXXXX.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueDataType(pub u32);

impl fmt::Debug for OpaqueDataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl Decode for OpaqueDataType {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        element.enumeration().map(Self)
    }
}

impl Encode for OpaqueDataType {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.enumeration(tag, self.0);
    }
}

/// PGP Key (section 2.2.9, since 1.2).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = PGP_KEY)]
#[non_exhaustive]
pub struct PgpKey {
    /// The version of the PGP key: 3 or 4.
    #[ttlv(tag = PGP_KEY_VERSION)]
    pub pgp_key_version: i32,
    /// The armored key.
    pub key_block: KeyBlock,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
