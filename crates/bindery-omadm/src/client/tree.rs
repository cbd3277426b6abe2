//! The management tree of a device, and what a server may do with it (OMA DM TND 1.2).

mod acl;
mod allowance;
mod document;
mod journal;
mod list;
mod node;
mod path;
mod property;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use bindery_syncml::StatusCode;
use bytes::Bytes;

pub use acl::{Acl, ParseAclError};
pub(super) use allowance::Allowance;
pub use document::TreeError;
use journal::{Journal, Step};
pub use list::Found;
pub use node::{Access, Leaf, Node, Value};
pub use path::{Address, List, NodePath, Property, Query};

/// What a sub-tree that is plugged in has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// An interior node, and the names in it.
    Interior(Vec<String>),
    /// A leaf.
    Leaf(Leaf),
}

/// A sub-tree that something else answers for: a sensor, the operating system, a program.
///
/// The tree checks addresses and access control before it asks; paths are what stands below the
/// point where the sub-tree was [mounted](Tree::mount), empty for that point itself. Each method
/// may be called for any path; the status it fails with is told to the server.
pub trait SubTree: fmt::Debug + Send {
    /// What there is.
    ///
    /// # Errors
    /// 404, where nothing is; any other status of the sub-tree's own.
    fn get(&self, path: &[String]) -> Result<Entry, StatusCode>;

    /// Makes a leaf, or an interior node where there is none.
    ///
    /// # Errors
    /// The status to tell; 405 unless overridden.
    fn add(&mut self, path: &[String], leaf: Option<Leaf>) -> Result<(), StatusCode> {
        let _ = (path, leaf);
        Err(StatusCode::COMMAND_NOT_ALLOWED)
    }

    /// Gives a leaf another value.
    ///
    /// # Errors
    /// The status to tell; 405 unless overridden.
    fn replace(&mut self, path: &[String], leaf: Leaf) -> Result<(), StatusCode> {
        let _ = (path, leaf);
        Err(StatusCode::COMMAND_NOT_ALLOWED)
    }

    /// Takes a node away, with what is in it.
    ///
    /// # Errors
    /// The status to tell; 405 unless overridden.
    fn delete(&mut self, path: &[String]) -> Result<(), StatusCode> {
        let _ = path;
        Err(StatusCode::COMMAND_NOT_ALLOWED)
    }

    /// Does what the node stands for. `correlator` is what a later Generic Alert says of it.
    ///
    /// # Errors
    /// The status to tell; 405 unless overridden. 202 is a success that a Generic Alert follows.
    fn exec(
        &mut self,
        path: &[String],
        data: Option<&Bytes>,
        correlator: Option<&str>,
    ) -> Result<StatusCode, StatusCode> {
        let _ = (path, data, correlator);
        Err(StatusCode::COMMAND_NOT_ALLOWED)
    }
}

/// A management tree.
///
/// The methods that name a server do what its commands ask for, under access control; the others
/// are the device's own and may do anything. The number of nodes, their depth (32) and the octets
/// of everything in them are limited. What goes through all nodes keeps a stack of its own; only
/// copying, comparing, showing and dropping a [`Node`] recurses, which the depth bounds.
#[derive(Debug)]
pub struct Tree {
    root: Node,
    mounts: BTreeMap<Vec<String>, Box<dyn SubTree>>,
    nodes: usize,
    octets: usize,
    limits: TreeLimits,
    /// While all of several changes have to come about or none: how they are taken back.
    journal: Option<Journal>,
}

/// The most names in a path, the longest address and the longest name.
pub(super) const fn path_limits() -> [usize; 3] {
    [path::DEEPEST, path::LONGEST, path::LONGEST_NAME]
}

/// How large a tree may grow; a server is told 420 (device full) beyond that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeLimits {
    /// The most nodes; 10,000 by default.
    pub nodes: usize,
    /// The most octets of all values, names, formats, types, titles and access control lists;
    /// 64 MiB by default.
    pub octets: usize,
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self { nodes: 10_000, octets: 64 << 20 }
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// A tree of its root alone. Everybody may Add to it and Get from it.
    #[must_use]
    pub fn new() -> Self {
        let mut root = Node::interior().permanent();
        root.acl = Some(Acl::everybody(Access::ADD | Access::GET));
        let (nodes, octets) = root.size();
        let (mounts, limits) = (BTreeMap::new(), TreeLimits::default());
        Self { root, mounts, nodes, octets, limits, journal: None }
    }

    /// The tree with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: TreeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The node at a path; `None` where there is none, or a mounted sub-tree answers.
    pub fn node(&self, path: &NodePath) -> Option<&Node> {
        self.at(path.segments())
    }

    fn at(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, name| node.child(name))
    }

    /// The text of a leaf.
    pub fn text(&self, path: &NodePath) -> Option<&str> {
        match &self.node(path)?.value {
            Value::Leaf(data) => std::str::from_utf8(data).ok(),
            Value::Interior(_) => None,
        }
    }

    /// Puts a node at a path, whatever was there; interior nodes on the way are made.
    ///
    /// # Errors
    /// A leaf stands in the way, the path is the root, something in the node would stand too deep,
    /// or the tree is full. Nothing is changed then.
    pub fn put(&mut self, path: &NodePath, node: Node) -> Result<(), StatusCode> {
        let segments = path.segments();
        let (name, parents) = segments.split_last().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
        for below in node.nodes() {
            if !document::is_format(&below.node.format) {
                return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT);
            }
            path::fits(segments, &below)?;
        }
        let made = parents.len() - self.there(parents)?;
        let (nodes, octets) = self.with_in_place_of(segments, &node, made);
        if nodes > self.limits.nodes || octets > self.limits.octets {
            return Err(StatusCode::DEVICE_FULL);
        }
        let mut at = &mut self.root;
        for parent in parents {
            let children = at.children_mut().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
            at = children.entry(parent.clone()).or_insert_with(Node::interior);
        }
        let children = at.children_mut().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
        let before = children.insert(name.clone(), node);
        (self.nodes, self.octets) = (nodes, octets);
        // Of interior nodes that were made on the way the first is what goes again.
        let top = segments.len() - made;
        let place = segments.get(..top).unwrap_or(segments);
        self.note(|| Step::Place { path: place.to_vec(), before });
        Ok(())
    }

    /// How many of the interior nodes on a way there are.
    fn there(&self, parents: &[String]) -> Result<usize, StatusCode> {
        let (mut at, mut there) = (&self.root, 0);
        while let Some(next) = parents.get(there).and_then(|name| at.child(name)) {
            (at, there) = (next, there + 1);
        }
        match &at.value {
            Value::Interior(_) => Ok(there),
            Value::Leaf(_) => Err(StatusCode::COMMAND_NOT_ALLOWED),
        }
    }

    /// Nodes and octets of the tree, once a node stands at a path for which so many interior nodes
    /// have to be made.
    fn with_in_place_of(&self, path: &[String], node: &Node, made: usize) -> (usize, usize) {
        let (mut nodes, mut octets) = node.size();
        octets += path.last().map_or(0, String::len);
        let interior = if made > 0 { Node::interior().octets() } else { 0 };
        for parent in path.iter().rev().skip(1).take(made) {
            (nodes, octets) = (nodes + 1, octets + parent.len() + interior);
        }
        let (gone, left) = match self.at(path) {
            Some(old) => {
                let (nodes, octets) = old.size();
                (nodes, octets + path.last().map_or(0, String::len))
            }
            None => (0, 0),
        };
        (self.nodes - gone + nodes, self.octets - left + octets)
    }

    /// Changes what a node holds and what stands beside it, within the limits.
    fn change<T>(
        &mut self,
        path: &[String],
        change: impl FnOnce(&mut Node) -> Result<T, StatusCode>,
    ) -> Result<T, StatusCode> {
        let found = path.iter().try_fold(&mut self.root, |node, name| node.child_mut(name));
        let node = found.ok_or(StatusCode::NOT_FOUND)?;
        let (before, had) = (node.aside(), node.octets());
        let outcome = change(node);
        let has = node.octets();
        let octets = self.octets - had + has;
        let full = has > had && octets > self.limits.octets;
        if full || outcome.is_err() {
            node.put_back(before);
            return outcome.and(Err(StatusCode::DEVICE_FULL));
        }
        self.octets = octets;
        self.note(|| Step::Aside { path: path.to_vec(), before });
        outcome
    }

    /// The device's own change of what holds everywhere.
    pub(super) fn change_root_acl(&mut self, change: impl FnOnce(Option<Acl>) -> Acl) {
        let before = self.root.acl.take();
        self.octets -= before.as_ref().map_or(0, Acl::octets);
        let acl = change(before);
        self.octets += acl.octets();
        self.root.acl = Some(acl);
    }

    /// Puts the text of a leaf; see [`put`](Self::put).
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_text(&mut self, path: &NodePath, text: &str) -> Result<(), StatusCode> {
        self.put(path, Node::leaf(Leaf::text(text)))
    }

    /// Takes a node away, with what is in it. Whether there was one.
    pub fn remove(&mut self, path: &NodePath) -> bool {
        let Some((name, parents)) = path.segments().split_last() else { return false };
        let parent = parents.iter().try_fold(&mut self.root, |node, name| node.child_mut(name));
        let children = parent.and_then(Node::children_mut);
        let Some(gone) = children.and_then(|children| children.remove(name)) else { return false };
        let (nodes, octets) = gone.size();
        self.nodes -= nodes;
        self.octets -= octets + name.len();
        self.note(|| Step::Place { path: path.segments().to_vec(), before: Some(gone) });
        true
    }

    /// Lets something else answer for a path and what is below it. A permanent interior node
    /// stands there, which has the access control list.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn mount(&mut self, path: &NodePath, sub_tree: Box<dyn SubTree>) -> Result<(), StatusCode> {
        self.put(path, Node::interior().permanent())?;
        self.mounts.insert(path.segments().to_vec(), sub_tree);
        Ok(())
    }

    /// The sub-tree that answers for a path, and the path in it.
    fn mounted<'p>(&self, path: &'p [String]) -> Option<(&dyn SubTree, &'p [String])> {
        let at = self.mount_point(path)?;
        let (mount, below) = path.split_at_checked(at)?;
        Some((&**self.mounts.get(mount)?, below))
    }

    fn mounted_mut<'p>(
        &mut self,
        path: &'p [String],
    ) -> Option<(&mut Box<dyn SubTree>, &'p [String])> {
        let at = self.mount_point(path)?;
        let (mount, below) = path.split_at_checked(at)?;
        Some((self.mounts.get_mut(mount)?, below))
    }

    fn mount_point(&self, path: &[String]) -> Option<usize> {
        if self.mounts.is_empty() {
            return None;
        }
        (1..=path.len()).find(|at| path.get(..*at).is_some_and(|it| self.mounts.contains_key(it)))
    }

    /// Whether a mounted sub-tree answers for a path: what it does cannot be taken back.
    pub(super) fn is_mounted(&self, path: &NodePath) -> bool {
        self.mount_point(path.segments()).is_some()
    }

    /// Whether a server may do something with the node at a path: by its own access control list,
    /// or else by that of the nearest node above that has one.
    fn may(&self, server: &str, access: Access, path: &[String]) -> Result<(), StatusCode> {
        match self.effective_acl(path).is_some_and(|acl| acl.allows(access, server)) {
            true => Ok(()),
            false => Err(StatusCode::PERMISSION_DENIED),
        }
    }

    /// Whether a server may do something with a node and everything in it.
    fn may_all(
        &self,
        server: &str,
        access: Access,
        path: &NodePath,
        node: &Node,
    ) -> Result<(), StatusCode> {
        let mut stack = vec![(node, self.effective_acl(path.segments()))];
        while let Some((node, above)) = stack.pop() {
            let acl = node.acl.as_ref().or(above);
            if !acl.is_some_and(|acl| acl.allows(access, server)) {
                return Err(StatusCode::PERMISSION_DENIED);
            }
            if let Value::Interior(children) = &node.value {
                stack.extend(children.values().map(|child| (child, acl)));
            }
        }
        Ok(())
    }

    fn effective_acl(&self, path: &[String]) -> Option<&Acl> {
        let mut effective = self.root.acl.as_ref();
        let mut at = &self.root;
        for name in path {
            let Some(next) = at.child(name) else { break };
            effective = next.acl.as_ref().or(effective);
            at = next;
        }
        effective
    }

    /// A server's Add: a leaf, or an interior node where there is none.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn add(
        &mut self,
        server: &str,
        path: &NodePath,
        leaf: Option<Leaf>,
    ) -> Result<(), StatusCode> {
        let (_, parents) = path.segments().split_last().ok_or(StatusCode::ALREADY_EXISTS)?;
        if !self.exists(parents)? {
            return Err(StatusCode::NOT_FOUND);
        }
        self.may(server, Access::ADD, parents)?;
        if let Some((sub_tree, below)) = self.mounted_mut(path.segments()) {
            return sub_tree.add(below, leaf);
        }
        let parent = self.at(parents).ok_or(StatusCode::NOT_FOUND)?;
        if !parent.access.contains(Access::ADD) || matches!(parent.value, Value::Leaf(_)) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        if self.node(path).is_some() {
            return Err(StatusCode::ALREADY_EXISTS);
        }
        if leaf.as_ref().is_some_and(|leaf| !leaf.is_sound()) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT);
        }
        let mut node = leaf.map_or_else(Node::interior, Node::leaf);
        // Some server has to be able to manage it: if nobody could, the one that made it can.
        let inherited = self.effective_acl(parents).cloned().unwrap_or_default();
        if !inherited.allows(Access::REPLACE, server) {
            node.acl = Some(inherited.and(Access::REPLACE | Access::DELETE, server));
        }
        self.put(path, node)
    }

    /// A server's Replace of a leaf's value.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn replace(&mut self, server: &str, path: &NodePath, leaf: Leaf) -> Result<(), StatusCode> {
        if !self.exists(path.segments())? {
            return Err(StatusCode::NOT_FOUND);
        }
        self.may(server, Access::REPLACE, path.segments())?;
        if let Some((sub_tree, below)) = self.mounted_mut(path.segments()) {
            return sub_tree.replace(below, leaf);
        }
        self.change(path.segments(), |node| {
            if !node.access.contains(Access::REPLACE) || matches!(node.value, Value::Interior(_)) {
                return Err(StatusCode::COMMAND_NOT_ALLOWED);
            }
            node.set(leaf)
        })
    }

    /// A server's Delete, with what is in the node.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn delete(&mut self, server: &str, path: &NodePath) -> Result<(), StatusCode> {
        if !self.exists(path.segments())? {
            return Err(StatusCode::NOT_FOUND);
        }
        self.may(server, Access::DELETE, path.segments())?;
        match self.mounted_mut(path.segments()) {
            Some((sub_tree, below)) if !below.is_empty() => return sub_tree.delete(below),
            Some(_) => return Err(StatusCode::COMMAND_NOT_ALLOWED),
            None => {}
        }
        let node = self.node(path).ok_or(StatusCode::NOT_FOUND)?;
        // Nothing permanent goes, not even with what it stands in.
        let fixed = node.nodes().any(|below| below.node.permanent);
        if fixed || !node.access.contains(Access::DELETE) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        self.remove(path);
        Ok(())
    }

    /// A server's Copy of a node with what is in it.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn copy(&mut self, server: &str, from: &NodePath, to: &NodePath) -> Result<(), StatusCode> {
        if self.is_mounted(from) || self.is_mounted(to) || to.is_below(from) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        let node = self.node(from).ok_or(StatusCode::NOT_FOUND)?;
        if !node.access.contains(Access::COPY) {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        for below in node.nodes() {
            // Copies of copies would get past the limits of one address.
            path::fits(to.segments(), &below)?;
        }
        self.may_all(server, Access::GET, from, node)?;
        let mut copy = node.clone();
        copy.detach();
        self.add(server, to, None)?;
        copy.acl = self.node(to).and_then(|node| node.acl.clone());
        let put = self.put(to, copy);
        if put.is_err() {
            self.remove(to);
        }
        put
    }

    /// A server's Exec.
    ///
    /// # Errors
    /// The status to tell the server.
    pub fn exec(
        &mut self,
        server: &str,
        path: &NodePath,
        data: Option<&Bytes>,
        correlator: Option<&str>,
    ) -> Result<StatusCode, StatusCode> {
        if !self.exists(path.segments())? {
            return Err(StatusCode::NOT_FOUND);
        }
        self.may(server, Access::EXEC, path.segments())?;
        match self.mounted_mut(path.segments()) {
            Some((sub_tree, below)) => sub_tree.exec(below, data, correlator),
            None => Err(StatusCode::COMMAND_NOT_ALLOWED),
        }
    }

    fn exists(&self, path: &[String]) -> Result<bool, StatusCode> {
        match self.mounted(path) {
            Some((_, [])) => Ok(true),
            Some((sub_tree, below)) => match sub_tree.get(below) {
                Ok(_) => Ok(true),
                Err(StatusCode::NOT_FOUND) => Ok(false),
                Err(status) => Err(status),
            },
            None => Ok(self.at(path).is_some()),
        }
    }
}
