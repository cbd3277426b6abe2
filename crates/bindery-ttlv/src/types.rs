//! Owned values: what typed messages are made of.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use arrayvec::ArrayString;
use bytes::Bytes;
use bytestring::ByteString;

use crate::{Decode, Encode, Error, Tag, Ttlv, Writer};

/// A Text String: UTF-8, checked once.
///
/// A short one (up to 40 bytes: identifiers, names) is held in place; a longer one is a slice of the message it came
/// from, and keeps the whole message's bytes alive: use [`Text::detached`] before keeping it for long. Cloning copies the
/// short one and counts a reference of the long one.
#[derive(Clone)]
pub struct Text(Form);

/// Two atomic operations for each text are most of the time that a list of identifiers takes to decode and to drop;
/// copying 40 bytes is not. A UUID has 36.
const SHORT: usize = 40;

#[derive(Clone)]
enum Form {
    Short(ArrayString<SHORT>),
    Long(ByteString),
}

impl Text {
    /// A text that is part of the program.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Form::Long(ByteString::from_static(text)))
    }

    /// The text of UTF-8 bytes, which are not copied; `None` if they are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Option<Self> {
        ByteString::try_from(bytes).ok().map(|text| Self(Form::Long(text)))
    }

    /// A text that is held in place, if it is short enough.
    #[inline]
    pub(crate) fn short(text: &str) -> Option<Self> {
        ArrayString::from(text).ok().map(|text| Self(Form::Short(text)))
    }

    /// Whether a text of this many bytes is held in place.
    #[inline]
    pub(crate) const fn is_short(bytes: usize) -> bool {
        bytes <= SHORT
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Short(text) => text,
            Form::Long(text) => text,
        }
    }

    /// A copy that shares nothing.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self::from(self.as_str())
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from_static("")
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Deref for Text {
    type Target = str;
    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::borrow::Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::short(text).unwrap_or_else(|| Self(Form::Long(ByteString::from(text))))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::short(&text).unwrap_or_else(|| Self(Form::Long(ByteString::from(text))))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A Date-Time: POSIX seconds, before 1970 negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// A Date-Time Extended (KMIP 2.0 and later): POSIX microseconds, before 1970 negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTimeExtended(pub i64);

/// An Interval: seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u32);

/// A Big Integer: two's complement, big endian, as it stood in the message (a longer sign extension than needed is
/// kept). Written with its sign extended to a multiple of eight bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInteger(Bytes);

impl BigInteger {
    /// The number of two's complement bytes, big endian; no byte at all is zero.
    pub fn from_signed_bytes(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Bytes::from_static(&[0]) } else { bytes })
    }

    /// The number of the bytes of a number without sign (a modulus, an exponent), big endian.
    pub fn from_unsigned_bytes(bytes: &[u8]) -> Self {
        let mut signed = Vec::with_capacity(bytes.len() + 1);
        signed.push(0);
        signed.extend_from_slice(bytes);
        Self(Bytes::from(signed))
    }

    /// Two's complement, big endian, at least one byte.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.0.first().is_some_and(|byte| byte & 0x80 != 0)
    }
}

impl fmt::Debug for BigInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BigInteger({} bytes)", self.0.len())
    }
}

/// A version of KMIP, and the Protocol Version structure (KMIP 1.4, section 6.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Ttlv)]
#[ttlv(tag = PROTOCOL_VERSION)]
#[non_exhaustive]
pub struct ProtocolVersion {
    /// Protocol Version Major.
    #[ttlv(tag = PROTOCOL_VERSION_MAJOR)]
    pub major: i32,
    /// Protocol Version Minor.
    #[ttlv(tag = PROTOCOL_VERSION_MINOR)]
    pub minor: i32,
}

impl ProtocolVersion {
    /// 1.0 (2010).
    pub const V1_0: Self = Self::new(1, 0);
    /// 1.1 (2013).
    pub const V1_1: Self = Self::new(1, 1);
    /// 1.2 (2015).
    pub const V1_2: Self = Self::new(1, 2);
    /// 1.3 (2016).
    pub const V1_3: Self = Self::new(1, 3);
    /// 1.4 (2017).
    pub const V1_4: Self = Self::new(1, 4);
    /// 2.0 (2019).
    pub const V2_0: Self = Self::new(2, 0);
    /// 2.1 (2020).
    pub const V2_1: Self = Self::new(2, 1);

    /// Any version.
    pub const fn new(major: i32, minor: i32) -> Self {
        Self { major, minor }
    }
}

/// `1.4`.
impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! value {
    ($($type:ty: |$element:ident| $decode:expr, |$value:ident| $method:ident($encode:expr);)*) => {$(
        impl Decode for $type {
            #[inline]
            fn decode($element: crate::Element<'_>) -> Result<Self, Error> {
                $decode
            }
        }

        impl Encode for $type {
            #[inline]
            fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
                let $value = self;
                writer.$method(tag, $encode);
            }
        }
    )*};
}

value! {
    i32: |e| e.integer(), |v| integer(*v);
    i64: |e| e.long_integer(), |v| long_integer(*v);
    bool: |e| e.boolean(), |v| boolean(*v);
    DateTime: |e| e.date_time().map(Self), |v| date_time(v.0);
    DateTimeExtended: |e| e.date_time_extended().map(Self), |v| date_time_extended(v.0);
    Interval: |e| e.interval().map(Self), |v| interval(v.0);
    Bytes: |e| e.byte_string(), |v| byte_string(v);
    Text: |e| e.text(), |v| text_string(v.as_str());
    BigInteger: |e| e.big_integer().map(Self), |v| big_integer(&v.0);
}

impl Encode for str {
    #[inline]
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.text_string(tag, self);
    }
}
