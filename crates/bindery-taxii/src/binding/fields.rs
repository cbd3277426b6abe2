//! TAXII's header fields.

use bindery_core::{MediaType, Refusal};
use bindery_taxii_xml::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request};

use crate::{
    names::{
        Carrier, DRAFT_MESSAGE, DRAFT_TYPE, Names, X_TAXII_ACCEPT, X_TAXII_CONTENT_TYPE,
        X_TAXII_PROTOCOL, X_TAXII_SERVICES, draft_carrier, final_carrier, final_dialect,
    },
    profile::{Dialects, XML},
};

/// More than any client lists.
const LISTED: usize = 64;

/// The rule book that a request follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Draft,
    Released,
}

impl Family {
    /// The rule book that a request's fields tell; nothing where they tell none and there are two.
    pub(super) fn of(head: &request::Parts, dialects: Dialects) -> Option<Self> {
        let headers = &head.headers;
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let protocol = text(&X_TAXII_PROTOCOL).map(str::trim);
        if protocol.is_some_and(|id| draft_carrier(id).is_some()) {
            return Some(Self::Draft);
        }
        if protocol.is_some_and(|id| final_carrier(id).is_some())
            || headers.contains_key(X_TAXII_SERVICES)
        {
            return Some(Self::Released);
        }
        for name in [&X_TAXII_CONTENT_TYPE, &X_TAXII_ACCEPT] {
            match text(name).map(str::trim_start) {
                Some(id) if id.starts_with("TAXII_") => return Some(Self::Draft),
                Some(id) if id.starts_with("urn:") => return Some(Self::Released),
                _ => {}
            }
        }
        match dialects {
            Dialects { draft: true, released: false } => Some(Self::Draft),
            Dialects { draft: false, released: true } => Some(Self::Released),
            // Only the draft has it.
            Dialects { draft: true, .. } if head.method == Method::GET => Some(Self::Draft),
            _ => None,
        }
    }

    /// Whether an address speaks it.
    pub(super) const fn is_one_of(self, dialects: Dialects) -> bool {
        match self {
            Self::Draft => dialects.draft,
            Self::Released => dialects.released,
        }
    }
}

/// The dialect in which a request is answered, as far as its head tells.
pub(super) fn dialect_of(head: &request::Parts, family: Family) -> Dialect {
    if family == Family::Draft {
        return Dialect::Draft;
    }
    let text = |name: &HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let named = text(&X_TAXII_CONTENT_TYPE).and_then(|id| final_dialect(id.trim()));
    let accepted = || text(&X_TAXII_ACCEPT)?.split_ascii_whitespace().find_map(final_dialect);
    let services = || {
        let id = text(&X_TAXII_SERVICES)?.trim();
        [Dialect::V1_1, Dialect::V1_0].into_iter().find(|one| Names::of(*one).services() == id)
    };
    named.or_else(accepted).or_else(services).unwrap_or(Dialect::V1_1)
}

/// A field's one value.
pub(super) fn one(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed(name, "stands there more than once"));
    }
    let text = value.to_str().map_err(|_| malformed(name, "is no visible ASCII"))?;
    Ok(Some(text.trim().to_owned()))
}

pub(super) fn malformed(name: &HeaderName, reason: impl Into<String>) -> Refusal {
    Refusal::MalformedHeader { name: name.clone(), reason: reason.into().into() }
}

/// `X-TAXII-Protocol`: there, known, and true (sections 1.3 and 4.1.5).
pub(super) fn check_protocol(
    headers: &HeaderMap,
    family: Family,
    carrier: Carrier,
) -> Result<(), Refusal> {
    let Some(id) = one(headers, &X_TAXII_PROTOCOL)? else {
        return Err(Refusal::MissingHeader { name: X_TAXII_PROTOCOL });
    };
    let named = match family {
        Family::Draft => draft_carrier(&id),
        Family::Released => final_carrier(&id),
    };
    let dialect = if family == Family::Draft { Dialect::Draft } else { Dialect::V1_1 };
    let expected = Names::of(dialect).protocol(carrier);
    match named {
        Some(named) if named == carrier => Ok(()),
        Some(_) => Err(malformed(
            &X_TAXII_PROTOCOL,
            format!("names another channel than the one it came on; send {expected}"),
        )),
        None => Err(malformed(&X_TAXII_PROTOCOL, format!("is not known; send {expected}"))),
    }
}

/// `Accept`: whether XML may be answered. No field accepts everything.
pub(super) fn check_accept(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut any = false;
    for value in headers.get_all(header::ACCEPT) {
        let text = value.to_str().map_err(|_| malformed(&header::ACCEPT, "is no visible ASCII"))?;
        for range in list(&header::ACCEPT, text)? {
            any = true;
            let (name, accepted) = quality(range);
            if accepted
                && ["*/*", "application/*", XML].iter().any(|one| one.eq_ignore_ascii_case(name))
            {
                return Ok(());
            }
        }
    }
    if any { Err(Refusal::NotAcceptable) } else { Ok(()) }
}

/// The draft's `X-TAXII-Accept` (4.1.3): TAXII media types, in the grammar of `Accept`.
pub(super) fn check_draft_accept(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut any = false;
    for value in headers.get_all(X_TAXII_ACCEPT) {
        let text = value.to_str().map_err(|_| malformed(&X_TAXII_ACCEPT, "is no visible ASCII"))?;
        for range in list(&X_TAXII_ACCEPT, text)? {
            any = true;
            let (name, accepted) = quality(range);
            let Ok(media_type) = name.parse::<MediaType>() else {
                return Err(malformed(&X_TAXII_ACCEPT, "holds what is no TAXII media type"));
            };
            if accepted && is_draft_type(&media_type) {
                return Ok(());
            }
        }
    }
    if any { Err(Refusal::NotAcceptable) } else { Ok(()) }
}

/// `X-TAXII-Accept` of 1.0 and 1.1: message binding ids with blanks between them, the best first. A request is answered
/// in its own dialect, so that has to be among them.
pub(super) fn check_final_accept(headers: &HeaderMap, dialect: Dialect) -> Result<(), Refusal> {
    let Some(ids) = one(headers, &X_TAXII_ACCEPT)? else { return Ok(()) };
    let mut ids = ids.split_ascii_whitespace().take(LISTED);
    if ids.any(|id| final_dialect(id) == Some(dialect)) {
        Ok(())
    } else {
        Err(Refusal::NotAcceptable)
    }
}

/// The draft's `X-TAXII-Content-Type` (4.1.4); a peer may leave it out.
pub(super) fn check_draft_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(text) = one(headers, &X_TAXII_CONTENT_TYPE)? else { return Ok(()) };
    let found: Option<MediaType> = text.parse().ok();
    if found.as_ref().is_some_and(is_draft_type) {
        return Ok(());
    }
    Err(Refusal::MediaType { expected: vec![MediaType::from_static(XML)], found })
}

/// `services version/message binding`, in either spelling of the latter.
pub(super) fn is_draft_type(media_type: &MediaType) -> bool {
    DRAFT_MESSAGE.iter().any(|binding| {
        let expected = format!("{}/{binding}", Names::of(Dialect::Draft).services());
        media_type.essence().eq_ignore_ascii_case(&expected)
    })
}

/// The dialect that the fields of 1.0 and 1.1 name, and whether they agree.
pub(super) fn final_fields(headers: &HeaderMap) -> Result<Dialect, Refusal> {
    if !headers.contains_key(header::CONTENT_TYPE) {
        return Err(Refusal::MissingHeader { name: header::CONTENT_TYPE });
    }
    let Some(message) = one(headers, &X_TAXII_CONTENT_TYPE)? else {
        return Err(Refusal::MissingHeader { name: X_TAXII_CONTENT_TYPE });
    };
    let Some(dialect) = final_dialect(&message) else {
        return Err(Refusal::MediaType {
            expected: vec![MediaType::from_static(XML)],
            found: message.parse().ok(),
        });
    };
    let Some(services) = one(headers, &X_TAXII_SERVICES)? else {
        return Err(Refusal::MissingHeader { name: X_TAXII_SERVICES });
    };
    let expected = Names::of(dialect).services();
    if services != expected {
        return Err(malformed(
            &X_TAXII_SERVICES,
            format!("does not go with the message binding; send {expected}"),
        ));
    }
    Ok(dialect)
}

/// Whether an answer says that it is a TAXII message: 1.0 and 1.1 need three fields for it; the draft recommends one and
/// needs the other.
pub(super) fn says_taxii(headers: &HeaderMap, dialect: Dialect) -> bool {
    let names = match dialect {
        Dialect::Draft => &[X_TAXII_PROTOCOL][..],
        _ => &[X_TAXII_CONTENT_TYPE, X_TAXII_PROTOCOL, X_TAXII_SERVICES],
    };
    names.iter().all(|name| headers.contains_key(name))
}

/// What the fields of an answer say, against what was asked for.
pub(super) fn check_answer(
    headers: &HeaderMap,
    dialect: Dialect,
    carrier: Carrier,
) -> Result<(), Refusal> {
    let typed: Option<MediaType> =
        one(headers, &header::CONTENT_TYPE)?.and_then(|text| text.parse().ok());
    let xml = typed.as_ref().is_some_and(|found| found.essence() == XML);
    if !(xml || (dialect == Dialect::Draft && !headers.contains_key(header::CONTENT_TYPE))) {
        return Err(Refusal::MediaType {
            expected: vec![MediaType::from_static(XML)],
            found: typed,
        });
    }
    if dialect == Dialect::Draft {
        check_draft_content_type(headers)?;
        return check_protocol(headers, Family::Draft, carrier);
    }
    let found = final_fields(headers)?;
    if found != dialect {
        let expected = Names::of(dialect).message();
        return Err(malformed(&X_TAXII_CONTENT_TYPE, format!("is not {expected}")));
    }
    // Behind a proxy that ends TLS, services of others say HTTP: either channel is believed.
    match one(headers, &X_TAXII_PROTOCOL)?.as_deref().and_then(final_carrier) {
        Some(_) => Ok(()),
        None => Err(malformed(&X_TAXII_PROTOCOL, "is not known")),
    }
}

/// The members of a list with commas.
fn list<'t>(name: &HeaderName, text: &'t str) -> Result<Vec<&'t str>, Refusal> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    let members: Vec<&str> = members.take(LISTED + 1).collect();
    if members.len() > LISTED { Err(malformed(name, "lists too many")) } else { Ok(members) }
}

/// A member without its parameters, and whether its weight is more than nothing.
fn quality(member: &str) -> (&str, bool) {
    let mut parts = member.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let refused = parts.any(|parameter| {
        let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
        weight.is_some_and(|weight| {
            weight.trim().trim_start_matches('0').trim_matches(['.', '0']).is_empty()
                && !weight.trim().starts_with('1')
        })
    });
    (name, !refused)
}

/// TAXII's fields of a message that is sent.
pub(super) fn put(headers: &mut HeaderMap, dialect: Dialect, carrier: Carrier) {
    let names = Names::of(dialect);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(XML));
    if dialect == Dialect::Draft {
        headers.insert(X_TAXII_CONTENT_TYPE, HeaderValue::from_static(DRAFT_TYPE));
    } else {
        headers.insert(X_TAXII_CONTENT_TYPE, HeaderValue::from_static(names.message()));
        headers.insert(X_TAXII_SERVICES, HeaderValue::from_static(names.services()));
    }
    put_protocol(headers, dialect, carrier);
}

/// `X-TAXII-Protocol`.
pub(super) fn put_protocol(headers: &mut HeaderMap, dialect: Dialect, carrier: Carrier) {
    let id = Names::of(dialect).protocol(carrier);
    headers.insert(X_TAXII_PROTOCOL, HeaderValue::from_static(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        for (member, name, accepted) in [
            ("application/xml", "application/xml", true),
            ("a/b;q=0", "a/b", false),
            ("a/b; q=0.000", "a/b", false),
            ("a/b;q=0.001", "a/b", true),
            ("a/b;q=1", "a/b", true),
            ("a/b;charset=x;q=0.0", "a/b", false),
        ] {
            assert_eq!(quality(member), (name, accepted), "{member}");
        }
    }

    #[test]
    fn long_lists_are_refused() {
        let text = "a/b,".repeat(LISTED + 1);
        assert!(list(&header::ACCEPT, &text).is_err());
        assert_eq!(list(&header::ACCEPT, "a/b, ,c/d").unwrap(), ["a/b", "c/d"]);
    }
}
