//! Get: of a leaf, of an interior node, of all below one, of a property.

use bindery_syncml::StatusCode;
use bytes::Bytes;

use super::{
    Access, Address, Allowance, Entry, Leaf, List, NodePath, Property, Query, Tree, Value,
};

/// The most nodes that one `?list=` shows.
const LISTED: usize = 5_000;

/// Something that a Get found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its address.
    pub uri: String,
    /// The format of the data.
    pub format: String,
    /// The media type of the data.
    pub kind: Option<String>,
    /// The data; of an interior node the names in it, with `/` between them. `None` where only
    /// the structure was asked for.
    pub data: Option<Bytes>,
}

impl Found {
    /// The octets of it in memory, beside what every one has.
    pub(in crate::client) fn octets(&self) -> usize {
        let kind = self.kind.as_ref().map_or(0, String::len);
        self.uri.len() + self.format.len() + kind + self.data.as_ref().map_or(0, Bytes::len)
    }
}

impl Tree {
    /// A server's Get.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn get(&self, server: &str, address: &Address) -> Result<Vec<Found>, StatusCode> {
        let mut left = Allowance { nodes: usize::MAX, octets: usize::MAX };
        self.get_within(server, address, &mut left)
    }

    /// A server's Get, for as much as is left.
    pub(in crate::client) fn get_within(
        &self,
        server: &str,
        address: &Address,
        left: &mut Allowance,
    ) -> Result<Vec<Found>, StatusCode> {
        let path = &address.path;
        // Even what is not found was looked for.
        left.take(1, 0)?;
        match address.query {
            Query::Node => {
                let entry = self.entry(path)?;
                self.may(server, Access::GET, path.segments())?;
                let found = found(path, entry, true);
                left.take(0, found.octets())?;
                Ok(vec![found])
            }
            Query::Property(property) => {
                // The list itself may be read by whoever may read the node.
                let text = self.property(path, property)?;
                self.may(server, Access::GET, path.segments())?;
                let (uri, format) = (format!("{path}?prop={}", name_of(property)), "chr".into());
                let found = Found { uri, format, kind: None, data: Some(text.into()) };
                left.take(0, found.octets())?;
                Ok(vec![found])
            }
            Query::List(list) => self.list(server, path, list, left),
        }
    }

    /// What is at a path.
    fn entry(&self, path: &NodePath) -> Result<Entry, StatusCode> {
        if let Some((sub_tree, below)) = self.mounted(path.segments()) {
            return sub_tree.get(below);
        }
        let node = self.node(path).ok_or(StatusCode::NOT_FOUND)?;
        if !node.access.contains(Access::GET) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        Ok(match &node.value {
            Value::Interior(children) => Entry::Interior(children.keys().cloned().collect()),
            Value::Leaf(data) => Entry::Leaf(Leaf {
                data: data.clone(),
                format: node.format.clone(),
                kind: node.kind.clone(),
            }),
        })
    }

    /// A node with all below it that the server may read.
    fn list(
        &self,
        server: &str,
        path: &NodePath,
        list: List,
        left: &mut Allowance,
    ) -> Result<Vec<Found>, StatusCode> {
        let first = self.entry(path)?;
        self.may(server, Access::GET, path.segments())?;
        let mut stack = vec![(path.clone(), first)];
        let mut listed = Vec::new();
        while let Some((path, entry)) = stack.pop() {
            if listed.len() >= LISTED || path.segments().len() > super::path::DEEPEST {
                return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE);
            }
            if let Entry::Interior(names) = &entry {
                for name in names.iter().rev() {
                    let inner = path.join(name);
                    if self.may(server, Access::GET, inner.segments()).is_err() {
                        continue;
                    }
                    // What cannot be read is left out: the rest is still worth something.
                    if let Ok(entry) = self.entry(&inner) {
                        stack.push((inner, entry));
                    }
                }
            }
            let with_data = list == List::StructData && matches!(entry, Entry::Leaf(_));
            let found = found(&path, entry, with_data);
            left.take(1, found.octets())?;
            listed.push(found);
        }
        Ok(listed)
    }

    fn property(&self, path: &NodePath, property: Property) -> Result<String, StatusCode> {
        let unsupported = StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED;
        let Some(node) = self.node(path) else {
            // A mounted sub-tree has no properties but these.
            return match (self.entry(path)?, property) {
                (_, Property::Name) => Ok(path.segments().last().cloned().unwrap_or_default()),
                (Entry::Interior(_), Property::Format) => Ok("node".to_owned()),
                (Entry::Leaf(leaf), Property::Format) => Ok(leaf.format),
                (Entry::Leaf(leaf), Property::Size) => Ok(leaf.data.len().to_string()),
                (Entry::Leaf(leaf), Property::Type) => Ok(leaf.kind.unwrap_or_default()),
                _ => Err(unsupported),
            };
        };
        Ok(match (property, &node.value) {
            (Property::Acl, _) => node.acl.as_ref().map(ToString::to_string).unwrap_or_default(),
            (Property::Format, _) => node.format.clone(),
            (Property::Name, _) => path.segments().last().cloned().unwrap_or_default(),
            (Property::Size, Value::Leaf(data)) => data.len().to_string(),
            (Property::Size, Value::Interior(_)) => return Err(StatusCode::COMMAND_NOT_ALLOWED),
            (Property::Title, _) => node.title.clone().unwrap_or_default(),
            (Property::Type, _) => node.kind.clone().unwrap_or_default(),
            (Property::VerNo, _) => node.ver_no.to_string(),
        })
    }
}

const fn name_of(property: Property) -> &'static str {
    match property {
        Property::Acl => "ACL",
        Property::Format => "Format",
        Property::Name => "Name",
        Property::Size => "Size",
        Property::Title => "Title",
        Property::Type => "Type",
        Property::VerNo => "VerNo",
    }
}

fn found(path: &NodePath, entry: Entry, with_data: bool) -> Found {
    let uri = path.to_string();
    match entry {
        Entry::Interior(names) => Found {
            uri,
            format: "node".to_owned(),
            kind: None,
            data: with_data.then(|| names.join("/").into()),
        },
        Entry::Leaf(leaf) => Found {
            uri,
            format: leaf.format,
            kind: leaf.kind,
            data: with_data.then_some(leaf.data),
        },
    }
}
