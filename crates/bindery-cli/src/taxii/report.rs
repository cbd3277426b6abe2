//! What the verbs print.

use bindery_taxii_xml::{
    Collection, ContentBinding, Dialect, RecordCount, ServiceInstance, SubscriptionResponse,
    Timestamp,
};
use serde_json::{Value, json};

use crate::output::{Document, table};

/// A name as the newest dialect that has it writes it.
fn named(name: impl Fn(Dialect) -> Option<&'static str>) -> &'static str {
    Dialect::ALL.into_iter().rev().find_map(name).unwrap_or("?")
}

fn bindings(list: &[ContentBinding]) -> Vec<String> {
    let one = |one: &ContentBinding| match one.subtypes.as_slice() {
        [] => one.id.clone(),
        subtypes => format!("{} ({})", one.id, subtypes.join(", ")),
    };
    list.iter().map(one).collect()
}

/// Services.
pub(super) fn services(list: &[ServiceInstance]) -> Document {
    let json: Value = list
        .iter()
        .map(|one| {
            json!({
                "type": named(|dialect| one.service_type.name(dialect)),
                "available": one.available,
                "service_version": one.service_version,
                "protocol_binding": one.protocol_binding,
                "address": one.address,
                "message_bindings": one.message_bindings,
                "content_bindings": bindings(&one.content_bindings),
                "message": one.message,
            })
        })
        .collect();
    let rows = list.iter().map(|one| {
        [
            named(|dialect| one.service_type.name(dialect)).to_owned(),
            one.address.clone(),
            one.message_bindings.join(", "),
            available(one.available),
        ]
    });
    Document::new(json, table(&["service", "address", "message bindings", "available"], rows))
}

fn available(said: Option<bool>) -> String {
    match said {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
    .to_owned()
}

/// Collections.
pub(super) fn collections(list: &[Collection]) -> Document {
    let json: Value = list
        .iter()
        .map(|one| {
            let addresses = |contacts: &[bindery_taxii_xml::ServiceContact]| {
                contacts.iter().map(|one| one.address.clone()).collect::<Vec<_>>()
            };
            let kind = one.collection_type.as_ref();
            json!({
                "name": one.name,
                "type": kind.map(|kind| named(|dialect| kind.name(dialect))),
                "available": one.available,
                "description": one.description,
                "volume": one.volume,
                "content_bindings": bindings(&one.content_bindings),
                "polling_services": addresses(&one.polling_services),
                "subscription_services": addresses(&one.subscription_services),
                "inboxes": one
                    .receiving_inbox_services
                    .iter()
                    .map(|one| one.address.clone())
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    let rows = list.iter().map(|one| {
        let kind = one.collection_type.as_ref();
        [
            one.name.clone(),
            kind.map_or("DATA_FEED", |kind| named(|dialect| kind.name(dialect))).to_owned(),
            available(one.available),
            bindings(&one.content_bindings).join(", "),
            one.description.clone(),
        ]
    });
    let text = table(&["name", "type", "available", "bindings", "description"], rows);
    Document::new(json, text)
}

/// How many blocks there are.
pub(super) fn count(count: Option<&RecordCount>, end: Option<&Timestamp>) -> Document {
    let end = end.map(Timestamp::as_str);
    let json = json!({
        "count": count.map(|one| one.count),
        "partial": count.and_then(|one| one.partial),
        "end": end,
    });
    let text = match count {
        Some(one) if one.partial == Some(true) => format!("at least {} blocks", one.count),
        Some(one) => format!("{} blocks", one.count),
        None => "the service does not say how many".to_owned(),
    };
    Document::new(json, text)
}

/// Subscriptions.
pub(super) fn subscriptions(found: &SubscriptionResponse) -> Document {
    let list: Value = found
        .subscriptions
        .iter()
        .map(|one| {
            let parameters = one.parameters.as_ref();
            json!({
                "id": one.id,
                "status": one.status.as_ref().map(|s| named(|dialect| s.name(dialect))),
                "content_bindings": parameters.map(|p| bindings(&p.content_bindings)),
                "poll": one.poll_instances.iter().map(|p| p.address.clone()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let rows = found.subscriptions.iter().map(|one| {
        let status = one.status.as_ref().map_or("", |s| named(|dialect| s.name(dialect)));
        let poll = one.poll_instances.first().map(|p| p.address.clone());
        [one.id.clone(), status.to_owned(), poll.unwrap_or_default()]
    });
    let text = table(&["subscription", "status", "poll"], rows);
    let json = json!({
        "collection": found.collection,
        "message": found.message,
        "subscriptions": list,
    });
    Document::new(json, text)
}
