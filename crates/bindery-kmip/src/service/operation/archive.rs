//! Archive and Recover (KMIP 1.4, sections 4.22 and 4.23).
//!
//! There is one storage here: archiving an object puts it aside, so that it is not used and not
//! found unless archival storage is asked for, until it is recovered.

use super::{Scene, wrong_state};
use crate::{
    message::{ArchiveResponse, AttributeValue, Failure, RecoverResponse},
    service::object::Object,
};

/// Puts the object aside.
pub(in crate::service) fn archive(
    scene: &Scene<'_>,
    object: &Object,
) -> Result<(ArchiveResponse, Object), Failure> {
    if object.material.is_none() {
        return Err(wrong_state("Archive", scene.state(object)));
    }
    let mut object = scene.touched(object.clone());
    object.set(AttributeValue::ArchiveDate(scene.date()));
    Ok((ArchiveResponse::new(object.uid.as_str()), object))
}

/// Makes it available again; the Archive Date goes (section 3.32).
pub(in crate::service) fn recover(
    scene: &Scene<'_>,
    object: &Object,
) -> Result<(RecoverResponse, Object), Failure> {
    if !object.is_archived() {
        return Err(Failure::illegal_operation("the object is not archived"));
    }
    let mut object = scene.touched(object.clone());
    object.attributes.retain(|other| !matches!(other.value, AttributeValue::ArchiveDate(_)));
    Ok((RecoverResponse::new(object.uid.as_str()), object))
}
