//! Key material in memory.

use std::fmt;

use bindery_ttlv::{Decode, Element, Encode, Error, Tag, Writer};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Octets that must not be seen: wiped when dropped, absent from `Debug`, compared in constant
/// time.
///
/// What TLS and HTTP buffers of other libraries keep is out of its reach.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the octets over.
    pub const fn new(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// The octets. The name says that this is the place to look at when secrets leak.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many octets there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// Not by `Zeroizing`: a `Vec` as such is wiped octet by octet, and a large key would take ten times
// as long to forget as to copy; slices are wiped in one go.
impl Drop for Secret {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
        // Where a `Vec` that was shortened still has some.
        self.0.spare_capacity_mut().zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl From<&[u8]> for Secret {
    fn from(octets: &[u8]) -> Self {
        Self::new(octets.to_vec())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.len())
    }
}

/// A Byte String, copied out of the message.
impl Decode for Secret {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        element.byte_slice().map(Self::from)
    }
}

impl Encode for Secret {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.byte_string(tag, self.expose());
    }
}
