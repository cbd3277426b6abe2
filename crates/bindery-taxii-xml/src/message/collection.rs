//! Collections (before 1.1: feeds), their bindings and services.

use std::borrow::Cow;

use crate::dialect::Dialect;
use crate::error::WriteFault;
use crate::node::{Item, Node, Record, Value, many, one, record};
use crate::registry::{CollectionType, Field};

/// A content binding with the subtypes that are meant; none: all of them. Only 1.1 has subtypes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentBinding {
    /// The binding's id, such as `urn:stix.mitre.org:xml:1.1.1`.
    pub id: String,
    /// The ids of the subtypes.
    pub subtypes: Vec<String>,
}

impl ContentBinding {
    /// A binding without subtypes.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), subtypes: Vec::new() }
    }

    /// The same with a subtype more.
    #[must_use]
    pub fn with_subtype(mut self, id: impl Into<String>) -> Self {
        self.subtypes.push(id.into());
        self
    }

    /// The form of 1.1.
    pub(crate) fn write_node(&self, d: Dialect) -> Result<Node<'_>, WriteFault> {
        let mut node = Node::default();
        one::put(&self.id, &mut node, Field::BindingId, d)?;
        for subtype in &self.subtypes {
            let mut inner = Node::default();
            one::put(subtype, &mut inner, Field::SubtypeId, d)?;
            node.push(Field::Subtype, Item::Node(inner));
        }
        Ok(node)
    }
}

impl Value for ContentBinding {
    fn read(item: Item<'_>, d: Dialect) -> Option<Self> {
        match item {
            Item::Text(id) => Some(Self::new(id)),
            Item::Node(mut node) => {
                let id = one::take(&mut node, Field::BindingId, d)?;
                let subtypes = node.drain(&[Field::Subtype]).into_iter();
                let ids = subtypes.map(|(_, item)| match item {
                    Item::Node(mut inner) => one::take(&mut inner, Field::SubtypeId, d),
                    Item::Text(_) | Item::Inside(_) | Item::Element(_) => None,
                });
                Some(Self { id, subtypes: ids.collect::<Option<_>>()? })
            }
            Item::Inside(_) | Item::Element(_) => None,
        }
    }

    fn write(&self, d: Dialect) -> Result<Item<'_>, WriteFault> {
        if d == Dialect::V1_1 {
            return self.write_node(d).map(Item::Node);
        }
        if self.subtypes.is_empty() {
            return Ok(Item::Text(Cow::Borrowed(&self.id)));
        }
        Err(WriteFault::Field { dialect: d, field: "Subtype".to_owned() })
    }
}

record! {
    /// Where a service is and how it is spoken to.
    ServiceContact {
        /// The protocol binding's id.
        protocol_binding: String = one(ProtocolBinding),
        /// The address.
        address: String = one(Address),
        /// The message bindings' ids, at least one.
        message_bindings: Vec<String> = many(MessageBinding),
    }
}

record! {
    /// An inbox that takes content for a collection (1.1).
    InboxService {
        /// The protocol binding's id.
        protocol_binding: String = one(ProtocolBinding),
        /// The address.
        address: String = one(Address),
        /// The message bindings' ids, at least one.
        message_bindings: Vec<String> = many(MessageBinding),
        /// What it takes; none: everything.
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
    }
}

record! {
    /// How content can be pushed.
    PushMethod {
        /// The protocol binding's id.
        protocol_binding: String = one(ProtocolBinding),
        /// The message bindings' ids, at least one.
        message_bindings: Vec<String> = many(MessageBinding),
    }
}

record! {
    /// A collection.
    Collection {
        /// Its name.
        name: String = one(CollectionName),
        /// Its kind (1.1); none: a data feed.
        collection_type: Option<CollectionType> = opt(CollectionType),
        /// Whether the one who asks may use it.
        available: Option<bool> = opt(Available),
        /// What is in it.
        description: String = one(Description),
        /// How many blocks come in a day, about (1.1).
        volume: Option<u64> = opt(CollectionVolume),
        /// What its blocks may be; none: everything (1.1 only).
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
        /// How its content can be pushed (1.0, 1.1).
        push_methods: Vec<PushMethod> = many(PushMethod),
        /// Where it can be polled (1.0, 1.1).
        polling_services: Vec<ServiceContact> = many(PollingService),
        /// Where it can be subscribed to (1.0, 1.1).
        subscription_services: Vec<ServiceContact> = many(SubscriptionService),
        /// Where content for it is taken (1.1).
        receiving_inbox_services: Vec<InboxService> = many(ReceivingInboxService),
        /// How its content is delivered: protocol bindings' ids or `POLL` (draft).
        delivery_methods: Vec<String> = many(DeliveryMethod),
        /// The message bindings that it is delivered in (draft).
        message_bindings: Vec<String> = many(MessageBinding),
    }
}

/// Collection Information Response; before 1.1, Feed Information Response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionInformationResponse {
    /// The collections.
    pub collections: Vec<Collection>,
}

impl Record for CollectionInformationResponse {
    fn read_node(node: &mut Node<'_>, d: Dialect) -> Option<Self> {
        Some(Self { collections: many::take(node, Field::Collection, d)? })
    }

    fn write_node(&self, d: Dialect) -> Result<Node<'_>, WriteFault> {
        let mut node = Node::default();
        many::put(&self.collections, &mut node, Field::Collection, d)?;
        Ok(node)
    }
}
