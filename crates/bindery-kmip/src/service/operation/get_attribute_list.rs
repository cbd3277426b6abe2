//! Get Attribute List (KMIP 1.4, section 4.13).

use std::collections::BTreeSet;

use bindery_ttlv::Text;

use super::Scene;
use crate::{
    message::{Attribute, GetAttributeListResponse},
    service::object::Object,
};

/// The name of every attribute that the object has, once.
pub(in crate::service) fn decide(scene: &Scene<'_>, object: &Object) -> GetAttributeListResponse {
    let attributes = object.attributes(scene.version, scene.now);
    let mut seen = BTreeSet::new();
    let names = attributes.iter().map(Attribute::name).filter(|name| seen.insert(*name));
    GetAttributeListResponse::new(object.uid.as_str(), names.map(Text::from).collect())
}
