//! What the demonstration does, and what has to come of it.

mod refusals;

use std::{net::SocketAddr, path::Path};

use bindery_kmip::{
    Secret,
    message::{
        ActivateRequest, AttributeValue, CreateRequest, CreateResponse, DestroyRequest,
        DiscoverVersionsRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest,
        LocateRequest, Name, QueryRequest, Request, RequestBatchItem, RequestMessage,
        RequestPayload, RevocationReason, RevokeRequest, TemplateAttribute,
    },
};
use bindery_ttlv::{
    ProtocolVersion, Text,
    registry::{
        BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, ObjectType,
        Operation, QueryFunction, ResultReason, ResultStatus, RevocationReasonCode, State,
    },
};

use super::{Client, report::Report};
use crate::{error::Result, kmip::session::Session};

/// The name of the demonstration's key.
const NAME: &str = "demo-key";
/// Its length in bits, and in octets.
const BITS: i32 = 256;
const OCTETS: usize = 32;

/// What a step came to: what is shown of it.
type Outcome = Result<String, String>;

/// Runs all steps, each whatever came of the others.
///
/// # Errors
/// The client cannot even be made.
pub(super) async fn run(
    client: &Client,
    database: &Path,
    admin: Option<SocketAddr>,
    report: &mut Report,
) -> Result<()> {
    let mut session = client.session()?;
    report.step("query", query(&mut session).await);
    report.step("discover versions", discover_versions(&mut session).await);
    let created = create(&mut session).await;
    let uid = created.clone().unwrap_or_default();
    report.step("create an AES-256 key", created.map(|uid| format!("object {uid}")));
    report.step("locate it by name", locate(&mut session, &uid).await);
    let got = get(&mut session, &uid).await;
    let (key, got) = match got {
        Ok(key) => (Some(key), Ok(format!("{BITS} bits, the same again on a second get"))),
        Err(why) => (None, Err(why)),
    };
    report.step("get it, twice", got);
    report.step("get attributes", get_attributes(&mut session, &uid).await);
    report.step("get attribute list", get_attribute_list(&mut session, &uid).await);
    report.step("activate", activate(&mut session, &uid).await);
    report.step("destroy while active: refused", destroy_active(&mut session, &uid).await);
    report.step("revoke", revoke(&mut session, &uid).await);
    report.step("destroy", destroy(&mut session, &uid).await);
    report.step("batch with an error inside", batch(&mut session).await);
    report.step("mutual TLS", channel(&session));
    super::devices::run(client, database, report).await?;
    super::feeds::run(client, report).await?;
    report.step("client without certificate: refused", refusals::no_certificate(client).await);
    report.step("wrong content type: refused", refusals::content_type(client).await);
    report.step("half a message: refused", refusals::truncated(client).await);
    report.step("the server goes on", query(&mut client.session()?).await);
    report.step("key material in the store's files", refusals::at_rest(database, key.as_ref()));
    report.step("ready, by the admin listener", refusals::ready(admin).await);
    Ok(())
}

/// Sends one operation and takes its own answer out of what comes.
async fn call<R: Request>(session: &mut Session, request: R) -> Result<R::Response, String> {
    let (payload, _) = session.call(request).await.map_err(|failure| failure.to_string())?;
    R::response(payload).map_err(|other| format!("the answer is {}'s", other.operation()))
}

/// The reason for which an operation fails.
async fn refused<R: Request>(session: &mut Session, request: R) -> Result<ResultReason, String> {
    let item = RequestBatchItem::new(request.into());
    let message = RequestMessage::new(ProtocolVersion::V1_4, vec![item]);
    let answered = session.exchange(message).await;
    let (response, _) = answered.map_err(|failure| failure.to_string())?;
    let failure = response.batch_items.first().and_then(|item| item.failure());
    Ok(failure.ok_or("it was not refused")?.reason)
}

fn check(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

async fn query(session: &mut Session) -> Outcome {
    let functions = [
        QueryFunction::QUERY_OPERATIONS,
        QueryFunction::QUERY_OBJECTS,
        QueryFunction::QUERY_SERVER_INFORMATION,
    ];
    let answer = call(session, QueryRequest::new(functions)).await?;
    let needed = [
        Operation::QUERY,
        Operation::DISCOVER_VERSIONS,
        Operation::CREATE,
        Operation::REGISTER,
        Operation::LOCATE,
        Operation::GET,
        Operation::GET_ATTRIBUTES,
        Operation::GET_ATTRIBUTE_LIST,
        Operation::ACTIVATE,
        Operation::REVOKE,
        Operation::DESTROY,
    ];
    for operation in needed {
        check(answer.operations.contains(&operation), format!("{operation} is missing"))?;
    }
    let symmetric = answer.object_types.contains(&ObjectType::SYMMETRIC_KEY);
    check(symmetric, "the server has no symmetric keys")?;
    let vendor = answer.vendor_identification.as_ref().map_or("nobody", Text::as_str);
    let (operations, types) = (answer.operations.len(), answer.object_types.len());
    Ok(format!("{operations} operations, {types} object types, by {vendor}"))
}

async fn discover_versions(session: &mut Session) -> Outcome {
    let answer = call(session, DiscoverVersionsRequest::new([])).await?;
    let versions = answer.protocol_versions;
    check(versions == bindery_kmip::SERVER_VERSIONS, format!("found {versions:?}"))?;
    Ok(versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// What a key of the demonstration is made from.
fn key_request(name: &str) -> CreateRequest {
    let usage = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
    let template = TemplateAttribute::from_iter([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(BITS),
        AttributeValue::CryptographicUsageMask(usage),
        Name::text(name).into(),
    ]);
    CreateRequest::new(ObjectType::SYMMETRIC_KEY, template)
}

async fn create(session: &mut Session) -> Outcome {
    let answer: CreateResponse = call(session, key_request(NAME)).await?;
    check(answer.object_type == ObjectType::SYMMETRIC_KEY, "the object is no symmetric key")?;
    check(
        answer.unique_identifier.as_text().is_some_and(|uid| !uid.is_empty()),
        "the object has no identifier",
    )?;
    Ok(answer.unique_identifier.to_string())
}

async fn locate(session: &mut Session, uid: &str) -> Outcome {
    let by_name = LocateRequest::new([AttributeValue::from(Name::text(NAME))]);
    let answer = call(session, by_name).await?;
    let found: Vec<String> = answer.unique_identifiers.iter().map(ToString::to_string).collect();
    check(found == [uid], format!("found {found:?}"))?;
    let other = LocateRequest::new([AttributeValue::from(Name::text("no-such-name"))]);
    let none = call(session, other).await?.unique_identifiers;
    check(none.is_empty(), "another name finds something too")?;
    Ok("exactly one".to_owned())
}

async fn get(session: &mut Session, uid: &str) -> Result<Secret, String> {
    let key = key_of(session, uid).await?;
    check(key.len() == OCTETS, format!("the key has {} octets", key.len()))?;
    check(key.expose().iter().any(|octet| *octet != 0), "the key is all zeros")?;
    check(key_of(session, uid).await? == key, "a second get gives another key")?;
    Ok(key)
}

async fn key_of(session: &mut Session, uid: &str) -> Result<Secret, String> {
    let answer = call(session, GetRequest::new(uid)).await?;
    check(answer.unique_identifier == *uid, "the answer is another object's")?;
    let block = answer.object.key_block().ok_or("the object is no key")?;
    let algorithm = block.cryptographic_algorithm;
    check(algorithm == Some(CryptographicAlgorithm::AES), "the key is not for AES")?;
    check(block.cryptographic_length == Some(BITS), "the key has another length")?;
    block.octets().cloned().ok_or_else(|| "the key is not in clear".to_owned())
}

async fn get_attributes(session: &mut Session, uid: &str) -> Outcome {
    let all: [&str; 0] = [];
    let answer = call(session, GetAttributesRequest::new(uid, all)).await?;
    let values: Vec<&AttributeValue> =
        answer.attributes.iter().map(|attribute| &attribute.value).collect();
    let expected: [AttributeValue; 5] = [
        State::PRE_ACTIVE.into(),
        ObjectType::SYMMETRIC_KEY.into(),
        CryptographicAlgorithm::AES.into(),
        AttributeValue::CryptographicLength(BITS),
        Name::text(NAME).into(),
    ];
    for value in &expected {
        check(values.contains(&value), format!("{} is not as it should be", value.name()))?;
    }
    Ok(format!("{} attributes, State PreActive", values.len()))
}

async fn get_attribute_list(session: &mut Session, uid: &str) -> Outcome {
    let answer = call(session, GetAttributeListRequest::new(uid)).await?;
    let names: Vec<&str> = answer.attribute_names.iter().map(Text::as_str).collect();
    for name in ["Unique Identifier", "Object Type", "State", "Name", "Initial Date"] {
        check(names.contains(&name), format!("{name} is missing"))?;
    }
    Ok(format!("{} names", names.len()))
}

/// Checks the State attribute, and that it is asked for by name alone.
async fn state(session: &mut Session, uid: &str, expected: State) -> Outcome {
    let answer = call(session, GetAttributesRequest::new(uid, ["State"])).await?;
    let values: Vec<&AttributeValue> =
        answer.attributes.iter().map(|attribute| &attribute.value).collect();
    check(values == [&AttributeValue::State(expected)], format!("found {values:?}"))?;
    Ok(format!("State {expected}"))
}

async fn activate(session: &mut Session, uid: &str) -> Outcome {
    call(session, ActivateRequest::new(uid)).await?;
    state(session, uid, State::ACTIVE).await
}

async fn destroy_active(session: &mut Session, uid: &str) -> Outcome {
    let reason = refused(session, DestroyRequest::new(uid)).await?;
    check(reason == ResultReason::PERMISSION_DENIED, format!("the reason is {reason}"))?;
    key_of(session, uid).await?;
    Ok(format!("{reason}; the key is still there"))
}

async fn revoke(session: &mut Session, uid: &str) -> Outcome {
    let reason = RevocationReason::new(RevocationReasonCode::CESSATION_OF_OPERATION);
    call(session, RevokeRequest::new(uid, reason)).await?;
    state(session, uid, State::DEACTIVATED).await
}

async fn destroy(session: &mut Session, uid: &str) -> Outcome {
    call(session, DestroyRequest::new(uid)).await?;
    let told = state(session, uid, State::DESTROYED).await?;
    let reason = refused(session, GetRequest::new(uid)).await?;
    check(reason == ResultReason::ITEM_NOT_FOUND, format!("get then says {reason}"))?;
    Ok(format!("{told}; get says {reason}"))
}

/// Three operations in one message, of which the second must fail and the third go on.
async fn batch(session: &mut Session) -> Outcome {
    let payloads: [RequestPayload; 3] = [
        key_request("demo-batch").into(),
        GetRequest::new("no-such-object").into(),
        LocateRequest::new([AttributeValue::from(Name::text("demo-batch"))]).into(),
    ];
    let items = payloads.into_iter().map(RequestBatchItem::new).collect();
    let mut message = RequestMessage::new(ProtocolVersion::V1_4, items);
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::CONTINUE);
    message.header.batch_order_option = Some(true);
    let answered = session.exchange(message).await;
    let (response, _) = answered.map_err(|failure| failure.to_string())?;
    let statuses: Vec<ResultStatus> =
        response.batch_items.iter().map(|item| item.result_status).collect();
    let expected = [ResultStatus::SUCCESS, ResultStatus::OPERATION_FAILED, ResultStatus::SUCCESS];
    check(statuses == expected, format!("found {statuses:?}"))?;
    let reason = response.batch_items.iter().find_map(|item| item.result_reason);
    check(reason == Some(ResultReason::ITEM_NOT_FOUND), format!("the reason is {reason:?}"))?;
    let by_name = LocateRequest::new([AttributeValue::from(Name::text("demo-batch"))]);
    let kept = call(session, by_name).await?.unique_identifiers.len();
    check(kept == 1, format!("{kept} objects of the batch are there"))?;
    Ok("Success, ItemNotFound, Success; what succeeded is kept".to_owned())
}

/// What the handshake settled.
fn channel(session: &Session) -> Outcome {
    let tls = session.channel().and_then(|channel| channel.tls());
    let tls = tls.ok_or("the connection is in clear")?;
    Ok(format!("{} {}", tls.version, tls.suite.name))
}
