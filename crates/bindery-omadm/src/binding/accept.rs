//! What a client takes: `Accept` and `Accept-Charset` (section 5.3.3; RFC 9110, section 12.5).

use bindery_core::MediaType;
use bindery_syncml::Form;
use http::{HeaderMap, header};

use crate::profile::Family;

/// The most members of a list that are looked at; no client names that many.
const MEMBERS: usize = 64;

/// The type that an answer may have: the request's own if the client takes it, or else the one
/// that it likes best. A client that says nothing takes the request's own. `None` if it takes no
/// type of DM messages.
pub(super) fn answer_type(headers: &HeaderMap, own: (Family, Form)) -> Option<(Family, Form)> {
    if !headers.contains_key(header::ACCEPT) {
        return Some(own);
    }
    let ranges: Vec<MediaType> =
        members(headers, &header::ACCEPT).filter_map(|member| member.parse().ok()).collect();
    let others = [
        (Family::Dm, own.1),
        (Family::Dm, other(own.1)),
        (own.0, other(own.1)),
        (Family::Ds, own.1),
        (Family::Ds, other(own.1)),
    ];
    let mut best: Option<(u16, (Family, Form))> = None;
    for candidate in std::iter::once(own).chain(others) {
        let weight = weight_of(&ranges, candidate);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

const fn other(form: Form) -> Form {
    match form {
        Form::Wbxml => Form::Xml,
        _ => Form::Wbxml,
    }
}

/// The weight that the most exact range gives a type, in thousandths.
fn weight_of(ranges: &[MediaType], (family, form): (Family, Form)) -> u16 {
    let own = family.media_type(form);
    let exactness = |range: &MediaType| match range.essence() {
        essence if essence == own => Some(2),
        "application/*" => Some(1),
        "*/*" => Some(0),
        _ => None,
    };
    ranges
        .iter()
        .filter_map(|range| Some((exactness(range)?, quality(range.parameter("q")))))
        .max_by_key(|(exactness, _)| *exactness)
        .map_or(0, |(_, weight)| weight)
}

/// Whether the client takes UTF-8, the only character set that answers are written in.
pub(super) fn takes_utf8(headers: &HeaderMap) -> bool {
    if !headers.contains_key(header::ACCEPT_CHARSET) {
        return true;
    }
    let (mut own, mut any) = (None, None);
    for member in members(headers, &header::ACCEPT_CHARSET) {
        let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
        let weight = parameters
            .split(';')
            .filter_map(|one| one.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let weight = quality(weight.map(|(_, value)| value.trim()));
        let name = name.trim().trim_matches('"');
        if name.eq_ignore_ascii_case("utf-8") {
            own.get_or_insert(weight);
        } else if name == "*" {
            any.get_or_insert(weight);
        }
    }
    own.or(any).unwrap_or(0) > 0
}

/// The members of a field that is a list.
fn members<'a>(
    headers: &'a HeaderMap,
    name: &'a http::HeaderName,
) -> impl Iterator<Item = &'a str> {
    // No media type of ours has a comma in a parameter; a range that has one fits nothing of ours.
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .take(MEMBERS)
}

/// `qvalue` in thousandths (RFC 9110, section 12.4.2); a malformed one counts as 1, as if it were
/// not there.
fn quality(text: Option<&str>) -> u16 {
    let Some(text) = text else { return 1000 };
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let plain = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    match (whole, plain) {
        ("0", true) => format!("{decimals:0<3}").parse().unwrap_or(1000),
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const DM_XML: (Family, Form) = (Family::Dm, Form::Xml);
    const DM_WBXML: (Family, Form) = (Family::Dm, Form::Wbxml);
    const DS_XML: (Family, Form) = (Family::Ds, Form::Xml);

    fn of(name: &http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn types() {
        assert_eq!(answer_type(&HeaderMap::new(), DS_XML), Some(DS_XML));
        for (accept, own, expected) in [
            ("*/*", DM_WBXML, Some(DM_WBXML)),
            ("application/*", DS_XML, Some(DS_XML)),
            ("application/vnd.syncml.dm+xml", DM_WBXML, Some(DM_XML)),
            ("Application/Vnd.Syncml.DM+XML; charset=utf-8", DM_WBXML, Some(DM_XML)),
            ("application/vnd.syncml.dm+wbxml, */*;q=0.1", DM_XML, Some(DM_WBXML)),
            (
                "application/vnd.syncml.dm+xml;q=0.5, application/vnd.syncml.dm+wbxml",
                DM_XML,
                Some(DM_WBXML),
            ),
            (
                "application/vnd.syncml.dm+wbxml;q=0, application/vnd.syncml.dm+xml",
                DM_WBXML,
                Some(DM_XML),
            ),
            ("application/vnd.syncml.dm+xml;q=0, */*", DM_XML, Some(DM_WBXML)),
            ("application/vnd.syncml+xml", DM_XML, Some(DS_XML)),
            ("application/vnd.syncml.dm+xml", DS_XML, Some(DM_XML)),
            ("text/html", DM_XML, None),
            ("*/*;q=0", DM_XML, None),
            ("application/*;q=0.0, text/html", DM_XML, None),
            ("", DM_XML, None),
        ] {
            assert_eq!(answer_type(&of(&header::ACCEPT, accept), own), expected, "{accept}");
        }
    }

    #[test]
    fn character_sets() {
        assert!(takes_utf8(&HeaderMap::new()));
        for good in
            ["UTF-8", "utf-8;q=0.1", "iso-8859-1, *", "*;q=0, utf-8", "x;q=0.5,UTF-8; q=0.4"]
        {
            assert!(takes_utf8(&of(&header::ACCEPT_CHARSET, good)), "{good}");
        }
        for bad in ["iso-8859-1", "utf-8;q=0", "*;q=0", "utf-8;q=0, *", "", "utf-16, us-ascii"] {
            assert!(!takes_utf8(&of(&header::ACCEPT_CHARSET, bad)), "{bad}");
        }
    }
}
