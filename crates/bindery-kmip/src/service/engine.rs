//! One message: header, batch, commit.

use std::{fmt, iter, sync::Arc};

use bindery_core::{Context, Handler, Principal};
use bindery_ttlv::{
    DateTime, ProtocolVersion, Text,
    registry::{BatchErrorContinuationOption, CredentialType},
};

use super::{
    Answered, CommitError, Crypto, Fault, KeyServerConfig, KeyStore, batch::Batch,
    operation::Scene, stream::Streams, uid::UidSource,
};
use crate::message::{
    Authentication, Failure, RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem,
    ResponseMessage, ResponsePayload, UniqueIdentifier,
};
use crate::{SERVER_VERSIONS, answer_version};

/// A KMIP key server without IO: it loads from a [`KeyStore`], decides, and commits.
///
/// A batch is decided as one piece and committed as one piece, so that nothing is acknowledged
/// before it is durable, and Undo is dropping what was decided. When somebody else changes one of
/// its objects meanwhile, the whole decision is made again.
pub struct KeyServer {
    store: Arc<dyn KeyStore>,
    crypto: Arc<dyn Crypto>,
    config: KeyServerConfig,
    uids: UidSource,
    streams: Streams,
}

impl KeyServer {
    /// A server over a store, with the cryptography and the settings given to it.
    pub fn new(store: Arc<dyn KeyStore>, crypto: Arc<dyn Crypto>, config: KeyServerConfig) -> Self {
        Self { store, crypto, config, uids: UidSource::default(), streams: Streams::default() }
    }

    /// Answers one message. It always answers: what cannot be served gets a Result Reason.
    pub async fn respond(&self, cx: &Context, request: &RequestMessage) -> ResponseMessage {
        let header = &request.header;
        let version = answer_version(header.protocol_version);
        let time_stamp = DateTime(cx.now.unix_seconds());
        let mut response = match self.check(cx, request) {
            Ok(principal) => {
                let scene = Scene {
                    config: &self.config,
                    crypto: &*self.crypto,
                    principal,
                    version,
                    now: cx.now,
                };
                let items = self.batch(scene, header, &request.batch_items).await;
                self.tell(Some(principal), &request.batch_items, &items);
                ResponseMessage::new(version, time_stamp, items)
            }
            Err(failure) => {
                let response = ResponseMessage::failed(version, time_stamp, failure);
                self.tell(cx.principal.as_ref(), &[], &response.batch_items);
                response
            }
        };
        name(&mut response, header, self.correlation(cx, version));
        response
    }

    /// What the server calls this exchange, in 2.x; no generator, no name.
    fn correlation(&self, cx: &Context, version: ProtocolVersion) -> Option<Text> {
        if version < ProtocolVersion::V2_0 {
            return None;
        }
        self.uids.next(cx.now, &*self.crypto).ok().map(|name| Text::from(name.as_str()))
    }

    /// Tells the observer what is answered. There are fewer answers than items where the batch was
    /// given up, and one without any item where the message was refused.
    fn tell(
        &self,
        principal: Option<&Principal>,
        items: &[RequestBatchItem],
        answers: &[ResponseBatchItem],
    ) {
        let items = items.iter().map(Some).chain(iter::repeat(None));
        for (answer, item) in answers.iter().zip(items) {
            let of_answer = answer.payload.as_ref().and_then(object_of);
            let object = of_answer.or_else(|| item?.payload.unique_identifier());
            self.config.observer.answered(&Answered {
                principal,
                operation: answer.operation,
                unique_identifier: object.and_then(UniqueIdentifier::as_text),
                status: answer.result_status,
                reason: answer.result_reason,
            });
        }
    }

    /// What holds for the whole message (KMIP 1.4, sections 6 and 11.1).
    fn check<'a>(
        &self,
        cx: &'a Context,
        request: &RequestMessage,
    ) -> Result<&'a Principal, Failure> {
        let header = &request.header;
        if !SERVER_VERSIONS.contains(&header.protocol_version) {
            return Err(Failure::invalid_message(format!(
                "this server speaks KMIP 1.0 to 1.4, 2.0 and 2.1, and not {}",
                header.protocol_version
            )));
        }
        let principal = cx.principal.as_ref().ok_or_else(|| {
            Failure::authentication_not_successful("the client is not identified")
        })?;
        if let Some(authentication) = &header.authentication {
            check_credentials(cx, authentication)?;
        }
        self.check_batch(header, &request.batch_items)?;
        Ok(principal)
    }

    /// What holds for the batch. Equal Unique Batch Item IDs are let pass: the answers stand in the
    /// order of the items, and only the client is confused.
    fn check_batch(
        &self,
        header: &RequestHeader,
        items: &[RequestBatchItem],
    ) -> Result<(), Failure> {
        if usize::try_from(header.batch_count) != Ok(items.len()) || items.is_empty() {
            return Err(Failure::invalid_message(format!(
                "the Batch Count is {} and there are {} items",
                header.batch_count,
                items.len()
            )));
        }
        if items.len() > self.config.batch_items {
            return Err(Failure::invalid_message(format!(
                "a batch has at most {} items here",
                self.config.batch_items
            )));
        }
        if items.len() > 1 && items.iter().any(|item| item.unique_batch_item_id.is_none()) {
            return Err(Failure::invalid_message(
                "every item of a batch of several needs a Unique Batch Item ID",
            ));
        }
        match header.continuation() {
            BatchErrorContinuationOption::STOP
            | BatchErrorContinuationOption::CONTINUE
            | BatchErrorContinuationOption::UNDO => Ok(()),
            other => Err(Failure::invalid_field(format!(
                "there is no Batch Error Continuation Option {other:?}"
            ))),
        }
    }

    /// Decides the batch and commits it, again and again while others are faster.
    async fn batch(
        &self,
        scene: Scene<'_>,
        header: &RequestHeader,
        items: &[RequestBatchItem],
    ) -> Vec<ResponseBatchItem> {
        let mut left = self.config.conflicts;
        loop {
            let mut batch = Batch::new(scene, &*self.store, &self.uids, &self.streams);
            batch.decide(header.continuation(), items).await;
            let changes = batch.take_changes();
            let streams = batch.take_stream_changes();
            if changes.is_empty() {
                self.streams.apply(streams);
                return batch.into_answers();
            }
            if !fits(scene, header, batch.answers()) {
                // The client would never see the identifier of what was made for it.
                return batch.not_committed(items, &Failure::response_too_large());
            }
            let failure = match self.store.commit(changes).await {
                Ok(()) => {
                    self.streams.apply(streams);
                    return batch.into_answers();
                }
                Err(CommitError::Conflict { .. }) if left > 0 => {
                    left -= 1;
                    continue;
                }
                Err(CommitError::Conflict { .. }) => Failure::general_failure(
                    "the objects are changed by others all the time; try again later",
                ),
                Err(CommitError::Store(error)) => Fault::Store(error).tell(&*self.config.observer),
                Err(CommitError::Unknown(error)) => {
                    self.config.observer.store_failed(&error);
                    Failure::general_failure(
                        "the server's store failed in the middle: whether the objects are as \
                         asked for is not known; look before trying again",
                    )
                }
            };
            return batch.not_committed(items, &failure);
        }
    }
}

impl Handler<RequestMessage> for KeyServer {
    type Response = ResponseMessage;

    async fn handle(&self, cx: &Context, request: RequestMessage) -> ResponseMessage {
        self.respond(cx, &request).await
    }
}

impl fmt::Debug for KeyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyServer").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The object that an answer is about, also where the request left it to the ID Placeholder.
fn object_of(payload: &ResponsePayload) -> Option<&UniqueIdentifier> {
    match payload {
        ResponsePayload::Create(response) => Some(&response.unique_identifier),
        ResponsePayload::Register(response) => Some(&response.unique_identifier),
        ResponsePayload::Get(response) => Some(&response.unique_identifier),
        ResponsePayload::GetAttributes(response) => Some(&response.unique_identifier),
        ResponsePayload::GetAttributeList(response) => Some(&response.unique_identifier),
        ResponsePayload::Activate(response) => Some(&response.unique_identifier),
        ResponsePayload::Revoke(response) => Some(&response.unique_identifier),
        ResponsePayload::Destroy(response) => Some(&response.unique_identifier),
        // Those that are about no object, and those that this engine does not answer.
        _ => None,
    }
}

/// What both sides call the exchange, in the answer's header (since 1.4).
fn name(response: &mut ResponseMessage, header: &RequestHeader, server: Option<Text>) {
    if response.header.protocol_version >= ProtocolVersion::V1_4 {
        response.header.client_correlation_value = header.client_correlation_value.clone();
        response.header.server_correlation_value = server;
    }
}

/// Whether the answers fit the request's Maximum Response Size.
fn fits(scene: Scene<'_>, header: &RequestHeader, answers: &[ResponseBatchItem]) -> bool {
    let Some(maximum) = header.maximum_response_size else { return true };
    let mut response =
        ResponseMessage::new(scene.version, DateTime(scene.now.unix_seconds()), answers.to_vec());
    // As long as the name that the answer gets.
    let server = Text::from_static("00000000-0000-0000-0000-000000000000");
    name(&mut response, header, (scene.version >= ProtocolVersion::V2_0).then_some(server));
    // What is written may be a key.
    let mut buffer = zeroize::Zeroizing::new(Vec::new());
    let maximum = u32::try_from(maximum).unwrap_or(0);
    bindery_ttlv::encode_within(&response, &mut buffer, maximum).is_ok()
}

/// The channel has identified the client; credentials in the message may only agree with it.
fn check_credentials(cx: &Context, authentication: &Authentication) -> Result<(), Failure> {
    for credential in &authentication.credentials {
        if credential.credential_type != CredentialType::CERTIFICATE {
            return Err(Failure::authentication_not_successful(format!(
                "credentials of the type {:?} are not known here; the client's certificate is \
                 enough",
                credential.credential_type
            )));
        }
        let shown = cx.peer.certificate().map(AsRef::as_ref);
        let held = credential.certificate_value();
        if held.is_none() || held.as_deref() != shown {
            return Err(Failure::authentication_not_successful(
                "the credential does not hold the certificate of this TLS session",
            ));
        }
    }
    Ok(())
}
