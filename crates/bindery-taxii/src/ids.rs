//! The ids of messages, results and subscriptions.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use bindery_taxii_xml::Dialect;
use sha2::{Digest as _, Sha256};

/// Makes ids of messages, results and subscriptions, each another one.
///
/// The id of a message is a name and no secret: its first half is one of this process, the second half counts. The id of a
/// result or a subscription cannot be guessed, whatever other ids are known: peers without an account are nobody, all of them,
/// and an id is what tells them apart.
pub struct Ids {
    secret: [u8; 16],
    process: u64,
    next: AtomicU64,
}

impl Ids {
    /// Ids from 16 random octets, which stay secret.
    pub fn new(seed: u128) -> Self {
        let secret = seed.to_be_bytes();
        let drawn = drawn(&secret, b"messages", 0);
        let half = |half: u128| u64::try_from(half).unwrap_or_default();
        let next = AtomicU64::new(half(drawn & u128::from(u64::MAX)));
        Self { secret, process: half(drawn >> 64), next }
    }

    fn count(&self) -> u64 {
        self.next.fetch_add(1, Relaxed)
    }

    /// A message's id: 32 hexadecimal digits (a GUID, as the draft wants it), digits in 1.0.
    pub fn message(&self, dialect: Dialect) -> String {
        let id = (u128::from(self.process) << 64) | u128::from(self.count());
        match dialect {
            // As `[0-9]+`, without limit of length.
            Dialect::V1_0 => id.to_string(),
            _ => format!("{id:032x}"),
        }
    }

    /// An id that is a URI too, and cannot be guessed: of a subscription or a result.
    pub fn uri(&self) -> String {
        format!("urn:bindery:{:032x}", drawn(&self.secret, b"subjects", self.count()))
    }
}

/// A number that nobody can tell from chance who does not know the secret: a keyed hash, of inputs of one length.
fn drawn(secret: &[u8; 16], purpose: &[u8; 8], count: u64) -> u128 {
    let mut hash = Sha256::new();
    hash.update(secret);
    hash.update(purpose);
    hash.update(count.to_be_bytes());
    hash.finalize().iter().take(16).fold(0, |number, octet| (number << 8) | u128::from(*octet))
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_have_the_form_of_their_dialect() {
        let ids = Ids::new(u128::MAX);
        let draft = ids.message(Dialect::Draft);
        let next = ids.message(Dialect::Draft);
        assert_eq!((draft.len(), next.len()), (32, 32));
        assert_eq!(draft[..16], next[..16], "one process, one half");
        assert_ne!(draft, next);
        assert_ne!(draft, Ids::new(u128::MAX - 1).message(Dialect::Draft));
        assert!(ids.message(Dialect::V1_0).bytes().all(|b| b.is_ascii_digit()));
        assert!(ids.uri().starts_with("urn:bindery:"));
    }

    #[test]
    fn ids_of_results_follow_from_no_other_id() {
        let ids = Ids::new(7);
        let message = ids.message(Dialect::Draft);
        let made: Vec<String> = (0..64).map(|_| ids.uri().split_off(12)).collect();
        for (at, one) in made.iter().enumerate() {
            assert_eq!(one.len(), 32);
            // Neither of the process's half nor of a neighbour's is there more than chance has.
            assert!(!one.contains(&message[..8]) && !one.contains(&message[8..16]), "{one}");
            for other in &made[..at] {
                assert_ne!(one[..8], other[..8]);
                assert_ne!(one[24..], other[24..]);
            }
        }
        assert!(!format!("{ids:?}").contains('7'));
    }
}
