//! What the specifications' text says beyond the schemas: the rules that others state in Schematron, and the draft's.

use crate::dialect::Dialect;
use crate::error::Fault;
use crate::kind::{boolean, integer};
use crate::node::{Item, Node};
use crate::registry::{Action, DETAILS, DetailValue, Field, ServiceType, StatusType, Type};
use crate::timestamp::Timestamp;

type Checked = Result<(), Fault>;

/// Checks an element of a type, once all that belongs to it is there.
pub(crate) fn check(dialect: Dialect, ty: &Type, node: &Node<'_>) -> Checked {
    if dialect == Dialect::Draft {
        identifiers(node)?;
    }
    match ty.name {
        "Status" => status(dialect, node),
        "ServiceInstance" => service(dialect, node),
        "SubscriptionRequest" => subscription(dialect, node),
        "PollRequest" => range(dialect, node),
        "PollResponse" => poll_response(node),
        "TargetingExpressionInfo" => {
            let scope = node.has(Field::PreferredScope) || node.has(Field::AllowedScope);
            rule(scope, "Targeting_Expression_Info has a Preferred_Scope or an Allowed_Scope")
        }
        _ => Ok(()),
    }
}

fn rule(holds: bool, words: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(Fault::Rule(words)) }
}

/// Draft: ids are GUIDs.
fn identifiers(node: &Node<'_>) -> Checked {
    let guid = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids = [Field::MessageId, Field::InResponseTo];
    let right = ids.iter().filter_map(|field| node.text(*field)).all(guid);
    rule(right, "message-id and in-response-to are 32 hexadecimal digits")
}

fn status(dialect: Dialect, node: &Node<'_>) -> Checked {
    if dialect != Dialect::V1_1 {
        return Ok(());
    }
    let status = StatusType::of(dialect, node.text(Field::StatusType).unwrap_or_default());
    let details: Vec<(&str, String)> = details(node);
    for row in DETAILS.iter().filter(|row| row.status == status) {
        let mut found = details.iter().filter(|(name, _)| *name == row.name);
        let first = found.next();
        if row.required && first.is_none() {
            return Err(Fault::Rule(match status {
                StatusType::Pending => {
                    "PENDING has the details ESTIMATED_WAIT, RESULT_ID and WILL_PUSH"
                }
                _ => "INVALID_RESPONSE_PART has the detail MAX_PART_NUMBER",
            }));
        }
        rule(row.repeats || found.next().is_none(), "this status detail stands there once")?;
        for (_, value) in details.iter().filter(|(name, _)| *name == row.name) {
            let value = value.trim();
            match row.value {
                DetailValue::Positive => rule(
                    integer(value).is_some_and(|number| number > 0),
                    "ESTIMATED_WAIT and MAX_PART_NUMBER are positive integers",
                )?,
                DetailValue::Boolean => {
                    rule(boolean(value).is_some(), "WILL_PUSH is true or false")?;
                }
                DetailValue::Uri | DetailValue::Text => {}
            }
        }
    }
    Ok(())
}

/// The names and texts of the details.
fn details<'n>(node: &'n Node<'_>) -> Vec<(&'n str, String)> {
    let lists = node.entries.iter().filter(|(field, _)| *field == Field::StatusDetail);
    let nodes = lists.filter_map(|(_, item)| match item {
        Item::Node(list) => Some(&list.entries),
        Item::Text(_) | Item::Inside(_) | Item::Element(_) => None,
    });
    let each = nodes.flatten().filter_map(|(_, item)| match item {
        Item::Node(detail) => Some(detail),
        Item::Text(_) | Item::Inside(_) | Item::Element(_) => None,
    });
    each.map(|detail| {
        let text = detail.entries.iter().find_map(|(_, item)| match item {
            Item::Inside(inside) => inside.get().as_text(),
            Item::Text(_) | Item::Node(_) | Item::Element(_) => None,
        });
        let name = detail.text(Field::Name).unwrap_or_default();
        (name, text.unwrap_or_default().into_owned())
    })
    .collect()
}

fn service(dialect: Dialect, node: &Node<'_>) -> Checked {
    let service = node.text(Field::ServiceType).and_then(|name| ServiceType::of(dialect, name));
    // The draft's own examples have bindings on other services; its text says INBOX only for the final versions' field.
    rule(
        dialect == Dialect::Draft
            || service == Some(ServiceType::Inbox)
            || !node.has(Field::ContentBinding),
        "only INBOX services have a Content_Binding",
    )
}

fn subscription(dialect: Dialect, node: &Node<'_>) -> Checked {
    let action = node.text(Field::Action).and_then(|name| Action::of(dialect, name));
    let needs_id = !matches!(action, Some(Action::Subscribe | Action::Status));
    rule(
        !needs_id || node.has(Field::SubscriptionId),
        "every action but SUBSCRIBE and STATUS has a subscription id",
    )?;
    match (dialect, action) {
        (Dialect::Draft, Some(Action::Subscribe | Action::Modify)) => {
            rule(node.has(Field::Terms), "SUBSCRIBE and MODIFY have a subscription")
        }
        (Dialect::V1_1, Some(Action::Subscribe)) => {
            rule(node.has(Field::SubscriptionParameters), "SUBSCRIBE has Subscription_Parameters")
        }
        _ => Ok(()),
    }
}

/// A poll's range is not empty: the end is later than the begin; in the draft it may be the same.
fn range(dialect: Dialect, node: &Node<'_>) -> Checked {
    let bound = |field| node.text(field).and_then(Timestamp::date_time);
    let (Some(begin), Some(end)) = (bound(Field::Begin), bound(Field::End)) else {
        return Ok(());
    };
    if dialect == Dialect::Draft {
        return rule(begin <= end, "begin-timestamp is not later than end-timestamp");
    }
    rule(begin < end, "Inclusive_End_Timestamp is later than Exclusive_Begin_Timestamp")
}

fn poll_response(node: &Node<'_>) -> Checked {
    let more = node.text(Field::More).and_then(boolean) == Some(true);
    let result = node.text(Field::ResultId).is_some_and(|id| !id.is_empty());
    rule(!more || result, "a response with more parts has a result_id")
}

/// The number of records that the head of a message announces.
pub(crate) fn record_count(head: &Node<'_>) -> Option<u64> {
    head.entries.iter().find_map(|(field, item)| match item {
        Item::Node(count) if *field == Field::RecordCount => {
            count.text(Field::Count).and_then(integer)
        }
        Item::Text(_) | Item::Node(_) | Item::Inside(_) | Item::Element(_) => None,
    })
}

/// The rule that a block breaks which comes after as many as were announced.
pub(crate) const RECORD_COUNT: Fault = Fault::Rule("Record_Count is at least the number of blocks");
