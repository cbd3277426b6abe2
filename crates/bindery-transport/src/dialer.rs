//! How connections to other machines are opened, and to which addresses at all.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
};

use bindery_tls::BoxIo;
use tokio::net::{TcpStream, lookup_host};

use crate::{
    Network,
    cut::{Cut, Cuttable},
};

/// What a [`Dialer`] gives.
pub type DialFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// How connections to other machines are opened: [`SystemDialer`] unless told otherwise. Another one may ask a resolver of
/// its own, bind to an interface, or connect in memory.
///
/// The two steps are apart so that what lies between them, the choice of addresses ([`Reach`]), cannot be evaded: a
/// connection is opened to an address that was looked at, and no name is resolved twice. Time limits are the caller's.
pub trait Dialer: fmt::Debug + Send + Sync {
    /// The addresses of a host, which is a name or an address without brackets, best first.
    ///
    /// # Errors
    /// The name cannot be resolved.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a, Vec<SocketAddr>>;

    /// A connection to an address.
    ///
    /// # Errors
    /// There is none to be had.
    fn connect(&self, address: SocketAddr) -> DialFuture<'_, BoxIo>;

    /// The same, as a connection that ends by a reset where [`Cut`] says so when it ends. By default it is closed as any
    /// other.
    ///
    /// # Errors
    /// There is none to be had.
    fn connect_to_cut(&self, address: SocketAddr, cut: Cut) -> DialFuture<'_, BoxIo> {
        drop(cut);
        self.connect(address)
    }
}

/// The operating system's resolver, and TCP.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct SystemDialer;

impl Dialer for SystemDialer {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> DialFuture<'_, BoxIo> {
        self.connect_to_cut(address, Cut::default())
    }

    fn connect_to_cut(&self, address: SocketAddr, cut: Cut) -> DialFuture<'_, BoxIo> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Messages are written whole: there is nothing that waiting could join.
            let _ = stream.set_nodelay(true);
            Ok(Box::new(Cuttable::new(stream, cut)) as BoxIo)
        })
    }
}

/// To which addresses connections are opened, whatever name led to them.
///
/// Where somebody else says where to, as a proxy's client does, the addresses that only this machine reaches are the
/// danger: its loopback interface, its network, and the service at which a cloud's machines fetch their passwords
/// (169.254.169.254, fd00:ec2::254). [`Reach::public`] leaves them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    everywhere: bool,
    allowed: Vec<Network>,
}

impl Reach {
    /// Every address.
    pub const fn everywhere() -> Self {
        Self { everywhere: true, allowed: Vec::new() }
    }

    /// Addresses that belong to somebody on the internet. Not: unspecified, loopback, link-local, private, shared (RFC 6598),
    /// unique local and site-local ones, multicast and broadcast, those kept for tests, documentation and other protocols,
    /// and the address at which Azure's machines are served from inside (168.63.129.16). An address of IPv6 that leads to
    /// one of IPv4 (mapped, compatible, NAT64, 6to4, Teredo) is what it leads to.
    pub const fn public() -> Self {
        Self { everywhere: false, allowed: Vec::new() }
    }

    /// These as well.
    #[must_use]
    pub fn allow(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.allowed.extend(networks);
        self
    }

    /// Whether connections to an address are opened.
    pub fn leads_to(&self, address: IpAddr) -> bool {
        if self.everywhere {
            return true;
        }
        let leads = behind(address);
        is_public(leads)
            || self.allowed.iter().any(|one| one.contains(address) || one.contains(leads))
    }

    /// Whether a host that is an address is led to. A name's addresses are not known here.
    pub(crate) fn leads_to_host(&self, host: &str) -> bool {
        host.parse().map_or(true, |address| self.leads_to(address))
    }
}

impl Default for Reach {
    fn default() -> Self {
        Self::everywhere()
    }
}

/// The address that packets to an address come to in the end.
fn behind(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address.to_canonical() else { return address.to_canonical() };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match six.segments() {
        // IPv4-compatible (RFC 4291, section 2.5.5.1), but for :: and ::1.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) > (0, 1) => four(high, low),
        // IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0xFFFF, 0, high, low] => four(high, low),
        // NAT64 (RFC 6052, section 2.1).
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => four(high, low),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => four(high, low),
        // Teredo (RFC 4380): the client's address, turned over.
        [0x2001, 0, _, _, _, _, high, low] => four(!high, !low),
        _ => IpAddr::V6(six),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA IPv4 Special-Purpose Address Registry.
const fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network, with the unspecified address; loopback; private; link-local.
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [169, 254, ..] => true,
        // Shared; protocol assignments; documentation, three times; 6to4 relays; benchmarks.
        [100, 64..=127, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        // Azure's inside.
        [168, 63, 129, 16] => true,
        _ => false,
    };
    !special
}

/// What IANA gave out for use on the internet (2000::/3), without what is special there.
const fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments, benchmarks and ORCHID among them; documentation, twice; segment routing lies outside.
        [0x2001, 0..=0x1FF | 0xDB8, ..] | [0x3FFF, 0..=0xFFF, ..] => false,
        [first, ..] => first & 0xE000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(reach: &Reach, address: &str) -> bool {
        reach.leads_to(address.parse().unwrap())
    }

    #[test]
    fn what_only_this_machine_reaches_is_left_out() {
        let public = Reach::public();
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
        ] {
            assert!(!leads(&public, inside), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
        ] {
            assert!(leads(&public, outside), "{outside}");
        }
    }

    #[test]
    fn an_address_is_what_it_leads_to() {
        let public = Reach::public();
        for prefix in ["::ffff:", "::", "64:ff9b::", "::ffff:0:"] {
            assert!(!leads(&public, &format!("{prefix}169.254.169.254")), "{prefix}");
            assert!(leads(&public, &format!("{prefix}1.1.1.1")), "{prefix}");
        }
        assert!(!leads(&public, "2002:7f00:1::1") && leads(&public, "2002:101:101::1"));
        // Teredo to 127.0.0.1 and to 1.1.1.1.
        assert!(!leads(&public, "2001:0:1:1:1:1:80ff:fffe"));
        assert!(leads(&public, "2001:0:1:1:1:1:fefe:fefe"));
    }

    #[test]
    fn what_is_allowed_is_led_to() {
        let networks = ["10.1.0.0/16", "::1"].map(|text| text.parse::<Network>().unwrap());
        let reach = Reach::public().allow(networks);
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "::1", "1.1.1.1"] {
            assert!(leads(&reach, address), "{address}");
        }
        for address in ["10.2.0.1", "127.0.0.1", "::ffff:127.0.0.1"] {
            assert!(!leads(&reach, address), "{address}");
        }
        assert!(Reach::everywhere().leads_to("127.0.0.1".parse().unwrap()));
        assert!(reach.leads_to_host("a.name") && !reach.leads_to_host("127.0.0.1"));
    }
}
