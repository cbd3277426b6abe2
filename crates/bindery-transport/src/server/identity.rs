//! Who a connection's peer is.

use bindery_core::{IdentityError, Peer, Principal};

use super::{Shared, guard::guarded};

/// The account that a peer is mapped to.
pub(super) fn of(shared: &Shared, peer: &Peer) -> Result<Option<Principal>, IdentityError> {
    let identity = match &shared.identities {
        Some(map) => guarded(|| map.principal(peer)).unwrap_or_else(|panic| {
            shared.counters.panic();
            tracing::error!(panic, "the identity map panicked");
            Err(IdentityError::new("it cannot be read", "ask the server's operator"))
        }),
        None => Ok(None),
    };
    if let Err(error) = &identity {
        tracing::info!(%error, "the peer's identity is refused");
    }
    identity
}
