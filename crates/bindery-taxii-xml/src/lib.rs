#![doc = include_str!("../README.md")]

mod dialect;
mod error;
mod kind;
mod message;
mod node;
mod push;
mod query;
mod reader;
mod registry;
mod rules;
mod timestamp;
mod walker;
mod writer;

pub use crate::dialect::{DEFAULT_QUERY_NAMESPACE, Dialect};
pub use crate::error::{Error, ErrorKind, WriteError};
pub use crate::message::*;
pub use crate::push::{Progress, PushReader};
pub use crate::query::{
    Criteria, Criterion, DefaultQuery, DefaultQueryInfo, Parameter, Part, TargetingExpressionInfo,
    Test,
};
pub use crate::reader::{Head, Options, Read, Reader, Tail, Tolerances, read};
pub use crate::registry::{
    Action, CollectionType, DETAILS, DetailRow, DetailValue, Operator, ResponseType, ServiceType,
    StatusType, SubscriptionStatus,
};
pub use crate::timestamp::Timestamp;
pub use crate::writer::{MessageWriter, write};
