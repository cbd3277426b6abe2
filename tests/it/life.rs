//! The life of objects, by our client over mutual TLS.

use bindery_kmip::{
    Client,
    message::{
        ActivateRequest, Attribute, AttributeValue, Certificate, CreateRequest, DestroyRequest,
        GetAttributeListRequest, GetRequest, KeyBlock, ManagedObject, Name, OpaqueDataType,
        OpaqueObject, QueryRequest, RequestPayload, ResponsePayload, SecretData, SymmetricKey,
        UniqueIdentifier,
    },
};
use bindery_tests::site::Site;
use bindery_ttlv::{
    ProtocolVersion, Text,
    registry::{
        BatchErrorContinuationOption, CertificateType, CryptographicAlgorithm,
        CryptographicUsageMask, KeyFormatType, ObjectType, QueryFunction, ResultReason,
        ResultStatus, RevocationReasonCode, SecretDataType, State,
    },
};

const AES: CryptographicAlgorithm = CryptographicAlgorithm::AES;

fn usage() -> CryptographicUsageMask {
    CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
}

fn name(text: &str) -> AttributeValue {
    Name::text(text).into()
}

async fn create(client: &mut Client, called: &str) -> UniqueIdentifier {
    client.create(AES, 256, usage(), [name(called)]).await.unwrap()
}

async fn state(client: &mut Client, uid: &UniqueIdentifier) -> State {
    let attributes = client.get_attributes(uid.clone(), ["State"]).await.unwrap();
    match attributes.as_slice() {
        [Attribute { value: AttributeValue::State(state), .. }] => *state,
        other => panic!("{other:?}"),
    }
}

fn octets(object: &ManagedObject) -> Vec<u8> {
    object.key_block().unwrap().octets().unwrap().expose().to_vec()
}

#[tokio::test]
async fn a_key_from_its_creation_to_its_end_and_beyond() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V2_1);
    // The Result Reasons below are those of 1.x.
    client.envelope_mut().version = ProtocolVersion::V1_4;
    let uid = create(&mut client, "disk-1").await;
    assert_eq!(state(&mut client, &uid).await, State::PRE_ACTIVE);
    assert_eq!(client.locate([name("disk-1")]).await.unwrap(), std::slice::from_ref(&uid));
    assert!(client.locate([name("disk-2")]).await.unwrap().is_empty());
    let key = client.get(uid.clone()).await.unwrap();
    assert_eq!((key.object_type(), octets(&key).len()), (ObjectType::SYMMETRIC_KEY, 32));

    client.activate(uid.clone()).await.unwrap();
    assert_eq!(state(&mut client, &uid).await, State::ACTIVE);
    let names = client.get_attribute_list(uid.clone()).await.unwrap();
    for expected in ["Activation Date", "Cryptographic Length", "Digest", "Name", "State"] {
        assert!(names.iter().any(|name| name == expected), "{expected} of {names:?}");
    }
    let failed = client.destroy(uid.clone()).await.unwrap_err();
    assert_eq!(failed.failed().unwrap().failure.reason, ResultReason::PERMISSION_DENIED, "active");

    // It outlives the server.
    let (site, stopped) = site.restart().await;
    assert_eq!(stopped.aborted, 0);
    let mut client = site.client("alice");
    assert_eq!(client.get(uid.clone()).await.unwrap(), key);
    assert_eq!(state(&mut client, &uid).await, State::ACTIVE);

    let reason = RevocationReasonCode::CESSATION_OF_OPERATION;
    client.revoke(uid.clone(), reason, None).await.unwrap();
    assert_eq!(state(&mut client, &uid).await, State::DEACTIVATED);
    client.destroy(uid.clone()).await.unwrap();
    assert_eq!(state(&mut client, &uid).await, State::DESTROYED);
    assert!(client.get(uid.clone()).await.unwrap_err().is_not_found());

    let (site, _) = site.restart().await;
    let mut client = site.client("alice");
    assert!(client.get(uid.clone()).await.unwrap_err().is_not_found());
    assert_eq!(state(&mut client, &uid).await, State::DESTROYED);
}

#[tokio::test]
async fn registered_objects_come_back_as_they_were() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    let block = |octets: &[u8]| KeyBlock::new(KeyFormatType::RAW, octets.into());
    let aes = block(&[0x5a; 16]).with_algorithm(AES, 128);
    let certificate = site.pki.server_certificate();
    let certificate = Certificate::new(CertificateType::X_509, certificate.as_ref().to_vec());
    let secret = SecretData::new(SecretDataType::PASSWORD, block(b"correct horse"));
    let opaque = OpaqueObject::new(OpaqueDataType(0x8000_0001), [9; 100_000].as_slice().into());
    let objects = [
        ManagedObject::SymmetricKey(SymmetricKey::new(aes)),
        ManagedObject::SecretData(secret),
        ManagedObject::OpaqueObject(opaque),
        ManagedObject::Certificate(certificate),
    ];
    let mut uids = Vec::new();
    for object in &objects {
        let attributes = match object.object_type() {
            ObjectType::SYMMETRIC_KEY | ObjectType::SECRET_DATA | ObjectType::CERTIFICATE => {
                vec![AttributeValue::CryptographicUsageMask(usage())]
            }
            _ => vec![],
        };
        uids.push(client.register(object.clone(), attributes).await.unwrap());
    }
    let (site, _) = site.restart().await;
    let mut client = site.client("alice");
    for (uid, object) in uids.iter().zip(&objects) {
        assert_eq!(client.get(uid.clone()).await.unwrap(), *object);
    }
    let located = client.locate([AttributeValue::ObjectType(ObjectType::SECRET_DATA)]).await;
    assert_eq!(located.unwrap(), [uids[1].clone()]);
}

#[tokio::test]
async fn every_version_is_answered_in_itself() {
    let site = Site::start().await;
    for version in bindery_kmip::SERVER_VERSIONS {
        let builder = Client::builder(site.url().parse().unwrap()).version(version);
        let mut client = builder.build(&site.transport("alice"));
        let called = format!("of {version}");
        let uid = create(&mut client, &called).await;
        assert_eq!(octets(&client.get(uid.clone()).await.unwrap()).len(), 32);
        assert_eq!(client.locate([name(&called)]).await.unwrap(), std::slice::from_ref(&uid));
        assert_eq!(state(&mut client, &uid).await, State::PRE_ACTIVE);
        let names = client.get_attribute_list(uid.clone()).await.unwrap();
        assert!(names.iter().any(|name| name == "Cryptographic Length"), "{names:?}");
        client.destroy(uid).await.unwrap();
        let mut message = client.envelope_mut().request(GetRequest::new("nowhere"));
        message.header.client_correlation_value =
            (version >= ProtocolVersion::V1_4).then(|| Text::from_static("call 7"));
        let answer = client.call(message.clone()).await.unwrap();
        assert_eq!(answer.header.protocol_version, version);
        let repeated = answer.header.client_correlation_value;
        assert_eq!(repeated, message.header.client_correlation_value);
    }
}

/// Discover Versions settles on 2.1 with a server that speaks it, and on what the client likes otherwise.
#[tokio::test]
async fn client_and_server_settle_on_the_newest_version_of_both() {
    let site = Site::start().await;
    let builder = || Client::builder(site.url().parse().unwrap());
    let mut client = builder().build(&site.transport("alice"));
    assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V2_1);
    let uid = create(&mut client, "of 2.1").await;
    assert_eq!(octets(&client.get(uid).await.unwrap()).len(), 32);
    let mut client = builder().versions([ProtocolVersion::V2_0]).build(&site.transport("alice"));
    assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V2_0);
    let mut client = builder().versions(bindery_kmip::VERSIONS).build(&site.transport("alice"));
    assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V1_4);
}

/// Create, a Get that fails, a Query.
fn batch() -> [RequestPayload; 3] {
    let template = [
        AttributeValue::CryptographicAlgorithm(AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(usage()),
    ];
    [
        CreateRequest::new(ObjectType::SYMMETRIC_KEY, template.into_iter().collect()).into(),
        GetRequest::new("nowhere").into(),
        QueryRequest::new([QueryFunction::QUERY_OBJECTS]).into(),
    ]
}

#[tokio::test]
async fn a_batch_with_an_error_inside() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    let mut kept = 0;
    for (option, answered, created) in [
        (BatchErrorContinuationOption::CONTINUE, 3, true),
        (BatchErrorContinuationOption::STOP, 2, true),
        (BatchErrorContinuationOption::UNDO, 2, false),
    ] {
        let outcomes = client.batch(batch(), option).await.unwrap();
        assert_eq!(outcomes.len(), answered, "{option:?}: {outcomes:?}");
        assert!(outcomes[1].as_ref().unwrap_err().is_not_found());
        match &outcomes[0] {
            Ok(Some(ResponsePayload::Create(_))) => assert!(created, "{option:?}"),
            Err(failed) => {
                assert_eq!((failed.status, created), (ResultStatus::OPERATION_UNDONE, false));
            }
            other => panic!("{other:?}"),
        }
        kept += usize::from(created);
        assert_eq!(client.locate([]).await.unwrap().len(), kept, "{option:?}");
    }
}

#[tokio::test]
async fn a_batch_speaks_of_what_it_has_just_made() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    let [create, _, _] = batch();
    let mut activate = ActivateRequest::new("");
    let mut list = GetAttributeListRequest::new("");
    activate.unique_identifier = None;
    list.unique_identifier = None;
    let payloads = [create, activate.into(), list.into()];
    let outcomes = client.batch(payloads, BatchErrorContinuationOption::STOP).await.unwrap();
    let [Ok(Some(ResponsePayload::Create(made))), Ok(_), Ok(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(state(&mut client, &made.unique_identifier).await, State::ACTIVE);
}

#[tokio::test]
async fn what_the_server_cannot_do_it_says() {
    let site = Site::start().await;
    let mut client = site.client("alice");
    let reason = |error: bindery_kmip::ClientError| error.failed().unwrap().failure.reason;
    let error = client.create(CryptographicAlgorithm::RSA, 2048, usage(), []).await.unwrap_err();
    assert_ne!(reason(error), ResultReason::GENERAL_FAILURE);
    let error = client.create(AES, 7, usage(), []).await.unwrap_err();
    assert_ne!(reason(error), ResultReason::GENERAL_FAILURE);
    let uid = create(&mut client, "a").await;
    client.destroy(uid.clone()).await.unwrap();
    let error = client.request(DestroyRequest::new(uid)).await.unwrap_err();
    assert!(error.to_string().contains("Destroy of object"), "{error}");
}
