//! Requests in absolute form, sent on (RFC 9110, section 7.6).

use std::{sync::Arc, time::Duration};

use bindery_core::{Body, Refusal};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header,
    request,
};

use super::{Tunnels, unreachable};
use crate::{Client, ClientLimits, Proxies, client::Untouched, host, upgrade_field::members};

/// What is for one hop only, beside what `Connection` names.
const ONE_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The name under which we stand in `Via`.
const PSEUDONYM: &str = "bindery";
/// How long a server may take for an answer.
const ANSWER: Duration = Duration::from_secs(120);

impl Tunnels {
    /// Sends a request on and gives its answer, both without what is for one hop only.
    pub(super) async fn forward(
        &self,
        mut parts: request::Parts,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        let authority = parts.uri.authority().filter(|_| parts.uri.scheme_str() == Some("http"));
        let Some(authority) = authority.cloned() else {
            let reason = "it forwards requests with an http URL as their target";
            return Err(Refusal::TunnelForbidden { reason: reason.into() });
        };
        if host::fault(authority.as_str().as_bytes()).is_some() {
            return Err(Refusal::Target);
        }
        let target = self.target(&authority, authority.port_u16().unwrap_or(80))?;
        if let Some(last) = last_hop(&parts.method, &mut parts.headers)? {
            return Ok(last);
        }
        for_one_hop_only(&mut parts.headers);
        // It was met here.
        parts.headers.remove(header::EXPECT);
        via(&mut parts.headers, parts.version);
        parts.extensions.insert(Untouched);
        let mut limits = ClientLimits::default();
        (limits.connect, limits.response) = (self.limits.connect, ANSWER);
        (limits.total, limits.response_body) = (self.limits.connect + ANSWER, u64::MAX);
        let client = Client::builder().limits(limits).keep_alive(false);
        let client = client.proxies(Proxies::chain(self.next.clone()));
        let client = client.dialer(Arc::clone(&self.dialer)).reach(self.reach.clone()).build();
        let sent = client.connection(target).send_streamed(Request::from_parts(parts, body)).await;
        let mut response = sent.map_err(|error| unreachable(&error))?;
        let version = response.version();
        for_one_hop_only(response.headers_mut());
        via(response.headers_mut(), version);
        Ok(response)
    }
}

/// Takes out what is for one hop only.
fn for_one_hop_only(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> =
        members(headers, &header::CONNECTION).filter_map(|name| name.parse().ok()).collect();
    for name in ONE_HOP.iter().chain(&named) {
        // What frames a message is not for whoever writes Connection to take out.
        if *name != header::CONTENT_LENGTH && *name != header::HOST {
            headers.remove(name);
        }
    }
}

fn via(headers: &mut HeaderMap, version: Version) {
    let version = if version == Version::HTTP_10 { "1.0" } else { "1.1" };
    if let Ok(value) = HeaderValue::try_from(format!("{version} {PSEUDONYM}")) {
        headers.append(header::VIA, value);
    }
}

/// The answer to a request that says that it goes no further, counted down otherwise (RFC 9110, section 7.6.2).
fn last_hop(method: &Method, headers: &mut HeaderMap) -> Result<Option<Response<Body>>, Refusal> {
    if !matches!(*method, Method::OPTIONS | Method::TRACE) {
        return Ok(None);
    }
    let Some(value) = headers.get(header::MAX_FORWARDS) else { return Ok(None) };
    let left = value.to_str().ok().and_then(|text| text.parse::<u32>().ok());
    let malformed = || Refusal::MalformedHeader {
        name: header::MAX_FORWARDS,
        reason: "it is no number".into(),
    };
    match left.ok_or_else(malformed)?.checked_sub(1) {
        Some(left) => {
            headers.insert(header::MAX_FORWARDS, HeaderValue::from(left));
            Ok(None)
        }
        None => {
            let mut response = Response::new(Body::empty());
            // A trace would show what the client sent to us alone.
            if *method == Method::TRACE {
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            }
            Ok(Some(response))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hop() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "a"),
            ("connection", "upgrade, X-Own"),
            ("connection", "content-length, host"),
            ("upgrade", "TLS/1.2"),
            ("x-own", "1"),
            ("x-other", "1"),
            ("te", "trailers"),
            ("keep-alive", "1"),
            ("content-length", "3"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-connection", "keep-alive"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        for_one_hop_only(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "host", "x-other"]);
    }

    #[test]
    fn max_forwards() {
        let forwards = |method, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::MAX_FORWARDS, HeaderValue::from_static(value));
            let last = last_hop(&method, &mut headers);
            (
                last.map(|last| last.map(|one| one.status().as_u16())).ok(),
                headers[header::MAX_FORWARDS].clone(),
            )
        };
        assert_eq!(forwards(Method::OPTIONS, "0").0, Some(Some(200)));
        assert_eq!(forwards(Method::TRACE, "0").0, Some(Some(405)));
        assert_eq!(forwards(Method::OPTIONS, "2"), (Some(None), HeaderValue::from_static("1")));
        assert_eq!(forwards(Method::POST, "0").0, Some(None));
        assert_eq!(forwards(Method::OPTIONS, "x").0, None);
    }
}
