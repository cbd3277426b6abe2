//! Which of several services.

use bindery_taxii_xml::{Dialect, ServiceInstance, ServiceType};

use super::ClientError;
use crate::{
    Names,
    names::{Carrier, DRAFT_MESSAGE, draft_carrier, final_carrier},
};

/// The service to use of those that discovery names: one that speaks the dialect, over a channel that the client uses, whose
/// address has that channel's scheme, and that does not say that it is not available. Of several the one over TLS, and
/// of those the first.
///
/// # Errors
/// [`ClientError::NoService`] says what is there instead.
pub fn choose(
    services: &[ServiceInstance],
    wanted: ServiceType,
    dialect: Dialect,
    allow_clear: bool,
) -> Result<&ServiceInstance, ClientError> {
    let mut best: Option<(&ServiceInstance, Carrier)> = None;
    let mut reasons = Vec::new();
    for one in services.iter().filter(|one| one.service_type == wanted) {
        match usable(one, dialect, allow_clear) {
            Ok(carrier) => {
                let better = best.is_none_or(|(_, held)| held < carrier);
                if better {
                    best = Some((one, carrier));
                }
            }
            Err(reason) => reasons.push(format!("{} {reason}", one.address)),
        }
    }
    if reasons.is_empty() {
        reasons.push("there is none of that kind".to_owned());
    }
    best.map(|(one, _)| one)
        .ok_or_else(|| ClientError::NoService { service: wanted, reason: reasons.join("; ") })
}

fn usable(
    one: &ServiceInstance,
    dialect: Dialect,
    allow_clear: bool,
) -> Result<Carrier, &'static str> {
    let names = Names::of(dialect);
    let spoken = one.message_bindings.iter().any(|id| match dialect {
        Dialect::Draft => DRAFT_MESSAGE.contains(&&**id),
        _ => id == names.message(),
    });
    if !spoken {
        return Err("speaks another message binding");
    }
    let carrier = match dialect {
        Dialect::Draft => draft_carrier(&one.protocol_binding),
        _ => final_carrier(&one.protocol_binding),
    };
    let Some(carrier) = carrier else { return Err("speaks another protocol") };
    let scheme = one.address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.as_deref() != Some(carrier.scheme()) {
        return Err("has an address of another scheme than its protocol binding names");
    }
    if carrier == Carrier::Http && !allow_clear {
        return Err("is in clear, which this client does not use");
    }
    if one.available == Some(false) {
        return Err("is not available to this client");
    }
    Ok(carrier)
}
