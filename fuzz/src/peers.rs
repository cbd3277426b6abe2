//! Peers of a client, or of a proxy, in memory: they answer by a script and remember what they were told.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use bindery_transport::{DialFuture, Dialer};
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

use crate::wire::{HELLO, PIPE, as_sent, masked, read, write};

/// What one connection has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// In clear, before a handshake.
    pub(crate) clear: Vec<u8>,
    /// Within "TLS".
    pub(crate) secured: Vec<u8>,
    /// What had been answered when the handshake began.
    pub(crate) before: Option<Vec<u8>>,
    /// What was answered in clear.
    pub(crate) answered: Vec<u8>,
}

/// The machines that there are, and their scripts.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The answers that are left, over all connections.
    script: Mutex<VecDeque<Vec<u8>>>,
    heard: Mutex<Vec<Heard>>,
    opened: Mutex<Vec<SocketAddr>>,
}

impl Peers {
    pub(crate) fn new(answers: Vec<&[u8]>) -> Arc<Self> {
        let script = answers.into_iter().map(<[u8]>::to_vec).collect();
        Arc::new(Self {
            script: Mutex::new(script),
            heard: Mutex::default(),
            opened: Mutex::default(),
        })
    }

    /// Each connection, in the order in which they were opened.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }

    pub(crate) fn opened(&self) -> Vec<SocketAddr> {
        self.opened.lock().expect("no panic").clone()
    }

    /// Listens, answers, and listens again, until the script ends or the other side does.
    async fn answer(self: Arc<Self>, mut io: DuplexStream, index: usize) {
        let mut heard = Heard::default();
        loop {
            let mut said = Vec::new();
            let ended = read(&mut io, &mut said).await;
            heard.hear(&said);
            if let Some(place) = self.heard.lock().expect("no panic").get_mut(index) {
                place.clone_from(&heard);
            }
            let next = self.script.lock().expect("no panic").pop_front();
            let (Some(piece), false) = (next, ended) else { break };
            let secured = heard.before.is_some();
            let piece = as_sent(&piece, secured);
            if !secured {
                heard.answered.extend_from_slice(&piece);
            }
            write(&mut io, &piece).await;
        }
        let _ = io.shutdown().await;
    }
}

impl Heard {
    fn hear(&mut self, said: &[u8]) {
        if self.before.is_some() {
            return self.secured.extend(masked(said));
        }
        // What is sent in clear here is HTTP, and holds no such octet.
        match said.iter().position(|octet| *octet == HELLO) {
            Some(at) => {
                self.clear.extend_from_slice(&said[..at]);
                self.before = Some(self.answered.clone());
                self.secured.extend(masked(&said[at + 1..]));
            }
            None => self.clear.extend_from_slice(said),
        }
    }
}

/// A local handle on [`Peers`], which a client takes.
#[derive(Clone, Debug)]
pub(crate) struct Lines(pub(crate) Arc<Peers>);

impl Dialer for Lines {
    /// A name's first letter says which addresses it has.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> DialFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move {
            let addresses: &[&str] = match host.bytes().next() {
                _ if host.parse::<IpAddr>().is_ok() => &[host],
                Some(b'l') => &["127.0.0.1", "::1"],
                Some(b'm') => &["::ffff:169.254.169.254", "fd00:ec2::254", "::"],
                Some(b'p') => &["10.0.0.1", "192.168.0.1", "93.184.216.34", "fe80::1"],
                Some(b'e') => &[],
                Some(b'n') => return Err(io::ErrorKind::NotFound.into()),
                _ => &["93.184.216.34", "2606:2800:220:1::1"],
            };
            let addresses = addresses.iter().filter_map(|one| one.parse::<IpAddr>().ok());
            Ok(addresses.map(|one| SocketAddr::new(one, port)).collect())
        })
    }

    fn connect(&self, address: SocketAddr) -> DialFuture<'_, bindery_tls::BoxIo> {
        Box::pin(async move {
            let mut opened = self.0.opened.lock().expect("no panic");
            let index = opened.len();
            opened.push(address);
            assert!(index < 64, "it tries again and again");
            self.0.heard.lock().expect("no panic").push(Heard::default());
            let (near, far) = duplex(PIPE);
            tokio::spawn(Arc::clone(&self.0).answer(far, index));
            Ok(Box::new(near) as bindery_tls::BoxIo)
        })
    }
}

/// Addresses that only this machine's network reaches: what the standard library and the clouds' documents call so.
pub(crate) fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            four.is_loopback()
                || four.is_private()
                || four.is_link_local()
                || four.is_unspecified()
                || four.is_broadcast()
                || four.is_multicast()
        }
        IpAddr::V6(six) => {
            six.is_loopback()
                || six.is_unspecified()
                || six.is_multicast()
                || six.is_unique_local()
                || six.is_unicast_link_local()
        }
    }
}
