//! What is asked of a request before its endpoint sees it: what the HTTP engine below leaves open.

use std::sync::Arc;

use bindery_core::{Body, Endpoint, Refusal};
use http::{HeaderName, HeaderValue, Method, Uri, Version, header, request, uri::PathAndQuery};

use super::Router;
use crate::{
    Limits,
    coding::{self, Acceptable, Declared},
    content_digest, host,
};

/// A request that may go on, or why not; with the endpoint that answers for its target either
/// way, where there is one.
pub(super) struct Checked {
    pub(super) endpoint: Option<Arc<dyn Endpoint>>,
    /// Whether the head is sound in itself, whatever stands at its target.
    pub(super) is_sound: bool,
    pub(super) outcome: Result<Acceptable, Refusal>,
}

/// Routes a request and checks its head. The target is brought into origin form and `Host` tells
/// its authority (RFC 9112, section 3.2.2), whatever form it came in.
pub(super) fn check(parts: &mut request::Parts, router: &Router, limits: &Limits) -> Checked {
    // Looked up first, so that a refusal is told in the endpoint's own form.
    let endpoint = router.at(parts.uri.path()).cloned();
    let sound = check_head(parts, limits);
    let is_sound = sound.is_ok();
    let outcome = sound.and_then(|()| check_use(parts, endpoint.as_deref()));
    Checked { endpoint, is_sound, outcome }
}

fn check_head(parts: &mut request::Parts, limits: &Limits) -> Result<(), Refusal> {
    check_form(parts, limits)?;
    let authority = check_target(parts)?;
    if let Some(authority) = authority {
        parts.headers.insert(header::HOST, authority);
    }
    check_expectation(parts)
}

/// What holds for every request, whatever its target.
pub(super) fn check_form(parts: &request::Parts, limits: &Limits) -> Result<(), Refusal> {
    check_sizes(parts, limits)?;
    check_host(parts)?;
    check_transfer_coding(parts)
}

fn check_use(
    parts: &request::Parts,
    endpoint: Option<&dyn Endpoint>,
) -> Result<Acceptable, Refusal> {
    let Some(endpoint) = endpoint else { return Err(Refusal::Target) };
    let acceptable = coding::acceptable(&parts.headers, &endpoint.profile().response_codings);
    if acceptable.coding.is_none() && !acceptable.identity {
        // Said before the handler acts, not after.
        return Err(Refusal::NotAcceptable);
    }
    Ok(acceptable)
}

fn check_sizes(parts: &request::Parts, limits: &Limits) -> Result<(), Refusal> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len())
        + parts.uri.authority().map_or(0, |authority| authority.as_str().len());
    if target > limits.target {
        return Err(Refusal::TargetTooLong);
    }
    let octets: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if octets > limits.header_octets || parts.headers.len() > limits.header_count {
        return Err(Refusal::HeaderTooLarge);
    }
    Ok(())
}

fn check_host(parts: &request::Parts) -> Result<(), Refusal> {
    let malformed = |reason: &'static str| {
        Err(Refusal::MalformedHeader { name: header::HOST, reason: reason.into() })
    };
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version == Version::HTTP_11 => {
            Err(Refusal::MissingHeader { name: header::HOST })
        }
        (None, _) => Ok(()),
        (Some(_), Some(_)) => malformed("it stands there more than once"),
        (Some(host), None) => match host::fault(host.as_bytes()) {
            Some(reason) => malformed(reason),
            None => Ok(()),
        },
    }
}

fn check_transfer_coding(parts: &request::Parts) -> Result<(), Refusal> {
    let mut values = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(first) = values.next() else { return Ok(()) };
    if values.next().is_some() || !first.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err(Refusal::TransferCoding);
    }
    Ok(())
}

/// The authority of an absolute-form target, which counts in place of `Host`.
fn check_target(parts: &mut request::Parts) -> Result<Option<HeaderValue>, Refusal> {
    if parts.method == Method::CONNECT {
        // A tunnel is no resource of any endpoint.
        return Err(Refusal::Method { allowed: Vec::new() });
    }
    match (parts.uri.scheme_str(), parts.uri.authority()) {
        (None, None) => Ok(None),
        (Some("http" | "https"), Some(authority)) => {
            if host::fault(authority.as_str().as_bytes()).is_some() {
                return Err(Refusal::Target);
            }
            let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Refusal::Target)?;
            let path = parts.uri.path_and_query().cloned();
            parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
            Ok(Some(host))
        }
        _ => Err(Refusal::Target),
    }
}

/// RFC 9110, section 10.1.1. In HTTP/1.0 the field means nothing.
pub(super) fn check_expectation(parts: &request::Parts) -> Result<(), Refusal> {
    let met = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if parts.version == Version::HTTP_11 && !parts.headers.get_all(header::EXPECT).iter().all(met) {
        return Err(Refusal::Expectation);
    }
    Ok(())
}

/// Undoes the body's content coding if the card lists it; a coding that it does not list is left
/// for the card's own check to refuse.
pub(super) fn undo_coding(
    parts: &mut request::Parts,
    body: Body,
    endpoint: &dyn Endpoint,
) -> Result<Body, Refusal> {
    const CODED: HeaderName = header::CONTENT_ENCODING;
    let profile = endpoint.profile();
    match coding::declared(&parts.headers) {
        Declared::One(coding) if profile.request_codings.contains(&coding) => {
            parts.headers.remove(CODED);
            // They speak of the coded octets: the one was looked at, the other is looked at here.
            parts.headers.remove(content_digest::FIELD);
            let body = match content_digest::expected_md5(&parts.headers) {
                Ok(Some(expected)) => content_digest::verified(body, expected),
                Ok(None) => body,
                Err(reason) => {
                    let name = content_digest::MD5;
                    return Err(Refusal::MalformedHeader { name, reason: reason.into() });
                }
            };
            parts.headers.remove(content_digest::MD5);
            let limit = profile.request_body_limit;
            Ok(coding::decode(coding, coding::bounded(body, limit), limit))
        }
        Declared::Other if !profile.request_codings.is_empty() => {
            // One coding at a time: none over another, which only bombs need.
            let expected = profile.request_codings.iter().map(|coding| coding.name()).collect();
            Err(Refusal::ContentCoding { expected })
        }
        _ => Ok(body),
    }
}
