//! The client's half of the HTTPS binding, without a socket.

use std::sync::Arc;

use bindery_core::{Body, Bound, ClientBinding, Unexpected};
use bindery_kmip::{
    Envelope, Expect, KmipHttps,
    message::{
        DestroyRequest, Failure, GetAttributeListRequest, GetAttributeListResponse, QueryRequest,
        RequestBatchItem, RequestMessage, RequestPayload, ResponseBatchItem, ResponseMessage,
    },
    outcome, typed,
};
use bindery_ttlv::{
    DateTime, Options, ProtocolVersion,
    registry::{BatchErrorContinuationOption, Operation, QueryFunction, ResultStatus},
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};

use crate::{
    support::{Answers, context, wait},
    wire::{profile_answer, profile_query},
};

const V: ProtocolVersion = ProtocolVersion::V1_4;

fn query() -> RequestMessage {
    Envelope::new(V).request(QueryRequest::new([QueryFunction::QUERY_OPERATIONS]))
}

fn batch() -> RequestMessage {
    let payloads: [RequestPayload; 2] =
        [GetAttributeListRequest::new("1").into(), DestroyRequest::new("2").into()];
    Envelope::new(V).batch(payloads, BatchErrorContinuationOption::CONTINUE)
}

fn encode(target: &'static str, message: RequestMessage) -> (Request<Body>, Expect) {
    KmipHttps::default().encode_request(&Uri::from_static(target), message).unwrap()
}

fn answer(octets: impl Into<Vec<u8>>) -> Response<Body> {
    let octets: Vec<u8> = octets.into();
    let kind = "application/octet-stream";
    Response::builder().header(header::CONTENT_TYPE, kind).body(octets.into()).unwrap()
}

/// proves: KMIP-C-1, KMIP-C-2, KMIP-C-3
#[test]
fn a_request_is_a_post_of_one_message() {
    let mut envelope = Envelope::new(ProtocolVersion::V1_0);
    envelope.maximum_response_size = Some(256);
    let asked = [QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_OBJECTS];
    let message = envelope.request(QueryRequest::new(asked));
    let (request, _) = encode("https://kmip.example:5696/kmip", message);
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(request.headers().get_all(header::CONTENT_TYPE).iter().count(), 1);
    assert_eq!(request.headers()[header::CACHE_CONTROL], "no-cache");
    assert_eq!(request.headers()[header::PRAGMA], "no-cache");
    assert_eq!(*request.body().as_bytes().unwrap(), profile_query(0, 256));
}

/// proves: KMIP-C-5
#[test]
fn authorization_is_neither_sent_nor_taken_from_the_caller() {
    let (request, _) = encode("https://kmip.example/kmip", query());
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, "Basic QTpC".parse().unwrap());
    let binding = KmipHttps::default();
    let error = ClientBinding::profile(&binding).check_own_headers(&headers).unwrap_err();
    assert!(error.to_string().contains("authorization"), "{error}");
}

/// proves: KMIP-TLS-2
#[test]
fn nothing_is_sent_in_clear() {
    let target = Uri::from_static("http://kmip.example/kmip");
    let error = KmipHttps::default().encode_request(&target, query()).unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[test]
fn any_path_can_be_asked() {
    let (request, _) = encode("https://kmip.example/else/where?x=1", query());
    assert_eq!(request.uri().path_and_query().unwrap(), "/else/where?x=1");
}

#[test]
fn what_could_not_be_answered_is_not_sent() {
    let target = Uri::from_static("https://kmip.example/kmip");
    let refused = |message: RequestMessage, said: &str| {
        let error = KmipHttps::default().encode_request(&target, message).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    };
    refused(RequestMessage::new(V, vec![]), "no batch item");
    let mut message = batch();
    message.header.batch_count = 3;
    refused(message, "Batch Count says 3 and there are 2");
    let mut message = batch();
    message.batch_items[1].unique_batch_item_id = None;
    refused(message, "Unique Batch Item ID");
    let mut message = query();
    message.batch_items[0].operation = Operation::GET;
    refused(message, "payload is Query's");
}

#[test]
fn both_halves_meet() {
    let answers = Arc::new(Answers::default());
    let endpoint = Bound::new(KmipHttps::default(), Arc::clone(&answers));
    let (request, expect) = encode("https://kmip.example/kmip", batch());
    let response = wait(endpoint.respond(&context(), request));
    let message = KmipHttps::default().decode_response(expect, response).unwrap();
    let [list, destroy] = <[ResponseBatchItem; 2]>::try_from(message.batch_items).unwrap();
    let list = typed::<GetAttributeListRequest>(outcome(list, None).unwrap()).unwrap();
    assert_eq!(list.attribute_names, ["Object Type", "Unique Identifier"]);
    let failed = outcome(destroy, Some("2".into())).unwrap_err();
    assert!(failed.is_not_found());
    let said = failed.to_string();
    assert_eq!(said, "Destroy of object 2 failed: Item Not Found: Destroy finds nothing");
    let seen = answers.seen.lock().unwrap();
    let operations: Vec<Operation> =
        seen.iter().flat_map(|message| &message.batch_items).map(|item| item.operation).collect();
    assert_eq!(operations, [Operation::GET_ATTRIBUTE_LIST, Operation::DESTROY]);
}

/// proves: SUB-STATUS-4, SUB-PROXY-2
#[test]
fn an_answer_that_is_not_kmip_is_not_parsed() {
    let decode = |response| {
        let (_, expect) = encode("https://kmip.example/kmip", query());
        KmipHttps::default().decode_response(expect, response).unwrap_err()
    };
    let mut response = answer("<html>");
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    let Unexpected::Status { status, start, .. } = decode(response) else { panic!() };
    assert_eq!((status, start.as_slice()), (StatusCode::BAD_GATEWAY, &b"<html>"[..]));
    let mut response = answer("<html>");
    response.headers_mut().insert(header::CONTENT_TYPE, "text/html".parse().unwrap());
    assert!(matches!(decode(response), Unexpected::MediaType { .. }));
    assert!(matches!(decode(answer("<html>")), Unexpected::Malformed(_)));
    assert!(matches!(decode(answer("")), Unexpected::Malformed(_)));
    let two = [profile_answer(4, 1), profile_answer(4, 1)].concat();
    let Unexpected::Malformed(place) = decode(answer(two)) else { panic!() };
    assert_eq!(place.offset, Some(profile_answer(4, 1).len() as u64));
    let request = profile_query(4, 1);
    assert!(matches!(decode(answer(request)), Unexpected::Malformed(_)));
}

/// What the check says of an answer to [`batch`], after a change of a fitting one.
fn check(change: impl FnOnce(&mut ResponseMessage)) -> Result<(), String> {
    let request = batch();
    let expect = Expect::of(&request);
    let item = |item: &RequestBatchItem| {
        let payload = GetAttributeListResponse::new("1", Vec::new());
        let mut answer = ResponseBatchItem::succeeded(payload, item.unique_batch_item_id.clone());
        if item.operation == Operation::DESTROY {
            answer = ResponseBatchItem::failed(
                Some(item.operation),
                item.unique_batch_item_id.clone(),
                Failure::item_not_found("gone"),
            );
        }
        answer
    };
    let items = request.batch_items.iter().map(item).collect();
    let mut response = ResponseMessage::new(V, DateTime(1), items);
    change(&mut response);
    let octets = response.encode().unwrap();
    let response = ResponseMessage::decode(&octets, &Options::STRICT).unwrap();
    expect.check(&response).map_err(|error| error.to_string())
}

#[test]
fn an_answer_must_fit_its_request() {
    let refused = |change: fn(&mut ResponseMessage), said: &str| {
        let error = check(change).unwrap_err();
        assert!(error.contains(said), "{error}");
    };
    assert_eq!(check(|_| {}), Ok(()));
    refused(|r| r.header.batch_count = 3, "Batch Count says 3");
    refused(|r| r.header.batch_count = -1, "Batch Count says -1");
    refused(|r| r.header.protocol_version = ProtocolVersion::V1_0, "in 1.0");
    refused(|r| r.batch_items.swap(0, 1), "the operation is GetAttributeList");
    refused(|r| r.batch_items[0].operation = None, "the answer's is none");
    refused(|r| r.batch_items[0].unique_batch_item_id = None, "Unique Batch Item ID");
    refused(
        |r| r.batch_items[1].unique_batch_item_id = Some("1".into()),
        "item 2 (Destroy): the Unique Batch Item ID",
    );
    // Continue asks for every item.
    let one_less = |r: &mut ResponseMessage| {
        r.batch_items.remove(0);
        r.header.batch_count = 1;
    };
    refused(one_less, "2 items were asked for and 1 answered");
    let one_more = |r: &mut ResponseMessage| {
        r.batch_items.push(r.batch_items[1].clone());
        r.header.batch_count = 3;
    };
    refused(one_more, "2 items were asked for and 3 answered");
    // A message that was not understood at all is answered without an operation, in any version.
    let whole = |r: &mut ResponseMessage| {
        *r = ResponseMessage::failed(
            ProtocolVersion::V1_0,
            DateTime(1),
            Failure::invalid_message("no"),
        );
    };
    assert_eq!(check(whole), Ok(()));
}

#[test]
fn a_stopped_batch_may_end_with_its_failure() {
    let payloads: [RequestPayload; 2] =
        [DestroyRequest::new("1").into(), DestroyRequest::new("2").into()];
    let request = Envelope::new(V).batch(payloads, BatchErrorContinuationOption::STOP);
    assert_eq!(request.header.batch_error_continuation_option, None);
    assert_eq!(request.header.batch_order_option, Some(true));
    let expect = Expect::of(&request);
    let id = request.batch_items[0].unique_batch_item_id.clone();
    let mut item =
        ResponseBatchItem::failed(Some(Operation::DESTROY), id, Failure::item_not_found("gone"));
    let response = |item| ResponseMessage::new(V, DateTime(1), vec![item]);
    assert!(expect.check(&response(item.clone())).is_ok());
    item.result_status = ResultStatus::SUCCESS;
    assert!(expect.check(&response(item)).is_err(), "only a failure stops a batch");
}
