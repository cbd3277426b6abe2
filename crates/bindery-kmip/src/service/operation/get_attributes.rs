//! Get Attributes (KMIP 1.4, section 4.12).

use super::Scene;
use crate::{
    message::{GetAttributesRequest, GetAttributesResponse},
    service::object::Object,
};

/// The named attributes in the order of the names, all of them without names. What the object
/// does not have is left out.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &GetAttributesRequest,
) -> GetAttributesResponse {
    let all = object.attributes(scene.version, scene.now);
    if request.attribute_names.is_empty() {
        return GetAttributesResponse::new(object.uid.as_str(), all);
    }
    let mut names: Vec<&str> = Vec::new();
    for name in &request.attribute_names {
        // A name twice is answered once: an answer is bounded by the object, not by the request.
        if names.len() <= all.len() && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let chosen = names
        .iter()
        .flat_map(|name| all.iter().filter(move |attribute| attribute.name() == *name))
        .cloned()
        .collect();
    GetAttributesResponse::new(object.uid.as_str(), chosen)
}
