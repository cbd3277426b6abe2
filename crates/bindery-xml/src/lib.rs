#![doc = include_str!("../README.md")]

mod chars;
mod encoding;
mod engine;
mod error;
mod event;
mod fragment;
mod machine;
mod namespaces;
mod options;
mod position;
mod push;
mod reader;
mod scan;
mod source;
mod writer;

pub use crate::encoding::Encoding;
pub use crate::error::{
    Construct, EncodingFault, Error, ErrorKind, Limit, SchemaFault, StructureFault, SyntaxFault,
};
pub use crate::event::{
    Attribute, Attributes, Declaration, Declarations, Doctype, Event, Name, ProcessingInstruction,
    Start,
};
pub use crate::fragment::{Fragment, Inside};
pub use crate::namespaces::{Scope, XML_NAMESPACE, XMLNS_NAMESPACE};
pub use crate::options::{Limits, Options, Tolerance};
pub use crate::position::Position;
pub use crate::push::{Progress, PushReader};
pub use crate::reader::Reader;
pub use crate::source::Source;
pub use crate::writer::{QualifiedName, WriteError, Writer};
