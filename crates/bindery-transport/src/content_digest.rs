//! Content-Digest and Want-Content-Digest (RFC 9530): made on demand, verified where they are there.
//!
//! They speak of the content as it travels, coded where it is coded. SHA-256 and SHA-512 count; other algorithms,
//! the broken ones that old software sends among them, are not looked at (section 5).
//!
//! And Content-MD5 (RFC 1864; RFC 2616, section 14.15), which speaks of the coded content too: a binding that has it sees
//! only what was decoded, so that it is looked at here where there is a coding.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bindery_core::{Body, BodyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512};

/// `Content-Digest`.
pub(crate) const FIELD: HeaderName = HeaderName::from_static("content-digest");
/// `Want-Content-Digest`.
pub(crate) const WANT: HeaderName = HeaderName::from_static("want-content-digest");
/// `Content-MD5`.
pub(crate) const MD5: HeaderName = HeaderName::from_static("content-md5");

/// An algorithm that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Sha512,
    /// Of Content-MD5 alone.
    Md5,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name {
            "sha-256" => Some(Self::Sha256),
            "sha-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
            Self::Md5 => "md5",
        }
    }

    /// The field that announces it.
    const fn field(self) -> &'static str {
        match self {
            Self::Sha256 | Self::Sha512 => "Content-Digest",
            Self::Md5 => "Content-MD5",
        }
    }

    const fn octets(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
            Self::Md5 => 16,
        }
    }
}

/// What a message says of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    algorithm: Algorithm,
    value: Vec<u8>,
}

/// The members of a field that is a Dictionary of RFC 9651, as far as these two fields have them: keys with what stands
/// behind their `=`, parameters left out. A string could hold commas; none of these values is one.
fn members<'a>(
    headers: &'a HeaderMap,
    field: &HeaderName,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    headers
        .get_all(field)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .filter_map(|member| {
            let (key, value) = member.trim_matches([' ', '\t']).split_once('=')?;
            Some((key, value.split(';').next().unwrap_or_default()))
        })
}

/// What `Content-Digest` says, by the strongest algorithm that counts; of one that stands there twice the last one does.
///
/// # Errors
/// The value of such an algorithm is no digest of it.
pub(crate) fn expected(headers: &HeaderMap) -> Result<Option<Expected>, &'static str> {
    let mut found: Option<Expected> = None;
    for (key, value) in members(headers, &FIELD) {
        let Some(algorithm) = Algorithm::of(key) else { continue };
        let inside = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
        let value = inside.and_then(|inside| STANDARD.decode(inside).ok());
        let value = value
            .filter(|value| value.len() == algorithm.octets())
            .ok_or("the value of sha-256 or sha-512 is no digest; send `sha-256=:BASE64:`")?;
        let weaker = found.as_ref().is_some_and(|found| {
            found.algorithm == Algorithm::Sha512 && algorithm == Algorithm::Sha256
        });
        if !weaker {
            found = Some(Expected { algorithm, value });
        }
    }
    Ok(found)
}

/// What `Content-MD5` says.
///
/// # Errors
/// It stands there more than once, or is no digest.
pub(crate) fn expected_md5(headers: &HeaderMap) -> Result<Option<Expected>, &'static str> {
    let mut values = headers.get_all(MD5).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let value = STANDARD.decode(first.as_bytes().trim_ascii()).ok();
    match value.filter(|value| value.len() == Algorithm::Md5.octets()) {
        Some(value) if values.next().is_none() => {
            Ok(Some(Expected { algorithm: Algorithm::Md5, value }))
        }
        _ => Err("it is not the Base64 of one MD5 digest (RFC 1864)"),
    }
}

/// The value of `Content-MD5` for some content.
pub(crate) fn value_md5(content: &[u8]) -> Option<HeaderValue> {
    HeaderValue::try_from(STANDARD.encode(Md5::digest(content))).ok()
}

/// The algorithm that `Want-Content-Digest` prefers of those that count; SHA-256 where both are wanted alike.
pub(crate) fn wanted(headers: &HeaderMap) -> Option<Algorithm> {
    let mut best: Option<(u8, Algorithm)> = None;
    for (key, value) in members(headers, &WANT) {
        let preference = value.parse::<u8>().ok().filter(|value| (1..=10).contains(value));
        let (Some(algorithm), Some(preference)) = (Algorithm::of(key), preference) else {
            continue;
        };
        let better = best.is_none_or(|(before, other)| {
            preference > before || (preference == before && other == Algorithm::Sha512)
        });
        if better {
            best = Some((preference, algorithm));
        }
    }
    best.map(|(_, algorithm)| algorithm)
}

/// The value of `Content-Digest` for some content.
pub(crate) fn value(algorithm: Algorithm, content: &[u8]) -> Option<HeaderValue> {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(content);
    let text = format!("{}=:{}:", algorithm.name(), STANDARD.encode(hasher.finish()));
    HeaderValue::try_from(text).ok()
}

enum Hasher {
    Sha256(Box<Sha256>),
    Sha512(Box<Sha512>),
    Md5(Box<Md5>),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Box::default()),
            Algorithm::Sha512 => Self::Sha512(Box::default()),
            Algorithm::Md5 => Self::Md5(Box::default()),
        }
    }

    fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(octets),
            Self::Sha512(hasher) => hasher.update(octets),
            Self::Md5(hasher) => hasher.update(octets),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
            Self::Md5(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// The body, which fails at its end where it is not the one that was announced.
pub(crate) fn verified(body: Body, expected: Expected) -> Body {
    let hasher = Some(Hasher::new(expected.algorithm));
    Body::stream(Verified { body, expected, hasher })
}

struct Verified {
    body: Body,
    expected: Expected,
    /// `None` once the end or a fault was told.
    hasher: Option<Hasher>,
}

impl HttpBody for Verified {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(hasher) = &mut this.hasher else { return Poll::Ready(None) };
        match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    hasher.update(data);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.hasher = None;
                Poll::Ready(Some(Err(error)))
            }
            None => {
                let found = this.hasher.take().map(Hasher::finish);
                if found.as_ref() == Some(&this.expected.value) {
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(BodyError::Digest(this.expected.algorithm.field()))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// The examples of RFC 9530, appendix B: `{"hello": "world"}` and a line end.
    const CONTENT: &[u8] = b"{\"hello\": \"world\"}\n";
    const SHA_256: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    const SHA_512: &str = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

    #[test]
    fn values_are_those_of_the_rfc() {
        assert_eq!(value(Algorithm::Sha256, CONTENT).unwrap(), SHA_256);
        assert_eq!(value(Algorithm::Sha512, CONTENT).unwrap(), SHA_512);
    }

    #[test]
    fn the_strongest_algorithm_that_is_known_counts() {
        let one = |fields: &[&str]| {
            let fields: Vec<_> = fields.iter().map(|value| (FIELD, *value)).collect();
            expected(&headers(&fields)).map(|found| found.map(|found| found.algorithm))
        };
        assert_eq!(one(&[]), Ok(None));
        assert_eq!(one(&["md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, unixsum=30637"]), Ok(None));
        assert_eq!(one(&[SHA_256]), Ok(Some(Algorithm::Sha256)));
        assert_eq!(one(&[SHA_512, SHA_256]), Ok(Some(Algorithm::Sha512)));
        assert_eq!(one(&[&format!("{SHA_256};p=1, {SHA_512}")]), Ok(Some(Algorithm::Sha512)));
        for wrong in ["sha-256=abc", "sha-256=:!:", "sha-256=:YWJj:", "sha-512=::"] {
            assert!(one(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_wanted_most_and_known_is_made() {
        for (text, made) in [
            ("sha-256=10", Some(Algorithm::Sha256)),
            ("sha-256=3, sha-512=10", Some(Algorithm::Sha512)),
            ("sha-512=5, sha-256=5", Some(Algorithm::Sha256)),
            ("md5=10, sha-512=1", Some(Algorithm::Sha512)),
            ("sha-256=0", None),
            ("sha-256=11", None),
            ("sha-256", None),
            ("", None),
        ] {
            assert_eq!(wanted(&headers(&[(WANT, text)])), made, "{text}");
        }
    }
}
