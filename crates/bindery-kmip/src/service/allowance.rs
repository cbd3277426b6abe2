//! What one batch may cost.

use bindery_ttlv::registry::ResultReason;

use super::KeyServerConfig;
use crate::message::Failure;

/// What is left of what one batch may cost, all its items together: a batch of a thousand items
/// costs no more than one of its items may alone.
#[derive(Debug)]
pub(super) struct Allowance {
    scanned: usize,
    octets: usize,
    scanned_most: usize,
    octets_most: usize,
}

impl Allowance {
    /// Everything that the settings allow.
    pub(super) const fn new(config: &KeyServerConfig) -> Self {
        Self {
            scanned: config.scanned,
            octets: config.batch_octets,
            scanned_most: config.scanned,
            octets_most: config.batch_octets,
        }
    }

    /// A Locate looks at a record; `cost` is 1 for one that is quickly looked at.
    ///
    /// # Errors
    /// The batch has looked at enough.
    pub(super) fn look(&mut self, cost: usize) -> Result<(), Failure> {
        take(&mut self.scanned, cost).ok_or_else(|| {
            Failure::general_failure(format!(
                "more than {} objects would have to be looked at; ask for a Name, an Object Group \
                 or another attribute with an exact value, and for less in one batch",
                self.scanned_most
            ))
        })
    }

    /// The batch loads an object of so many octets and keeps it until its end.
    ///
    /// # Errors
    /// It holds enough.
    pub(super) fn hold(&mut self, octets: usize) -> Result<(), Failure> {
        take(&mut self.octets, octets).ok_or_else(|| {
            Failure::general_failure(format!(
                "the batch would hold more than {} octets at once; send its items in several \
                 messages",
                self.octets_most
            ))
        })
    }

    /// An answer has up to so many octets.
    ///
    /// # Errors
    /// The answers are long enough.
    pub(super) fn answer(&mut self, octets: usize) -> Result<(), Failure> {
        take(&mut self.octets, octets).ok_or_else(|| {
            let text = format!(
                "the batch would hold more than {} octets at once; ask for less in one message",
                self.octets_most
            );
            Failure::new(ResultReason::RESPONSE_TOO_LARGE, text)
        })
    }
}

fn take(left: &mut usize, cost: usize) -> Option<()> {
    *left = left.checked_sub(cost)?;
    Some(())
}
