//! What holds for a whole message: version, client, credentials, batch; Query and Discover Versions.

use bindery_kmip::{
    VERSIONS,
    message::{
        Authentication, Credential, DiscoverVersionsRequest, LocateRequest, MessageExtension,
        QueryRequest, RequestBatchItem, RequestMessage, RequestPayload, ResponseMessage,
        UnknownPayload,
    },
};
use bindery_ttlv::{
    ProtocolVersion, RawValue, Text,
    registry::{
        BatchErrorContinuationOption as Continuation, CredentialType, ObjectType, Operation,
        QueryFunction, ResultReason,
    },
};
use bytes::Bytes;

use super::{House, create, refused};

fn locate_all() -> RequestMessage {
    let item = RequestBatchItem::new(LocateRequest::default());
    RequestMessage::new(ProtocolVersion::V1_4, vec![item])
}

/// A payload without any field.
fn empty() -> RawValue {
    RawValue::of(&DiscoverVersionsRequest::default())
}

/// The message is refused as a whole: one item, without an operation.
#[track_caller]
fn refused_whole(response: &ResponseMessage, reason: ResultReason) -> String {
    let [item] = response.batch_items.as_slice() else { panic!("{response:?}") };
    assert_eq!(item.operation, None);
    refused(item.failure().map_or(Ok(()), Err), reason)
}

#[test]
fn every_version_is_answered_in_its_own() {
    let house = House::new();
    for version in VERSIONS {
        let answer = house.call_in(version, "alice", LocateRequest::default()).unwrap();
        assert!(answer.unique_identifiers.is_empty());
    }
}

#[test]
fn a_version_that_is_not_spoken_is_refused_in_the_newest_one() {
    let newest_of_1 = ProtocolVersion::V1_4;
    for (version, newest) in [
        ((0, 9), newest_of_1),
        ((1, 5), newest_of_1),
        ((2, 2), ProtocolVersion::V2_1),
        ((3, 0), newest_of_1),
        ((i32::MAX, i32::MIN), newest_of_1),
    ] {
        let mut message = locate_all();
        message.header.protocol_version = ProtocolVersion::new(version.0, version.1);
        let response = House::new().send(&message);
        assert_eq!(response.header.protocol_version, newest);
        let text = refused_whole(&response, ResultReason::INVALID_MESSAGE);
        assert!(text.contains("1.0 to 1.4, 2.0 and 2.1"), "{text}");
    }
}

#[test]
fn who_is_not_identified_gets_no_service() {
    let house = House::new();
    let mut message = locate_all();
    message.batch_items = vec![RequestBatchItem::new(create([]))];
    let response = house.send_as(None, &message);
    refused_whole(&response, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL);
    assert!(house.store.records().is_empty());
}

/// The certificate of the session is the one that `support::context` shows.
///
/// proves: KMIP-CRED-1
#[test]
fn a_certificate_credential_has_to_be_the_one_of_the_session() {
    let house = House::new();
    let send = |credentials: Vec<Credential>| {
        let mut message = locate_all();
        message.header.authentication = Some(Authentication::new(credentials));
        house.send(&message)
    };
    let own = || Credential::certificate(b"client");
    assert_eq!(send(vec![own()]).batch_items[0].failure(), None);
    assert_eq!(send(vec![own(), own()]).batch_items[0].failure(), None);
    let mut bare = own();
    bare.credential_value = Credential::certificate(b"").credential_value;
    let mut typed = Credential::username_and_password("client", None);
    typed.credential_type = CredentialType::CERTIFICATE;
    let others = [
        vec![Credential::certificate(b"Client")],
        vec![Credential::certificate(b"clien")],
        vec![Credential::certificate(b"client ")],
        vec![own(), Credential::certificate(b"mallory")],
        vec![bare],
        vec![typed],
        vec![Credential::username_and_password("alice", Some("secret".into()))],
    ];
    for credentials in others {
        let text = refused_whole(&send(credentials), ResultReason::AUTHENTICATION_NOT_SUCCESSFUL);
        assert!(!text.contains("secret"), "{text}");
    }
}

/// proves: KMIP-CRED-1
#[test]
fn a_certificate_credential_without_a_certificate_in_the_session_is_refused() {
    let house = House::new();
    let mut message = locate_all();
    for der in [&b"client"[..], b""] {
        let credentials = vec![Credential::certificate(der)];
        message.header.authentication = Some(Authentication::new(credentials));
        let mut cx = house.context(Some("alice"));
        cx.peer = bindery_core::Peer::default();
        let response = crate::support::wait(house.server.respond(&cx, &message));
        refused_whole(&response, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL);
    }
}

#[test]
fn the_batch_count_has_to_be_the_number_of_items() {
    let house = House::new();
    for count in [0, 2, -1, i32::MIN, i32::MAX] {
        let mut message = locate_all();
        message.header.batch_count = count;
        refused_whole(&house.send(&message), ResultReason::INVALID_MESSAGE);
    }
    let empty = RequestMessage::new(ProtocolVersion::V1_4, Vec::new());
    refused_whole(&house.send(&empty), ResultReason::INVALID_MESSAGE);
}

#[test]
fn a_batch_that_is_too_long_is_refused_whole() {
    let house = House::with(|config| config.batch_items = 3);
    let of = |items: usize| {
        let items = (0..items).map(|_| RequestBatchItem::new(create([]))).collect();
        RequestMessage::new(ProtocolVersion::V1_4, items)
    };
    let text = refused_whole(&house.send(&of(4)), ResultReason::INVALID_MESSAGE);
    assert!(text.contains('3'), "{text}");
    assert!(house.store.records().is_empty());
    assert_eq!(house.send(&of(3)).batch_items.len(), 3);
    assert_eq!(house.store.records().len(), 3);
}

#[test]
fn items_of_a_batch_need_identifiers_and_get_them_back() {
    let house = House::new();
    let item = || RequestBatchItem::new(LocateRequest::default());
    let mut message = RequestMessage::new(ProtocolVersion::V1_0, vec![item(), item()]);
    message.batch_items[1].unique_batch_item_id = None;
    refused_whole(&house.send(&message), ResultReason::INVALID_MESSAGE);
    // Equal ones confuse nobody here; a single item needs none.
    let same = Bytes::from_static(b"\x00same");
    for item in &mut message.batch_items {
        item.unique_batch_item_id = Some(same.clone());
    }
    let answers = house.send(&message).batch_items;
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer.unique_batch_item_id.as_ref() == Some(&same)));
    assert_eq!(house.send(&locate_all()).batch_items[0].unique_batch_item_id, None);
    let mut named = locate_all();
    named.batch_items[0].unique_batch_item_id = Some(same.clone());
    assert_eq!(house.send(&named).batch_items[0].unique_batch_item_id, Some(same));
}

#[test]
fn an_unknown_continuation_option_is_refused() {
    let mut message = locate_all();
    message.header.batch_error_continuation_option = Some(Continuation(9));
    refused_whole(&House::new().send(&message), ResultReason::INVALID_FIELD);
}

#[test]
fn the_client_correlation_value_comes_back_since_1_4() {
    let house = House::new();
    for (version, expected) in
        [(ProtocolVersion::V1_4, Some("call 7")), (ProtocolVersion::V1_3, None)]
    {
        let mut message = locate_all();
        message.header.protocol_version = version;
        message.header.client_correlation_value = Some(Text::from("call 7"));
        let answer = house.send(&message).header.client_correlation_value;
        assert_eq!(answer.as_ref().map(Text::as_str), expected);
        message.header.batch_count = 5;
        let answer = house.send(&message).header.client_correlation_value;
        assert_eq!(answer.as_ref().map(Text::as_str), expected, "also when it is refused");
    }
}

#[test]
fn critical_extensions_are_refused_and_others_passed_over() {
    let house = House::new();
    for (critical, reason) in [(true, Some(ResultReason::FEATURE_NOT_SUPPORTED)), (false, None)] {
        let extension = MessageExtension::new("vendor", critical, RawValue::of(&Text::from("?")));
        let mut message = locate_all();
        message.batch_items[0].message_extension = Some(extension);
        let answers = house.send(&message).batch_items;
        assert_eq!(answers[0].failure().map(|failure| failure.reason), reason);
        assert_eq!(answers[0].operation, Some(Operation::LOCATE));
    }
}

#[test]
fn what_is_not_supported_is_answered_and_not_dropped() {
    let house = House::new();
    for number in [0x06, 0x07, 0x17, 0x19, 0x1A, 0x2D, 0x99, 0x8000_0001] {
        let payload = UnknownPayload::new(Operation(number), empty());
        let item = RequestBatchItem::new(RequestPayload::Unknown(payload));
        let message = RequestMessage::new(ProtocolVersion::V1_2, vec![item]);
        let answers = house.send(&message).batch_items;
        assert_eq!(answers[0].operation, Some(Operation(number)));
        refused(answers[0].failure().map_or(Ok(()), Err), ResultReason::OPERATION_NOT_SUPPORTED);
    }
}

#[test]
fn query_tells_what_is_really_there() {
    let house = House::with(|config| "Example KMS".clone_into(&mut config.vendor_identification));
    let ask = |version, functions: &[QueryFunction]| {
        house.call_in(version, "alice", QueryRequest::new(functions)).unwrap()
    };
    let all: Vec<QueryFunction> = (1..=0x10).map(QueryFunction).collect();
    let answer = ask(ProtocolVersion::V1_4, &all);
    let of_1_0 = [
        0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11,
        0x12, 0x13, 0x14, 0x15, 0x16, 0x18,
    ];
    let later =
        [0x1D, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B];
    let operations: Vec<_> = of_1_0.into_iter().chain(later).map(Operation).collect();
    assert_eq!(answer.operations, operations);
    let types = [
        ObjectType::CERTIFICATE,
        ObjectType::SYMMETRIC_KEY,
        ObjectType::PUBLIC_KEY,
        ObjectType::PRIVATE_KEY,
        ObjectType::SPLIT_KEY,
        ObjectType::SECRET_DATA,
        ObjectType::OPAQUE_OBJECT,
    ];
    assert_eq!(answer.object_types, types);
    assert_eq!(answer.vendor_identification.as_ref().map(Text::as_str), Some("Example KMS"));
    assert!(answer.application_namespaces.is_empty() && answer.extension_information.is_empty());
    // Discover Versions came with 1.1, and others later.
    let old = ask(ProtocolVersion::V1_0, &[QueryFunction::QUERY_OPERATIONS]);
    assert_eq!(old.operations, of_1_0.map(Operation));
    assert!(old.object_types.is_empty() && old.vendor_identification.is_none());
    // A function twice is answered once.
    let twice = ask(ProtocolVersion::V1_4, &[QueryFunction::QUERY_OBJECTS; 40]);
    assert_eq!(twice.object_types.len(), 7);
    let none: &[QueryFunction] = &[];
    refused(house.call(QueryRequest::new(none)), ResultReason::INVALID_MESSAGE);
}

#[test]
fn every_operation_that_query_lists_is_done() {
    let house = House::new();
    let asked = QueryRequest::new([QueryFunction::QUERY_OPERATIONS]);
    for operation in house.call(asked).unwrap().operations {
        // An empty payload is wrong for some, and that is another reason than not to be there.
        let payload = UnknownPayload::new(operation, empty());
        let item = RequestBatchItem::new(RequestPayload::Unknown(payload));
        let message = RequestMessage::new(ProtocolVersion::V1_4, vec![item]);
        let failure = house.send(&message).batch_items[0].failure();
        let reason = failure.map(|failure| failure.reason);
        assert_ne!(reason, Some(ResultReason::OPERATION_NOT_SUPPORTED), "{operation:?}");
    }
}

#[test]
fn discover_versions_tells_what_both_speak_newest_first() {
    let house = House::new();
    let ask = |versions: &[ProtocolVersion]| {
        house.call(DiscoverVersionsRequest::new(versions)).unwrap().protocol_versions
    };
    assert_eq!(ask(&[]), bindery_kmip::SERVER_VERSIONS);
    let known = [ProtocolVersion::V1_0, ProtocolVersion::new(2, 2), ProtocolVersion::V1_3];
    assert_eq!(ask(&known), [ProtocolVersion::V1_3, ProtocolVersion::V1_0]);
    assert_eq!(ask(&[ProtocolVersion::new(3, 0)]), []);
}
