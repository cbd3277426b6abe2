//! Targets that no proxy leads to.

use std::net::IpAddr;

/// Targets that are reached without a proxy, as the variable `no_proxy` lists them, with commas or blanks between: a name
/// (`example.com`, also for the names below it; a dot before it changes nothing), an address (`10.0.0.1`, `::1`), a network
/// (`10.0.0.0/8`), each with a port behind it (`example.com:8443`) or without; or `*` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<Exception>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    All,
    /// In small letters, without a dot before it.
    Name(String),
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Reads a list. What cannot be read excepts nothing.
    pub fn new(list: &str) -> Self {
        let members = list.split([',', ' ', '\t']).filter(|member| !member.is_empty());
        Self(members.filter_map(Exception::new).collect())
    }

    /// Whether a host, without brackets, is reached without a proxy at a port.
    pub fn has(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|one| one.port.is_none_or(|one| one == port) && one.host.is(host))
    }
}

impl Exception {
    fn new(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { host: Host::All, port: None });
        }
        if let Some(network) = Host::network(text) {
            return Some(Self { host: network, port: None });
        }
        // An address of IPv6 with a port stands in brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare == "*" {
            return Some(Self { host: Host::All, port });
        }
        let host = Host::network(bare).or_else(|| {
            let name = bare.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
            let name = name.to_ascii_lowercase();
            (!name.is_empty()).then_some(Host::Name(name))
        })?;
        Some(Self { host, port })
    }
}

impl Host {
    fn network(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, bits.parse().ok()?),
            None => {
                let bare = text.trim_start_matches('[').trim_end_matches(']');
                let address: IpAddr = bare.parse().ok()?;
                (address, width(address))
            }
        };
        (bits <= width(address)).then_some(Self::Network(address, bits))
    }

    fn is(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Name(name) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                host.strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network(network, bits) => {
                let address = host.parse().map(|address: IpAddr| address.to_canonical());
                address.is_ok_and(|address| same_start(*network, address, *bits))
            }
        }
    }
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn same_start(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let number = |address| match address {
        // At the upper end, so that both kinds are shifted alike.
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let different = number(one) ^ number(other);
    one.is_ipv4() == other.is_ipv4() && different.leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let list = NoProxy::new(
            "Example.com, .net.test *.wild.test,10.0.0.0/8 [::1]:80,fe80::/10,192.0.2.7,a.test:8443,dot.test.,*:9443,,:,x:y",
        );
        for (host, port) in [
            ("example.com", 1),
            ("EXAMPLE.com.", 1),
            ("a.b.example.com", 1),
            ("net.test", 1),
            ("x.net.test", 1),
            ("x.wild.test", 1),
            ("10.255.0.1", 1),
            ("::1", 80),
            ("fe80::9", 1),
            ("192.0.2.7", 1),
            ("a.test", 8443),
            ("::ffff:10.0.0.1", 1),
            ("dot.test", 1),
            ("anything", 9443),
        ] {
            assert!(list.has(host, port), "{host} {port}");
        }
        for (host, port) in [
            ("notexample.com", 1),
            ("example.com.org", 1),
            ("11.0.0.1", 1),
            ("::1", 81),
            ("a.test", 443),
            ("192.0.2.8", 1),
            ("fec0::1", 1),
            ("", 1),
        ] {
            assert!(!list.has(host, port), "{host} {port}");
        }
        assert!(NoProxy::new("*").has("anything", 1));
        assert!(
            NoProxy::new("0.0.0.0/0").has("1.2.3.4", 1) && !NoProxy::new("0.0.0.0/0").has("::1", 1)
        );
        assert!(
            !NoProxy::new("10.0.0.0/33").has("10.0.0.0", 1),
            "what cannot be read excepts nothing"
        );
    }
}
