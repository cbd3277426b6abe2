//! Authentication and Credential (KMIP 1.4, sections 2.1.2 and 6.6).

use std::fmt;

use bindery_ttlv::{
    Decode, Element, Encode, Error, RawItem, RawValue, Select, Tag, Tagged, Text, Ttlv, Writer,
    registry::CredentialType,
};
use bytes::Bytes;

use crate::Secret;

/// Authentication: who the client is, beside what the channel shows.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = AUTHENTICATION)]
#[non_exhaustive]
pub struct Authentication {
    /// One Credential in 1.0 and 1.1, one or more since 1.2.
    #[ttlv(tag = CREDENTIAL)]
    pub credentials: Vec<Credential>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Authentication {
    /// Authentication by these credentials.
    pub const fn new(credentials: Vec<Credential>) -> Self {
        Self { credentials, unknown: Vec::new() }
    }
}

/// A Credential.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CREDENTIAL)]
#[non_exhaustive]
pub struct Credential {
    /// What kind of credential it is.
    pub credential_type: CredentialType,
    /// What it holds.
    #[ttlv(tag = CREDENTIAL_VALUE, select = credential_type)]
    pub credential_value: CredentialValue,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// What a [`Credential`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialValue {
    /// Username and Password (type 1).
    UsernameAndPassword(UsernameAndPassword),
    /// Device (type 2, since 1.1).
    Device(Box<Device>),
    /// Any other type, as it stood.
    Other(RawValue),
}

impl Credential {
    /// A user's name and, where there is one, password.
    pub fn username_and_password(username: impl Into<Text>, password: Option<Password>) -> Self {
        Self {
            credential_type: CredentialType::USERNAME_AND_PASSWORD,
            credential_value: CredentialValue::UsernameAndPassword(UsernameAndPassword {
                username: username.into(),
                password,
                unknown: Vec::new(),
            }),
            unknown: Vec::new(),
        }
    }

    /// The certificate that this side shows in the TLS session, as the HTTPS profile of the usage
    /// guide (draft 0.98, section 3.2) allows: type 8, which only KMIP 3.0 numbers, and a structure
    /// with the Certificate Value. `der` must be the very certificate of the session.
    pub fn certificate(der: &[u8]) -> Self {
        let value = CertificateCredential {
            certificate_value: Bytes::copy_from_slice(der),
            unknown: Vec::new(),
        };
        Self {
            credential_type: CredentialType::CERTIFICATE,
            credential_value: CredentialValue::Other(RawValue::of(&value)),
            unknown: Vec::new(),
        }
    }

    /// The certificate of a credential that [`Credential::certificate`] or a peer like it made:
    /// a structure with a Certificate Value, or a bare Byte String; `None` for any other.
    pub fn certificate_value(&self) -> Option<Bytes> {
        let CredentialValue::Other(raw) = &self.credential_value else { return None };
        if self.credential_type != CredentialType::CERTIFICATE {
            return None;
        }
        let options = bindery_ttlv::Options::STRICT;
        raw.decode::<CertificateCredential>(&options)
            .map(|credential| credential.certificate_value)
            .or_else(|_| raw.decode::<Bytes>(&options))
            .ok()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CREDENTIAL_VALUE)]
struct CertificateCredential {
    #[ttlv(tag = CERTIFICATE_VALUE)]
    certificate_value: Bytes,
    #[ttlv(unknown)]
    unknown: Vec<RawItem>,
}

impl Select<CredentialType> for CredentialValue {
    fn decode_selected(key: &CredentialType, element: Element<'_>) -> Result<Self, Error> {
        Ok(match *key {
            CredentialType::USERNAME_AND_PASSWORD => Self::UsernameAndPassword(element.decode()?),
            CredentialType::DEVICE => Self::Device(Box::new(element.decode()?)),
            _ => Self::Other(element.raw()?),
        })
    }
}

impl Encode for CredentialValue {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        match self {
            Self::UsernameAndPassword(value) => value.encode(tag, writer),
            Self::Device(value) => value.as_ref().encode(tag, writer),
            Self::Other(raw) => raw.encode(tag, writer),
        }
    }
}

/// The Credential Value of type Username and Password.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CREDENTIAL_VALUE)]
#[non_exhaustive]
pub struct UsernameAndPassword {
    /// The user's name.
    #[ttlv(tag = USERNAME)]
    pub username: Text,
    /// The user's secret.
    #[ttlv(tag = PASSWORD)]
    pub password: Option<Password>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// The Credential Value of type Device (since 1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = CREDENTIAL_VALUE)]
#[non_exhaustive]
pub struct Device {
    /// The device's serial number.
    #[ttlv(tag = DEVICE_SERIAL_NUMBER)]
    pub device_serial_number: Option<Text>,
    /// The device's secret.
    #[ttlv(tag = PASSWORD)]
    pub password: Option<Password>,
    /// What the device calls itself.
    #[ttlv(tag = DEVICE_IDENTIFIER)]
    pub device_identifier: Option<Text>,
    /// Its address in the network.
    #[ttlv(tag = NETWORK_IDENTIFIER)]
    pub network_identifier: Option<Text>,
    /// The machine that it is in.
    #[ttlv(tag = MACHINE_IDENTIFIER)]
    pub machine_identifier: Option<Text>,
    /// The medium that it holds.
    #[ttlv(tag = MEDIA_IDENTIFIER)]
    pub media_identifier: Option<Text>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// A password: text that must not be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// The password. The name says that this is the place to look at when secrets leak.
    pub fn expose(&self) -> &str {
        // Every way to make one starts from a str.
        str::from_utf8(self.0.expose()).unwrap_or_default()
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(Secret::from(text.as_bytes()))
    }
}

impl Decode for Password {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        element.text_str().map(Self::from)
    }
}

impl Encode for Password {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.text_string(tag, self.expose());
    }
}

impl Tagged for Password {
    const TAG: Tag = Tag::PASSWORD;
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}
