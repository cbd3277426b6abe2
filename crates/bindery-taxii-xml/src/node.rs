//! Elements as they were checked, before they are typed: what each dialect calls something is settled here, so that one
//! model serves all of them.

use std::borrow::Cow;

use bindery_xml::{Fragment, Inside};

use crate::dialect::Dialect;
use crate::error::WriteFault;
use crate::kind::{boolean, integer};
use crate::registry::{
    Action, CollectionType, Field, Operator, ResponseType, ServiceType, StatusType,
    SubscriptionStatus,
};
use crate::timestamp::Timestamp;

/// An element: its attributes and elements in the document's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node<'a> {
    pub(crate) entries: Vec<(Field, Item<'a>)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Item<'a> {
    Text(Cow<'a, str>),
    Node(Node<'a>),
    Inside(Held<'a, Inside<'a>>),
    Element(Held<'a, Fragment<'a>>),
}

/// A value that was read, or one that is written. (A `Cow` of it would not be covariant.)
#[derive(Clone, Debug)]
pub(crate) enum Held<'a, T> {
    Read(T),
    Written(&'a T),
}

impl<T: Clone> Held<'_, T> {
    pub(crate) const fn get(&self) -> &T {
        match self {
            Self::Read(value) => value,
            Self::Written(value) => value,
        }
    }

    pub(crate) fn into_value(self) -> T {
        match self {
            Self::Read(value) => value,
            Self::Written(value) => value.clone(),
        }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn push(&mut self, field: Field, item: Item<'a>) {
        self.entries.push((field, item));
    }

    pub(crate) fn text(&self, field: Field) -> Option<&str> {
        self.entries.iter().find_map(|(found, item)| match item {
            Item::Text(text) if *found == field => Some(&**text),
            _ => None,
        })
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.entries.iter().any(|(found, _)| *found == field)
    }

    /// Takes the first item of a field.
    pub(crate) fn take(&mut self, field: Field) -> Option<Item<'a>> {
        let at = self.entries.iter().position(|(found, _)| *found == field)?;
        Some(self.entries.remove(at).1)
    }

    /// Takes the items of some fields, in their order.
    pub(crate) fn drain(&mut self, fields: &[Field]) -> Vec<(Field, Item<'a>)> {
        let (taken, left) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(field, _)| fields.contains(field));
        self.entries = left;
        taken
    }
}

/// A typed value of an attribute or element. Reading gives nothing only where the schema was not followed.
pub(crate) trait Value: Sized {
    fn read(item: Item<'_>, dialect: Dialect) -> Option<Self>;
    fn write(&self, dialect: Dialect) -> Result<Item<'_>, WriteFault>;
}

/// A typed element.
pub(crate) trait Record: Sized {
    fn read_node(node: &mut Node<'_>, dialect: Dialect) -> Option<Self>;
    fn write_node(&self, dialect: Dialect) -> Result<Node<'_>, WriteFault>;
}

impl<T: Record> Value for T {
    fn read(item: Item<'_>, dialect: Dialect) -> Option<Self> {
        match item {
            Item::Node(mut node) => T::read_node(&mut node, dialect),
            Item::Text(_) | Item::Inside(_) | Item::Element(_) => None,
        }
    }

    fn write(&self, dialect: Dialect) -> Result<Item<'_>, WriteFault> {
        self.write_node(dialect).map(Item::Node)
    }
}

/// Values that are text in every dialect.
macro_rules! texts {
    ($($ty:ty: |$text:ident, $dialect:ident| $read:expr, |$value:ident, $to:ident| $write:expr;)+) => {$(
        impl Value for $ty {
            fn read(item: Item<'_>, $dialect: Dialect) -> Option<Self> {
                match item {
                    Item::Text($text) => $read,
                    Item::Node(_) | Item::Inside(_) | Item::Element(_) => None,
                }
            }

            fn write(&self, $to: Dialect) -> Result<Item<'_>, WriteFault> {
                let $value = self;
                Ok(Item::Text($write))
            }
        }
    )+};
}

fn named<'n>(name: Option<&'n str>, to: Dialect) -> Result<Cow<'n, str>, WriteFault> {
    name.map(Cow::Borrowed).ok_or(WriteFault::Value { dialect: to })
}

texts! {
    String: |text, _dialect| Some(text.into_owned()), |value, _to| Cow::Borrowed(value.as_str());
    bool: |text, _dialect| boolean(&text), |value, _to| Cow::Borrowed(if *value { "true" } else { "false" });
    u64: |text, _dialect| integer(&text), |value, _to| Cow::Owned(value.to_string());
    Timestamp: |text, _dialect| Self::date_time(&text), |value, _to| Cow::Borrowed(value.as_str());
    StatusType: |text, dialect| Some(Self::of(dialect, &text)), |value, to| named(value.name(to), to)?;
    ServiceType: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
    Action: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
    ResponseType: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
    CollectionType: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
    SubscriptionStatus: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
    Operator: |text, dialect| Self::of(dialect, &text), |value, to| named(value.name(to), to)?;
}

impl Value for Inside<'static> {
    fn read(item: Item<'_>, _dialect: Dialect) -> Option<Self> {
        match item {
            Item::Inside(inside) => Some(inside.into_value().into_owned()),
            Item::Text(_) | Item::Node(_) | Item::Element(_) => None,
        }
    }

    fn write(&self, _dialect: Dialect) -> Result<Item<'_>, WriteFault> {
        Ok(Item::Inside(Held::Written(self)))
    }
}

impl Value for Fragment<'static> {
    fn read(item: Item<'_>, _dialect: Dialect) -> Option<Self> {
        match item {
            Item::Element(element) => Some(element.into_value().into_owned()),
            Item::Text(_) | Item::Node(_) | Item::Inside(_) => None,
        }
    }

    fn write(&self, _dialect: Dialect) -> Result<Item<'_>, WriteFault> {
        Ok(Item::Element(Held::Written(self)))
    }
}

/// A value that is always there.
pub(crate) mod one {
    use super::{Dialect, Field, Node, Value, WriteFault};

    pub(crate) fn take<T: Value>(node: &mut Node<'_>, field: Field, d: Dialect) -> Option<T> {
        T::read(node.take(field)?, d)
    }

    pub(crate) fn put<'a, T: Value>(
        value: &'a T,
        node: &mut Node<'a>,
        field: Field,
        d: Dialect,
    ) -> Result<(), WriteFault> {
        node.push(field, value.write(d)?);
        Ok(())
    }
}

/// A value that may be missing.
pub(crate) mod opt {
    use super::{Dialect, Field, Node, Value, WriteFault};

    #[expect(clippy::option_option, reason = "the outer one is whether it could be read")]
    pub(crate) fn take<T: Value>(
        node: &mut Node<'_>,
        field: Field,
        d: Dialect,
    ) -> Option<Option<T>> {
        match node.take(field) {
            Some(item) => T::read(item, d).map(Some),
            None => Some(None),
        }
    }

    pub(crate) fn put<'a, T: Value>(
        value: &'a Option<T>,
        node: &mut Node<'a>,
        field: Field,
        d: Dialect,
    ) -> Result<(), WriteFault> {
        value.as_ref().map_or(Ok(()), |value| super::one::put(value, node, field, d))
    }
}

/// Any number of values.
pub(crate) mod many {
    use super::{Dialect, Field, Node, Value, WriteFault};

    pub(crate) fn take<T: Value>(node: &mut Node<'_>, field: Field, d: Dialect) -> Option<Vec<T>> {
        node.drain(&[field]).into_iter().map(|(_, item)| T::read(item, d)).collect()
    }

    pub(crate) fn put<'a, T: Value>(
        values: &'a [T],
        node: &mut Node<'a>,
        field: Field,
        d: Dialect,
    ) -> Result<(), WriteFault> {
        values.iter().try_for_each(|value| super::one::put(value, node, field, d))
    }
}

/// Any number of values inside one element, which is left out when there is none.
pub(crate) mod wrapped {
    use super::{Dialect, Field, Item, Node, Value, WriteFault};

    pub(crate) fn take<T: Value>(
        node: &mut Node<'_>,
        (outer, inner): (Field, Field),
        d: Dialect,
    ) -> Option<Vec<T>> {
        match node.take(outer) {
            Some(Item::Node(mut list)) => super::many::take(&mut list, inner, d),
            Some(_) => None,
            None => Some(Vec::new()),
        }
    }

    pub(crate) fn put<'a, T: Value>(
        values: &'a [T],
        node: &mut Node<'a>,
        (outer, inner): (Field, Field),
        d: Dialect,
    ) -> Result<(), WriteFault> {
        if values.is_empty() {
            return Ok(());
        }
        let mut list = Node::default();
        super::many::put(values, &mut list, inner, d)?;
        node.push(outer, Item::Node(list));
        Ok(())
    }
}

/// A record: a structure whose fields are attributes and elements.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $how:ident($($key:ident),+),)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $crate::node::Record for $name {
            fn read_node(
                node: &mut $crate::node::Node<'_>,
                dialect: $crate::Dialect,
            ) -> Option<Self> {
                Some(Self {
                    $($field: $crate::node::$how::take(
                        node,
                        $crate::node::key!($($key),+),
                        dialect,
                    )?,)*
                })
            }

            fn write_node(
                &self,
                dialect: $crate::Dialect,
            ) -> Result<$crate::node::Node<'_>, $crate::error::WriteFault> {
                let mut node = $crate::node::Node::default();
                $($crate::node::$how::put(
                    &self.$field,
                    &mut node,
                    $crate::node::key!($($key),+),
                    dialect,
                )?;)*
                Ok(node)
            }
        }
    };
}

/// One field, or the pair that [`wrapped`] takes.
macro_rules! key {
    ($key:ident) => {
        $crate::registry::Field::$key
    };
    ($outer:ident, $inner:ident) => {
        ($crate::registry::Field::$outer, $crate::registry::Field::$inner)
    };
}

pub(crate) use {key, record};
