//! Get Attribute List (KMIP 1.4, section 4.13).

use bindery_ttlv::Text;

use super::Scene;
use crate::{message::GetAttributeListResponse, service::object::Object};

/// The name of every attribute that the object has, once.
pub(in crate::service) fn decide(scene: &Scene<'_>, object: &Object) -> GetAttributeListResponse {
    let mut names: Vec<Text> = Vec::new();
    for attribute in object.attributes(scene.version, scene.now) {
        // Instances of one attribute stand together or near: the list is short either way.
        if !names.iter().any(|name| name.as_str() == attribute.name()) {
            names.push(Text::from(attribute.name()));
        }
    }
    GetAttributeListResponse::new(object.uid.as_str(), names)
}
