//! Destroy (KMIP 1.4, section 4.21).

use bindery_ttlv::registry::State;

use super::{Scene, wrong_state};
use crate::{
    message::{DestroyResponse, Failure},
    service::object::Object,
};

/// The material goes; the attributes stay.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
) -> Result<(DestroyResponse, Object), Failure> {
    let state = scene.state(object);
    let gone = object.dates.destroy.is_some();
    if gone || state == Some(State::ACTIVE) {
        return Err(wrong_state("Destroy", state));
    }
    let mut object = scene.touched(object.clone());
    object.dates.destroy = Some(object.dates.last_change);
    object.material = None;
    Ok((DestroyResponse::new(object.uid.as_str()), object))
}
