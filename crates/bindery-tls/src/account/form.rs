//! Rules by their names. Read by hand, so that what is wrong is said in the words of the file.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::Naming;

fn names() -> String {
    Naming::ALL.map(|one| format!("\"{}\"", one.as_str())).join(", ")
}

impl Serialize for Naming {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Naming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Naming;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}", names())
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Naming, E> {
                Naming::named(name).ok_or_else(|| {
                    E::custom(format!("there is no \"{name}\"; expected one of {}", names()))
                })
            }
        }

        deserializer.deserialize_str(Name)
    }
}
