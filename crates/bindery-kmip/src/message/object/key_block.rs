//! Key Block, Key Value and Key Material (KMIP 1.4, sections 2.1.3 to 2.1.7).

use bindery_ttlv::{
    Decode, Decoder, Element, Encode, Error, ErrorKind, ItemType, RawItem, RawValue, Structure,
    Tag, Tagged, Text, Ttlv, Writer,
    derived::{Order, Unknown, fill, keep, push},
    registry::{
        CryptographicAlgorithm, EncodingOption, KeyCompressionType, KeyFormatType, WrappingMethod,
    },
};
use bytes::Bytes;

use crate::{
    Secret,
    message::{Attribute, AttributeValue, Attributes, CryptographicParameters, UniqueIdentifier},
    registry::AttributeRow,
};

/// Key Block (section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = KEY_BLOCK)]
#[non_exhaustive]
pub struct KeyBlock {
    /// The form of the key.
    pub key_format_type: KeyFormatType,
    /// The form of an elliptic curve's public key.
    pub key_compression_type: Option<KeyCompressionType>,
    /// The key; absent (since 1.2) where only its attributes are managed.
    #[ttlv(tag = KEY_VALUE)]
    pub key_value: Option<KeyValue>,
    /// The algorithm that the key is for.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// The key's length, in bits.
    #[ttlv(tag = CRYPTOGRAPHIC_LENGTH)]
    pub cryptographic_length: Option<i32>,
    /// How the key is wrapped, if it is.
    pub key_wrapping_data: Option<Box<KeyWrappingData>>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl KeyBlock {
    /// A block with a key in clear, as octets.
    pub fn new(key_format_type: KeyFormatType, key: Secret) -> Self {
        Self {
            key_format_type,
            key_compression_type: None,
            key_value: Some(KeyValue::Plain(PlainKeyValue::new(KeyMaterial::Octets(key)))),
            cryptographic_algorithm: None,
            cryptographic_length: None,
            key_wrapping_data: None,
            unknown: Vec::new(),
        }
    }

    /// The same block with the key's algorithm and its length in bits.
    #[must_use]
    pub const fn with_algorithm(mut self, algorithm: CryptographicAlgorithm, bits: i32) -> Self {
        self.cryptographic_algorithm = Some(algorithm);
        self.cryptographic_length = Some(bits);
        self
    }

    /// The key's octets, if it is in clear and its material a Byte String, or the Key of a
    /// Transparent Symmetric Key.
    pub fn octets(&self) -> Option<&Secret> {
        let Some(KeyValue::Plain(plain)) = &self.key_value else { return None };
        match &plain.key_material {
            KeyMaterial::Octets(octets) => Some(octets),
            KeyMaterial::Transparent(key) => match key.field(Tag::KEY) {
                Some(TransparentValue::ByteString(octets)) => Some(octets),
                _ => None,
            },
        }
    }
}

/// Key Value (section 2.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyValue {
    /// In clear.
    Plain(PlainKeyValue),
    /// Wrapped: the octets that the wrapping key's owner can undo.
    Wrapped(Secret),
}

impl Decode for KeyValue {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        match element.item_type() {
            ItemType::ByteString => Secret::decode(element).map(Self::Wrapped),
            _ => PlainKeyValue::decode(element).map(Self::Plain),
        }
    }
}

impl Encode for KeyValue {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Plain(plain) => plain.encode(tag, writer),
            Self::Wrapped(octets) => octets.encode(tag, writer),
        }
    }
}

impl Tagged for KeyValue {
    const TAG: Tag = Tag::KEY_VALUE;
}

/// A Key Value in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainKeyValue {
    /// The key.
    pub key_material: KeyMaterial,
    /// Attributes that travel with the key (1.x).
    pub attributes: Vec<Attribute>,
    /// The same in the form of 2.x.
    pub attributes_2: Option<Attributes>,
    /// Fields that are not named above, where they stood.
    pub unknown: Vec<RawItem>,
}

impl Tagged for PlainKeyValue {
    const TAG: Tag = Tag::KEY_VALUE;
}

// By hand: attributes without a structure around them are refused, or tolerated as attributes.
impl Structure for PlainKeyValue {
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error> {
        let mut order = Order::new();
        let (mut key_material, mut attributes_2) = (None, None);
        let (mut attributes, mut unknown) = (Vec::new(), Vec::new());
        while let Some(element) = fields.next()? {
            match element.tag() {
                Tag::KEY_MATERIAL => fill(element, &mut order, 1, &mut key_material)?,
                Tag::ATTRIBUTE => push(element, &mut order, 2, &mut attributes)?,
                Tag::ATTRIBUTES => fill(element, &mut order, 3, &mut attributes_2)?,
                tag if is_attribute(tag) => {
                    if !element.options().tolerance.key_value_attributes {
                        return Err(element.error(ErrorKind::UnexpectedField { tag }));
                    }
                    match Attribute::decode_tagged(element)? {
                        // Of another type or a part only: an Attribute could not hold it.
                        Attribute { value: AttributeValue::Other(..), .. } => {
                            keep(element, &order, &mut unknown)?;
                        }
                        attribute => attributes.push(attribute),
                    }
                }
                _ => keep(element, &order, &mut unknown)?,
            }
        }
        let key_material = key_material.ok_or_else(|| fields.missing(Tag::KEY_MATERIAL))?;
        Ok(Self { key_material, attributes, attributes_2, unknown })
    }

    fn encode_fields(&self, writer: &mut Writer<'_>) {
        let mut unknown = Unknown::new(&self.unknown);
        unknown.upto(writer, 0, 0);
        self.key_material.encode(Tag::KEY_MATERIAL, writer);
        unknown.upto(writer, 1, 1);
        for (nth, attribute) in (1..).zip(&self.attributes) {
            attribute.encode(Tag::ATTRIBUTE, writer);
            unknown.upto(writer, 2, nth);
        }
        unknown.upto(writer, 2, usize::MAX);
        self.attributes_2.iter().for_each(|list| list.encode(Tag::ATTRIBUTES, writer));
        unknown.rest(writer);
    }
}

/// Whether a tag is that of an attribute of the specification's.
fn is_attribute(tag: Tag) -> bool {
    tag.title().is_some_and(|title| AttributeRow::by_name(title).is_some())
}

impl PlainKeyValue {
    /// A Key Value without attributes.
    pub const fn new(key_material: KeyMaterial) -> Self {
        Self { key_material, attributes: Vec::new(), attributes_2: None, unknown: Vec::new() }
    }

    /// The attributes, whatever their form.
    pub fn all_attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().chain(self.attributes_2.iter().flat_map(|list| &list.attributes))
    }
}

/// Key Material.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMaterial {
    /// A Byte String: Raw, Opaque, PKCS#1, PKCS#8, X.509, ECPrivateKey and others.
    Octets(Secret),
    /// A structure: the Transparent formats.
    Transparent(TransparentKey),
}

impl Decode for KeyMaterial {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        match element.item_type() {
            ItemType::Structure => TransparentKey::decode(element).map(Self::Transparent),
            _ => Secret::decode(element).map(Self::Octets),
        }
    }
}

impl Encode for KeyMaterial {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::Octets(octets) => octets.encode(tag, writer),
            Self::Transparent(key) => key.encode(tag, writer),
        }
    }
}

impl Tagged for KeyMaterial {
    const TAG: Tag = Tag::KEY_MATERIAL;
}

/// The fields of a Transparent key (section 2.1.7), whatever its algorithm, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransparentKey {
    /// The fields.
    pub fields: Vec<TransparentField>,
}

/// A field of a [`TransparentKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransparentField {
    /// What the field means: `Tag::MODULUS`, `Tag::D`, `Tag::KEY`, ...
    pub tag: Tag,
    /// Its value.
    pub value: TransparentValue,
}

/// The value of a [`TransparentField`]. Which of them are secret depends on the algorithm; all
/// numbers and octets are treated as if they were.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransparentValue {
    /// A Big Integer: two's complement, big endian, a multiple of eight octets.
    BigInteger(Secret),
    /// A Byte String.
    ByteString(Secret),
    /// An Enumeration (Recommended Curve).
    Enumeration(u32),
    /// A type that no Transparent format of KMIP 1.x has, as it stood; not wiped from memory.
    Other(RawValue),
}

impl TransparentKey {
    /// A Transparent Symmetric Key.
    pub fn symmetric(key: Secret) -> Self {
        Self::default().with(Tag::KEY, TransparentValue::ByteString(key))
    }

    /// The same key with one more field.
    #[must_use]
    pub fn with(mut self, tag: Tag, value: TransparentValue) -> Self {
        self.fields.push(TransparentField { tag, value });
        self
    }

    /// The first field with this tag.
    pub fn field(&self, tag: Tag) -> Option<&TransparentValue> {
        self.fields.iter().find(|field| field.tag == tag).map(|field| &field.value)
    }
}

impl Structure for TransparentKey {
    fn decode_fields(fields: &mut Decoder<'_>) -> Result<Self, Error> {
        let mut key = Self::default();
        while let Some(element) = fields.next()? {
            let value = match element.item_type() {
                // The octets are copied once, into memory that is wiped.
                ItemType::BigInteger => {
                    TransparentValue::BigInteger(Secret::from(&*element.big_integer()?))
                }
                ItemType::ByteString => TransparentValue::ByteString(element.decode()?),
                ItemType::Enumeration => TransparentValue::Enumeration(element.enumeration()?),
                _ => TransparentValue::Other(element.raw()?),
            };
            key.fields.push(TransparentField { tag: element.tag(), value });
        }
        Ok(key)
    }

    fn encode_fields(&self, writer: &mut Writer<'_>) {
        for TransparentField { tag, value } in &self.fields {
            match value {
                TransparentValue::BigInteger(number) => writer.big_integer(*tag, number.expose()),
                TransparentValue::ByteString(octets) => octets.encode(*tag, writer),
                TransparentValue::Enumeration(code) => writer.enumeration(*tag, *code),
                TransparentValue::Other(raw) => raw.encode(*tag, writer),
            }
        }
    }
}

/// Key Wrapping Data (section 2.1.5).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = KEY_WRAPPING_DATA)]
#[non_exhaustive]
pub struct KeyWrappingData {
    /// Encrypted, authenticated, or both, and in which order.
    pub wrapping_method: WrappingMethod,
    /// The key that encrypted.
    pub encryption_key_information: Option<EncryptionKeyInformation>,
    /// The key that authenticated.
    pub mac_signature_key_information: Option<MacSignatureKeyInformation>,
    /// The MAC or signature.
    #[ttlv(tag = MAC_SIGNATURE)]
    pub mac_signature: Option<Bytes>,
    /// The initialization vector, counter or nonce.
    #[ttlv(tag = IV_COUNTER_NONCE)]
    pub iv_counter_nonce: Option<Bytes>,
    /// What was wrapped: the Key Value as TTLV, or only the Key Material (since 1.1).
    pub encoding_option: Option<EncodingOption>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl KeyWrappingData {
    /// A method, and nothing said about the keys.
    pub const fn new(wrapping_method: WrappingMethod) -> Self {
        Self {
            wrapping_method,
            encryption_key_information: None,
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: None,
            unknown: Vec::new(),
        }
    }
}

/// Key Wrapping Specification (section 2.1.6): how Get is to wrap the key.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = KEY_WRAPPING_SPECIFICATION)]
#[non_exhaustive]
pub struct KeyWrappingSpecification {
    /// Encrypt, authenticate, or both, and in which order.
    pub wrapping_method: WrappingMethod,
    /// The key that is to encrypt.
    pub encryption_key_information: Option<EncryptionKeyInformation>,
    /// The key that is to authenticate.
    pub mac_signature_key_information: Option<MacSignatureKeyInformation>,
    /// The attributes that are to be wrapped with the key.
    #[ttlv(tag = ATTRIBUTE_NAME)]
    pub attribute_names: Vec<Text>,
    /// What is to be wrapped (since 1.1).
    pub encoding_option: Option<EncodingOption>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl KeyWrappingSpecification {
    /// A method, and nothing said about the keys.
    pub const fn new(wrapping_method: WrappingMethod) -> Self {
        Self {
            wrapping_method,
            encryption_key_information: None,
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: None,
            unknown: Vec::new(),
        }
    }
}

/// Encryption Key Information (section 2.1.5, table 10).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ENCRYPTION_KEY_INFORMATION)]
#[non_exhaustive]
pub struct EncryptionKeyInformation {
    /// The key.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// How it is used.
    pub cryptographic_parameters: Option<CryptographicParameters>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// MAC/Signature Key Information (section 2.1.5, table 11).
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = MAC_SIGNATURE_KEY_INFORMATION)]
#[non_exhaustive]
pub struct MacSignatureKeyInformation {
    /// The key.
    #[ttlv(tag = UNIQUE_IDENTIFIER)]
    pub unique_identifier: UniqueIdentifier,
    /// How it is used.
    pub cryptographic_parameters: Option<CryptographicParameters>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
