//! `[identity]`: how certificates become accounts.

use std::fmt;

use bindery_tls::Naming;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer as _, SeqAccess, Visitor},
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

impl Identity {
    /// The rules in their order.
    pub(crate) fn rules(&self) -> &[Naming] {
        match &self.map {
            IdentityMappings::One(one) => std::slice::from_ref(one),
            IdentityMappings::Several(several) => several,
        }
    }
}

/// One rule, or several in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum IdentityMappings {
    /// One.
    One(Naming),
    /// Several.
    Several(Vec<Naming>),
}

impl Default for IdentityMappings {
    fn default() -> Self {
        Self::One(Naming::default())
    }
}

/// Read by hand, so that what is wrong with it is said in the words of the file.
impl<'de> Deserialize<'de> for IdentityMappings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mappings;

        impl<'de> Visitor<'de> for Mappings {
            type Value = IdentityMappings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}, or a list of them", names())
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<IdentityMappings, E> {
                Naming::deserialize(name.into_deserializer()).map(IdentityMappings::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<IdentityMappings, A::Error> {
                let mut several: Vec<Naming> = Vec::new();
                while let Some(one) = list.next_element()? {
                    if several.contains(&one) {
                        let name = one.as_str();
                        return Err(de::Error::custom(format!("\"{name}\" is named twice")));
                    }
                    several.push(one);
                }
                if several.is_empty() {
                    let names = names();
                    return Err(de::Error::custom(format!("an empty list: name one of {names}")));
                }
                Ok(IdentityMappings::Several(several))
            }
        }

        deserializer.deserialize_any(Mappings)
    }
}

/// Every rule's name, for messages.
fn names() -> String {
    Naming::ALL.map(|one| format!("\"{}\"", one.as_str())).join(", ")
}
