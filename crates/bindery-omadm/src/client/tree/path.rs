//! Addresses of nodes: `./DevInfo/Man`, `./A?list=Struct`, `./A/B?prop=ACL`.

use std::fmt;

use bindery_syncml::StatusCode;

use super::node::Below;

/// The longest address, in octets (`./DevDetail/URI/MaxTotLen`).
pub(super) const LONGEST: usize = 1024;
/// The most names in a path (`MaxDepth`).
pub(super) const DEEPEST: usize = 32;
/// The longest name, in octets (`MaxSegLen`).
pub(super) const LONGEST_NAME: usize = 255;

/// Whether something inside of a node has an address within the limits, once the node is at `base`.
pub(super) fn fits(base: &[String], below: &Below<'_>) -> Result<(), StatusCode> {
    let octets = base.iter().fold(1 + below.octets, |sum, name| sum + 1 + name.len());
    match base.len() + below.depth > DEEPEST || octets > LONGEST {
        true => Err(StatusCode::URI_TOO_LONG),
        false => Ok(()),
    }
}

/// The path of a node, from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodePath(Vec<String>);

impl NodePath {
    /// Reads a path: with or without `./` at its beginning, which are the same.
    ///
    /// # Errors
    /// 414, if it is too long or too deep; 400, if a name in it is empty, `.` or `..`.
    pub fn parse(text: &str) -> Result<Self, StatusCode> {
        if text.len() > LONGEST {
            return Err(StatusCode::URI_TOO_LONG);
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let text = match text {
            "." | "" => return Ok(Self::default()),
            text => text.strip_prefix("./").unwrap_or(text),
        };
        let names: Vec<String> = text.split('/').map(str::to_owned).collect();
        let bad = |name: &String| {
            name.is_empty() || name == "." || name == ".." || name.contains(['?', '\0'])
        };
        if names.iter().any(bad) {
            return Err(StatusCode::BAD_REQUEST);
        }
        if names.len() > DEEPEST || names.iter().any(|name| name.len() > LONGEST_NAME) {
            return Err(StatusCode::URI_TOO_LONG);
        }
        Ok(Self(names))
    }

    /// The names, without the root's.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The path of something inside.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// Whether it is `other`, or stands below it.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// `./DevInfo/Man`; the root is `.`.
impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(".")?;
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

/// A node, or something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The node.
    pub path: NodePath,
    /// What about it.
    pub query: Query,
}

/// What an address asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// The node itself.
    #[default]
    Node,
    /// `?list=`: the node with all below it.
    List(List),
    /// `?prop=`: a property.
    Property(Property),
}

/// What a `?list=` shows of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum List {
    /// Their addresses, formats and types.
    Struct,
    /// Their values too.
    StructData,
}

/// The properties of a node (TND, 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Property {
    /// Who may do what.
    Acl,
    /// The format of the value.
    Format,
    /// The name.
    Name,
    /// The octets of a leaf's value.
    Size,
    /// A title for people.
    Title,
    /// The media type of the value.
    Type,
    /// The number of the last change.
    VerNo,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// As [`NodePath::parse`]; 406 for a list or property that there is not, 400 for any other
    /// query.
    pub fn parse(text: &str) -> Result<Self, StatusCode> {
        let Some((path, query)) = text.split_once('?') else {
            return Ok(Self { path: NodePath::parse(text)?, query: Query::Node });
        };
        let query = match query.split_once('=') {
            Some(("list", "Struct")) => Query::List(List::Struct),
            Some(("list", "StructData")) => Query::List(List::StructData),
            Some(("prop", name)) => Query::Property(match name {
                "ACL" => Property::Acl,
                "Format" => Property::Format,
                "Name" => Property::Name,
                "Size" => Property::Size,
                "Title" => Property::Title,
                "Type" => Property::Type,
                "VerNo" => Property::VerNo,
                // TStamp among them: a tree has no clock.
                _ => return Err(StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED),
            }),
            Some(("list", _)) => return Err(StatusCode::OPTIONAL_FEATURE_NOT_SUPPORTED),
            _ => return Err(StatusCode::BAD_REQUEST),
        };
        Ok(Self { path: NodePath::parse(path)?, query })
    }
}
