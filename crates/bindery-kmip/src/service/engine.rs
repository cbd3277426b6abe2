//! One message: header, batch, commit.

use std::{fmt, sync::Arc};

use bindery_core::{Context, Handler, Principal};
use bindery_ttlv::{
    DateTime, ProtocolVersion, Text,
    registry::{BatchErrorContinuationOption, CredentialType, Operation},
};

use super::{
    CommitError, Crypto, Fault, KeyServerConfig, KeyStore,
    operation::{
        self, Scene,
        locate::{Wanted, wanted},
    },
    uid::UidSource,
    working_set::WorkingSet,
};
use crate::message::{
    Authentication, Failure, LocateRequest, LocateResponse, RequestBatchItem, RequestHeader,
    RequestMessage, RequestPayload, ResponseBatchItem, ResponseMessage, ResponsePayload,
};
use crate::{VERSIONS, answer_version};

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
}

impl KeyServer {
    /// A server over a store, with the cryptography and the settings given to it.
    pub fn new(store: Arc<dyn KeyStore>, crypto: Arc<dyn Crypto>, config: KeyServerConfig) -> Self {
        Self { store, crypto, config, uids: UidSource::default() }
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
                let items = self.batch(&scene, header, &request.batch_items).await;
                ResponseMessage::new(version, time_stamp, items)
            }
            Err(failure) => ResponseMessage::failed(version, time_stamp, failure),
        };
        if version >= ProtocolVersion::V1_4 {
            response.header.client_correlation_value = header.client_correlation_value.clone();
        }
        response
    }

    /// What holds for the whole message (KMIP 1.4, sections 6 and 11.1).
    fn check<'a>(
        &self,
        cx: &'a Context,
        request: &RequestMessage,
    ) -> Result<&'a Principal, Failure> {
        let header = &request.header;
        if !VERSIONS.contains(&header.protocol_version) {
            return Err(Failure::invalid_message(format!(
                "this server speaks KMIP 1.0 to 1.4 and not {}",
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
        scene: &Scene<'_>,
        header: &RequestHeader,
        items: &[RequestBatchItem],
    ) -> Vec<ResponseBatchItem> {
        for _ in 0..=self.config.conflicts {
            let decided = self.decide(scene, header.continuation(), items).await;
            let outcome = match decided.set.changes() {
                Ok(changes) if changes.is_empty() => return decided.answers,
                Ok(changes) => self.store.commit(changes).await,
                Err(fault) => {
                    let failure = fault.tell(&*self.config.observer);
                    return decided.not_committed(items, &failure);
                }
            };
            match outcome {
                Ok(()) => return decided.answers,
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Store(error)) => {
                    let failure = Fault::Store(error).tell(&*self.config.observer);
                    return decided.not_committed(items, &failure);
                }
            }
        }
        let failure = Failure::general_failure(
            "the objects are changed by others all the time; try again later",
        );
        let decided = self.decide(scene, header.continuation(), items).await;
        decided.not_committed(items, &failure)
    }

    async fn decide(
        &self,
        scene: &Scene<'_>,
        continuation: BatchErrorContinuationOption,
        items: &[RequestBatchItem],
    ) -> Decided {
        let mut decided = Decided::default();
        let mut placeholder = None;
        for item in items {
            let known = decided.set.changed_count();
            let outcome = self.item(scene, &mut decided.set, &mut placeholder, item).await;
            let id = item.unique_batch_item_id.clone();
            let failed = outcome.is_err();
            decided.answers.push(match outcome {
                Ok(payload) => ResponseBatchItem::succeeded(payload, id),
                Err(fault) => {
                    let failure = fault.tell(&*self.config.observer);
                    ResponseBatchItem::failed(Some(item.operation), id, failure)
                }
            });
            if decided.first_change.is_none() && decided.set.changed_count() > known {
                decided.first_change = Some(decided.answers.len() - 1);
            }
            match continuation {
                BatchErrorContinuationOption::CONTINUE => {}
                BatchErrorContinuationOption::UNDO if failed => return decided.undone(items),
                _ if failed => break,
                _ => {}
            }
        }
        decided
    }

    /// One item. The ID Placeholder (section 4) is what an object is called when an item does not
    /// say which one it means.
    async fn item(
        &self,
        scene: &Scene<'_>,
        set: &mut WorkingSet,
        placeholder: &mut Option<String>,
        item: &RequestBatchItem,
    ) -> Result<ResponsePayload, Fault> {
        if item.message_extension.as_ref().is_some_and(|extension| extension.criticality_indicator)
        {
            return Err(Failure::feature_not_supported(
                "a critical Message Extension is not understood here",
            )
            .into());
        }
        match &item.payload {
            RequestPayload::Query(request) => Ok(operation::query::decide(scene, request)?.into()),
            RequestPayload::DiscoverVersions(request) => {
                Ok(operation::discover_versions::decide(request).into())
            }
            RequestPayload::Create(request) => {
                let uid = self.uids.next(scene.now, scene.crypto)?;
                let (response, object) = operation::create::decide(scene, uid, request)?;
                *placeholder = Some(object.uid.clone());
                set.put(object);
                Ok(response.into())
            }
            RequestPayload::Register(request) => {
                let uid = self.uids.next(scene.now, scene.crypto)?;
                let (response, object) = operation::register::decide(scene, uid, request)?;
                *placeholder = Some(object.uid.clone());
                set.put(object);
                Ok(response.into())
            }
            RequestPayload::Locate(request) => {
                let located = self.locate(scene, set, request).await?;
                // Section 4.9: only a single object can be meant by what follows.
                *placeholder = match located.unique_identifiers.as_slice() {
                    [one] => Some(one.as_str().to_owned()),
                    _ => None,
                };
                Ok(located.into())
            }
            RequestPayload::Faulty(faulty) => Err(Failure::from(&faulty.error).into()),
            RequestPayload::Unknown(unknown) => Err(not_supported(unknown.operation).into()),
            other => self.on_object(scene, set, placeholder, other).await,
        }
    }

    /// An item about one object.
    async fn on_object(
        &self,
        scene: &Scene<'_>,
        set: &mut WorkingSet,
        placeholder: &mut Option<String>,
        payload: &RequestPayload,
    ) -> Result<ResponsePayload, Fault> {
        let named = named(payload).map(Text::as_str).or(placeholder.as_deref());
        let Some(uid) = named.map(str::to_owned) else {
            return Err(Failure::item_not_found(
                "no Unique Identifier is given, and no earlier item of the batch made one",
            )
            .into());
        };
        let found = set.fetch(&*self.store, &uid).await?;
        // Somebody else's object is not told apart from none.
        let object = found.filter(|object| object.owner == *scene.principal).ok_or_else(|| {
            Failure::item_not_found(format!("there is no object {:?}", shortened(&uid)))
        })?;
        let (response, changed): (ResponsePayload, _) = match payload {
            RequestPayload::Get(request) => (operation::get::decide(object, request)?.into(), None),
            RequestPayload::GetAttributes(request) => {
                (operation::get_attributes::decide(scene, object, request).into(), None)
            }
            RequestPayload::GetAttributeList(_) => {
                (operation::get_attribute_list::decide(scene, object).into(), None)
            }
            RequestPayload::Activate(_) => {
                let (response, object) = operation::activate::decide(scene, object)?;
                (response.into(), Some(object))
            }
            RequestPayload::Revoke(request) => {
                let (response, object) = operation::revoke::decide(scene, object, request)?;
                (response.into(), Some(object))
            }
            RequestPayload::Destroy(_) => {
                let (response, object) = operation::destroy::decide(scene, object)?;
                (response.into(), Some(object))
            }
            other => return Err(not_supported(other.operation()).into()),
        };
        if let Some(object) = changed {
            set.put(object);
        }
        *placeholder = Some(uid);
        Ok(response)
    }

    /// Pages through what the store finds, with what this batch has made and changed laid over it.
    async fn locate(
        &self,
        scene: &Scene<'_>,
        set: &WorkingSet,
        request: &LocateRequest,
    ) -> Result<LocateResponse, Fault> {
        let wanted = wanted(scene, request)?;
        let mut found = Found::new(&wanted);
        if wanted.nothing {
            return Ok(found.response());
        }
        let mut filter = wanted.filter(scene.principal, &request.attributes, PAGE);
        let mut left = self.config.scanned;
        while !found.is_full() {
            let page = self.store.find(&filter).await?;
            let last = page.len() < PAGE;
            filter.after = page.last().map(|versioned| versioned.record.uid.clone());
            left = left.checked_sub(page.len()).ok_or_else(|| {
                Failure::general_failure(format!(
                    "more than {} objects would have to be looked at; ask for a Name, an Object \
                     Group or another attribute with an exact value",
                    self.config.scanned
                ))
            })?;
            for versioned in page {
                let uid = &versioned.record.uid;
                if set.changed(uid).is_none() {
                    let object = super::object::Object::from_record(&versioned.record)?;
                    found.offer(&wanted, scene, &object);
                }
            }
            if last {
                break;
            }
        }
        for object in set.changed_objects() {
            found.offer(&wanted, scene, object);
        }
        Ok(found.response())
    }
}

/// How many records one question to the store asks for.
const PAGE: usize = 256;

/// The identifiers that a Locate has found so far.
struct Found {
    skip: usize,
    most: usize,
    uids: Vec<String>,
}

impl Found {
    const fn new(wanted: &Wanted) -> Self {
        Self { skip: wanted.offset, most: wanted.most, uids: Vec::new() }
    }

    const fn is_full(&self) -> bool {
        self.uids.len() >= self.most
    }

    fn offer(&mut self, wanted: &Wanted, scene: &Scene<'_>, object: &super::object::Object) {
        if self.is_full() || !wanted.fits(scene, object) {
            return;
        }
        match self.skip.checked_sub(1) {
            Some(left) => self.skip = left,
            None => self.uids.push(object.uid.clone()),
        }
    }

    fn response(self) -> LocateResponse {
        LocateResponse::new(self.uids.into_iter().map(Text::from).collect())
    }
}

/// What a batch comes to before it is committed.
#[derive(Default)]
struct Decided {
    set: WorkingSet,
    answers: Vec<ResponseBatchItem>,
    /// The first item that changed something: it and what follows may rest on the commit.
    first_change: Option<usize>,
}

impl Decided {
    /// The answers when nothing of the batch could be committed.
    fn not_committed(
        mut self,
        items: &[RequestBatchItem],
        failure: &Failure,
    ) -> Vec<ResponseBatchItem> {
        let first = self.first_change.unwrap_or(0);
        for (answer, item) in self.answers.iter_mut().zip(items).skip(first) {
            if answer.failure().is_none() {
                let id = item.unique_batch_item_id.clone();
                *answer = ResponseBatchItem::failed(Some(item.operation), id, failure.clone());
            }
        }
        self.answers
    }

    /// The last item failed and the batch is to be undone: nothing is left to commit.
    fn undone(mut self, items: &[RequestBatchItem]) -> Self {
        self.set = WorkingSet::default();
        for (answer, item) in self.answers.iter_mut().zip(items) {
            if answer.failure().is_none() {
                let id = item.unique_batch_item_id.clone();
                *answer = ResponseBatchItem::undone(item.operation, id);
            }
        }
        self
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

/// The object that a payload names.
fn named(payload: &RequestPayload) -> Option<&Text> {
    match payload {
        RequestPayload::Get(request) => request.unique_identifier.as_ref(),
        RequestPayload::GetAttributes(request) => request.unique_identifier.as_ref(),
        RequestPayload::GetAttributeList(request) => request.unique_identifier.as_ref(),
        RequestPayload::Activate(request) => request.unique_identifier.as_ref(),
        RequestPayload::Revoke(request) => request.unique_identifier.as_ref(),
        RequestPayload::Destroy(request) => request.unique_identifier.as_ref(),
        _ => None,
    }
}

fn not_supported(operation: Operation) -> Failure {
    Failure::operation_not_supported(format!(
        "the operation {operation:?} is not supported; Query lists what is"
    ))
}

/// As much of a peer's text as goes back to it.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
