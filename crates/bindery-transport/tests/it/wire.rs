//! A client that speaks octets, in clear and then within TLS on the same connection.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bindery_core::TlsInfo;
use bindery_tls::{BoxIo, Connector};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{PATIENCE, SHORT};

pub(crate) struct Wire {
    io: BoxIo,
    read: Vec<u8>,
}

/// A response: its status line and fields as they stand there, and its body.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Told {
    pub(crate) fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    /// The values of a field, joined.
    pub(crate) fn field(&self, name: &str) -> String {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value).collect::<Vec<_>>().join(", ")
    }
}

impl Wire {
    pub(crate) fn new(io: BoxIo) -> Self {
        Self { io, read: Vec::new() }
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Self::new(Box::new(stream))
    }

    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.io.write_all(octets.as_ref()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Sends as much as somebody reads; false where nobody does.
    pub(crate) async fn try_send(&mut self, octets: impl AsRef<[u8]>) -> bool {
        let sending = self.io.write_all(octets.as_ref());
        timeout(Duration::from_secs(2), sending).await.is_ok_and(|sent| sent.is_ok())
    }

    async fn more(&mut self) -> bool {
        let octets = timeout(PATIENCE, self.io.read_buf(&mut self.read)).await;
        octets.expect("something, or the end").is_ok_and(|octets| octets > 0)
    }

    /// Reads a head.
    pub(crate) async fn head(&mut self) -> String {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more().await, "ended after {:?}", self.read.escape_ascii().to_string());
        };
        let rest = self.read.split_off(end);
        String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap()
    }

    /// Reads so many octets.
    pub(crate) async fn octets(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.more().await, "ended too early");
        }
        let rest = self.read.split_off(count);
        std::mem::replace(&mut self.read, rest)
    }

    pub(crate) async fn answer(&mut self) -> Told {
        let mut told = Told { head: self.head().await, body: String::new() };
        if let Ok(length) = told.field("content-length").parse() {
            told.body = String::from_utf8(self.octets(length).await).unwrap();
        }
        told
    }

    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Told {
        self.send(request).await;
        self.answer().await
    }

    /// Whether nothing more comes for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        self.read.is_empty() && timeout(SHORT, self.io.read_u8()).await.is_err()
    }

    /// Everything up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    /// Goes on within TLS.
    pub(crate) async fn tls(
        self,
        connector: &Arc<dyn Connector>,
        name: &str,
    ) -> (Self, Arc<TlsInfo>) {
        assert!(self.read.is_empty(), "nothing comes before the handshake");
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let secured = timeout(PATIENCE, connector.connect(name, self.io)).await.unwrap().unwrap();
        (Self::new(secured.io), secured.info)
    }

    /// The bare stream; nothing of it was read ahead.
    pub(crate) fn into_io(self) -> BoxIo {
        assert!(self.read.is_empty());
        self.io
    }
}
