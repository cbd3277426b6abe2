//! The life of an object (KMIP 1.4, section 3.22): its State follows from its dates.

use bindery_core::Timestamp;
use bindery_ttlv::{
    DateTime,
    registry::{ObjectType, State},
};

use super::object::Object;

/// The State of an object at a time; `None` for a type that has none.
///
/// State is not stored: Destroy Date, Compromise Date, Deactivation Date and Activation Date say
/// it, so that an object whose Activation Date comes is active without anybody writing. Where the
/// clock was set back to before the object's last change, it is judged as of that change: what was
/// acknowledged does not come undone.
pub(super) fn state(object: &Object, now: Timestamp) -> Option<State> {
    if !has_state(object.object_type) {
        return None;
    }
    let dates = &object.dates;
    let now = now.unix_seconds().max(dates.last_change.0);
    let come = |date: Option<DateTime>| date.is_some_and(|date| date.0 <= now);
    Some(match (dates.destroy, dates.compromise) {
        (Some(_), Some(_)) => State::DESTROYED_COMPROMISED,
        (Some(_), None) => State::DESTROYED,
        (None, Some(_)) => State::COMPROMISED,
        (None, None) if come(dates.deactivation) && come(dates.activation) => State::DEACTIVATED,
        (None, None) if come(dates.activation) => State::ACTIVE,
        (None, None) => State::PRE_ACTIVE,
    })
}

/// Whether objects of a type have a State: all cryptographic objects.
pub(super) fn has_state(object_type: ObjectType) -> bool {
    object_type != ObjectType::OPAQUE_OBJECT && object_type != ObjectType::TEMPLATE
}
