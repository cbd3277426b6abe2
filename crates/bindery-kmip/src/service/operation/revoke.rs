//! Revoke (KMIP 1.4, section 4.20).

use bindery_ttlv::registry::{RevocationReasonCode, State};

use super::{Scene, wrong_state};
use crate::{
    message::{Failure, RevokeRequest, RevokeResponse},
    service::object::{Object, canonical},
};

/// The longest Revocation Reason, encoded: it is kept, also by a destroyed object.
const REASON_OCTETS: usize = 4_096;

/// A compromise makes any object Compromised (a destroyed one Destroyed Compromised), once; any
/// other reason makes an Active object Deactivated.
pub(in crate::service) fn decide(
    scene: &Scene<'_>,
    object: &Object,
    request: &RevokeRequest,
) -> Result<(RevokeResponse, Object), Failure> {
    let reason = request.revocation_reason.clone().into();
    if canonical(&reason).len() > REASON_OCTETS {
        return Err(Failure::invalid_field(format!(
            "the Revocation Reason has more than {REASON_OCTETS} octets, encoded"
        )));
    }
    let compromised = matches!(
        request.revocation_reason.revocation_reason_code,
        RevocationReasonCode::KEY_COMPROMISE | RevocationReasonCode::CA_COMPROMISE
    );
    let state = scene.state(object);
    let dates = &object.dates;
    let allowed = match state {
        _ if compromised => dates.compromise.is_none(),
        Some(state) => state == State::ACTIVE,
        // What has no State may be revoked as long as it is there.
        None => dates.destroy.is_none() && dates.compromise.is_none(),
    };
    if !allowed {
        return Err(wrong_state("Revoke", state));
    }
    let mut object = scene.touched(object.clone());
    let dates = &mut object.dates;
    let now = dates.last_change;
    match (compromised, request.compromise_occurrence_date) {
        (false, Some(_)) => {
            return Err(Failure::invalid_field(
                "Compromise Occurrence Date goes with the reasons Key Compromise and CA Compromise",
            ));
        }
        (true, Some(date)) if date > now => {
            return Err(Failure::invalid_field("Compromise Occurrence Date has not come yet"));
        }
        (true, occurrence) => {
            dates.compromise = Some(now);
            // Section 3.29: where nobody can say when, it is since the object was made.
            dates.compromise_occurrence = Some(occurrence.unwrap_or(dates.initial));
        }
        (false, None) if state.is_some() => dates.deactivation = Some(now),
        (false, None) => {}
    }
    object.set(reason);
    Ok((RevokeResponse::new(object.uid.as_str()), object))
}
