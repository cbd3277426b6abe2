//! Cipher suites by what they are, not by name.

use std::{borrow::Cow, fmt};

use super::{Need, Policy, Row};
use crate::registry::{self, SuiteRow};

/// What a cipher suite must be like. The default asks for nothing.
///
/// OMA DM 1.3, section 5.4, speaks of suites in this way: keys of 128 bits or more, and none without
/// key exchange, signing, bulk encryption or message authentication
/// ([`Characteristics::oma_dm`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Characteristics {
    /// The least strength of the cipher's key, in bits.
    pub min_bits: u16,
    /// How keys are agreed on.
    pub key_exchange: Demand,
    /// How the server proves who it is. What is `Present` is a proof by certificate: an anonymous
    /// server gives none, and a pre-shared key is none.
    pub authentication: Demand,
    /// The bulk cipher and its mode.
    pub encryption: Demand,
    /// The message authentication.
    pub integrity: Demand,
    /// Only suites whose traffic stays secret when the server's key is lost later.
    pub forward_secrecy: bool,
    /// Only suites whose encryption and integrity are one.
    pub aead: bool,
    /// Only suites that IANA's registry recommends.
    pub recommended: bool,
}

/// A demand on one part of a cipher suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Demand {
    /// Whatever it is, even nothing.
    #[default]
    Any,
    /// There must be one.
    Present,
    /// It must be one of these, by the registry's words, such as `ECDHE` or `AES_128_GCM`.
    OneOf(Vec<Cow<'static, str>>),
}

/// What a cipher suite lacks of [`Characteristics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lack {
    /// The key is too weak: bits that it has, bits that were asked for.
    Bits(u16, u16),
    /// There is no such part: `key exchange`, `signing`, `bulk encryption`,
    /// `message authentication`.
    Absent(&'static str),
    /// The part is another than was asked for: which part, and what it is.
    Other(&'static str, &'static str),
    /// No forward secrecy.
    ForwardSecrecy,
    /// Not an AEAD.
    Aead,
    /// Not recommended by IANA.
    Recommendation,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(has, asked) => write!(f, "a key of {has} bits, fewer than {asked}"),
            Self::Absent(part) => write!(f, "no {part}"),
            Self::Other(part, found) => write!(f, "{found} as its {part}"),
            Self::ForwardSecrecy => f.write_str("no forward secrecy"),
            Self::Aead => f.write_str("encryption and integrity are not one (AEAD)"),
            Self::Recommendation => f.write_str("not recommended by IANA"),
        }
    }
}

impl Characteristics {
    /// The rule of OMA DM 1.3, section 5.4: keys of 128 bits or more, key exchange, signing, bulk
    /// encryption, message authentication.
    pub fn oma_dm() -> Self {
        Self {
            min_bits: 128,
            key_exchange: Demand::Present,
            authentication: Demand::Present,
            encryption: Demand::Present,
            integrity: Demand::Present,
            ..Self::default()
        }
    }

    /// What of these a suite lacks first; nothing when it has all.
    pub fn lack(&self, row: &SuiteRow) -> Option<Lack> {
        let signing = if row.is_signed() { row.authentication } else { "none" };
        let encryption = if row.bits == 0 { "none" } else { row.encryption };
        let parts = [
            (&self.key_exchange, "key exchange", row.key_exchange, row.key_exchange),
            (&self.authentication, "signing", signing, row.authentication),
            (&self.encryption, "bulk encryption", encryption, row.encryption),
            (&self.integrity, "message authentication", row.integrity, row.integrity),
        ];
        for (demand, part, proof, word) in parts {
            match demand {
                Demand::Present if proof == "none" => return Some(Lack::Absent(part)),
                Demand::OneOf(words) if !words.iter().any(|one| one == word) => {
                    return Some(Lack::Other(part, word));
                }
                _ => {}
            }
        }
        let demands = [
            (row.bits < self.min_bits, Lack::Bits(row.bits, self.min_bits)),
            (self.forward_secrecy && !row.has_forward_secrecy(), Lack::ForwardSecrecy),
            (self.aead && !row.is_aead(), Lack::Aead),
            (self.recommended && !row.recommended, Lack::Recommendation),
        ];
        demands.into_iter().find_map(|(lacks, lack)| lacks.then_some(lack))
    }
}

impl Policy {
    /// The same policy, permitting every suite of the registry that is like this and that no row
    /// names yet. They come behind the suites that rows name, best first: the newest protocol, then
    /// AEAD, forward secrecy and strength.
    #[must_use]
    pub fn permitting(
        mut self,
        characteristics: &Characteristics,
        source: impl Into<Cow<'static, str>>,
    ) -> Self {
        let source = source.into();
        let mut found: Vec<&SuiteRow> = registry::suites::ALL
            .iter()
            .filter(|row| characteristics.lack(row).is_none())
            .filter(|row| !self.suites.iter().any(|named| named.what == row.suite))
            .collect();
        found.sort_by_key(|row| {
            std::cmp::Reverse((row.last, row.is_aead(), row.has_forward_secrecy(), row.bits))
        });
        self.suites
            .extend(found.iter().map(|row| Row::new(row.suite, Need::Permitted, source.clone())));
        self
    }
}
