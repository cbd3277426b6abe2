//! The specifications' tables; the rows are generated from `registry/`.

mod details;
mod schema;
mod values;

pub use self::details::DETAILS;
pub(crate) use self::schema::{
    DRAFT_ROOTS, Field, QUERY_DEFAULT_QUERY, QUERY_DEFAULT_QUERY_INFO, V1_0_ROOTS, V1_1_ROOTS,
};
pub use self::values::{
    Action, CollectionType, Operator, ResponseType, ServiceType, StatusType, SubscriptionStatus,
};
use crate::message::MessageKind;

/// A message's element.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) name: &'static str,
    pub(crate) kind: MessageKind,
    pub(crate) ty: &'static Type,
}

/// What an element consists of.
#[derive(Debug)]
pub(crate) struct Type {
    /// Its name in the registry, the same in every dialect.
    pub(crate) name: &'static str,
    pub(crate) attributes: &'static [Attribute],
    /// At most [`ELEMENTS`] of them, in their order.
    pub(crate) elements: &'static [Element],
    pub(crate) content: Content,
}

/// The most elements that a type has.
pub(crate) const ELEMENTS: usize = 12;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// Elements and white space.
    Elements,
    /// Text of a kind.
    Text(Field, Kind),
    /// Whatever is inside, kept as it stands.
    Mixed(Field),
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) field: Field,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    pub(crate) space: Space,
    pub(crate) field: Field,
    pub(crate) value: Value,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) group: Group,
    /// Elements of one order may mix.
    pub(crate) order: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Text(Kind),
    Type(&'static Type),
    /// The whole element is kept as it stands.
    Kept,
}

/// The namespace of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// That of the dialect.
    Own,
    /// XML signatures.
    Signature,
    /// STIX, as the draft has it.
    Stix,
    /// Any element.
    Any,
}

/// What holds for the elements of a group together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    None,
    /// Exactly one.
    One,
    /// At least one.
    Some,
}

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Uri,
    Guid,
    Digits,
    Count,
    Positive,
    Boolean,
    Label,
    Datetime,
    Status,
    Service,
    Action,
    Response,
    Collection,
    Subscription,
    Operator,
}

/// A row of the status details: what `Detail@name` may be beside a status type (Services 1.1, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DetailRow {
    /// The status type that it belongs to.
    pub status: StatusType,
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub value: DetailValue,
    /// Whether the status type needs it.
    pub required: bool,
    /// Whether it may stand there more than once.
    pub repeats: bool,
}

/// What a status detail says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetailValue {
    /// An integer from 1.
    Positive,
    /// `true` or `false`.
    Boolean,
    /// An identifier.
    Uri,
    /// Anything.
    Text,
}
