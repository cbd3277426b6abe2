//! Get Attributes (KMIP 1.4, section 4.12).

use std::collections::BTreeMap;

use super::Scene;
use crate::{
    message::{Attribute, GetAttributesRequest, GetAttributesResponse},
    service::object::Object,
};

/// The named attributes in the order of the names, all of them without names. What the object
/// does not have is left out, and a name twice is answered once: the answer is bounded by the
/// object, not by the request.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &GetAttributesRequest,
) -> GetAttributesResponse {
    let all = object.attributes(scene.version, scene.now);
    if request.attribute_names.is_empty() {
        return GetAttributesResponse::new(object.uid.as_str(), all);
    }
    let mut by_name: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
    for attribute in all {
        by_name.entry(attribute.name().to_owned()).or_default().push(attribute);
    }
    let names = request.attribute_names.iter();
    let chosen = names.filter_map(|name| by_name.remove(name.as_str())).flatten().collect();
    GetAttributesResponse::new(object.uid.as_str(), chosen)
}
