//! One node.

use std::{collections::BTreeMap, ops::BitOr};

use bindery_syncml::StatusCode;
use bytes::Bytes;

use super::Acl;

/// Commands, as a set: what a node takes, or what an access control list speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access(u8);

impl Access {
    /// None.
    pub const NONE: Self = Self(0);
    /// Add: of a node inside this one.
    pub const ADD: Self = Self(1);
    /// Copy: of this node.
    pub const COPY: Self = Self(2);
    /// Delete: of this node.
    pub const DELETE: Self = Self(4);
    /// Exec: of this node.
    pub const EXEC: Self = Self(8);
    /// Get: of this node.
    pub const GET: Self = Self(16);
    /// Replace: of this node.
    pub const REPLACE: Self = Self(32);
    /// All of them.
    pub const ALL: Self = Self(63);

    /// Each command with its name, in the order of the specification.
    pub(super) const NAMED: [(Self, &'static str); 6] = [
        (Self::ADD, "Add"),
        (Self::COPY, "Copy"),
        (Self::DELETE, "Delete"),
        (Self::EXEC, "Exec"),
        (Self::GET, "Get"),
        (Self::REPLACE, "Replace"),
    ];

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Access {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A leaf's value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaf {
    /// Its octets.
    pub data: Bytes,
    /// The format: `chr`, `int`, `bool`, `bin`, `xml`, `null` and so on.
    pub format: String,
    /// The media type.
    pub kind: Option<String>,
}

impl Leaf {
    /// A value of some format.
    pub fn new(format: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), format: format.into(), kind: None }
    }

    /// Whether the octets are a value of the format, as far as that can be told.
    pub(super) fn is_sound(&self) -> bool {
        is_of(&self.format, &self.data)
    }

    /// A text: format `chr`, type `text/plain`.
    pub fn text(text: impl Into<String>) -> Self {
        let kind = Some("text/plain".to_owned());
        Self { data: text.into().into(), format: "chr".to_owned(), kind }
    }
}

/// Of the value its length only: it may be secret.
impl std::fmt::Debug for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaf({}, {} bytes)", self.format, self.data.len())
    }
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// Other nodes.
    Interior(BTreeMap<String, Node>),
    /// A value.
    Leaf(Bytes),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Interior(children) => f.debug_tuple("Interior").field(children).finish(),
            Self::Leaf(data) => write!(f, "Leaf({} bytes)", data.len()),
        }
    }
}

/// A node of the tree.
///
/// Cloning, comparing, showing and dropping one goes down as deep as it is: of one that a [`Tree`]
/// has taken 32 levels at the most. What a caller builds deeper is the caller's to bound.
///
/// [`Tree`]: super::Tree
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// The format of the value: `node` for an interior one.
    pub format: String,
    /// The media type of the value; of an interior node the name of its description.
    pub kind: Option<String>,
    /// Who may do what; `None` for what holds above.
    pub acl: Option<Acl>,
    /// A title for people.
    pub title: Option<String>,
    /// Counts the changes of the node, beginning again at 0 beyond 65,535.
    pub ver_no: u16,
    /// The commands that it takes.
    pub access: Access,
    /// Whether it is always there.
    pub permanent: bool,
}

impl Node {
    /// An interior node that takes everything.
    #[must_use]
    pub fn interior() -> Self {
        let mut node = Self::leaf(Leaf::new("node", Bytes::new()));
        node.value = Value::Interior(BTreeMap::new());
        node
    }

    /// A leaf that takes everything.
    #[must_use]
    pub fn leaf(leaf: Leaf) -> Self {
        Self {
            value: Value::Leaf(leaf.data),
            format: leaf.format,
            kind: leaf.kind,
            acl: None,
            title: None,
            ver_no: 0,
            access: Access::ALL,
            permanent: false,
        }
    }

    /// The same, always there.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// The same, taking only these commands.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Interior(children) => children.get(name),
            Value::Leaf(_) => None,
        }
    }

    pub(super) fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.children_mut()?.get_mut(name)
    }

    pub(super) const fn children_mut(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        match &mut self.value {
            Value::Interior(children) => Some(children),
            Value::Leaf(_) => None,
        }
    }

    /// Another value, in the format that it has.
    pub(super) fn set(&mut self, leaf: Leaf) -> Result<(), StatusCode> {
        let (has, given) = (self.format.as_str(), leaf.format.as_str());
        // Octets that came as Base64 are octets, and without a format a value is what it was.
        let octets = |format| matches!(format, "bin" | "b64");
        if has != given && given != "chr" && !(octets(has) && octets(given)) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT);
        }
        if !is_of(has, &leaf.data) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT);
        }
        self.value = Value::Leaf(leaf.data);
        self.kind = leaf.kind.or_else(|| self.kind.take());
        self.changed();
        Ok(())
    }

    pub(super) fn changed(&mut self) {
        self.ver_no = self.ver_no.wrapping_add(1);
    }

    /// Every node in it and itself; parents before children.
    pub(super) fn nodes(&self) -> Nodes<'_> {
        Nodes(vec![Below { depth: 0, octets: 0, name: "", node: self }])
    }

    /// How many nodes there are, itself among them, and the octets of all that they hold; its own
    /// name is not counted, which stands in its parent.
    pub(super) fn size(&self) -> (usize, usize) {
        self.nodes().fold((0, 0), |(nodes, octets), below| {
            (nodes + 1, octets + below.name.len() + below.node.octets())
        })
    }

    /// The octets of the node alone: its value, and what stands beside it.
    pub(super) fn octets(&self) -> usize {
        let value = match &self.value {
            Value::Leaf(data) => data.len(),
            Value::Interior(_) => 0,
        };
        let texts = [self.kind.as_ref(), self.title.as_ref()].into_iter().flatten();
        let acl = self.acl.as_ref().map_or(0, Acl::octets);
        value + self.format.len() + acl + texts.map(String::len).sum::<usize>()
    }

    /// What of a node a server may change without moving it, as it is.
    pub(super) fn aside(&self) -> Aside {
        let data = match &self.value {
            Value::Leaf(data) => Some(data.clone()),
            Value::Interior(_) => None,
        };
        let (kind, title) = (self.kind.clone(), self.title.clone());
        Aside { data, kind, acl: self.acl.clone(), title, ver_no: self.ver_no }
    }

    /// Makes the node again what [`aside`](Self::aside) told.
    pub(super) fn put_back(&mut self, aside: Aside) {
        let Aside { data, kind, acl, title, ver_no } = aside;
        if let Some(data) = data {
            self.value = Value::Leaf(data);
        }
        (self.kind, self.acl, self.title, self.ver_no) = (kind, acl, title, ver_no);
    }

    /// A copy's nodes are dynamic, and their access control is the new place's.
    pub(super) fn detach(&mut self) {
        let mut stack = vec![self];
        while let Some(node) = stack.pop() {
            node.acl = None;
            node.permanent = false;
            node.ver_no = 0;
            if let Value::Interior(children) = &mut node.value {
                stack.extend(children.values_mut());
            }
        }
    }
}

/// See [`Node::aside`].
#[derive(Debug)]
pub(super) struct Aside {
    data: Option<Bytes>,
    kind: Option<String>,
    acl: Option<Acl>,
    title: Option<String>,
    ver_no: u16,
}

/// A node inside of another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Below<'a> {
    /// How many names lead to it.
    pub(super) depth: usize,
    /// The octets of these names, each with a `/`.
    pub(super) octets: usize,
    /// The last of them; empty for the node itself.
    pub(super) name: &'a str,
    pub(super) node: &'a Node,
}

/// See [`Node::nodes`].
#[derive(Debug)]
pub(super) struct Nodes<'a>(Vec<Below<'a>>);

impl<'a> Iterator for Nodes<'a> {
    type Item = Below<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let below = self.0.pop()?;
        if let Value::Interior(children) = &below.node.value {
            self.0.extend(children.iter().rev().map(|(name, node)| {
                let octets = below.octets + 1 + name.len();
                Below { depth: below.depth + 1, octets, name, node }
            }));
        }
        Some(below)
    }
}

/// Whether octets are a value of a format, as far as that can be told.
fn is_of(format: &str, data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return matches!(format, "bin" | "b64") };
    match format {
        "int" => text.trim().parse::<i64>().is_ok(),
        "bool" => matches!(text.trim(), "true" | "false"),
        "float" => text.trim().parse::<f64>().is_ok(),
        "null" => text.is_empty(),
        _ => true,
    }
}
