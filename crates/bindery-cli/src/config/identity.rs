//! `[identity]`: how certificates become accounts.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, SeqAccess, Visitor},
};

/// How certificates become accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Identity {
    /// What of the certificate names the account: the first that is there.
    pub(crate) map: IdentityMappings,
    /// Whether the authority is part of the account's name.
    pub(crate) issuer: bool,
}

/// One rule, or several in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum IdentityMappings {
    /// One.
    One(IdentityMapping),
    /// Several.
    Several(Vec<IdentityMapping>),
}

impl Default for IdentityMappings {
    fn default() -> Self {
        Self::One(IdentityMapping::default())
    }
}

/// Read by hand, so that what is wrong with it is said in the words of the file.
impl<'de> Deserialize<'de> for IdentityMappings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mappings;

        impl<'de> Visitor<'de> for Mappings {
            type Value = IdentityMappings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}, or a list of them", IdentityMapping::names())
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<IdentityMappings, E> {
                IdentityMapping::named(name).map(IdentityMappings::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<IdentityMappings, A::Error> {
                let mut several: Vec<IdentityMapping> = Vec::new();
                while let Some(one) = list.next_element()? {
                    if several.contains(&one) {
                        let name = one.name();
                        return Err(de::Error::custom(format!("\"{name}\" is named twice")));
                    }
                    several.push(one);
                }
                if several.is_empty() {
                    let names = IdentityMapping::names();
                    return Err(de::Error::custom(format!("an empty list: name one of {names}")));
                }
                Ok(IdentityMappings::Several(several))
            }
        }

        deserializer.deserialize_any(Mappings)
    }
}

/// What of a certificate names the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IdentityMapping {
    /// The whole subject, as RFC 4514 writes it.
    #[default]
    Subject,
    /// The subject's common name.
    CommonName,
    /// The SHA-256 fingerprint of the certificate.
    Fingerprint,
    /// The host name of the subjectAltName.
    DnsName,
    /// The mail address of the subjectAltName.
    MailAddress,
    /// The URI of the subjectAltName.
    Uri,
}

impl IdentityMapping {
    const ALL: [Self; 6] = [
        Self::Subject,
        Self::CommonName,
        Self::Fingerprint,
        Self::DnsName,
        Self::MailAddress,
        Self::Uri,
    ];

    /// The name in the configuration.
    const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::CommonName => "common-name",
            Self::Fingerprint => "fingerprint",
            Self::DnsName => "dns-name",
            Self::MailAddress => "mail-address",
            Self::Uri => "uri",
        }
    }

    fn names() -> String {
        Self::ALL.map(|one| format!("\"{}\"", one.name())).join(", ")
    }

    fn named<E: de::Error>(name: &str) -> Result<Self, E> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| {
            E::custom(format!("there is no \"{name}\"; expected one of {}", Self::names()))
        })
    }
}

impl Serialize for IdentityMapping {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for IdentityMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mapping;

        impl Visitor<'_> for Mapping {
            type Value = IdentityMapping;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}", IdentityMapping::names())
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<IdentityMapping, E> {
                IdentityMapping::named(name)
            }
        }

        deserializer.deserialize_str(Mapping)
    }
}
