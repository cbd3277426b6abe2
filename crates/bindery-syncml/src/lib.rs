#![doc = include_str!("../README.md")]

mod codes;
mod ddf;
mod decode;
mod devinf;
mod document;
mod error;
mod event;
mod events;
mod form;
mod macros;
mod message;
mod options;
mod pieces;
mod provisioning;
mod registry;
mod sink;
mod tag;
mod text;

pub use crate::codes::{AlertCode, AlertRow, StatusCode, StatusRow};
pub use crate::ddf::{
    AccessType, CaseSense, DdfFormat, DfFormat, DfProperties, DfType, MgmtTree, Node, Occurrence,
    RtProperties, Scope,
};
pub use crate::devinf::{
    CtCap, CtCapEntry, DataStore, DevInf, DsMem, Ext, FilterCap, FilterRx, PropParam, Property, Rx,
    RxPref, SyncCap, Tx, TxPref,
};
pub use crate::document::Document;
pub use crate::error::{EncodeError, Error, ErrorKind, Limit, Place};
pub use crate::event::{Attribute, Element, Event, Name, Other, OtherName, Others, Start};
pub use crate::events::{Events, Input};
pub use crate::form::{Form, Version};
pub use crate::message::{
    Add, Alert, Anchor, Atomic, Chal, Command, Content, Copy, Cred, Data, Delete, Exec, Field,
    Filter, Get, Item, Map, MapItem, Mem, Meta, Move, Put, Record, Replace, Results, Search,
    Sequence, Source, SourceParent, Status, Sync, SyncBody, SyncHdr, SyncMl, Target, TargetParent,
};
pub use crate::options::{Limits, Options, Tolerance};
pub use crate::provisioning::{Characteristic, Parameter, Parm, ProvisioningDoc};
pub use crate::sink::WriteOptions;
pub use crate::tag::{Space, Tag};
pub use crate::text::Text;
