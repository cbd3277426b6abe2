//! The PROXY protocol (HAProxy, versions 1 and 2): a balancer tells who its client is, before anything else.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use bindery_tls::BoxIo;
use bytes::BytesMut;
use ipnet::IpNet;
use ppp::{HeaderResult, v1, v2};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::{Limits, rewound::Rewound};

/// The longest head that is read: version 1 has at most 107 octets, version 2 some hundred with what balancers add.
const LONGEST: usize = 4096;

/// A network of balancers: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it. An IPv4 address that is written as an IPv6 one is the IPv4 one.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(address.into())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let one = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| one()).map(Self).map_err(|_| ParseNetworkError)
    }
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network; write an address (192.0.2.1) or a prefix (192.0.2.0/24, 2001:db8::/32)")]
pub struct ParseNetworkError;

/// Why a connection is closed before anything was read of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Stranger,
    Slow,
    Ended,
    Malformed,
}

impl Fault {
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Stranger => "its address is none of the balancers'",
            Self::Slow => "no PROXY head within the limit for a handshake",
            Self::Ended => "it ended before a PROXY head",
            Self::Malformed => {
                "it does not begin with a PROXY head; is the balancer set to send one?"
            }
        }
    }
}

/// Reads the head, and gives the stream behind it and whom it names; nobody where the balancer speaks for itself (a check
/// of its own, or a client whose address it does not know).
pub(super) async fn read(
    io: BoxIo,
    from: SocketAddr,
    balancers: &Arc<[Network]>,
    limits: &Limits,
) -> Result<(BoxIo, Option<SocketAddr>), Fault> {
    if !balancers.iter().any(|network| network.contains(from.ip())) {
        return Err(Fault::Stranger);
    }
    timeout(limits.handshake, head(io)).await.unwrap_or(Err(Fault::Slow))
}

async fn head(mut io: BoxIo) -> Result<(BoxIo, Option<SocketAddr>), Fault> {
    let mut read = BytesMut::with_capacity(256);
    loop {
        let octets = io.read_buf(&mut read).await.map_err(|_| Fault::Ended)?;
        if octets == 0 {
            return Err(Fault::Ended);
        }
        if let Some((length, client)) = parse(&read)? {
            let rest = read.split_off(length).freeze();
            return Ok((Rewound::boxed(rest, io), client));
        }
    }
}

/// How long the head is, once that can be told: a line (version 1), or what its length says (version 2).
fn length(read: &[u8]) -> Result<Option<usize>, Fault> {
    const LINE: &[u8] = b"PROXY ";
    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
    /// Version 1's longest line with its end.
    const LONGEST_LINE: usize = 107;
    let begins = |with: &[u8]| read.iter().zip(with).all(|(a, b)| a == b);
    if begins(LINE) {
        return match read.windows(2).take(LONGEST_LINE).position(|two| two == b"\r\n") {
            Some(end) => Ok(Some(end + 2)),
            None if read.len() > LONGEST_LINE => Err(Fault::Malformed),
            None => Ok(None),
        };
    }
    if !begins(SIGNATURE) {
        return Err(Fault::Malformed);
    }
    let &[_, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, ..] = read else { return Ok(None) };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST { Err(Fault::Malformed) } else { Ok(Some(length)) }
}

/// The head's length and whom it names, once it is whole.
fn parse(read: &[u8]) -> Result<Option<(usize, Option<SocketAddr>)>, Fault> {
    let Some(head) = length(read)?.and_then(|length| read.get(..length)) else { return Ok(None) };
    let length = head.len();
    let parsed = HeaderResult::parse(head);
    match parsed {
        HeaderResult::V1(Ok(head)) => {
            let client = match head.addresses {
                v1::Addresses::Tcp4(a) => Some(SocketAddr::from((a.source_address, a.source_port))),
                v1::Addresses::Tcp6(a) => Some(SocketAddr::from((a.source_address, a.source_port))),
                v1::Addresses::Unknown => None,
            };
            Ok(Some((length, client)))
        }
        HeaderResult::V2(Ok(head)) => {
            let client = match head.addresses {
                _ if head.command == v2::Command::Local => None,
                v2::Addresses::IPv4(a) => Some(SocketAddr::from((a.source_address, a.source_port))),
                v2::Addresses::IPv6(a) => Some(SocketAddr::from((a.source_address, a.source_port))),
                v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
            };
            Ok(Some((length, client)))
        }
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(Fault::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, addresses: &[u8], more: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len() + more.len()).unwrap().to_be_bytes();
        let signature = b"\r\n\r\n\0\r\nQUIT\n";
        [signature, &[0x20 | command, family][..], &length, addresses, more].concat()
    }

    #[test]
    fn heads_of_both_versions_are_read() {
        let four = [192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x34, 0, 80];
        let named = Some("192.0.2.7:4660".parse().unwrap());
        for (head, client) in [
            (b"PROXY TCP4 192.0.2.7 127.0.0.1 4660 80\r\n".to_vec(), named),
            (
                b"PROXY TCP6 2001:db8::7 ::1 4660 80\r\n".to_vec(),
                Some("[2001:db8::7]:4660".parse().unwrap()),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ff:ff:: 1 2 3\r\n".to_vec(), None),
            (v2(1, 0x11, &four, b""), named),
            // With what balancers add (NOOP, 3 octets).
            (v2(1, 0x11, &four, b"\x04\0\x03abc"), named),
            (v2(0, 0, b"", b""), None),
            (v2(0, 0x11, &four, b""), None),
            (v2(1, 0, b"", b""), None),
        ] {
            let shown = head.escape_ascii().to_string();
            let whole = [&head[..], b"\x16\x03\x01 more"].concat();
            assert_eq!(parse(&whole), Ok(Some((head.len(), client))), "{shown}");
            for end in 0..head.len() {
                assert_eq!(parse(&head[..end]), Ok(None), "{shown} at {end}");
            }
        }
    }

    #[test]
    fn what_is_no_head_is_told_at_once() {
        let four = [192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x34, 0, 80];
        let mut third = v2(1, 0x11, &four, b"");
        third[12] = 0x31;
        for head in [
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"PROXY TCP4 192.0.2.7 127.0.0.1 99999 80\r\n".to_vec(),
            b"PROXY TCP5 192.0.2.7 127.0.0.1 4660 80\r\n".to_vec(),
            [&b"PROXY TCP4 "[..], &[b'1'; 5000]].concat(),
            v2(1, 0x11, &four[..8], b""),
            third,
        ] {
            let shown = head.escape_ascii().to_string();
            assert_eq!(parse(&head), Err(Fault::Malformed), "{shown}");
        }
    }

    #[test]
    fn networks() {
        let network: Network = "192.0.2.0/24".parse().unwrap();
        assert!(network.contains("192.0.2.255".parse().unwrap()));
        assert!(network.contains("::ffff:192.0.2.255".parse().unwrap()));
        assert!(!network.contains("192.0.3.0".parse().unwrap()));
        let one: Network = "2001:db8::1".parse().unwrap();
        assert!(one.contains("2001:db8::1".parse().unwrap()));
        assert!(!one.contains("2001:db8::2".parse().unwrap()));
        for wrong in ["", "192.0.2", "192.0.2.0/33", "name", "192.0.2.1:80"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
