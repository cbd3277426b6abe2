//! Who has passed a message on (RFC 9110, section 7.6.3).

use http::{HeaderMap, HeaderValue, Version, header};

use crate::upgrade_field::members;

/// The name under which one proxy stands in `Via`: no other has it, so that a message that comes a second time is known.
#[derive(Clone, Debug)]
pub(super) struct Name(String);

impl Name {
    /// A new name. It says nothing of this machine.
    pub(super) fn new() -> Self {
        let mut octets = [0; 4];
        // Without random numbers all have one name, and proxies of this kind in a row take each other for themselves.
        if let Err(error) = getrandom::fill(&mut octets) {
            tracing::warn!(%error, "no random numbers for the name in Via");
        }
        Self(format!("bindery-{:08x}", u32::from_be_bytes(octets)))
    }

    /// Whether this proxy has passed a message on before.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        // The protocol, the name, and maybe a comment.
        let mut names = members(headers, &header::VIA)
            .filter_map(|member| member.split([' ', '\t']).filter(|word| !word.is_empty()).nth(1));
        names.any(|name| name.eq_ignore_ascii_case(&self.0))
    }

    /// Puts the name behind those that stand there.
    pub(super) fn put(&self, headers: &mut HeaderMap, version: Version) {
        let version = if version == Version::HTTP_10 { "1.0" } else { "1.1" };
        if let Ok(value) = HeaderValue::try_from(format!("{version} {}", self.0)) {
            headers.append(header::VIA, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_knows_itself_and_no_other() {
        let (one, other) = (Name::new(), Name::new());
        let mut headers = HeaderMap::new();
        assert!(!one.is_in(&headers));
        other.put(&mut headers, Version::HTTP_11);
        assert!(!one.is_in(&headers) && other.is_in(&headers));
        one.put(&mut headers, Version::HTTP_10);
        assert!(one.is_in(&headers));
        for (value, is_there) in [
            (format!("1.1 a, HTTP/1.1\t{} (b c), 1.0 d", one.0.to_uppercase()), true),
            (format!("1.1 a ({})", one.0), false),
            (format!("1.1 {}x", one.0), false),
            (one.0.clone(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::VIA, HeaderValue::try_from(&value).unwrap());
            assert_eq!(one.is_in(&headers), is_there, "{value}");
        }
    }
}
