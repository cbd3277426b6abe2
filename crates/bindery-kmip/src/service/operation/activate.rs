//! Activate (KMIP 1.4, section 4.19).

use bindery_ttlv::registry::State;

use super::{Scene, wrong_state};
use crate::{
    message::{ActivateResponse, Failure},
    service::object::Object,
};

/// Pre-Active becomes Active, from now on.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
) -> Result<(ActivateResponse, Object), Failure> {
    match scene.state(object) {
        Some(State::PRE_ACTIVE) => {}
        None => {
            return Err(Failure::illegal_operation("objects of this type have no State"));
        }
        state => return Err(wrong_state("Activate", state)),
    }
    let mut object = scene.touched(object.clone());
    let now = object.dates.last_change;
    if object.dates.deactivation.is_some_and(|date| date <= now) {
        return Err(Failure::permission_denied("Activate: the Deactivation Date has passed"));
    }
    object.dates.activation = Some(now);
    Ok((ActivateResponse::new(object.uid.as_str()), object))
}
