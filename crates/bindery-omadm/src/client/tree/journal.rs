//! Changes that come about together or not at all (Atomic): what is written down is what each of
//! them replaced, so that taking them back costs what they cost, whatever else is in the tree.

use bindery_syncml::StatusCode;

use super::{Node, Tree, node::Aside};

/// What has to be done to take changes back.
#[derive(Debug)]
pub(super) struct Journal {
    /// In the order in which the changes were made.
    pub(super) steps: Vec<Step>,
    nodes: usize,
    octets: usize,
}

/// How one change is taken back.
#[derive(Debug)]
pub(super) enum Step {
    /// What stood at a path, with all in it.
    Place { path: Vec<String>, before: Option<Node> },
    /// What a node held, and what stood beside it.
    Aside { path: Vec<String>, before: Aside },
    /// The name that a node had, and its version.
    Name { parents: Vec<String>, before: String, now: String, ver_no: u16 },
}

impl Tree {
    /// From now on what is changed can be [taken back](Self::take_back), until it is
    /// [kept](Self::keep).
    pub(in crate::client) fn begin(&mut self) {
        self.journal = Some(Journal { steps: Vec::new(), nodes: self.nodes, octets: self.octets });
    }

    /// What was changed stays.
    pub(in crate::client) fn keep(&mut self) {
        self.journal = None;
    }

    /// What was changed since [`begin`](Self::begin) is as it was before.
    pub(in crate::client) fn take_back(&mut self) {
        let Some(Journal { steps, nodes, octets }) = self.journal.take() else { return };
        for step in steps.into_iter().rev() {
            match step {
                Step::Place { path, before } => self.place(&path, before),
                Step::Aside { path, before } => {
                    if let Some(node) = self.at_mut(&path) {
                        node.put_back(before);
                    }
                }
                Step::Name { parents, before, now, ver_no } => {
                    let children = self.at_mut(&parents).and_then(Node::children_mut);
                    let Some(children) = children else { continue };
                    if let Some(mut node) = children.remove(&now) {
                        node.ver_no = ver_no;
                        children.insert(before, node);
                    }
                }
            }
        }
        (self.nodes, self.octets) = (nodes, octets);
    }

    /// Writes down how a change is taken back, if it may have to be.
    pub(super) fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(journal) = &mut self.journal {
            journal.steps.push(step());
        }
    }

    /// Gives a node another name in the same place, which nothing has.
    pub(super) fn move_to(
        &mut self,
        parents: &[String],
        before: &str,
        name: &str,
    ) -> Result<(), StatusCode> {
        let parent = self.at_mut(parents).ok_or(StatusCode::NOT_FOUND)?;
        let children = parent.children_mut().ok_or(StatusCode::NOT_FOUND)?;
        if children.contains_key(name) {
            return Err(StatusCode::ALREADY_EXISTS);
        }
        let mut node = children.remove(before).ok_or(StatusCode::NOT_FOUND)?;
        let ver_no = node.ver_no;
        node.changed();
        children.insert(name.to_owned(), node);
        self.octets = self.octets - before.len() + name.len();
        self.note(|| Step::Name {
            parents: parents.to_vec(),
            before: before.to_owned(),
            now: name.to_owned(),
            ver_no,
        });
        Ok(())
    }

    fn place(&mut self, path: &[String], before: Option<Node>) {
        let Some((name, parents)) = path.split_last() else { return };
        let children = self.at_mut(parents).and_then(Node::children_mut);
        let Some(children) = children else { return };
        match before {
            Some(node) => children.insert(name.clone(), node),
            None => children.remove(name),
        };
    }

    fn at_mut(&mut self, path: &[String]) -> Option<&mut Node> {
        path.iter().try_fold(&mut self.root, |node, name| node.child_mut(name))
    }
}
