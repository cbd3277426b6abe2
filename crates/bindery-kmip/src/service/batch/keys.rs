//! The items that make objects from others, or give them in another form.

use bindery_ttlv::registry::{CryptographicUsageMask as Mask, ResultReason};

use super::{Batch, Fault};
use crate::{
    message::{
        Attribute, CreateKeyPairRequest, CreateKeyPairResponse, CreateSplitKeyRequest,
        CreateSplitKeyResponse, DeriveKeyRequest, DeriveKeyResponse, ExportRequest, ExportResponse,
        Failure, GetRequest, GetResponse, ImportRequest, ImportResponse, JoinSplitKeyRequest,
        JoinSplitKeyResponse, ReKeyKeyPairRequest, ReKeyKeyPairResponse, ReKeyRequest,
        ReKeyResponse, RegisterRequest,
    },
    service::{
        form::{attributes_2, given_attributes, incoming, outgoing},
        operation::{
            self,
            cryptography::Use,
            pair::{self, Asked},
            replace, split, wrap,
        },
        template::no_templates,
    },
};

/// The most parts of a split key.
const PARTS: usize = 16;

impl Batch<'_> {
    fn new_uid(&self) -> Result<String, Fault> {
        Ok(self.uids.next(self.scene.now, self.scene.crypto)?)
    }

    pub(super) fn create_key_pair(
        &mut self,
        request: &CreateKeyPairRequest,
    ) -> Result<CreateKeyPairResponse, Fault> {
        macro_rules! given {
            ($field:ident) => {{
                let attributes = request.$field.as_ref();
                no_templates(attributes.map(|given| given.names()).unwrap_or_default())?;
                self.in_form(attributes.map(|given| given.attributes()).unwrap_or_default())
            }};
        }
        let common = given!(common_attributes);
        let with_common = |own: Vec<Attribute>| common.iter().cloned().chain(own).collect();
        let asked = Asked {
            private: with_common(given!(private_key_attributes)),
            public: with_common(given!(public_key_attributes)),
        };
        let uids = (self.new_uid()?, self.new_uid()?);
        let (private, public) = pair::make(&self.scene, uids, &asked)?;
        let response = CreateKeyPairResponse::new(private.uid.as_str(), public.uid.as_str());
        self.put_new(private)?;
        self.put_new(public)?;
        Ok(response)
    }

    /// Attributes as the engine has them.
    fn in_form(&self, attributes: &[Attribute]) -> Vec<Attribute> {
        attributes.iter().map(incoming).collect()
    }

    pub(super) async fn rekey(&mut self, request: &ReKeyRequest) -> Result<ReKeyResponse, Fault> {
        let old = self.object(request.unique_identifier.as_ref()).await?;
        if let Some(template) = &request.attributes {
            no_templates(template.names())?;
        }
        let given = given_attributes(request.attributes.as_ref(), self.scene.version)?;
        let uid = self.new_uid()?;
        let (old, new) = replace::key(&self.scene, &old, uid, request.offset, &given)?;
        let response = ReKeyResponse::new(new.uid.as_str());
        self.put(old)?;
        self.put_new(new)?;
        Ok(response)
    }

    pub(super) async fn rekey_key_pair(
        &mut self,
        request: &ReKeyKeyPairRequest,
    ) -> Result<ReKeyKeyPairResponse, Fault> {
        let private = self.object(request.private_key_unique_identifier.as_ref()).await?;
        let public_uid = replace::public_of(&private)?;
        let public = self.object_of(&public_uid).await?;
        let common = request.common_attributes.as_ref().map(|given| given.attributes());
        let own = request.private_key_attributes.as_ref().map(|given| given.attributes());
        let other = request.public_key_attributes.as_ref().map(|given| given.attributes());
        let common = self.in_form(common.unwrap_or_default());
        let with_common = |own: Vec<Attribute>| common.iter().cloned().chain(own).collect();
        let asked = Asked {
            private: with_common(self.in_form(own.unwrap_or_default())),
            public: with_common(self.in_form(other.unwrap_or_default())),
        };
        let uids = (self.new_uid()?, self.new_uid()?);
        let replaced =
            replace::pair(&self.scene, (&private, &public), uids, request.offset, &asked)?;
        let [old_private, old_public, new_private, new_public] = replaced;
        let response = ReKeyKeyPairResponse::new(new_private.uid.as_str(), new_public.uid.as_str());
        self.put(old_private)?;
        self.put(old_public)?;
        self.put_new(new_private)?;
        self.put_new(new_public)?;
        Ok(response)
    }

    pub(super) async fn derive_key(
        &mut self,
        request: &DeriveKeyRequest,
    ) -> Result<DeriveKeyResponse, Fault> {
        let usage = Use::protect("Derive Key", Mask::DERIVE_KEY);
        let mut bases = Vec::new();
        for uid in request.unique_identifiers.iter().take(2) {
            let base = self.object(Some(uid)).await?;
            usage.check(&self.scene, &base)?;
            bases.push(base);
        }
        if request.unique_identifiers.len() > 2 {
            return Err(Failure::invalid_field("a key is derived from at most two objects").into());
        }
        if bases.is_empty() {
            let base = self.object(None).await?;
            usage.check(&self.scene, &base)?;
            bases.push(base);
        }
        if let Some(template) = &request.attributes {
            no_templates(template.names())?;
        }
        let given = given_attributes(request.attributes.as_ref(), self.scene.version)?;
        let uid = self.new_uid()?;
        let new = operation::derive::decide(&self.scene, &bases, uid, request, &given)?;
        let response = DeriveKeyResponse::new(new.uid.as_str());
        for base in bases {
            self.put(operation::derive::linked(&self.scene, base, &new))?;
        }
        self.put_new(new)?;
        Ok(response)
    }

    /// Get with a Key Wrapping Specification.
    pub(super) async fn get_wrapped(&mut self, request: &GetRequest) -> Result<GetResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let mut response = operation::get::decide(&self.scene, &object, request)?;
        if let Some(specification) = &request.key_wrapping_specification {
            let wrapping = self.meant(Some(wrap::wrapping_key(specification)?))?;
            let wrapping = self.wrapping_object(&wrapping).await?;
            wrap::wrap(&self.scene, &object, &wrapping, specification, &mut response.object)?;
        }
        if let Some(seen) = operation::get::seen(&object) {
            self.put(seen)?;
        }
        Ok(response)
    }

    async fn wrapping_object(
        &mut self,
        uid: &str,
    ) -> Result<crate::service::object::Object, Fault> {
        self.load(uid).await?;
        let found = self.set.get(uid).map(|entry| entry.object.clone());
        let object = found.ok_or_else(|| {
            Failure::new(ResultReason::WRAPPING_OBJECT_NOT_FOUND, "there is no such wrapping key")
        })?;
        Use::protect("Key wrapping", Mask::WRAP_KEY).check(&self.scene, &object)?;
        Ok(object)
    }

    pub(super) async fn export(
        &mut self,
        request: &ExportRequest,
    ) -> Result<ExportResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let mut response = ExportResponse::new(object.object_type, object.uid.as_str());
        let attributes = object.attributes(&self.scene);
        if self.scene.version >= bindery_ttlv::ProtocolVersion::V2_0 {
            response.attributes_2 = Some(outgoing(attributes));
        } else {
            response.attributes = attributes;
        }
        if object.material.is_some() {
            let mut get = GetRequest::new(object.uid.as_str());
            get.key_format_type = request.key_format_type;
            get.key_wrap_type = request.key_wrap_type;
            get.key_compression_type = request.key_compression_type;
            get.key_wrapping_specification.clone_from(&request.key_wrapping_specification);
            response.object = Some(self.get_wrapped(&get).await?.object);
        }
        Ok(response)
    }

    pub(super) async fn import(
        &mut self,
        request: &ImportRequest,
    ) -> Result<(ImportResponse, String), Fault> {
        let Some(uid) = request.unique_identifier.as_text().map(str::to_owned) else {
            return Err(Failure::invalid_field("an object is imported under a Text String").into());
        };
        if uid.is_empty() || uid.len() > super::UID_OCTETS {
            let text = format!("a Unique Identifier has 1 to {} octets here", super::UID_OCTETS);
            return Err(Failure::invalid_field(text).into());
        }
        self.load(&uid).await?;
        let replaces = self.set.get(&uid).is_some();
        if replaces && request.replace_existing != Some(true) {
            let text = "there is an object of this Unique Identifier; ask for Replace Existing";
            return Err(Failure::new(ResultReason::OBJECT_ALREADY_EXISTS, text).into());
        }
        let Some(object) = &request.object else {
            return Err(Failure::invalid_field("the object itself is missing").into());
        };
        let mut attributes = self.in_form(&request.attributes);
        if let Some(more) = &request.attributes_2 {
            attributes.extend(attributes_2(more, self.scene.version)?);
        }
        let attributes = operation::register::importable(attributes);
        let register = RegisterRequest::new(
            object.clone(),
            crate::message::TemplateAttribute::new(attributes),
        );
        if request.object_type.is_some_and(|said| said != object.object_type()) {
            return Err(
                Failure::invalid_field("the Object Type is another than the object's").into()
            );
        }
        let (_, made) = operation::register::decide(&self.scene, uid.clone(), &register)?;
        self.put_new(made)?;
        Ok((ImportResponse::new(uid.as_str()), uid))
    }

    pub(super) async fn create_split_key(
        &mut self,
        request: &CreateSplitKeyRequest,
    ) -> Result<CreateSplitKeyResponse, Fault> {
        let parts = usize::try_from(request.split_key_parts).unwrap_or(0);
        if !(2..=PARTS).contains(&parts) {
            return Err(Failure::invalid_field(format!("a key has 2 to {PARTS} parts here")).into());
        }
        let base = match request.unique_identifier {
            None if self.placeholder.is_none() => None,
            _ => Some(self.object(request.unique_identifier.as_ref()).await?),
        };
        if let Some(template) = &request.attributes {
            no_templates(template.names())?;
        }
        let given = given_attributes(request.attributes.as_ref(), self.scene.version)?;
        let mut uids = Vec::with_capacity(parts);
        for _ in 0..parts {
            uids.push(self.new_uid()?);
        }
        let objects = split::split(&self.scene, base.as_ref(), uids, request, &given)?;
        let mut response = CreateSplitKeyResponse::default();
        for object in objects {
            response.unique_identifiers.push(object.uid.as_str().into());
            self.put_new(object)?;
        }
        Ok(response)
    }

    pub(super) async fn join_split_key(
        &mut self,
        request: &JoinSplitKeyRequest,
    ) -> Result<JoinSplitKeyResponse, Fault> {
        if !(2..=PARTS).contains(&request.unique_identifiers.len()) {
            return Err(Failure::invalid_field(format!("a key has 2 to {PARTS} parts here")).into());
        }
        let mut parts = Vec::new();
        for uid in &request.unique_identifiers {
            parts.push(self.object(Some(uid)).await?);
        }
        if let Some(template) = &request.attributes {
            no_templates(template.names())?;
        }
        let given = given_attributes(request.attributes.as_ref(), self.scene.version)?;
        let uid = self.new_uid()?;
        let object = split::join(&self.scene, &parts, uid, request, &given)?;
        let response = JoinSplitKeyResponse::new(object.uid.as_str());
        self.put_new(object)?;
        Ok(response)
    }
}
