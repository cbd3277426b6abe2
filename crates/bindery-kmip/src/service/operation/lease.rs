//! Obtain Lease, Get Usage Allocation and Check (KMIP 1.4, sections 4.10, 4.17 and 4.18).

use bindery_ttlv::registry::{ResultReason, State};

use super::{Scene, wrong_state};
use crate::{
    message::{
        AttributeValue, CheckRequest, CheckResponse, Failure, GetUsageAllocationRequest,
        GetUsageAllocationResponse, ObtainLeaseResponse, UsageLimits,
    },
    service::object::Object,
};

/// A lease for as long as the settings say.
pub(in crate::service) fn obtain(
    scene: &Scene<'_>,
    object: &Object,
) -> Result<ObtainLeaseResponse, Failure> {
    match scene.state(object) {
        Some(State::PRE_ACTIVE | State::ACTIVE | State::DEACTIVATED | State::COMPROMISED) => {}
        None => return Err(Failure::illegal_operation("objects of this type have no lease")),
        state => return Err(wrong_state("Obtain Lease", state)),
    }
    let last_change = object.dates.last_change;
    Ok(ObtainLeaseResponse::new(object.uid.as_str(), scene.config.lease, last_change))
}

fn limits(object: &Object) -> Option<UsageLimits> {
    object.find(|value| match value {
        AttributeValue::UsageLimits(limits) => Some((**limits).clone()),
        _ => None,
    })
}

/// Takes an amount out of the Usage Limits for the client to use by itself.
pub(in crate::service) fn allocate(
    scene: &Scene<'_>,
    object: &Object,
    request: &GetUsageAllocationRequest,
) -> Result<(GetUsageAllocationResponse, Object), Failure> {
    let state = scene.state(object);
    if state != Some(State::ACTIVE) {
        return Err(wrong_state("Get Usage Allocation", state));
    }
    let Some(mut limits) = limits(object) else {
        let text = "the object has no Usage Limits";
        return Err(Failure::new(ResultReason::ATTRIBUTE_NOT_FOUND, text));
    };
    let wanted = request.usage_limits_count;
    if wanted <= 0 {
        return Err(Failure::invalid_field("the Usage Limits Count is more than 0"));
    }
    let left = limits.usage_limits_count.unwrap_or(limits.usage_limits_total);
    let left = left
        .checked_sub(wanted)
        .filter(|left| *left >= 0)
        .ok_or_else(|| Failure::permission_denied(format!("only {left} units are left")))?;
    limits.usage_limits_count = Some(left);
    let mut object = scene.touched(object.clone());
    object.set(limits.into());
    Ok((GetUsageAllocationResponse::new(object.uid.as_str()), object))
}

/// Whether the client may use the object as it says.
pub(in crate::service) fn check(
    scene: &Scene<'_>,
    object: &Object,
    request: &CheckRequest,
) -> Result<CheckResponse, Failure> {
    if let Some(mask) = request.cryptographic_usage_mask
        && object.usage_mask().0 & mask.0 != mask.0
    {
        let text = "the object's Cryptographic Usage Mask does not allow all of this";
        return Err(Failure::new(ResultReason::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK, text));
    }
    if let (Some(count), Some(limits)) = (request.usage_limits_count, limits(object))
        && limits.usage_limits_count.unwrap_or(limits.usage_limits_total) < count
    {
        let text = "the object's Usage Limits do not allow so much";
        return Err(Failure::new(ResultReason::USAGE_LIMIT_EXCEEDED, text));
    }
    if request.lease_time.is_some_and(|wanted| wanted.0 > scene.config.lease.0) {
        let text = format!("a lease is {} seconds here", scene.config.lease.0);
        return Err(Failure::permission_denied(text));
    }
    Ok(CheckResponse::new(object.uid.as_str()))
}
