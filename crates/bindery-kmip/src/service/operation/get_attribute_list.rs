//! Get Attribute List (KMIP 1.4, section 4.13).

use std::collections::BTreeSet;

use bindery_ttlv::{ProtocolVersion, Text};

use super::Scene;
use crate::{
    message::{Attribute, GetAttributeListResponse},
    service::{form::reference, object::Object},
};

/// The name of every attribute that the object has, once.
pub(in crate::service) fn decide(scene: &Scene<'_>, object: &Object) -> GetAttributeListResponse {
    let attributes = object.attributes(scene);
    let mut seen = BTreeSet::new();
    let names = attributes.iter().map(Attribute::name).filter(|name| seen.insert(*name));
    if scene.version < ProtocolVersion::V2_0 {
        return GetAttributeListResponse::new(object.uid.as_str(), names.map(Text::from).collect());
    }
    let mut response = GetAttributeListResponse::new(object.uid.as_str(), Vec::new());
    response.attribute_references = names.filter_map(reference).collect();
    response
}
