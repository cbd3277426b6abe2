//! A message of every kind in every dialect, with everything in it that the dialect has.

use bindery_taxii_xml::*;
use bindery_xml::{Event, Fragment, Inside, Reader};

pub(crate) const SIGNATURE: &str = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"urn:c\"/><ds:SignatureMethod Algorithm=\"urn:s\"/><ds:Reference URI=\"\"><ds:DigestMethod Algorithm=\"urn:d\"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>";

pub(crate) fn element(text: &str) -> Fragment<'static> {
    let mut reader = Reader::new(text);
    assert!(matches!(reader.next_event().unwrap(), Some(Event::Start(_))));
    reader.subtree().unwrap().into_owned()
}

fn inside(text: &str) -> Inside<'static> {
    element(&format!("<w>{text}</w>")).into_inside()
}

fn label(text: &str) -> Option<Timestamp> {
    Some(Timestamp::label(text).unwrap())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn binding(d: Dialect) -> ContentBinding {
    let binding = ContentBinding::new("urn:stix.mitre.org:xml:1.1.1");
    if d == Dialect::V1_1 { binding.with_subtype("urn:example:subtype") } else { binding }
}

fn contact() -> ServiceContact {
    ServiceContact {
        protocol_binding: "urn:taxii.mitre.org:protocol:https:1.0".to_owned(),
        address: "https://example.com/a?b=1&c=2".to_owned(),
        message_bindings: names(&["urn:taxii.mitre.org:message:xml:1.0", "urn:other"]),
    }
}

fn push(d: Dialect) -> Option<PushParameters> {
    (d != Dialect::Draft).then(|| PushParameters {
        protocol_binding: "urn:taxii.mitre.org:protocol:https:1.0".to_owned(),
        address: "https://example.com/inbox".to_owned(),
        message_binding: "urn:taxii.mitre.org:message:xml:1.1".to_owned(),
        content_bindings: if d == Dialect::V1_0 { vec![binding(d)] } else { Vec::new() },
    })
}

fn terms(d: Dialect) -> Option<Terms> {
    (d == Dialect::Draft).then(|| Terms {
        protect: Some(false),
        delivery_method: "TAXII_HTTPS_BINDING_1.0".to_owned(),
        message_binding: "TAXII_XML_BINDING_1.0".to_owned(),
        content_binding: "STIX_1.0".to_owned(),
        send_to: "https://example.com/inbox".to_owned(),
    })
}

pub(crate) fn query() -> DefaultQuery {
    let test = |relationship: &str, parameters| Test {
        capability_id: "urn:taxii.mitre.org:query:capability:core-1".to_owned(),
        relationship: relationship.to_owned(),
        parameters,
    };
    let criterion =
        |target: &str, negate, test| Criterion { negate, target: target.to_owned(), test };
    let parameter =
        |name: &str, value: &str| Parameter { name: name.to_owned(), value: value.to_owned() };
    let inner = Criteria {
        operator: Operator::Or,
        parts: vec![Part::Criterion(criterion(
            "STIX_Package/**",
            None,
            test("exists", Vec::new()),
        ))],
    };
    let equals =
        test("equals", vec![parameter("value", "a < b"), parameter("match_type", "number")]);
    DefaultQuery {
        targeting_expression_id: "urn:stix.mitre.org:xml:1.1.1".to_owned(),
        criteria: Criteria {
            operator: Operator::And,
            parts: vec![
                Part::Criterion(criterion("**/@id", Some(true), equals)),
                Part::Criteria(inner),
            ],
        },
    }
}

pub(crate) fn query_info() -> DefaultQueryInfo {
    DefaultQueryInfo {
        targeting: TargetingExpressionInfo {
            targeting_expression_id: some("urn:stix.mitre.org:xml:1.1.1"),
            preferred_scopes: names(&["STIX_Package/Indicators/**"]),
            allowed_scopes: names(&["**"]),
        },
        capability_modules: names(&["urn:taxii.mitre.org:query:capability:core-1"]),
    }
}

fn services(d: Dialect) -> Body {
    let instance = |service_type| ServiceInstance {
        service_type,
        available: Some(service_type != ServiceType::Poll),
        service_version: "urn:taxii.mitre.org:services:1.1".to_owned(),
        protocol_binding: contact().protocol_binding,
        address: contact().address,
        message_bindings: contact().message_bindings,
        supported_queries: if d == Dialect::V1_1 && service_type == ServiceType::Poll {
            vec![query_info().to_query().unwrap()]
        } else {
            Vec::new()
        },
        content_bindings: if service_type == ServiceType::Inbox {
            vec![binding(d)]
        } else {
            Vec::new()
        },
        message: some("for people: <&>\"'"),
    };
    DiscoveryResponse { services: ServiceType::ALL.iter().map(|of| instance(*of)).collect() }.into()
}

fn collections(d: Dialect) -> Body {
    let draft = d == Dialect::Draft;
    let new = d == Dialect::V1_1;
    CollectionInformationResponse {
        collections: vec![Collection {
            name: "feed-1".to_owned(),
            collection_type: new.then_some(CollectionType::DataSet),
            available: Some(true),
            description: "ünïcode".to_owned(),
            volume: new.then_some(1000),
            content_bindings: vec![binding(d)],
            push_methods: if draft {
                Vec::new()
            } else {
                vec![PushMethod {
                    protocol_binding: contact().protocol_binding,
                    message_bindings: contact().message_bindings,
                }]
            },
            polling_services: if draft { Vec::new() } else { vec![contact(), contact()] },
            subscription_services: if draft { Vec::new() } else { vec![contact()] },
            receiving_inbox_services: if new {
                vec![InboxService {
                    protocol_binding: contact().protocol_binding,
                    address: contact().address,
                    message_bindings: contact().message_bindings,
                    content_bindings: vec![binding(d)],
                }]
            } else {
                Vec::new()
            },
            delivery_methods: if draft {
                names(&["POLL", "TAXII_HTTPS_BINDING_1.0"])
            } else {
                Vec::new()
            },
            message_bindings: if draft { names(&["TAXII_XML_BINDING_1.0"]) } else { Vec::new() },
        }],
    }
    .into()
}

fn status(d: Dialect, status_type: StatusType) -> Body {
    let mut body = StatusMessage::new(status_type);
    body.message = some("for people");
    if d != Dialect::V1_1 {
        body.detail_text = some("detail");
        return body.into();
    }
    let rows = DETAILS.iter().filter(|row| row.status == body.status_type);
    body.details = rows
        .map(|row| {
            let text = match row.value {
                DetailValue::Positive => "900",
                DetailValue::Boolean => "false",
                _ => "urn:a<b",
            };
            Detail { name: row.name.to_owned(), value: Inside::text(text).unwrap() }
        })
        .collect();
    body.into()
}

fn subscriptions(d: Dialect) -> [Body; 2] {
    let new = d == Dialect::V1_1;
    let parameters = new.then(|| SubscriptionParameters {
        response_type: Some(ResponseType::Full),
        content_bindings: vec![binding(d)],
        query: Some(query().to_query().unwrap()),
    });
    let request = SubscriptionRequest {
        collection: "feed-1".to_owned(),
        action: Action::Subscribe,
        subscription_id: some("urn:sub:1"),
        parameters: parameters.clone(),
        push: push(d),
        terms: terms(d),
    };
    let subscription = Subscription {
        id: "urn:sub:1".to_owned(),
        status: new.then_some(SubscriptionStatus::Paused),
        parameters,
        push: push(d),
        poll_instances: if d == Dialect::Draft { Vec::new() } else { vec![contact()] },
        terms: terms(d),
    };
    let response = SubscriptionResponse {
        collection: "feed-1".to_owned(),
        message: some("m"),
        subscriptions: vec![subscription.clone(), subscription],
    };
    [request.into(), response.into()]
}

fn polls(d: Dialect) -> [Body; 3] {
    let (new, draft) = (d == Dialect::V1_1, d == Dialect::Draft);
    let count = new.then_some(RecordCount { count: 2, partial: Some(true) });
    let begin = label("2014-01-01T00:00:00+01:00");
    let end = label("2014-06-01T12:30:45.123456Z");
    let request = PollRequest {
        collection: "feed-1".to_owned(),
        begin: begin.clone(),
        end: end.clone(),
        subscription_id: if d == Dialect::V1_0 { some("urn:sub:1") } else { None },
        parameters: new.then(|| PollParameters {
            allow_asynch: Some(true),
            response_type: Some(ResponseType::CountOnly),
            content_bindings: vec![binding(d), ContentBinding::new("urn:b")],
            query: Some(query().to_query().unwrap()),
            delivery: push(d),
        }),
        content_bindings: if new { Vec::new() } else { vec![binding(d)] },
    };
    let response = PollResponse {
        collection: if draft { None } else { some("feed-1") },
        more: new.then_some(true),
        result_id: new.then(|| "urn:result".to_owned()),
        result_part_number: new.then_some(2),
        subscription_id: some("urn:sub:1"),
        begin: begin.clone(),
        end: end.clone(),
        record_count: count.clone(),
        message: some("m"),
        content_binding: draft.then(|| "STIX_1.0".to_owned()),
    };
    let inbox = Inbox {
        result_id: new.then(|| "urn:result".to_owned()),
        destination_collections: if new { names(&["a", "b"]) } else { Vec::new() },
        message: some("m"),
        source_subscription: (!draft).then(|| SourceSubscription {
            collection: "feed-1".to_owned(),
            subscription_id: some("urn:sub:1"),
            begin,
            end,
        }),
        subscription_id: if draft { some("sub-1") } else { None },
        record_count: count,
        content_binding: draft.then(|| "STIX_1.0".to_owned()),
    };
    [request.into(), response.into(), inbox.into()]
}

fn blocks(d: Dialect) -> Vec<ContentBlock<'static>> {
    if d == Dialect::Draft {
        let stix = element("<s:STIX xmlns:s=\"http://stix.mitre.org\"><s:a b='&lt;'/>t</s:STIX>");
        return vec![ContentBlock::new(ContentBinding::new("STIX_1.0"), Content::Element(stix)); 2];
    }
    // The prefix of our own elements means something else inside.
    let xml = inside("<taxii_11:P xmlns:taxii_11='urn:x' taxii_11:a='1'/> text <q/><![CDATA[<]]>");
    let mut full = ContentBlock::new(binding(d), Content::Inside(xml));
    full.timestamp_label = label("2014-06-01T12:30:45.5-14:00");
    full.message = (d == Dialect::V1_1).then(|| "for people".to_owned());
    full.padding = some("AAAA");
    full.signature = Some(element(SIGNATURE));
    let text = Inside::text("QUJD & <text>").unwrap();
    vec![full, ContentBlock::new(ContentBinding::new("urn:b"), Content::Inside(text))]
}

/// Every message of a dialect, by name.
pub(crate) fn all(d: Dialect) -> Vec<(String, Message<'static>)> {
    let mut bodies = vec![Body::DiscoveryRequest, Body::CollectionInformationRequest];
    bodies.extend([services(d), collections(d)]);
    bodies.extend(subscriptions(d));
    bodies.extend(polls(d));
    let known = StatusType::ALL.iter().filter(|status| status.name(d).is_some());
    bodies.extend(known.map(|of| status(d, of.clone())));
    bodies.push(status(d, StatusType::Other("urn:example:status".into())));
    if d == Dialect::Draft {
        bodies.push(
            SubscriptionAlert {
                collection: "feed-1".to_owned(),
                action: AlertAction {
                    action: Action::Pause,
                    effective_time: Timestamp::date_time("2012-11-16T00:00:00").unwrap(),
                    status_type: Some(StatusType::Success),
                },
                subscription_id: "sub-1".to_owned(),
                terms: terms(d),
                message: some("m"),
            }
            .into(),
        );
    }
    if d == Dialect::V1_1 {
        let (collection, result_id) = ("feed-1".to_owned(), "urn:result".to_owned());
        bodies.push(PollFulfillment { collection, result_id, result_part_number: Some(3) }.into());
    }
    bodies.into_iter().enumerate().map(|(at, body)| named(d, at, body)).collect()
}

fn named(d: Dialect, at: usize, body: Body) -> (String, Message<'static>) {
    let kind = body.kind();
    let request = matches!(
        kind,
        MessageKind::DiscoveryRequest
            | MessageKind::CollectionInformationRequest
            | MessageKind::SubscriptionRequest
            | MessageKind::PollRequest
            | MessageKind::Inbox
            | MessageKind::PollFulfillment
    );
    let id = if d == Dialect::Draft {
        "0123456789abcdefABCDEF0123456789"
    } else {
        "18446744073709551616"
    };
    let mut message = Message::new(id, (!request).then_some(id), body);
    if d == Dialect::Draft {
        message.header_elements = vec![element("<x:h xmlns:x='urn:x'>v</x:h>"), element("<y/>")];
    } else {
        let header = |value| ExtendedHeader { name: "urn:example:header".to_owned(), value };
        message.extended_headers = vec![header(inside("a<b/>c")), header(Inside::default())];
        message.signature = Some(element(SIGNATURE));
    }
    if matches!(kind, MessageKind::PollResponse | MessageKind::Inbox) {
        message.blocks = blocks(d);
    }
    (format!("{d}-{at:02}-{kind:?}"), message)
}
