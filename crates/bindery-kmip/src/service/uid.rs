//! Unique Identifiers: time-ordered, so that a store appends rather than scatters.

use std::sync::{Mutex, PoisonError};

use bindery_core::Timestamp;

use super::{Crypto, CryptoError};

/// Makes UUIDs of version 7 (RFC 9562, section 5.7), strictly increasing for as long as it lives:
/// also within a millisecond, and also when the clock is set back.
#[derive(Debug, Default)]
pub(super) struct UidSource {
    last: Mutex<u128>,
}

const VERSION: u128 = 0x7 << 76;
const VERSION_MASK: u128 = 0xF << 76;
const VARIANT: u128 = 0b10 << 62;
const VARIANT_MASK: u128 = 0b11 << 62;

impl UidSource {
    /// The next identifier, in the usual text form.
    pub(super) fn next(&self, now: Timestamp, crypto: &dyn Crypto) -> Result<String, CryptoError> {
        let mut random = [0; 16];
        crypto.fill_random(&mut random)?;
        let millis = u128::try_from(now.unix_micros().div_euclid(1_000)).unwrap_or(0);
        let fresh = stamp((millis & 0xFFFF_FFFF_FFFF) << 80 | u128::from_be_bytes(random) >> 48);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if fresh > *last { fresh } else { after(*last) };
        Ok(text(*last))
    }
}

const fn stamp(bits: u128) -> u128 {
    bits & !VERSION_MASK & !VARIANT_MASK | VERSION | VARIANT
}

/// The next larger number that has the version and the variant in their places.
const fn after(last: u128) -> u128 {
    // A carry runs through the fixed bits when they are all ones.
    stamp((last | VERSION_MASK | VARIANT_MASK).wrapping_add(1))
}

fn text(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (place, digit) in hex.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Constant(u8);

    impl Crypto for Constant {
        fn fill_random(&self, buffer: &mut [u8]) -> Result<(), CryptoError> {
            buffer.fill(self.0);
            Ok(())
        }

        fn sha256(&self, _octets: &[u8]) -> [u8; 32] {
            [0; 32]
        }
    }

    #[test]
    fn form() {
        let uid = UidSource::default()
            .next(Timestamp::from_unix_micros(0x0123_4567_89AB_i64 * 1_000), &Constant(0xFF))
            .unwrap();
        assert_eq!(uid, "01234567-89ab-7fff-bfff-ffffffffffff");
    }

    #[test]
    fn strictly_increasing_within_a_millisecond_across_carries_and_when_the_clock_goes_back() {
        let source = UidSource::default();
        let mut last = String::new();
        for (round, fill) in [(0, 0xFF), (1, 0xFF), (2, 0x00), (3, 0xFF), (4, 0x7F)] {
            for step in [5, 5, 4, 6] {
                let now = Timestamp::from_unix_micros(1_000_000 + step * 1_000);
                let uid = source.next(now, &Constant(fill)).unwrap();
                assert!(uid > last, "{round}: {uid} after {last}");
                assert_eq!(uid.as_bytes()[14], b'7', "{uid}");
                assert!(b"89ab".contains(&uid.as_bytes()[19]), "{uid}");
                last = uid;
            }
        }
    }
}
