//! The card's rules, enforced: requests by the server, responses by the client.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header,
    request, response, uri::PathAndQuery,
};

use super::{
    CertificateRule, ContentCoding, HeaderPresence, HeaderRule, Note, Profile, Scheme, Severity,
    status::{EXPLANATION, REFUSAL_FIELD},
};
use crate::{
    Body, Channel, Context, EncodeError, MediaType, Refusal, Unexpected, unexpected::START,
};

impl Profile {
    /// Checks everything about a request but its target and body: channel, peer, version, method,
    /// fields, content type and coding, declared length.
    ///
    /// The order is the order in which the answers are useful: nothing about the protocol is told
    /// to a peer on the wrong channel or without the identity that the card asks for.
    ///
    /// # Errors
    /// The first rule that the request breaks. Deviations that the card tells to tolerate are
    /// returned as notes.
    pub fn check_request(
        &self,
        cx: &Context,
        parts: &request::Parts,
    ) -> Result<Vec<Note>, Refusal> {
        self.check_peer(cx)?;
        if !self.versions.contains(&parts.version) {
            return Err(Refusal::Version { found: parts.version });
        }
        self.check_method(&parts.method)?;
        let mut notes = Vec::new();
        for rule in &self.request_header_rules {
            check_rule(rule, &parts.headers, &mut notes)?;
        }
        self.check_length(parts)?;
        if carries_content(&parts.method) {
            self.check_content_type(&parts.headers, &mut notes)?;
        }
        self.check_content_coding(&parts.headers)?;
        Ok(notes)
    }

    /// Checks what stands before any message: the channel and the peer's identity. The part of
    /// [`check_request`](Self::check_request) that also holds where the protocol runs without HTTP
    /// ([`StreamEndpoint`](crate::StreamEndpoint)).
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_peer(&self, cx: &Context) -> Result<(), Refusal> {
        if matches!(cx.channel, Channel::Clear) && !self.schemes.contains(&Scheme::Http) {
            return Err(Refusal::ClearChannel);
        }
        if self.certificate == CertificateRule::Required && cx.peer.certificate().is_none() {
            return Err(Refusal::Unidentified {
                reason: "the TLS handshake showed no client certificate".to_owned(),
            });
        }
        // No handler should have to remember that a peer may be nobody.
        if self.certificate == CertificateRule::Required && cx.principal.is_none() {
            return Err(Refusal::Unidentified {
                reason: "the client certificate maps to no account".to_owned(),
            });
        }
        Ok(())
    }

    fn check_method(&self, method: &Method) -> Result<(), Refusal> {
        if self.methods.contains(method) {
            return Ok(());
        }
        // RFC 9110, section 9.1: 501 for a method that is not recognised at all.
        let known = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::CONNECT,
            Method::OPTIONS,
            Method::TRACE,
            Method::PATCH,
        ];
        if known.contains(method) {
            Err(Refusal::Method { allowed: self.methods.clone() })
        } else {
            Err(Refusal::UnknownMethod)
        }
    }

    fn check_length(&self, parts: &request::Parts) -> Result<(), Refusal> {
        // Two lengths are how requests are smuggled (RFC 9112, section 11.2), equal or not.
        let Some(value) = once(&parts.headers, &header::CONTENT_LENGTH)? else {
            // RFC 1945, section 7.2.2: an HTTP/1.0 request can end its body no other way.
            if parts.version == Version::HTTP_10 && carries_content(&parts.method) {
                return Err(Refusal::LengthRequired);
            }
            return Ok(());
        };
        let malformed = |reason: &'static str| Refusal::MalformedHeader {
            name: header::CONTENT_LENGTH,
            reason: reason.into(),
        };
        match octets(value) {
            None => Err(malformed("not a number of octets")),
            Some(length) if length > self.request_body_limit => {
                Err(Refusal::BodyTooLarge { limit: self.request_body_limit })
            }
            Some(_) => Ok(()),
        }
    }

    fn check_content_type(
        &self,
        headers: &HeaderMap,
        notes: &mut Vec<Note>,
    ) -> Result<(), Refusal> {
        if self.untyped_content == Severity::Report && !headers.contains_key(header::CONTENT_TYPE) {
            notes.push(Note::MissingHeader(header::CONTENT_TYPE));
            return Ok(());
        }
        let Some(value) = once(headers, &header::CONTENT_TYPE)? else {
            let expected = self.request_media_types.clone();
            return Err(Refusal::MediaType { expected, found: None });
        };
        // Word for word what is asked for, as nearly always: no grammar is needed to see that.
        let asked = |t: &MediaType| t.essence().as_bytes() == value.as_bytes();
        if self.request_media_types.iter().any(asked) {
            return Ok(());
        }
        match media_type(value) {
            Some(found) if self.request_media_types.iter().any(|t| t.same_essence(&found)) => {
                Ok(())
            }
            found => Err(Refusal::MediaType { expected: self.request_media_types.clone(), found }),
        }
    }

    fn check_content_coding(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let names = value.to_str().unwrap_or("?").split(',').map(str::trim);
            for name in names.filter(|name| !name.is_empty()) {
                let coding = ContentCoding::from_name(name);
                let taken = coding.is_some_and(|coding| self.request_codings.contains(&coding));
                if !taken && !name.eq_ignore_ascii_case("identity") {
                    let expected = self.request_codings.iter().map(|c| c.name()).collect();
                    return Err(Refusal::ContentCoding { expected });
                }
            }
        }
        Ok(())
    }

    /// Puts the card's fields into a response, be it a message or a refusal.
    pub fn finish_response(&self, _version: Version, response: &mut Response<Body>) {
        self.put_response_headers(response);
    }

    /// Makes a request of the card's first method for `target`, with the card's fields and
    /// `Content-Type`. A target without a path gets the card's default one.
    ///
    /// # Errors
    /// The target has a scheme that the card does not name, or takes a default path that is none.
    pub fn prepare_request(
        &self,
        target: &http::Uri,
        body: Body,
    ) -> Result<Request<Body>, EncodeError> {
        let scheme = match target.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            // Not the URL itself: its authority may hold a password.
            Some(other) => {
                return Err(EncodeError::new(format!(
                    "the target's scheme is {other}; use an http or https URL"
                )));
            }
            None => {
                return Err(EncodeError::new(
                    "the target has no scheme; use a whole http or https URL",
                ));
            }
        };
        if !self.schemes.contains(&scheme) {
            return Err(EncodeError::new(format!(
                "{} is not sent over {}; use an https URL",
                self.name,
                target.scheme_str().unwrap_or_default(),
            )));
        }
        let mut request = Request::new(body);
        *request.uri_mut() = self.with_default_path(target)?;
        *request.method_mut() = self.methods.first().cloned().unwrap_or(Method::POST);
        let headers = request.headers_mut();
        for (name, value) in &self.request_headers {
            headers.append(name, value.clone());
        }
        if let Some(media_type) = self.request_media_types.first()
            && let Ok(value) = HeaderValue::try_from(media_type.to_string())
        {
            headers.insert(header::CONTENT_TYPE, value);
        }
        Ok(request)
    }

    /// The target itself if it has a path: `/` alone is what a URL without one means (RFC 9110,
    /// section 4.2.3).
    fn with_default_path(&self, target: &http::Uri) -> Result<http::Uri, EncodeError> {
        if !matches!(target.path_and_query().map(PathAndQuery::as_str), None | Some("" | "/")) {
            return Ok(target.clone());
        }
        let mut parts = target.clone().into_parts();
        let path = PathAndQuery::try_from(&*self.default_path).ok();
        parts.path_and_query = path.filter(|path| path.as_str().starts_with('/'));
        http::Uri::from_parts(parts).map_err(|_| {
            EncodeError::new(format!(
                "the default path of the profile {}, {:?}, is no path; use a URL with one",
                self.name, self.default_path
            ))
        })
    }

    /// Checks that the caller's extra fields break no rule of the card: a client refuses to send
    /// what the card forbids.
    ///
    /// # Errors
    /// A forbidden field is there.
    pub fn check_own_headers(&self, headers: &HeaderMap) -> Result<(), EncodeError> {
        for rule in &self.request_header_rules {
            if rule.presence == HeaderPresence::Forbidden && headers.contains_key(&rule.name) {
                return Err(EncodeError::new(format!(
                    "the profile {} forbids the field {}; leave it out",
                    self.name, rule.name
                )));
            }
        }
        Ok(())
    }

    /// Checks that a response carries a message: its status is one of the card's and its content
    /// of one of the card's types. `body` is what the error shows the beginning of.
    ///
    /// # Errors
    /// It came from the HTTP layer or an intermediary; it is not to be parsed as the protocol.
    pub fn check_response(&self, parts: &response::Parts, body: &[u8]) -> Result<(), Unexpected> {
        let start = || body.get(..START).unwrap_or(body).to_vec();
        let found = content_type(&parts.headers).ok().flatten();
        if !self.message_statuses.contains(&parts.status) {
            return Err(Unexpected::Status {
                status: parts.status,
                explanation: explanation(parts.status, &parts.headers),
                media_type: found,
                start: start(),
            });
        }
        let fits = |found: &MediaType| {
            self.response_media_types.iter().any(|expected| expected.same_essence(found))
        };
        match (found, self.response_media_types.first()) {
            (Some(found), _) if fits(&found) => Ok(()),
            (_, None) => Ok(()),
            (found, Some(expected)) => {
                Err(Unexpected::MediaType { expected: expected.clone(), found, start: start() })
            }
        }
    }
}

fn explanation(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let said = headers.get(REFUSAL_FIELD).and_then(|value| value.to_str().ok());
    // Whoever answered may have written anything there, at any length.
    said.map(|said| said.chars().take(EXPLANATION).collect())
        .or_else(|| status.canonical_reason().map(str::to_owned))
}

/// The number of octets that `Content-Length` declares: digits only (RFC 9110, section 8.6), so
/// no sign, which Rust's own parser would take. More than a `u64` holds counts as its end.
fn octets(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?.trim_matches([' ', '\t']);
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// Whether a request of this method has content that the protocol reads.
fn carries_content(method: &Method) -> bool {
    *method == Method::POST || *method == Method::PUT || *method == Method::PATCH
}

fn check_rule(
    rule: &HeaderRule,
    headers: &HeaderMap,
    notes: &mut Vec<Note>,
) -> Result<(), Refusal> {
    let name = || rule.name.clone();
    match (rule.presence, headers.contains_key(&rule.name), rule.severity) {
        (HeaderPresence::Required, true, _) | (HeaderPresence::Forbidden, false, _) => {}
        (HeaderPresence::Required, false, Severity::Report) => {
            notes.push(Note::MissingHeader(name()));
        }
        (HeaderPresence::Forbidden, true, Severity::Report) => {
            notes.push(Note::ForbiddenHeader(name()));
        }
        (HeaderPresence::Required, false, Severity::Refuse) => {
            return Err(Refusal::MissingHeader { name: name() });
        }
        (HeaderPresence::Forbidden, true, Severity::Refuse) => {
            return Err(Refusal::ForbiddenHeader { name: name() });
        }
    }
    Ok(())
}

/// The declared content type; `None` if it is missing or no media type.
///
/// # Errors
/// The field stands there more than once.
fn content_type(headers: &HeaderMap) -> Result<Option<MediaType>, Refusal> {
    Ok(once(headers, &header::CONTENT_TYPE)?.and_then(media_type))
}

fn media_type(value: &HeaderValue) -> Option<MediaType> {
    value.to_str().ok()?.parse().ok()
}

/// The value of a field that may stand there once.
///
/// # Errors
/// It stands there more than once.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        let reason = "stands there more than once".into();
        return Err(Refusal::MalformedHeader { name: name.clone(), reason });
    }
    Ok(first)
}
