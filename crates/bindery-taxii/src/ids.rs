//! The ids of messages.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bindery_taxii_xml::Dialect;

/// Makes ids of messages, results and subscriptions, each another one.
///
/// The first half is the caller's random octets, so that two processes do not make the same ids; the second half counts.
/// An id is a name and no secret: nobody gets to anything by guessing one.
#[derive(Debug)]
pub struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Ids {
    /// Ids from 16 random octets.
    pub fn new(seed: u128) -> Self {
        let [high, low] = [seed >> 64, seed & u128::from(u64::MAX)];
        let half = |half: u128| u64::try_from(half).unwrap_or_default();
        Self { seed: half(high), next: AtomicU64::new(half(low)) }
    }

    fn next(&self) -> u128 {
        let count = self.next.fetch_add(1, Relaxed);
        (u128::from(self.seed) << 64) | u128::from(count)
    }

    /// A message's id: 32 hexadecimal digits (a GUID, as the draft wants it), digits in 1.0.
    pub fn message(&self, dialect: Dialect) -> String {
        match dialect {
            // As `[0-9]+`, without limit of length.
            Dialect::V1_0 => self.next().to_string(),
            _ => format!("{:032x}", self.next()),
        }
    }

    /// An id that is a URI too: of a subscription or a result.
    pub fn uri(&self) -> String {
        format!("urn:bindery:{:032x}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_have_the_form_of_their_dialect() {
        let ids = Ids::new(u128::MAX);
        let draft = ids.message(Dialect::Draft);
        assert_eq!((draft.len(), &draft[..16]), (32, "ffffffffffffffff"));
        assert_ne!(draft, ids.message(Dialect::Draft));
        assert!(ids.message(Dialect::V1_0).bytes().all(|b| b.is_ascii_digit()));
        assert!(ids.uri().starts_with("urn:bindery:"));
    }
}
