//! The items that write attributes, and Check.

use bindery_ttlv::{
    ProtocolVersion,
    registry::{AdjustmentType, ResultReason},
};

use super::{Batch, Fault};
use crate::{
    message::{
        AddAttributeRequest, AddAttributeResponse, AdjustAttributeRequest, AdjustAttributeResponse,
        Attribute, CheckRequest, CheckResponse, DeleteAttributeRequest, DeleteAttributeResponse,
        Failure, ModifyAttributeRequest, ModifyAttributeResponse, RequestPayload, ResponsePayload,
        SetAttributeRequest, SetAttributeResponse,
    },
    service::{
        form::{incoming, referred, single_attribute},
        object::Object,
        operation::{
            attribute::{self, Instance},
            lease,
        },
    },
};

impl Batch<'_> {
    pub(super) async fn attribute(
        &mut self,
        payload: &RequestPayload,
    ) -> Result<ResponsePayload, Fault> {
        match payload {
            RequestPayload::AddAttribute(request) => Ok(self.add(request).await?.into()),
            RequestPayload::ModifyAttribute(request) => Ok(self.modify(request).await?.into()),
            RequestPayload::DeleteAttribute(request) => Ok(self.delete(request).await?.into()),
            RequestPayload::SetAttribute(request) => Ok(self.set_attribute(request).await?.into()),
            RequestPayload::AdjustAttribute(request) => Ok(self.adjust(request).await?.into()),
            other => Err(super::not_supported(other.operation()).into()),
        }
    }

    /// The version's form of 1.x, where the answer tells the attribute.
    fn tells(&self) -> bool {
        self.scene.version < ProtocolVersion::V2_0
    }

    async fn add(&mut self, request: &AddAttributeRequest) -> Result<AddAttributeResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let wanted = self.new_attribute(&request.attribute, request.new_attribute.as_ref())?;
        let (changed, added) = attribute::add(&self.scene, &object, &wanted)?;
        let mut response = AddAttributeResponse::new(changed.uid.as_str());
        self.put_limited(changed)?;
        response.attribute = self.tells().then_some(added);
        Ok(response)
    }

    fn new_attribute(
        &self,
        form_1: &Option<Attribute>,
        form_2: Option<&crate::message::Attributes>,
    ) -> Result<Attribute, Failure> {
        match (form_1, form_2) {
            (Some(attribute), None) => Ok(incoming(attribute)),
            (None, Some(attributes)) => single_attribute(attributes, self.scene.version),
            _ => Err(Failure::invalid_message("the attribute is missing, or there are two")),
        }
    }

    async fn modify(
        &mut self,
        request: &ModifyAttributeRequest,
    ) -> Result<ModifyAttributeResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let wanted = self.new_attribute(&request.attribute, request.new_attribute.as_ref())?;
        let name = wanted.name().to_owned();
        let instance = match &request.current_attribute {
            Some(current) => Instance::Value(single_attribute(current, self.scene.version)?),
            None if self.tells() => Instance::Index(name, wanted.index.unwrap_or(0)),
            None => Instance::Only(name),
        };
        let (changed, attribute) = attribute::modify(&self.scene, &object, &instance, &wanted)?;
        let mut response = ModifyAttributeResponse::new(changed.uid.as_str());
        self.put_limited(changed)?;
        response.attribute = self.tells().then_some(attribute);
        Ok(response)
    }

    async fn delete(
        &mut self,
        request: &DeleteAttributeRequest,
    ) -> Result<DeleteAttributeResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let instance = self.deleted(request)?;
        let (changed, attribute) = attribute::delete(&self.scene, &object, &instance)?;
        let mut response = DeleteAttributeResponse::new(changed.uid.as_str());
        self.put(changed)?;
        response.attribute = attribute.filter(|_| self.tells());
        Ok(response)
    }

    fn deleted(&self, request: &DeleteAttributeRequest) -> Result<Instance, Failure> {
        if let Some(current) = &request.current_attribute {
            return Ok(Instance::Value(single_attribute(current, self.scene.version)?));
        }
        if let Some(reference) = &request.attribute_reference {
            let name = referred(reference).ok_or_else(|| {
                Failure::new(ResultReason::UNSUPPORTED_ATTRIBUTE, "there is no such attribute")
            })?;
            return Ok(Instance::All(name));
        }
        let Some(name) = &request.attribute_name else {
            return Err(Failure::invalid_message("the attribute is not named"));
        };
        let index = request.attribute_index.unwrap_or(0);
        Ok(Instance::Index(name.as_str().to_owned(), index))
    }

    async fn set_attribute(
        &mut self,
        request: &SetAttributeRequest,
    ) -> Result<SetAttributeResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let wanted = single_attribute(&request.new_attribute, self.scene.version)?;
        let changed = attribute::set(&self.scene, &object, &wanted)?;
        let response = SetAttributeResponse::new(changed.uid.as_str());
        self.put_limited(changed)?;
        Ok(response)
    }

    async fn adjust(
        &mut self,
        request: &AdjustAttributeRequest,
    ) -> Result<AdjustAttributeResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        let name = referred(&request.attribute_reference).ok_or_else(|| {
            Failure::new(ResultReason::UNSUPPORTED_ATTRIBUTE, "there is no such attribute")
        })?;
        let by = match &request.adjustment_value {
            None => 1,
            Some(value) => number(value)?,
        };
        let adjustment: AdjustmentType = request.adjustment_type;
        let changed = attribute::adjust(&self.scene, &object, &name, adjustment, by)?;
        let response = AdjustAttributeResponse::new(changed.uid.as_str());
        self.put_limited(changed)?;
        Ok(response)
    }

    pub(super) async fn check(&mut self, request: &CheckRequest) -> Result<CheckResponse, Fault> {
        let object = self.object(request.unique_identifier.as_ref()).await?;
        Ok(lease::check(&self.scene, &object, request)?)
    }

    /// Takes an object in whose attributes a client wrote: they keep to the limit of new ones.
    fn put_limited(&mut self, object: Object) -> Result<(), Fault> {
        let record = object.to_record()?;
        let most = self.scene.config.attribute_octets;
        if record.attributes.len() > most.saturating_add(4_096) {
            let text = format!("what the attributes say has more than {most} octets, encoded");
            return Err(Failure::invalid_field(text).into());
        }
        self.changed(object, record);
        Ok(())
    }
}

/// An Adjustment Value: any type of number.
fn number(value: &bindery_ttlv::RawValue) -> Result<i64, Failure> {
    let options = bindery_ttlv::Options::STRICT;
    let wrong = |_| Failure::new(ResultReason::INVALID_DATA_TYPE, "the value is no number");
    match value.item_type() {
        bindery_ttlv::ItemType::Integer => {
            value.decode::<i32>(&options).map(i64::from).map_err(wrong)
        }
        bindery_ttlv::ItemType::Interval => value
            .decode::<bindery_ttlv::Interval>(&options)
            .map(|interval| i64::from(interval.0))
            .map_err(wrong),
        _ => value.decode::<i64>(&options).map_err(wrong),
    }
}
