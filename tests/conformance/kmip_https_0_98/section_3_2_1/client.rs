//! What a client must and must not do.

use bindery_kmip::{
    Client, ClientBuilder,
    message::{ActivateRequest, Credential, KeyBlock, ManagedObject, QueryRequest, SymmetricKey},
};
use bindery_tests::{
    pki::Pki,
    script::{Recorded, Say, Script},
    wire,
};
use bindery_ttlv::registry::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType,
    QueryFunction, RevocationReasonCode,
};
use http::{HeaderName, HeaderValue, header};

const OPERATIONS: [QueryFunction; 1] = [QueryFunction::QUERY_OPERATIONS];

/// A server that refuses everything, and a client for it.
struct Pair {
    script: Script,
    transport: bindery_transport::Client,
}

impl Pair {
    async fn new() -> Self {
        let pki = Pki::new();
        let script = Script::start(pki.acceptor(), |_, _| Say::ok(&wire::failure())).await;
        let connector = pki.connector(Some(&pki.client("alice")));
        let transport = bindery_transport::Client::builder().connector(connector).build();
        Self { script, transport }
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder(self.script.url().parse().unwrap())
    }
}

/// Asks for each operation, in an order of the wire's, and for a batch of two.
async fn everything(client: &mut Client) {
    let key = KeyBlock::new(KeyFormatType::RAW, [7; 32].as_slice().into())
        .with_algorithm(CryptographicAlgorithm::AES, 256);
    let key = ManagedObject::SymmetricKey(SymmetricKey::new(key));
    let usage = CryptographicUsageMask::ENCRYPT;
    let reason = RevocationReasonCode::KEY_COMPROMISE;
    let failed = [
        client.create(CryptographicAlgorithm::AES, 256, usage, []).await.unwrap_err(),
        client.register(key, []).await.unwrap_err(),
        client.locate([]).await.unwrap_err(),
        client.get("1").await.unwrap_err(),
        client.get_attributes("1", ["State"]).await.unwrap_err(),
        client.get_attribute_list("1").await.unwrap_err(),
        client.activate("1").await.unwrap_err(),
        client.revoke("1", reason, None).await.unwrap_err(),
        client.destroy("1").await.unwrap_err(),
        client.query(OPERATIONS).await.unwrap_err(),
        client.discover_versions([]).await.unwrap_err(),
        client
            .batch(
                [ActivateRequest::new("1").into(), QueryRequest::new(OPERATIONS).into()],
                BatchErrorContinuationOption::CONTINUE,
            )
            .await
            .unwrap_err(),
    ];
    for error in failed {
        assert!(error.to_string().contains("not today"), "{error}");
    }
}

/// What was asked: the operations of each request's items.
fn operations(requests: &[Recorded]) -> Vec<Vec<i64>> {
    let asked = |request: &Recorded| {
        let message = request.kmip();
        message.all(0x0f).map(|item| item.at(&[0x5c]).number()).collect()
    };
    requests.iter().map(asked).collect()
}

/// proves: KMIP-C-1, KMIP-C-2, KMIP-C-3
#[tokio::test]
async fn every_request_is_a_post_of_one_message_as_octet_stream() {
    let pair = Pair::new().await;
    everything(&mut pair.builder().build(&pair.transport)).await;
    let requests = pair.script.requests();
    let mut asked: Vec<Vec<i64>> =
        wire::CLIENT_OPERATIONS.iter().map(|o| vec![i64::from(*o)]).collect();
    asked.push(vec![0x12, 0x18]);
    assert_eq!(operations(&requests), asked, "each operation once, then the batch");
    for request in &requests {
        assert_eq!(request.line, "POST /kmip HTTP/1.1");
        assert_eq!(request.field("content-type"), Some("application/octet-stream"));
        // kmip() has read the body as exactly one message, to its last octet.
        let message = request.kmip();
        assert_eq!(message.at(&[0x77, 0x0d]).number(), message.all(0x0f).count() as i64);
    }
}

/// proves: KMIP-C-5
#[tokio::test]
async fn no_request_has_an_authorization_field() {
    let pair = Pair::new().await;
    // Authentication data goes into the message, where KMIP has a place for it.
    let credential = Credential::username_and_password("alice", Some("secret".into()));
    let extra = (HeaderName::from_static("x-trace"), HeaderValue::from_static("7"));
    let builder = pair.builder().credential(credential).header(extra.0, extra.1).unwrap();
    everything(&mut builder.build(&pair.transport)).await;
    let requests = pair.script.requests();
    assert_eq!(requests.len(), 12);
    for request in &requests {
        assert_eq!(request.field("x-trace"), Some("7"));
        for name in ["authorization", "proxy-authorization", "cookie"] {
            assert_eq!(request.field(name), None);
        }
        assert_eq!(request.kmip().at(&[0x77, 0x0c, 0x23, 0x25, 0x99]).text(), "alice");
    }
}

/// proves: KMIP-C-5
#[tokio::test]
async fn the_client_interface_refuses_to_set_authorization() {
    let pair = Pair::new().await;
    let name = HeaderName::try_from("AUTHORIZATION").unwrap();
    for (name, value) in [(header::AUTHORIZATION, "Basic QTpC"), (name, "Bearer hush")] {
        let error = pair.builder().header(name, HeaderValue::from_static(value)).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("authorization") && !said.contains("hush"), "{said}");
    }
    // A password in the URL would become the field in many a client.
    let url = pair.script.url().replace("https://", "https://alice:hush@");
    let error = url.parse::<bindery_transport::Target>().unwrap_err();
    assert!(error.is_request() && !error.to_string().contains("hush"), "{error}");
    assert!(pair.script.requests().is_empty());
}
