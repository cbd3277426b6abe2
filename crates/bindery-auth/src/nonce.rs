//! Nonces that say themselves when and by whom they were made, so that no server keeps a list.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_core::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The octets of a nonce: time, number, and the first half of a MAC over them. In Base64 44
/// characters, under the 64 that OMA DM allows.
const LENGTH: usize = 32;

/// What makes and knows nonces. Servers that share the key take each other's.
pub(crate) struct Nonces {
    key: Zeroizing<[u8; 32]>,
    realm: String,
    number: AtomicU64,
    life: Duration,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It counts until then; `aging` in the second half of its life.
    Good { until: Timestamp, aging: bool },
    /// It was ours and counts no more, or it never was.
    Stale,
}

impl Nonces {
    pub(crate) fn new(key: [u8; 32], realm: String, life: Duration) -> Self {
        Self { key: Zeroizing::new(key), realm, number: AtomicU64::new(0), life }
    }

    pub(crate) fn make(&self, now: Timestamp) -> String {
        let mut octets = [0; LENGTH];
        let (time, rest) = octets.split_at_mut(8);
        let (number, mac) = rest.split_at_mut(8);
        time.copy_from_slice(&now.unix_micros().to_be_bytes());
        number.copy_from_slice(&self.number.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        mac.copy_from_slice(&self.mac(time, number));
        STANDARD.encode(octets)
    }

    pub(crate) fn judge(&self, nonce: &str, now: Timestamp) -> Worth {
        // Room for what a text of 44 characters could hold at most.
        let mut octets = [0; LENGTH + 1];
        if STANDARD.decode_slice(nonce, &mut octets) != Ok(LENGTH) {
            return Worth::Stale;
        }
        let (head, mac) = octets.split_at(16);
        let mac = mac.get(..16).unwrap_or_default();
        let (time, number) = head.split_at(8);
        if !bool::from(self.mac(time, number).ct_eq(mac)) {
            return Worth::Stale;
        }
        let made = time.try_into().map_or(i64::MIN, i64::from_be_bytes);
        let made = Timestamp::from_unix_micros(made);
        let until = made.saturating_add(self.life);
        // A clock that was set back makes nonces of the future: they count, and end in time.
        if now > until {
            return Worth::Stale;
        }
        Worth::Good { until, aging: now > made.saturating_add(self.life / 2) }
    }

    fn mac(&self, time: &[u8], number: &[u8]) -> [u8; 16] {
        let mut short = [0; 16];
        // Any length of key will do for HMAC.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.key) {
            mac.update(time);
            mac.update(number);
            mac.update(self.realm.as_bytes());
            let whole = mac.finalize().into_bytes();
            for (slot, octet) in short.iter_mut().zip(whole) {
                *slot = octet;
            }
        }
        short
    }
}
