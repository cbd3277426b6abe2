//! The management tree of a device, and what a server may do with it (OMA DM TND 1.2).

mod acl;
mod document;
mod list;
mod node;
mod path;
mod property;

use std::{collections::BTreeMap, fmt};

use bindery_syncml::StatusCode;
use bytes::Bytes;

pub use acl::{Acl, ParseAclError};
pub use document::TreeError;
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
/// are the device's own and may do anything. Nothing recurses: depth and number of nodes, and the
/// octets of all values, are limited.
#[derive(Debug)]
pub struct Tree {
    root: Node,
    mounts: BTreeMap<Vec<String>, Box<dyn SubTree>>,
    nodes: usize,
    octets: usize,
    limits: TreeLimits,
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
    /// The most octets of all values; 64 MiB by default.
    pub octets: usize,
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self { nodes: 10_000, octets: 64 << 20 }
    }
}

/// A tree as it was, to go back to.
#[derive(Debug)]
pub(super) struct Snapshot {
    root: Node,
    nodes: usize,
    octets: usize,
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
        Self { root, mounts: BTreeMap::new(), nodes: 1, octets: 0, limits: TreeLimits::default() }
    }

    /// The tree with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: TreeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The node at a path; `None` where there is none, or a mounted sub-tree answers.
    pub fn node(&self, path: &NodePath) -> Option<&Node> {
        path.segments().iter().try_fold(&self.root, |node, name| node.child(name))
    }

    /// The node at a path, to be changed by the device itself.
    pub(super) fn node_mut(&mut self, path: &[String]) -> Option<&mut Node> {
        path.iter().try_fold(&mut self.root, |node, name| node.child_mut(name))
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
    /// A leaf stands in the way, the path is the root, or the tree is full.
    pub fn put(&mut self, path: &NodePath, node: Node) -> Result<(), StatusCode> {
        let (name, parents) =
            path.segments().split_last().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
        if node.nodes().any(|(_, node)| !document::is_format(&node.format)) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE_OR_FORMAT);
        }
        self.remove(path);
        let (mut at, mut made) = (&mut self.root, 0);
        for parent in parents {
            let children = at.children_mut().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
            at = children.entry(parent.clone()).or_insert_with(|| {
                made += 1;
                Node::interior()
            });
        }
        let (nodes, octets) = node.size();
        let children = at.children_mut().ok_or(StatusCode::COMMAND_NOT_ALLOWED)?;
        children.insert(name.clone(), node);
        self.nodes += nodes + made;
        self.octets += octets;
        let fits = self.nodes <= self.limits.nodes && self.octets <= self.limits.octets;
        if fits {
            return Ok(());
        }
        self.remove(path);
        Err(StatusCode::DEVICE_FULL)
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
        let parent = self.node_mut(parents).and_then(Node::children_mut);
        let Some(gone) = parent.and_then(|children| children.remove(name)) else { return false };
        let (nodes, octets) = gone.size();
        self.nodes -= nodes;
        self.octets -= octets;
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
        let parent = self.node_mut(parents).ok_or(StatusCode::NOT_FOUND)?;
        if !parent.access.contains(Access::ADD) || parent.children_mut().is_none() {
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
        let limit = self.limits.octets;
        let others = self.octets - self.node(path).map_or(0, |node| node.size().1);
        if others + leaf.data.len() > limit {
            return Err(StatusCode::DEVICE_FULL);
        }
        let length = leaf.data.len();
        let node = self.node_mut(path.segments()).ok_or(StatusCode::NOT_FOUND)?;
        if !node.access.contains(Access::REPLACE) || node.children_mut().is_some() {
            return Err(StatusCode::COMMAND_NOT_ALLOWED);
        }
        node.set(leaf)?;
        self.octets = others + length;
        Ok(())
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
        let fixed = node.nodes().any(|(_, node)| node.permanent);
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
        let mut copy = node.clone();
        copy.detach();
        for (below, _) in node.nodes() {
            let inner: Vec<String> = from.segments().iter().chain(&below).cloned().collect();
            self.may(server, Access::GET, &inner)?;
            // Copies of copies would get past the limits of one address.
            path::fits(to.segments(), &below)?;
        }
        self.add(server, to, None)?;
        copy.acl = self.node(to).and_then(|node| node.acl.clone());
        self.put(to, copy)
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
            None => Ok(path.iter().try_fold(&self.root, |node, name| node.child(name)).is_some()),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { root: self.root.clone(), nodes: self.nodes, octets: self.octets }
    }

    pub(super) fn restore(&mut self, snapshot: Snapshot) {
        let Snapshot { root, nodes, octets } = snapshot;
        (self.root, self.nodes, self.octets) = (root, nodes, octets);
    }
}
