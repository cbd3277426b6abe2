//! The fields that say what a connection can become: `Connection` and `Upgrade` (RFC 9110, sections 7.6.1 and 7.8), as
//! far as TLS is concerned.

use http::{HeaderMap, HeaderName, header};

/// The members of a field that is a list.
pub(crate) fn members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|member| member.trim_matches([' ', '\t']))
        .filter(|member| !member.is_empty())
}

/// Whether `Connection` lists a token.
pub(crate) fn connection_lists(headers: &HeaderMap, token: &str) -> bool {
    members(headers, &header::CONNECTION).any(|member| member.eq_ignore_ascii_case(token))
}

/// The minor versions of `TLS/1.x` that `Upgrade` names. Without the token `upgrade` in `Connection` they say nothing:
/// then they are somebody else's, on another connection.
pub(crate) fn tls_minors(headers: &HeaderMap) -> impl Iterator<Item = u8> {
    let listed = connection_lists(headers, "upgrade");
    members(headers, &header::UPGRADE).filter(move |_| listed).filter_map(tls_minor)
}

/// The minor version of `TLS/1.x`; `None` for any other protocol.
fn tls_minor(member: &str) -> Option<u8> {
    let (name, version) = member.split_once('/')?;
    let minor = version.strip_prefix("1.")?;
    let canonical = minor == "0" || !minor.starts_with('0');
    let digits = canonical && minor.bytes().all(|octet| octet.is_ascii_digit());
    if name.eq_ignore_ascii_case("TLS") && digits { minor.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn minors(connection: &str, upgrade: &[&str]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_str(connection).unwrap());
        for line in upgrade {
            headers.append(header::UPGRADE, HeaderValue::from_str(line).unwrap());
        }
        tls_minors(&headers).collect()
    }

    #[test]
    fn offers() {
        assert_eq!(minors("Upgrade", &["TLS/1.2,TLS/1.1,TLS/1.0"]), [2, 1, 0]);
        assert_eq!(minors("keep-alive,\t upgrade ", &["HTTP/2.0, tls/1.3", "TLS/1.0"]), [3, 0]);
        assert!(minors("keep-alive", &["TLS/1.2"]).is_empty(), "not for this hop");
        for other in [
            "websocket",
            "TLS",
            "TLS/2.0",
            "TLS/1",
            "TLS/1.",
            "TLS/1.02",
            "TLS/1.2x",
            "TLS/1.999",
            "xTLS/1.2",
            ",",
            "",
        ] {
            assert!(minors("upgrade", &[other]).is_empty(), "{other}");
        }
    }
}
