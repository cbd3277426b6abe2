//! What the binding's tests share: a context, a handler, one turn of a future.

use std::{
    future::Future,
    pin::pin,
    sync::Mutex,
    task::{Poll, Waker},
};

use bindery_core::{
    Body, Bound, Channel, CipherSuite, Context, Handler, Peer, Principal, Timestamp, TlsInfo,
    TlsVersion,
};
use bindery_kmip::{
    HttpsProfile, KmipHttps,
    message::{
        DiscoverVersionsResponse, Failure, GetAttributeListResponse, QueryResponse, RequestMessage,
        RequestPayload, ResponseBatchItem, ResponseMessage, ResponsePayload,
    },
};
use bindery_ttlv::{
    DateTime, Options, Text,
    registry::{ObjectType, Operation},
};
use bytes::Bytes;
use http::{Request, Response, Version, header};

use crate::wire::{OBJECT_TYPES, OPERATIONS};

/// A future that needs no runtime.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = std::task::Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
    }
}

/// A handler without state: it answers what the profile's test case asks, some of what else there
/// is, and remembers what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) seen: Mutex<Vec<RequestMessage>>,
}

impl Handler<RequestMessage> for Answers {
    type Response = ResponseMessage;

    async fn handle(&self, cx: &Context, request: RequestMessage) -> ResponseMessage {
        self.seen.lock().unwrap().push(request.clone());
        let version = request.header.protocol_version;
        let items = request.batch_items.into_iter().map(|item| {
            let id = item.unique_batch_item_id;
            match answer(item.payload) {
                Ok(payload) => ResponseBatchItem::succeeded(payload, id),
                Err(failure) => ResponseBatchItem::failed(Some(item.operation), id, failure),
            }
        });
        ResponseMessage::new(version, DateTime(cx.now.unix_seconds()), items.collect())
    }
}

fn answer(payload: RequestPayload) -> Result<ResponsePayload, Failure> {
    match payload {
        RequestPayload::Query(_) => {
            let mut answer = QueryResponse::default();
            answer.operations = OPERATIONS.map(Operation).to_vec();
            answer.object_types = OBJECT_TYPES.map(ObjectType).to_vec();
            Ok(answer.into())
        }
        RequestPayload::DiscoverVersions(_) => {
            Ok(DiscoverVersionsResponse::new(bindery_kmip::VERSIONS).into())
        }
        RequestPayload::GetAttributeList(list) => {
            let names = ["Object Type", "Unique Identifier"].map(Text::from).to_vec();
            let uid = list.unique_identifier.unwrap_or_else(|| "".into());
            Ok(GetAttributeListResponse::new(uid, names).into())
        }
        RequestPayload::Faulty(faulty) => Err(Failure::from(&faulty.error)),
        RequestPayload::Unknown(_) => Err(Failure::operation_not_supported("not here")),
        other => Err(Failure::item_not_found(format!("{} finds nothing", other.operation()))),
    }
}

/// A peer with a certificate over TLS, at a fixed time.
pub(crate) fn context() -> Context {
    let suite = CipherSuite::new(0x1302, "TLS_AES_256_GCM_SHA384");
    let tls = TlsInfo::new(TlsVersion::TLS_1_3, suite);
    let peer = Peer::default().with_certificates([b"client".to_vec().into()]);
    Context::new(Channel::Tls(tls.into()), peer, Timestamp::from_unix_seconds(1_700_000_000))
        .with_principal(Some(Principal::new("alice")))
}

pub(crate) fn endpoint() -> Bound<KmipHttps, Answers> {
    Bound::new(KmipHttps::default(), Answers::default())
}

pub(crate) fn endpoint_with(profile: HttpsProfile) -> Bound<KmipHttps, Answers> {
    Bound::new(KmipHttps::new(profile), Answers::default())
}

/// A well-formed POST of a body.
pub(crate) fn post(body: impl Into<Vec<u8>>) -> Request<Body> {
    let body: Vec<u8> = body.into();
    Request::post("/kmip")
        .version(Version::HTTP_11)
        .header(header::HOST, "kmip.example")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Body::from(body))
        .unwrap()
}

/// What the default endpoint answers to a well-formed POST of a body.
pub(crate) fn send(body: impl Into<Vec<u8>>) -> Response<Body> {
    wait(endpoint().respond(&context(), post(body)))
}

pub(crate) fn body(response: &Response<Body>) -> Bytes {
    response.body().as_bytes().unwrap().clone()
}

/// The one KMIP message that a response holds.
#[track_caller]
pub(crate) fn message(response: &Response<Body>) -> ResponseMessage {
    ResponseMessage::decode(&body(response), &Options::STRICT).unwrap()
}
