//! Get Attributes (KMIP 1.4, section 4.12).

use std::collections::BTreeMap;

use bindery_ttlv::ProtocolVersion;

use super::Scene;
use crate::{
    message::{Attribute, GetAttributesRequest, GetAttributesResponse},
    service::{
        form::{outgoing, referred},
        object::Object,
    },
};

/// The named attributes in the order of the names, all of them without names. What the object
/// does not have is left out, and a name twice is answered once: the answer is bounded by the
/// object, not by the request.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &GetAttributesRequest,
) -> GetAttributesResponse {
    let all = object.attributes(scene);
    let references = request.attribute_references.iter().filter_map(referred);
    let names: Vec<String> = request
        .attribute_names
        .iter()
        .map(|name| name.as_str().to_owned())
        .chain(references)
        .collect();
    let chosen = if request.attribute_names.is_empty() && request.attribute_references.is_empty() {
        all
    } else {
        let mut by_name: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
        for attribute in all {
            by_name.entry(attribute.name().to_owned()).or_default().push(attribute);
        }
        names.iter().filter_map(|name| by_name.remove(name)).flatten().collect()
    };
    if scene.version < ProtocolVersion::V2_0 {
        return GetAttributesResponse::new(object.uid.as_str(), chosen);
    }
    let mut response = GetAttributesResponse::new(object.uid.as_str(), Vec::new());
    response.attributes_2 = Some(outgoing(chosen));
    response
}
