//! The grammar of `Host` and of a target's authority (RFC 3986, section 3.2; RFC 9112,
//! section 3.2).

use std::net::Ipv6Addr;

/// The longest authority that is taken, in octets: a DNS name has 253, a port 6.
const MAX: usize = 512;

/// What is wrong with `host [ ":" port ]`, if anything. User information is not taken: HTTP has
/// it nowhere (RFC 9110, section 4.2.4).
pub(crate) fn fault(text: &[u8]) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > MAX {
        return Some("it is longer than 512 octets");
    }
    let Ok(text) = std::str::from_utf8(text) else { return Some("it is not ASCII") };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, rest)) => {
                if address.parse::<Ipv6Addr>().is_err() {
                    return Some("what stands in brackets is no IPv6 address");
                }
                match rest.strip_prefix(':') {
                    Some(port) => (None, port),
                    None if rest.is_empty() => (None, ""),
                    None => return Some("something follows the bracket"),
                }
            }
            None => return Some("the bracket is not closed"),
        },
        None => {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            (Some(host), port)
        }
    };
    match host {
        Some("") => Some("the host's name is empty"),
        Some(host) if !is_name(host) => Some("it holds octets that no host name has"),
        _ if !is_port(port) => Some("the port is no number up to 65535"),
        _ => None,
    }
}

fn is_port(port: &str) -> bool {
    port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// `reg-name`: unreserved, percent-encoded, sub-delims.
fn is_name(host: &str) -> bool {
    let mut octets = host.bytes();
    while let Some(octet) = octets.next() {
        let taken = match octet {
            b'%' => {
                let two = (octets.next(), octets.next());
                matches!(two, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            _ => octet.is_ascii_alphanumeric() || is_mark(octet),
        };
        if !taken {
            return false;
        }
    }
    true
}

/// What `unreserved` and `sub-delims` hold besides letters and digits.
const fn is_mark(octet: u8) -> bool {
    matches!(
        octet,
        b'-' | b'.'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for good in
            ["a", "a.example", "a:1", "a:", "127.0.0.1:5696", "[::1]", "[::1]:443", "a%20b", "a_b"]
        {
            assert_eq!(fault(good.as_bytes()), None, "{good}");
        }
        for bad in [
            "", ":80", "a b", "a/", "a b/", "a:b", "a:65536", "a:1:2", "user@a", "[::1", "[a]",
            "[::1]x", "[::1]:x", "a%2", "a%zz", "a,b:c", "http://a", "ä", "a?b", "a#b", "a\\b",
        ] {
            assert!(fault(bad.as_bytes()).is_some(), "{bad}");
        }
        assert!(fault(&[b'a'; MAX]).is_none());
        assert!(fault(&[b'a'; MAX + 1]).is_some());
        assert!(fault(b"a\xff").is_some());
    }
}
