//! The client against a server of the same crate, over mutual TLS on loopback.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use bindery_core::{Context, Handler, Unexpected};
use bindery_kmip::{
    Client, ClientBuilder, ClientError, Encoding, HttpsProfile, KmipHttps,
    message::{
        Authentication, Credential, DestroyRequest, Failure, GetAttributeListRequest, QueryRequest,
        RequestMessage, RequestPayload, ResponseBatchItem, ResponseMessage,
    },
    mount,
};
use bindery_tls::{
    Backend as _, CertificateIdentity, ClientConfig, Policy, Provider, RustlsBackend, ServerConfig,
    pki::{Authority, Issued, Leaf, Validity},
};
use bindery_transport::{Listener, Router, Server};
use bindery_ttlv::{
    DateTime, ProtocolVersion,
    registry::{
        BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask,
        QueryFunction, ResultReason, RevocationReasonCode,
    },
};
use http::header;
use tokio::sync::oneshot;

use crate::support::Answers;

/// An authority, a server's and a client's certificate.
struct World {
    authority: Authority,
    server: Issued,
    client: Issued,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("Test Authority", Validity::default()).unwrap();
        let server = authority.issue(&Leaf::server("127.0.0.1")).unwrap();
        let client = authority.issue(&Leaf::client("alice")).unwrap();
        Self { authority, server, client }
    }

    async fn server<H>(&self, handler: H) -> (SocketAddr, oneshot::Sender<()>)
    where
        H: Handler<RequestMessage, Response = ResponseMessage> + std::fmt::Debug + 'static,
    {
        let config = ServerConfig::new(self.server.identity().unwrap())
            .with_client_roots(self.authority.roots().unwrap());
        let acceptor = backend().acceptor(&Policy::kmip(), config).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut profile = HttpsProfile::default();
        profile.text_encodings = true;
        let router = mount(Router::new(), KmipHttps::new(profile), handler).unwrap();
        let server = Server::builder()
            .listen(Listener::tls(address, acceptor))
            .router(router)
            .identities(Arc::new(CertificateIdentity::subject()));
        let server = server.bind().await.unwrap();
        let address = server.local_addrs()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        (address, stop)
    }

    fn transport(&self, with_identity: bool) -> bindery_transport::Client {
        let mut config = ClientConfig::new(self.authority.roots().unwrap());
        if with_identity {
            config = config.with_identity(self.client.identity().unwrap());
        }
        let connector = backend().connector(&Policy::kmip(), config).unwrap();
        bindery_transport::Client::builder().connector(connector).build()
    }
}

fn backend() -> RustlsBackend {
    RustlsBackend::new(Provider::aws_lc_rs())
}

fn builder(address: SocketAddr) -> ClientBuilder {
    Client::builder(format!("https://{address}/kmip").parse().unwrap())
}

/// Runs a test with a time limit, so that a fault cannot hang the suite.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("within a minute");
    });
}

#[test]
fn operations_and_their_failures() {
    run(async {
        let world = World::new();
        let (address, _stop) = world.server(Answers::default()).await;
        let mut client = builder(address).build(&world.transport(true));
        assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V1_4);
        let answer = client.query([QueryFunction::QUERY_OPERATIONS]).await.unwrap();
        assert_eq!(answer.operations.len(), 26);
        assert_eq!(client.discover_versions([]).await.unwrap().len(), 5);
        let names = client.get_attribute_list("7").await.unwrap();
        assert_eq!(names, ["Object Type", "Unique Identifier"]);

        let error = client.get("7").await.unwrap_err();
        assert!(error.is_not_found() && !error.is_unsent());
        assert_eq!(error.to_string(), "Get of object 7 failed: Item Not Found: Get finds nothing");
        assert!(client.activate("7").await.unwrap_err().is_not_found());
        let reason = RevocationReasonCode::KEY_COMPROMISE;
        assert!(client.revoke("7", reason, Some(DateTime(1))).await.unwrap_err().is_not_found());
        assert!(client.destroy("7").await.unwrap_err().is_not_found());
        assert!(client.locate([]).await.unwrap_err().is_not_found());
        assert!(client.get_attributes("7", ["State"]).await.unwrap_err().is_not_found());
        let usage = CryptographicUsageMask::ENCRYPT;
        let created = client.create(CryptographicAlgorithm::AES, 256, usage, []).await;
        assert!(created.unwrap_err().is_not_found());
    });
}

/// In each encoding a request is answered in the same, and its failures are as typed.
#[test]
fn the_client_speaks_each_encoding() {
    run(async {
        let world = World::new();
        let (address, _stop) = world.server(Answers::default()).await;
        for encoding in Encoding::ALL {
            let mut client = builder(address).encoding(encoding).build(&world.transport(true));
            assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V1_4, "{encoding:?}");
            let names = client.get_attribute_list("7").await.unwrap();
            assert_eq!(names, ["Object Type", "Unique Identifier"], "{encoding:?}");
            assert!(client.get("7").await.unwrap_err().is_not_found(), "{encoding:?}");
        }
    });
}

#[test]
fn a_batch_gives_an_outcome_for_each_item() {
    run(async {
        let world = World::new();
        let (address, _stop) = world.server(Answers::default()).await;
        let mut client = builder(address).build(&world.transport(true));
        let payloads: [RequestPayload; 3] = [
            GetAttributeListRequest::new("1").into(),
            DestroyRequest::new("2").into(),
            QueryRequest::new([QueryFunction::QUERY_OBJECTS]).into(),
        ];
        let continuation = BatchErrorContinuationOption::CONTINUE;
        let outcomes = client.batch(payloads, continuation).await.unwrap();
        let [list, destroy, query] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert!(list.is_ok() && query.is_ok());
        let failed = destroy.as_ref().unwrap_err();
        assert_eq!(failed.unique_identifier.as_ref().and_then(|uid| uid.as_text()), Some("2"));
    });
}

/// A server that speaks KMIP 1.0 only. What it cannot read it answers in 1.0, or in the version of
/// the request.
#[derive(Debug)]
struct Old {
    repeats: bool,
}

impl Handler<RequestMessage> for Old {
    type Response = ResponseMessage;

    async fn handle(&self, cx: &Context, request: RequestMessage) -> ResponseMessage {
        let time = DateTime(cx.now.unix_seconds());
        let version = ProtocolVersion::V1_0;
        if request.header.protocol_version != version {
            let failure = Failure::invalid_message("use 1.0");
            let version = if self.repeats { request.header.protocol_version } else { version };
            return ResponseMessage::failed(version, time, failure);
        }
        let failed = |item: &bindery_kmip::message::RequestBatchItem| {
            ResponseBatchItem::failed(
                Some(item.operation),
                item.unique_batch_item_id.clone(),
                Failure::from_reason(ResultReason::PERMISSION_DENIED),
            )
        };
        ResponseMessage::new(version, time, request.batch_items.iter().map(failed).collect())
    }
}

#[test]
fn a_server_older_than_discover_versions_speaks_1_0() {
    run(async {
        let world = World::new();
        for repeats in [false, true] {
            let (address, _stop) = world.server(Old { repeats }).await;
            let mut client = builder(address).build(&world.transport(true));
            let error = client.get("1").await.unwrap_err();
            assert_eq!(error.failed().unwrap().operation, None);
            assert_eq!(client.negotiate().await.unwrap(), ProtocolVersion::V1_0);
            let error = client.get("1").await.unwrap_err();
            assert!(error.failed().unwrap().is_denied());
            assert_eq!(error.to_string(), "Get of object 1 failed: Permission Denied");
        }
    });
}

/// A server that cannot read any version of KMIP 1.x. Its answers have a version of their own, or
/// the request's.
#[derive(Debug)]
struct Newer {
    reason: ResultReason,
    version: Option<ProtocolVersion>,
}

impl Handler<RequestMessage> for Newer {
    type Response = ResponseMessage;

    async fn handle(&self, cx: &Context, request: RequestMessage) -> ResponseMessage {
        let version = self.version.unwrap_or(request.header.protocol_version);
        let failure = Failure::new(self.reason, "use 2.1");
        ResponseMessage::failed(version, DateTime(cx.now.unix_seconds()), failure)
    }
}

#[test]
fn a_server_newer_than_the_client_shares_no_version() {
    let own = ProtocolVersion::new(2, 1);
    run(async {
        let world = World::new();
        for reason in [ResultReason::INVALID_MESSAGE, ResultReason::UNSUPPORTED_PROTOCOL_VERSION] {
            for version in [Some(own), None] {
                let (address, _stop) = world.server(Newer { reason, version }).await;
                let builder = builder(address).versions(bindery_kmip::VERSIONS);
                let mut client = builder.build(&world.transport(true));
                let error = client.negotiate().await.unwrap_err();
                let ClientError::NoCommonVersion { theirs, .. } = &error else { panic!("{error}") };
                assert_eq!(*theirs, version.into_iter().collect::<Vec<_>>());
                assert_eq!(client.version(), ProtocolVersion::V1_4, "as it was");
            }
        }
    });
}

/// proves: KMIP-CRED-1
#[test]
fn a_certificate_credential_is_the_sessions_certificate() {
    run(async {
        let world = World::new();
        let answers = Arc::new(Answers::default());
        let (address, _stop) = world.server(Arc::clone(&answers)).await;
        let own = world.client.identity().unwrap().chain()[0].clone();

        let mut client = builder(address).show_certificate(true).build(&world.transport(true));
        client.query([QueryFunction::QUERY_OBJECTS]).await.unwrap();
        let sent = answers.seen.lock().unwrap().pop().unwrap().header.authentication.unwrap();
        let [credential] = sent.credentials.as_slice() else { panic!("{sent:?}") };
        assert_eq!(credential.certificate_value().unwrap(), own.as_ref());

        // Another certificate is not sent, whoever put it there.
        let other = world.authority.issue(&Leaf::client("mallory")).unwrap();
        let other = other.identity().unwrap().chain()[0].clone();
        let credential = Credential::certificate(&other);
        let mut client = builder(address).credential(credential).build(&world.transport(true));
        let error = client.query([QueryFunction::QUERY_OBJECTS]).await.unwrap_err();
        assert!(matches!(error, ClientError::Request(_)) && error.is_unsent(), "{error}");
        let mut client = builder(address).build(&world.transport(true));
        let mut message = client.envelope_mut().request(DestroyRequest::new("1"));
        let credential = Credential::certificate(b"no certificate");
        message.header.authentication = Some(Authentication::new(vec![credential]));
        let error = client.call(message).await.unwrap_err();
        assert!(matches!(error, ClientError::Request(_)), "{error}");
        assert!(answers.seen.lock().unwrap().is_empty());
    });
}

/// proves: KMIP-TLS-1
#[test]
fn a_client_without_a_certificate_gets_no_service() {
    run(async {
        let world = World::new();
        let answers = Arc::new(Answers::default());
        let (address, _stop) = world.server(Arc::clone(&answers)).await;
        let mut client = builder(address).build(&world.transport(false));
        let error = client.query([QueryFunction::QUERY_OBJECTS]).await.unwrap_err();
        let refused = match &error {
            ClientError::Transport(_) => true,
            ClientError::Unexpected(Unexpected::Status { status, .. }) => status.as_u16() == 403,
            _ => false,
        };
        assert!(refused, "{error}");
        assert!(answers.seen.lock().unwrap().is_empty());
    });
}

/// proves: KMIP-C-5
#[test]
fn the_client_refuses_to_set_authorization() {
    let builder = Client::builder("https://127.0.0.1/kmip".parse().unwrap());
    let value = http::HeaderValue::from_static("Basic QTpC");
    let error = builder.header(header::AUTHORIZATION, value).unwrap_err();
    assert!(error.to_string().contains("authorization"), "{error}");
}
