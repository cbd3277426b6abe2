//! Revoke (KMIP 1.4, section 4.20).

use bindery_ttlv::registry::{RevocationReasonCode, State};

use super::{Scene, wrong_state};
use crate::{
    message::{Failure, RevokeRequest, RevokeResponse},
    service::object::Object,
};

/// A compromise makes any object Compromised (a destroyed one Destroyed Compromised); any other
/// reason makes an Active object Deactivated.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &RevokeRequest,
) -> Result<(RevokeResponse, Object), Failure> {
    let code = request.revocation_reason.revocation_reason_code;
    let compromised =
        matches!(code, RevocationReasonCode::KEY_COMPROMISE | RevocationReasonCode::CA_COMPROMISE);
    if !compromised && request.compromise_occurrence_date.is_some() {
        return Err(Failure::invalid_field(
            "Compromise Occurrence Date goes with the reasons Key Compromise and CA Compromise",
        ));
    }
    let state = scene.state(object);
    let allowed = match state {
        Some(State::COMPROMISED | State::DESTROYED_COMPROMISED) => false,
        Some(State::ACTIVE) | None => true,
        Some(_) => compromised,
    };
    if !allowed {
        return Err(wrong_state("Revoke", state));
    }
    let mut object = scene.touched(object.clone());
    let dates = &mut object.dates;
    if compromised {
        dates.compromise = Some(scene.date());
        // Section 3.29: where nobody can say when, it is since the object was made.
        let occurrence = request.compromise_occurrence_date.unwrap_or(dates.initial);
        dates.compromise_occurrence = Some(occurrence);
    } else if state.is_some() {
        dates.deactivation = Some(scene.date());
    }
    object.set(request.revocation_reason.clone().into());
    Ok((RevokeResponse::new(object.uid.as_str()), object))
}
