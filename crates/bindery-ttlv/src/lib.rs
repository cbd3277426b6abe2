#![doc = include_str!("../README.md")]

// What the derive writes names this crate from outside.
extern crate self as bindery_ttlv;

mod date;
mod decode;
mod decoder;
#[doc(hidden)]
pub mod derived;
mod element;
mod error;
#[cfg(any(feature = "xml", feature = "json"))]
mod form;
mod frame;
mod header;
pub mod hex;
#[cfg(feature = "json")]
mod json;
mod options;
mod raw;
mod reader;
pub mod registry;
mod tag;
mod tree;
mod types;
mod version;
mod walk;
mod writer;
#[cfg(feature = "xml")]
mod xml;

pub use bindery_ttlv_derive::Ttlv;

pub use crate::decode::{
    Choice, Decode, Encode, Select, Structure, Tagged, decode, decode_slice, decode_with, encode,
    encode_within, to_bytes,
};
pub use crate::decoder::Decoder;
pub use crate::element::Element;
pub use crate::error::{Error, ErrorKind, Limit};
#[cfg(any(feature = "xml", feature = "json"))]
pub use crate::form::{FormError, FormErrorKind};
pub use crate::frame::{HEADER_LENGTH, message_length};
#[cfg(feature = "json")]
pub use crate::json::{from_json, to_json, to_json_indented};
pub use crate::options::{Limits, Options, Tolerance};
pub use crate::raw::{RawItem, RawValue};
pub use crate::reader::{Item, Reader, Value};
pub use crate::tag::{ItemType, Tag};
pub use crate::tree::{Tree, TreeError};
pub use crate::types::{BigInteger, DateTime, DateTimeExtended, Interval, ProtocolVersion, Text};
pub use crate::version::{Misfits, check_version};
pub use crate::walk::{Visit, Walk};
pub use crate::writer::{Begun, EncodeError, Writer};
#[cfg(feature = "xml")]
pub use crate::xml::{Substitute, XmlMessages, from_xml, to_xml, to_xml_indented};
