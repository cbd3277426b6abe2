//! Windows over a collection's labels, pages of them, and messages on their way in.

use std::collections::{BTreeMap, BTreeSet};

use bindery_core::{Principal, Timestamp};
use bindery_taxii_xml::ContentBinding;

use super::StoredBlock;

/// What a poll asks for. Of a data set both bounds are left open, and the end is the collection's mark.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// The collection's name.
    pub collection: String,
    /// Behind this label: exclusive. `None`: from the first block on.
    pub begin: Option<Timestamp>,
    /// Up to this label: inclusive. Fixed for the whole of a poll: not later than the collection's
    /// [mark](super::CollectionState::mark) when it was asked, or blocks that come later would slip in.
    pub end: Timestamp,
    /// Which blocks.
    pub content: ContentFilter,
}

impl Window {
    /// All blocks up to a label.
    pub fn up_to(collection: impl Into<String>, end: Timestamp) -> Self {
        Self { collection: collection.into(), begin: None, end, content: ContentFilter::ANY }
    }
}

/// Which bindings and subtypes are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentFilter {
    wanted: Vec<ContentBinding>,
    /// The subtypes of each binding that is wanted; nothing: all of them.
    subtypes: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl ContentFilter {
    /// Everything.
    pub const ANY: Self = Self { wanted: Vec::new(), subtypes: BTreeMap::new() };

    /// As a message says it: no binding stands for all of them, a binding without subtypes for all of its subtypes; one
    /// with subtypes for exactly these (1.1).
    pub fn of(wanted: &[ContentBinding]) -> Self {
        let mut subtypes: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
        for one in wanted {
            let of_binding =
                subtypes.entry(one.id.clone()).or_insert_with(|| Some(BTreeSet::new()));
            match of_binding {
                Some(named) if !one.subtypes.is_empty() => {
                    named.extend(one.subtypes.iter().cloned());
                }
                _ => *of_binding = None,
            }
        }
        Self { wanted: wanted.to_vec(), subtypes }
    }

    /// The bindings that are wanted, as they were named; none: all.
    pub fn bindings(&self) -> &[ContentBinding] {
        &self.wanted
    }

    /// The same, each binding once, with the subtypes that are wanted of it; nothing: all of them.
    pub fn ids(&self) -> impl Iterator<Item = (&str, Option<&BTreeSet<String>>)> {
        self.subtypes.iter().map(|(id, subtypes)| (id.as_str(), subtypes.as_ref()))
    }

    /// Whether everything is wanted.
    pub fn is_any(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether a block of this binding and subtype is wanted.
    pub fn matches(&self, binding: &str, subtype: Option<&str>) -> bool {
        self.is_any()
            || self.subtypes.get(binding).is_some_and(|wanted| match wanted {
                None => true,
                Some(named) => subtype.is_some_and(|found| named.contains(found)),
            })
    }

    /// Whether some block could be wanted by both this filter and a binding with its subtypes.
    pub fn meets(&self, other: &ContentBinding) -> bool {
        self.is_any()
            || self.subtypes.get(&other.id).is_some_and(|wanted| match wanted {
                Some(named) if !other.subtypes.is_empty() => {
                    other.subtypes.iter().any(|subtype| named.contains(subtype))
                }
                _ => true,
            })
    }
}

/// How much a page may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageLimits {
    /// Blocks; 0 counts as 1.
    pub blocks: usize,
    /// Octets, as [`Block::octets`](super::Block::octets) counts. The first block of a page comes whatever its size.
    pub octets: usize,
}

impl PageLimits {
    /// Limits by count and octets.
    pub const fn new(blocks: usize, octets: usize) -> Self {
        Self { blocks, octets }
    }
}

impl Default for PageLimits {
    /// 100 blocks, 1 MiB.
    fn default() -> Self {
        Self::new(100, 1 << 20)
    }
}

/// A page of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The blocks, in the order of their labels.
    pub blocks: Vec<StoredBlock>,
    /// What to go on behind; `None` where the window is at its end. Everything up to here was looked at.
    pub next: Option<Timestamp>,
}

impl Page {
    /// A page from its parts.
    pub const fn new(blocks: Vec<StoredBlock>, next: Option<Timestamp>) -> Self {
        Self { blocks, next }
    }
}

/// A message whose blocks are to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inbox {
    /// The collections that its blocks go to, by name, each once.
    pub collections: Vec<String>,
    /// When it was received.
    pub received: Timestamp,
    /// What a repetition is known by. `None`: it is taken as often as it comes.
    pub repeat: Option<RepeatKey>,
}

impl Inbox {
    /// A message for collections.
    pub const fn new(collections: Vec<String>, received: Timestamp) -> Self {
        Self { collections, received, repeat: None }
    }
}

/// What a message that is sent again is known by. A sender who got no answer, and a server that pushes from an outbox,
/// send the same message again; nothing of it is then stored twice.
///
/// Message ids are not enough: some clients use the same one for every message. So it is the same message only where the
/// collections and all blocks are the same too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepeatKey {
    /// Who sent it.
    pub sender: Option<Principal>,
    /// The message's id.
    pub message_id: String,
    /// Until when it is remembered.
    pub until: Timestamp,
}

impl RepeatKey {
    /// A key from its parts.
    pub fn new(sender: Option<Principal>, message_id: impl Into<String>, until: Timestamp) -> Self {
        Self { sender, message_id: message_id.into(), until }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// For each of [`Inbox::collections`], in their order.
    pub collections: Vec<Received>,
    /// Whether it had been taken before, so that nothing was stored now. The rest says what was stored then.
    pub repeated: bool,
}

impl Receipt {
    /// A receipt from its parts.
    pub const fn new(collections: Vec<Received>, repeated: bool) -> Self {
        Self { collections, repeated }
    }
}

/// What a collection got of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// How many blocks.
    pub blocks: u64,
    /// The first and the last label; `None` where there was no block.
    pub labels: Option<(Timestamp, Timestamp)>,
}

impl Received {
    /// What was got.
    pub const fn new(blocks: u64, labels: Option<(Timestamp, Timestamp)>) -> Self {
        Self { blocks, labels }
    }
}
