//! The items of one message, decided one after the other.

mod attributes;
mod crypto;
mod keys;
mod locate;
mod named;

use bindery_ttlv::{
    ProtocolVersion,
    registry::{
        BatchErrorContinuationOption, Operation, ResultReason, UniqueIdentifierEnumeration,
    },
};

use self::named::Named;
use super::{
    Change, Fault, KeyStore,
    allowance::Allowance,
    fault::{in_version, shortened},
    form::form_of_2,
    object::Object,
    operation::{self, Scene},
    stream::{StreamChanges, Streams},
    uid::UidSource,
    working_set::{Entry, WorkingSet, octets},
};
use crate::message::{
    Failure, InteropResponse, LogResponse, RequestBatchItem, RequestPayload, ResponseBatchItem,
    ResponsePayload, UniqueIdentifier,
};

/// The longest Unique Identifier that a store is asked for; those made here have 36 octets.
const UID_OCTETS: usize = 128;

/// A batch on its way: what it has loaded, made and changed, and the answers so far.
pub(super) struct Batch<'a> {
    scene: Scene<'a>,
    store: &'a dyn KeyStore,
    uids: &'a UidSource,
    streams: &'a Streams,
    /// What this batch has done to streams.
    stream_changes: StreamChanges,
    set: WorkingSet,
    left: Allowance,
    /// What an item means that says no Unique Identifier (KMIP 1.4, section 4).
    placeholder: Option<String>,
    /// What the answers name, for items of 2.x that name it by operation or place.
    named: Named,
    /// Why the store is not asked any more: a batch does not wait a thousand times for a store
    /// that is gone.
    store_down: Option<Failure>,
    answers: Vec<ResponseBatchItem>,
    /// The first item that changed something: it and what follows may rest on the commit.
    first_change: Option<usize>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        scene: Scene<'a>,
        store: &'a dyn KeyStore,
        uids: &'a UidSource,
        streams: &'a Streams,
    ) -> Self {
        Self {
            scene,
            store,
            uids,
            streams,
            stream_changes: StreamChanges::new(),
            set: WorkingSet::default(),
            left: Allowance::new(scene.config),
            placeholder: None,
            named: Named::default(),
            store_down: None,
            answers: Vec::new(),
            first_change: None,
        }
    }

    /// Decides the items, as far as the option lets it go on.
    pub(super) async fn decide(
        &mut self,
        continuation: BatchErrorContinuationOption,
        items: &[RequestBatchItem],
    ) {
        for item in items {
            let outcome = self.item(item).await;
            let id = item.unique_batch_item_id.clone();
            let fault = match outcome {
                Ok(payload) => {
                    if self.scene.version >= ProtocolVersion::V2_0 {
                        self.named.answered(&payload);
                    }
                    self.answers.push(ResponseBatchItem::succeeded(payload, id));
                    continue;
                }
                Err(fault) => fault,
            };
            let down = fault.is_store_down();
            let failure = fault.tell(&*self.scene.config.observer);
            let failure = in_version(failure, self.scene.version);
            if down {
                self.store_down = Some(failure.clone());
            }
            self.answers.push(ResponseBatchItem::failed(Some(item.operation), id, failure));
            match continuation {
                BatchErrorContinuationOption::CONTINUE => {}
                BatchErrorContinuationOption::UNDO => return self.undo(items),
                _ => return,
            }
        }
    }

    /// What to commit.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        self.set.take_changes()
    }

    /// What has become of streams, once the rest is committed.
    pub(super) fn take_stream_changes(&mut self) -> StreamChanges {
        std::mem::take(&mut self.stream_changes)
    }

    /// The answers as they would be once everything is committed.
    pub(super) fn answers(&self) -> &[ResponseBatchItem] {
        &self.answers
    }

    /// The answers once everything is committed, or nothing was to be.
    pub(super) fn into_answers(self) -> Vec<ResponseBatchItem> {
        self.answers
    }

    /// The answers when nothing of the batch could be committed.
    pub(super) fn not_committed(
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

    /// The last item failed: nothing is left to commit.
    fn undo(&mut self, items: &[RequestBatchItem]) {
        self.set = WorkingSet::default();
        self.stream_changes = StreamChanges::new();
        for (answer, item) in self.answers.iter_mut().zip(items) {
            if answer.failure().is_none() {
                let id = item.unique_batch_item_id.clone();
                // 2.x says which object it was (case BL-M-2).
                let payload =
                    answer.payload.take().filter(|_| self.scene.version >= ProtocolVersion::V2_0);
                *answer = ResponseBatchItem::undone(item.operation, id);
                answer.payload = payload;
            }
        }
    }

    async fn item(&mut self, item: &RequestBatchItem) -> Result<ResponsePayload, Fault> {
        if item.message_extension.as_ref().is_some_and(|extension| extension.criticality_indicator)
        {
            return Err(Failure::feature_not_supported(
                "a critical Message Extension is not understood here",
            )
            .into());
        }
        // Before anything is looked up: what is not done is not done to anything.
        if !operation::query::is_offered(item.payload.operation()) {
            return Err(not_supported(item.payload.operation()).into());
        }
        if self.scene.version < ProtocolVersion::V2_0 && in_form_of_2(&item.payload) {
            return Err(form_of_2().into());
        }
        match &item.payload {
            RequestPayload::Query(request) => {
                Ok(operation::query::decide(&self.scene, request)?.into())
            }
            RequestPayload::DiscoverVersions(request) => {
                Ok(operation::discover_versions::decide(request).into())
            }
            RequestPayload::Faulty(faulty) => Err(Failure::from(&faulty.error).into()),
            RequestPayload::Unknown(unknown) => Err(not_supported(unknown.operation).into()),
            RequestPayload::Interop(_) => Ok(InteropResponse::default().into()),
            RequestPayload::Log(request) => {
                self.scene.config.observer.logged(self.scene.principal, &request.log_message);
                Ok(LogResponse::default().into())
            }
            payload if names(payload) => self.naming(payload).await,
            other => self.on_objects(other).await,
        }
    }

    /// The operations that set the ID Placeholder. What fails here leaves no older object behind
    /// that the next item would take for the one that was not made or found.
    async fn naming(&mut self, payload: &RequestPayload) -> Result<ResponsePayload, Fault> {
        // A replacement is asked for by the placeholder, too.
        let replaces = matches!(
            payload,
            RequestPayload::ReKey(_)
                | RequestPayload::ReKeyKeyPair(_)
                | RequestPayload::CreateSplitKey(_)
                | RequestPayload::DeriveKey(_)
        );
        self.placeholder = self.placeholder.take().filter(|_| replaces);
        let named = self.name(payload).await;
        self.placeholder = None;
        let (response, named) = named?;
        self.placeholder = named;
        Ok(response)
    }

    /// The other operations, by what they have in common.
    async fn on_objects(&mut self, payload: &RequestPayload) -> Result<ResponsePayload, Fault> {
        match payload {
            RequestPayload::Encrypt(_)
            | RequestPayload::Decrypt(_)
            | RequestPayload::Sign(_)
            | RequestPayload::SignatureVerify(_)
            | RequestPayload::Mac(_)
            | RequestPayload::MacVerify(_)
            | RequestPayload::Hash(_)
            | RequestPayload::RngRetrieve(_)
            | RequestPayload::RngSeed(_) => self.cryptographic(payload).await,
            RequestPayload::AddAttribute(_)
            | RequestPayload::ModifyAttribute(_)
            | RequestPayload::DeleteAttribute(_)
            | RequestPayload::SetAttribute(_)
            | RequestPayload::AdjustAttribute(_) => self.attribute(payload).await,
            RequestPayload::Check(request) => {
                let checked = self.check(request).await;
                if checked.is_err() {
                    // Section 4.10: what follows must not use the object.
                    self.placeholder = None;
                }
                checked.map(Into::into)
            }
            RequestPayload::Get(request) if request.key_wrapping_specification.is_some() => {
                Ok(self.get_wrapped(request).await?.into())
            }
            RequestPayload::Export(request) => Ok(self.export(request).await?.into()),
            other => self.on_object(other).await,
        }
    }

    /// The operations that set the ID Placeholder: with the answer comes what it is to be.
    async fn name(
        &mut self,
        payload: &RequestPayload,
    ) -> Result<(ResponsePayload, Option<String>), Fault> {
        match payload {
            RequestPayload::Create(request) => {
                let uid = self.uids.next(self.scene.now, self.scene.crypto)?;
                let (response, object) =
                    operation::create::decide(&self.scene, uid.clone(), request)?;
                self.put_new(object)?;
                Ok((response.into(), Some(uid)))
            }
            RequestPayload::Register(request) => {
                let uid = self.uids.next(self.scene.now, self.scene.crypto)?;
                let (response, object) =
                    operation::register::decide(&self.scene, uid.clone(), request)?;
                self.put_new(object)?;
                Ok((response.into(), Some(uid)))
            }
            RequestPayload::Locate(request) => {
                let located = self.locate(request).await?;
                // Section 4.9: only a single object can be meant by what follows.
                let named = match located.unique_identifiers.as_slice() {
                    [one] => Some(one.to_string()),
                    _ => None,
                };
                Ok((located.into(), named))
            }
            RequestPayload::Import(request) => {
                let (response, uid) = self.import(request).await?;
                Ok((response.into(), Some(uid)))
            }
            RequestPayload::CreateKeyPair(request) => {
                let response = self.create_key_pair(request)?;
                let named = response.private_key_unique_identifier.to_string();
                Ok((response.into(), Some(named)))
            }
            RequestPayload::ReKey(request) => {
                let response = self.rekey(request).await?;
                let named = response.unique_identifier.to_string();
                Ok((response.into(), Some(named)))
            }
            RequestPayload::ReKeyKeyPair(request) => {
                let response = self.rekey_key_pair(request).await?;
                let named = response.private_key_unique_identifier.to_string();
                Ok((response.into(), Some(named)))
            }
            RequestPayload::DeriveKey(request) => {
                let response = self.derive_key(request).await?;
                let named = response.unique_identifier.to_string();
                Ok((response.into(), Some(named)))
            }
            RequestPayload::CreateSplitKey(request) => {
                let response = self.create_split_key(request).await?;
                Ok((response.into(), None))
            }
            RequestPayload::JoinSplitKey(request) => {
                let response = self.join_split_key(request).await?;
                let named = response.unique_identifier.to_string();
                Ok((response.into(), Some(named)))
            }
            other => Err(not_supported(other.operation()).into()),
        }
    }

    /// A copy of the object that an item is about.
    async fn object(&mut self, named: Option<&UniqueIdentifier>) -> Result<Object, Fault> {
        let uid = self.meant(named)?;
        self.object_of(&uid).await
    }

    /// The object that an item means.
    fn meant(&self, named: Option<&UniqueIdentifier>) -> Result<String, Failure> {
        let placeholder = || self.placeholder.clone().ok_or_else(unnamed);
        match named {
            None => placeholder(),
            Some(UniqueIdentifier::Text(text)) => Ok(text.as_str().to_owned()),
            Some(_) if self.scene.version < ProtocolVersion::V2_0 => {
                Err(Failure::invalid_field("a Unique Identifier of KMIP 1.x is a Text String"))
            }
            Some(UniqueIdentifier::Enumeration(UniqueIdentifierEnumeration::ID_PLACEHOLDER)) => {
                placeholder()
            }
            Some(UniqueIdentifier::Enumeration(of)) => self.named.latest(*of),
            Some(UniqueIdentifier::Integer(place)) => self.named.at(*place),
            Some(_) => Err(Failure::invalid_field("the Unique Identifier has none of its types")),
        }
    }

    /// A copy of an object, if it is there, is the client's own and not archived.
    async fn object_of(&mut self, uid: &str) -> Result<Object, Fault> {
        self.load(uid).await?;
        match self.set.get(uid) {
            Some(entry) => {
                on_line(&entry.object)?;
                Ok(entry.object.clone())
            }
            None => Err(no_object(uid).into()),
        }
    }

    /// An item about one object.
    async fn on_object(&mut self, payload: &RequestPayload) -> Result<ResponsePayload, Fault> {
        let uid = self.meant(payload.unique_identifier())?;
        self.load(&uid).await?;
        let Some(entry) = self.set.get(&uid) else { return Err(no_object(&uid).into()) };
        if !matches!(payload, RequestPayload::Recover(_)) {
            on_line(&entry.object)?;
        }
        let Entry { object, attribute_octets, material_octets, .. } = entry;
        let scene = &self.scene;
        let (response, changed): (ResponsePayload, _) = match payload {
            RequestPayload::Get(request) => {
                operation::get::check(object, request)?;
                self.left.answer(*material_octets)?;
                let response = operation::get::decide(scene, object, request)?;
                (response.into(), operation::get::seen(object))
            }
            RequestPayload::GetAttributes(request) => {
                self.left.answer(*attribute_octets)?;
                (operation::get_attributes::decide(scene, object, request).into(), None)
            }
            RequestPayload::GetAttributeList(_) => {
                self.left.answer(*attribute_octets)?;
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
            other => kept(scene, object, other)?,
        };
        if let Some(object) = changed {
            self.put(object)?;
        }
        Ok(response)
    }

    /// Loads an object into the set, if it is there and the client's own. Somebody else's object
    /// is not told apart from none: an identifier says when an object was made, and a refusal would
    /// say that it was.
    async fn load(&mut self, uid: &str) -> Result<(), Fault> {
        if uid.len() > UID_OCTETS || self.set.get(uid).is_some() {
            return Ok(());
        }
        self.need_store()?;
        let loaded = self.store.load(&[uid.to_owned()]).await?.into_iter().next().flatten();
        let Some(loaded) = loaded.filter(|loaded| loaded.record.owner == *self.scene.principal)
        else {
            return Ok(());
        };
        let (attributes, material) = octets(&loaded.record);
        self.left.hold(attributes.saturating_add(material))?;
        let object = Object::from_whole_record(&loaded.record)?;
        self.set.loaded(object, (attributes, material), loaded.version);
        Ok(())
    }

    fn need_store(&self) -> Result<(), Fault> {
        match &self.store_down {
            Some(failure) => Err(failure.clone().into()),
            None => Ok(()),
        }
    }

    /// Takes a new object in, if it keeps to the limits. What is once stored may grow by what the
    /// server itself writes: a limit that was lowered must not keep anybody from revoking.
    fn put_new(&mut self, object: Object) -> Result<(), Fault> {
        let record = object.to_record()?;
        let (attributes, material) = octets(&record);
        let config = self.scene.config;
        let too_long = |what: &str, most: usize| {
            Failure::invalid_field(format!("{what} has more than {most} octets, encoded"))
        };
        if attributes > config.attribute_octets {
            return Err(too_long("what the attributes say", config.attribute_octets).into());
        }
        if material > config.object_octets {
            return Err(too_long("the object", config.object_octets).into());
        }
        self.changed(object, record);
        Ok(())
    }

    /// Takes a changed object in.
    fn put(&mut self, object: Object) -> Result<(), Fault> {
        let record = object.to_record()?;
        self.changed(object, record);
        Ok(())
    }

    fn changed(&mut self, object: Object, record: super::Record) {
        self.set.put(object, record);
        // The item's own answer comes next.
        self.first_change.get_or_insert(self.answers.len());
    }
}

/// The operations on what is kept beside the object: leases, allocations, the archive.
fn kept(
    scene: &Scene<'_>,
    object: &Object,
    payload: &RequestPayload,
) -> Result<(ResponsePayload, Option<Object>), Fault> {
    Ok(match payload {
        RequestPayload::ObtainLease(_) => (operation::lease::obtain(scene, object)?.into(), None),
        RequestPayload::GetUsageAllocation(request) => {
            let (response, object) = operation::lease::allocate(scene, object, request)?;
            (response.into(), Some(object))
        }
        RequestPayload::Archive(_) => {
            let (response, object) = operation::archive::archive(scene, object)?;
            (response.into(), Some(object))
        }
        RequestPayload::Recover(_) => {
            let (response, object) = operation::archive::recover(scene, object)?;
            (response.into(), Some(object))
        }
        other => return Err(not_supported(other.operation()).into()),
    })
}

/// Whether an operation sets the ID Placeholder.
const fn names(payload: &RequestPayload) -> bool {
    matches!(
        payload,
        RequestPayload::Create(_)
            | RequestPayload::Register(_)
            | RequestPayload::Import(_)
            | RequestPayload::CreateKeyPair(_)
            | RequestPayload::ReKey(_)
            | RequestPayload::ReKeyKeyPair(_)
            | RequestPayload::DeriveKey(_)
            | RequestPayload::CreateSplitKey(_)
            | RequestPayload::JoinSplitKey(_)
            | RequestPayload::Locate(_)
    )
}

fn unnamed() -> Failure {
    Failure::new(
        ResultReason::OBJECT_NOT_FOUND,
        "no Unique Identifier is given, and no earlier item of the batch made one",
    )
}

fn no_object(uid: &str) -> Failure {
    let text = format!("there is no object {:?}", shortened(uid));
    Failure::new(ResultReason::OBJECT_NOT_FOUND, text)
}

/// What is archived has to be recovered first (KMIP 1.4, section 4.22).
fn on_line(object: &Object) -> Result<(), Failure> {
    if object.is_archived() {
        return Err(Failure::new(
            ResultReason::OBJECT_ARCHIVED,
            "the object is archived; Recover makes it available again",
        ));
    }
    Ok(())
}

fn not_supported(operation: Operation) -> Failure {
    Failure::operation_not_supported(format!(
        "the operation {operation:?} is not supported; Query lists what is"
    ))
}

/// Whether a request names attributes as KMIP 2.x does. What a new object is given is looked at where it is given.
fn in_form_of_2(payload: &RequestPayload) -> bool {
    match payload {
        RequestPayload::Locate(request) => request.attributes_2.is_some(),
        RequestPayload::GetAttributes(request) => !request.attribute_references.is_empty(),
        RequestPayload::AddAttribute(request) => request.new_attribute.is_some(),
        RequestPayload::ModifyAttribute(request) => request.new_attribute.is_some(),
        RequestPayload::DeleteAttribute(request) => {
            request.current_attribute.is_some() || request.attribute_reference.is_some()
        }
        _ => false,
    }
}
