//! Key material in memory.

use std::fmt;

use bindery_ttlv::{Decode, Element, Encode, Error, Tag, Writer};
use bytes::{Bytes, BytesMut};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Octets that must not be seen: wiped when dropped, absent from `Debug`, compared in constant
/// time.
///
/// What is decoded is copied out of the message up to [`Secret::COPIED`] octets, which is any key;
/// a longer one (an Opaque Object, data to encrypt) is a slice of the message, as long texts are. It
/// is wiped by the last that holds a part of that message, if that is a secret: who keeps the message
/// or another part of it for longer keeps what it holds, too.
///
/// What TLS and HTTP buffers of other libraries keep is out of its reach.
#[derive(Clone)]
pub struct Secret(Form);

#[derive(Clone)]
enum Form {
    Own(Vec<u8>),
    Slice(Bytes),
}

impl Secret {
    /// How many octets are copied when a secret is decoded; of longer ones a slice of the message is
    /// held. The longest keys of KMIP (RSA of 16,384 bits in PKCS#8) have below 10,000 octets.
    pub const COPIED: usize = 16 << 10;

    /// Takes the octets over.
    pub const fn new(octets: Vec<u8>) -> Self {
        Self(Form::Own(octets))
    }

    /// The octets. The name says that this is the place to look at when secrets leak.
    pub fn expose(&self) -> &[u8] {
        match &self.0 {
            Form::Own(octets) => octets,
            Form::Slice(octets) => octets,
        }
    }

    /// How many octets there are.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

// Not by `Zeroizing`: a `Vec` as such is wiped octet by octet, and a large key would take ten times
// as long to forget as to copy; slices are wiped in one go.
impl Drop for Secret {
    fn drop(&mut self) {
        match &mut self.0 {
            Form::Own(octets) => {
                octets.as_mut_slice().zeroize();
                // Where a `Vec` that was shortened still has some.
                octets.spare_capacity_mut().zeroize();
            }
            Form::Slice(octets) => drop(wiped(std::mem::take(octets))),
        }
    }
}

/// Wipes a slice that nobody else holds a part of the memory of; else nothing can be changed.
fn wiped(octets: Bytes) -> Option<BytesMut> {
    let mut own = octets.try_into_mut().ok()?;
    own.as_mut().zeroize();
    Some(own)
}

impl ZeroizeOnDrop for Secret {}

impl From<&[u8]> for Secret {
    fn from(octets: &[u8]) -> Self {
        Self::new(octets.to_vec())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.len())
    }
}

/// A Byte String, copied out of the message if it is short.
impl Decode for Secret {
    fn decode(element: Element<'_>) -> Result<Self, Error> {
        if element.len() as usize > Self::COPIED {
            return element.byte_string().map(|octets| Self(Form::Slice(octets)));
        }
        element.byte_slice().map(Self::from)
    }
}

impl Encode for Secret {
    fn encode(&self, tag: Tag, writer: &mut Writer<'_>) {
        writer.byte_string(tag, self.expose());
    }
}

#[cfg(test)]
mod tests;
