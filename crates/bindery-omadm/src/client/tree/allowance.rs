//! What one message of a server may cost.

use bindery_syncml::StatusCode;

use super::{NodePath, Tree};

/// How much a message may still ask for. Once something is asked for that is more than is left,
/// nothing is left: a server that goes on asking costs nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Allowance {
    /// Nodes that are looked at, copied or taken away.
    pub(in crate::client) nodes: usize,
    /// Octets of what is found.
    pub(in crate::client) octets: usize,
}

impl Allowance {
    /// Takes something of it.
    ///
    /// # Errors
    /// 413, where there is not as much left.
    pub(in crate::client) fn take(
        &mut self,
        nodes: usize,
        octets: usize,
    ) -> Result<(), StatusCode> {
        let left = (self.nodes.checked_sub(nodes), self.octets.checked_sub(octets));
        let (Some(nodes), Some(octets)) = left else {
            (self.nodes, self.octets) = (0, 0);
            return Err(StatusCode::REQUEST_ENTITY_TOO_LARGE);
        };
        (self.nodes, self.octets) = (nodes, octets);
        Ok(())
    }
}

impl Tree {
    /// Takes as much as there are nodes at a path: of what is plugged in, one.
    ///
    /// # Errors
    /// 413, where there is not as much left.
    pub(in crate::client) fn weigh(
        &self,
        path: &NodePath,
        left: &mut Allowance,
    ) -> Result<(), StatusCode> {
        let nodes = self.node(path).into_iter().flat_map(|node| node.nodes());
        nodes.map(|_| ()).try_for_each(|()| left.take(1, 0))
    }
}
