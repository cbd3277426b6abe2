//! The names of elements.

use std::fmt;

use crate::Version;
use crate::registry::tags::{BY_NAME, NAMES};

/// A vocabulary: the elements of one namespace, or of one code page of WBXML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Space {
    /// SyncML itself: `SYNCML:SYNCML1.2` and its forerunners; code page 0.
    SyncMl,
    /// Meta information: `syncml:metinf`; code page 1.
    MetInf,
    /// Device description framework: `syncml:dmddf1.2`; code page 2.
    Ddf,
    /// Device information: `syncml:devinf`; a document type of its own.
    DevInf,
    /// Provisioning documents, in no namespace; a document type of its own.
    Provisioning,
}

impl Space {
    /// Every vocabulary.
    pub const ALL: [Self; 5] =
        [Self::SyncMl, Self::MetInf, Self::Ddf, Self::DevInf, Self::Provisioning];

    /// The XML namespace; empty for none.
    pub const fn namespace(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::SyncMl, Version::V1_0) => "SYNCML:SYNCML1.0",
            (Self::SyncMl, Version::V1_1) => "SYNCML:SYNCML1.1",
            (Self::SyncMl, Version::V1_2) => "SYNCML:SYNCML1.2",
            (Self::MetInf, _) => "syncml:metinf",
            (Self::Ddf, _) => "syncml:dmddf1.2",
            (Self::DevInf, _) => "syncml:devinf",
            (Self::Provisioning, _) => "",
        }
    }

    /// The vocabulary of an XML namespace, and the version that it says.
    pub fn of_namespace(namespace: &str) -> Option<(Self, Option<Version>)> {
        Some(match namespace {
            "SYNCML:SYNCML1.2" => (Self::SyncMl, Some(Version::V1_2)),
            "syncml:metinf" => (Self::MetInf, None),
            "SYNCML:SYNCML1.1" => (Self::SyncMl, Some(Version::V1_1)),
            "SYNCML:SYNCML1.0" => (Self::SyncMl, Some(Version::V1_0)),
            "syncml:devinf" => (Self::DevInf, None),
            "syncml:dmddf1.2" => (Self::Ddf, None),
            _ => return None,
        })
    }

    const fn index(self) -> u8 {
        match self {
            Self::SyncMl => 0,
            Self::MetInf => 1,
            Self::Ddf => 2,
            Self::DevInf => 3,
            Self::Provisioning => 4,
        }
    }

    /// The code page that the vocabulary has in a WBXML document.
    pub(crate) const fn page(self) -> u8 {
        match self {
            Self::MetInf => 1,
            Self::Ddf => 2,
            Self::SyncMl | Self::DevInf | Self::Provisioning => 0,
        }
    }
}

/// An element that the tables have. The constants stand in generated code, made from the registry of WBXML.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u16);

impl Tag {
    pub(crate) const fn new(space: Space, token: u8) -> Self {
        Self(u16::from_be_bytes([space.index(), token]))
    }

    /// The element with this name; capitals count.
    pub fn by_name(space: Space, name: &str) -> Option<Self> {
        let rows = BY_NAME.get(usize::from(space.index()))?;
        let at = rows.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
        rows.get(at).map(|(_, token)| Self::new(space, *token))
    }

    /// The element of a token, if there is one.
    pub(crate) fn by_token(space: Space, token: u8) -> Option<Self> {
        let tag = Self::new(space, token);
        (!tag.name().is_empty()).then_some(tag)
    }

    /// The vocabulary.
    pub fn space(self) -> Space {
        match self.0 >> 8 {
            0 => Space::SyncMl,
            1 => Space::MetInf,
            2 => Space::Ddf,
            3 => Space::DevInf,
            _ => Space::Provisioning,
        }
    }

    /// The token of WBXML, on the page of the vocabulary.
    pub const fn token(self) -> u8 {
        self.0.to_be_bytes()[1]
    }

    /// The name, such as `SyncHdr`.
    #[inline]
    pub fn name(self) -> &'static str {
        let [space, token] = self.0.to_be_bytes();
        NAMES.get(usize::from(space)).and_then(|page| page.get(usize::from(token))).unwrap_or(&"")
    }

    /// The name in a version: DevInf 1.0 and 1.1 call Size what 1.2 calls MaxSize.
    #[inline]
    pub(crate) fn name_in(self, version: Version) -> &'static str {
        if self == Self::DEVINF_MAX_SIZE && version < Version::V1_2 { "Size" } else { self.name() }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.name())
    }
}
