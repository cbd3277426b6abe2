#![doc = include_str!("../README.md")]

mod charset;
mod convert;
mod error;
mod event;
mod number;
mod opaque;
mod options;
mod prologue;
mod reader;
mod registry;
mod token;
mod writer;

pub use crate::charset::Charset;
pub use crate::convert::{ConvertError, FromXml, from_xml, to_xml};
pub use crate::error::{Error, ErrorKind, Limit, Space};
pub use crate::event::{
    AttributeStart, AttributeValue, Event, Extension, ExtensionValue, Name, StartElement, Text,
};
pub use crate::options::{Limits, Options, Tolerance};
pub use crate::prologue::{Prologue, PublicId, Version};
pub use crate::reader::Reader;
pub use crate::registry::{
    Language, LanguageBuilder, LanguageError, Namespace, OpaqueForm, Row, languages,
};
pub use crate::writer::{EncodeError, Identifier, Strings, WriteOptions, Writer};
