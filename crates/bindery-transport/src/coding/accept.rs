//! Which coding a client takes: `Accept-Encoding` (RFC 9110, section 12.5.3).

use bindery_core::ContentCoding;
use http::{HeaderMap, header};

/// What a response to a request may be coded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acceptable {
    /// The best coding that both sides know; `None` when the client asks for none of them.
    pub(crate) coding: Option<ContentCoding>,
    /// Whether the response may go uncoded.
    pub(crate) identity: bool,
}

/// A weight in thousandths (RFC 9110, section 12.4.2).
type Weight = u16;

/// What the client's `Accept-Encoding` leaves of the codings that the card offers. Members that
/// cannot be read are passed over.
pub(crate) fn acceptable(headers: &HeaderMap, offered: &[ContentCoding]) -> Acceptable {
    let mut wishes = Wishes::default();
    let mut best: Option<(Weight, ContentCoding)> = None;
    let mut listed: Vec<(ContentCoding, Weight)> = Vec::new();
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for member in value.to_str().unwrap_or_default().split(',') {
            let Some((name, weight)) = member_of(member) else { continue };
            if name == "*" {
                wishes.any.get_or_insert(weight);
            } else if name.eq_ignore_ascii_case("identity") {
                wishes.identity.get_or_insert(weight);
            } else if let Some(coding) = ContentCoding::from_name(name)
                && !listed.iter().any(|(known, _)| *known == coding)
            {
                listed.push((coding, weight));
            }
        }
    }
    for coding in offered {
        let own = listed.iter().find(|(known, _)| known == coding).map(|(_, weight)| *weight);
        let weight = own.or(wishes.any).unwrap_or(0);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, *coding));
        }
    }
    let identity = wishes.identity.or_else(|| wishes.any.filter(|weight| *weight == 0));
    let preferred = match (best, wishes.identity) {
        (Some((weight, _)), Some(identity)) if identity > weight => None,
        (best, _) => best.map(|(_, coding)| coding),
    };
    Acceptable { coding: preferred, identity: identity != Some(0) }
}

#[derive(Default)]
struct Wishes {
    any: Option<Weight>,
    identity: Option<Weight>,
}

fn member_of(member: &str) -> Option<(&str, Weight)> {
    let (name, parameters) = match member.split_once(';') {
        Some((name, parameters)) => (name.trim(), Some(parameters)),
        None => (member.trim(), None),
    };
    if name.is_empty() {
        return None;
    }
    let Some(parameters) = parameters else { return Some((name, 1000)) };
    let (key, value) = parameters.split_once('=')?;
    if !key.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    Some((name, weight(value.trim())?))
}

/// `qvalue`: `0` or `1` with up to three decimals, at most 1.
fn weight(text: &str) -> Option<Weight> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let whole: Weight = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let decimals: Weight = format!("{decimals:0<3}").parse().ok()?;
    Some(whole + decimals).filter(|weight| *weight <= 1000)
}
