//! A message as a tree, for comparing.

use bindery_ttlv::{Item, Reader, Tag, Value};

/// An item with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    pub(crate) value: Data,
}

/// A value; octets of all kinds are told apart by their type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Structure(Vec<Node>),
    Text(String),
    Bytes(Vec<u8>),
    Date(i64),
    /// Everything else, as it reads.
    Other(String),
}

impl Node {
    pub(crate) fn of(octets: &[u8]) -> Result<Self, String> {
        let first = Reader::new(octets).next().ok_or("an empty message")?;
        first.map_err(|e| e.to_string()).and_then(|item| Self::of_item(&item))
    }

    fn of_item(item: &Item<'_>) -> Result<Self, String> {
        let value = match item.value {
            Value::Structure(reader) => {
                let mut fields = Vec::new();
                for field in reader {
                    fields.push(Self::of_item(&field.map_err(|e| e.to_string())?)?);
                }
                Data::Structure(fields)
            }
            Value::TextString(text) => Data::Text(text.to_owned()),
            Value::ByteString(octets) => Data::Bytes(octets.to_vec()),
            Value::DateTime(seconds) => Data::Date(seconds),
            ref other => Data::Other(format!("{other:?}")),
        };
        Ok(Self { tag: item.tag, value })
    }

    pub(crate) fn fields(&self) -> &[Self] {
        match &self.value {
            Data::Structure(fields) => fields,
            _ => &[],
        }
    }

    pub(crate) fn field(&self, tag: Tag) -> Option<&Self> {
        self.fields().iter().find(|field| field.tag == tag)
    }

    /// Every item of the tree, this one first.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut at = 0;
        while let Some(node) = all.get(at).copied() {
            all.extend(node.fields());
            at += 1;
        }
        all
    }
}
