//! Targets: paths with wildcards.

use bindery_taxii_xml::StatusType;

use crate::service::fault::Fault;

/// The most nodes of a path.
const NODES: usize = 32;

/// A path (Default Query 1.0: slash notation).
#[derive(Clone, Debug)]
pub(super) struct Target(Vec<Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(String),
    Attribute(String),
    /// `*`: any one node.
    One,
    /// `**`: any node or series of nodes.
    Some,
}

impl Target {
    /// Reads a path.
    pub(super) fn of(text: &str) -> Result<Self, Fault> {
        let refused = |reason: String| {
            let fault = Fault::new(StatusType::UnsupportedTargetingExpression, reason);
            fault.with("ALLOWED_SCOPE", "**")
        };
        let mut nodes = Vec::new();
        let mut names = text.split('/').peekable();
        while let Some(name) = names.next() {
            let node = match (name, name.strip_prefix('@')) {
                ("", _) | (_, Some("")) => {
                    return Err(refused(format!("{text:?} has a node without a name")));
                }
                (_, Some(_)) if names.peek().is_some() => {
                    return Err(refused(format!("{text:?} has something inside an attribute")));
                }
                (_, Some(name)) => Node::Attribute(name.to_owned()),
                ("*", None) => Node::One,
                ("**", None) => Node::Some,
                (name, None) if name.contains(['*', '@']) => {
                    return Err(refused(format!("{text:?} has a wildcard inside a name")));
                }
                (name, None) => Node::Element(name.to_owned()),
            };
            nodes.push(node);
            if nodes.len() > NODES {
                return Err(refused(format!("a target has at most {NODES} nodes")));
            }
        }
        Ok(Self(nodes))
    }

    /// Where in the path one is inside an element of this name: bit n says that n nodes lie behind. `before` says the same
    /// of the element around it; 1 above the root.
    pub(super) fn step(&self, before: u64, name: &str) -> u64 {
        let mut places = 0;
        for (at, node) in self.0.iter().enumerate().filter(|(at, _)| before >> at & 1 == 1) {
            places |= match node {
                Node::Element(wanted) if wanted != name => 0,
                Node::Attribute(_) => 0,
                Node::Element(_) | Node::One => 2 << at,
                Node::Some => 3 << at,
            };
        }
        places
    }

    /// Whether an element is at the path's end.
    pub(super) fn is_end(&self, places: u64) -> bool {
        places >> self.0.len() & 1 == 1
    }

    /// Whether an attribute of an element at these places is the path's end.
    pub(super) fn is_attribute(&self, places: u64, name: &str) -> bool {
        let Some((last, before)) = self.0.split_last() else { return false };
        let here = places >> before.len() & 1 == 1;
        here && match last {
            Node::Attribute(wanted) => wanted == name,
            Node::One | Node::Some => true,
            Node::Element(_) => false,
        }
    }
}
