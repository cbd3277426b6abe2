//! A client that sends what it is told, octet by octet, and reads what comes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bindery_tls::{BoxIo, Connector, TlsError};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything in a test should take, on a machine with other things to do.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub struct Raw {
    io: BoxIo,
    local: SocketAddr,
    read: Vec<u8>,
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Raw {
    /// A connection in clear.
    pub async fn clear(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
        let stream = stream.expect("a connection in time").expect("a connection");
        stream.set_nodelay(true).unwrap();
        let local = stream.local_addr().unwrap();
        Self { io: Box::new(stream), local, read: Vec::new() }
    }

    /// A connection secured by TLS.
    ///
    /// # Errors
    /// The handshake failed. In TLS 1.3 a server that does not like the client's certificate says so only
    /// afterwards: the first read fails.
    pub async fn tls(
        address: SocketAddr,
        connector: &Arc<dyn Connector>,
    ) -> Result<Self, TlsError> {
        let Self { io, local, .. } = Self::clear(address).await;
        let name = ServerName::try_from("localhost").unwrap();
        let secured = timeout(PATIENCE, connector.connect(name, io)).await;
        let secured = secured.expect("a handshake in time")?;
        Ok(Self { io: secured.io, local, read: Vec::new() })
    }

    /// This side's address, by which the server's log knows the connection.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends octets.
    pub async fn send(&mut self, octets: impl AsRef<[u8]>) {
        assert!(self.try_send(octets).await, "the server takes what is sent");
    }

    /// Sends octets; false if the server does not take them all.
    pub async fn try_send(&mut self, octets: impl AsRef<[u8]>) -> bool {
        let sending = async {
            self.io.write_all(octets.as_ref()).await?;
            self.io.flush().await
        };
        timeout(PATIENCE, sending).await.expect("sent in time").is_ok()
    }

    /// The next message on a stream without HTTP: as long as its first 8 octets say; `None` at the end.
    pub async fn message(&mut self) -> Option<Vec<u8>> {
        while self.read.len() < 8 {
            if !self.more().await.unwrap_or(false) {
                assert_eq!(self.read.escape_ascii().to_string(), "", "half a head");
                return None;
            }
        }
        let length = u32::from_be_bytes(self.read[4..8].try_into().unwrap());
        let end = 8 + usize::try_from(length).unwrap();
        while self.read.len() < end {
            assert!(self.more().await.unwrap_or(false), "half a message");
        }
        let rest = self.read.split_off(end);
        Some(std::mem::replace(&mut self.read, rest))
    }

    /// Says that nothing more comes.
    pub async fn finish(&mut self) {
        // A server that has closed already is told nothing.
        let _ = timeout(PATIENCE, self.io.shutdown()).await.expect("shut down in time");
    }

    /// Posts a body as a good client does, and reads the answer.
    pub async fn post(&mut self, body: impl AsRef<[u8]>) -> Answer {
        self.send(Post::new(body).octets()).await;
        self.answer().await
    }

    /// The next answer.
    pub async fn answer(&mut self) -> Answer {
        self.maybe_answer().await.expect("an answer before the end")
    }

    /// The next answer; `None` if the connection ends, or breaks, before its first octet.
    pub async fn maybe_answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await.unwrap_or(false) {
                assert_eq!(self.read.escape_ascii().to_string(), "", "half an answer");
                return None;
            }
        };
        let rest = self.read.split_off(end);
        let head = std::mem::replace(&mut self.read, rest);
        let mut answer = Answer::from_head(&head);
        if answer.status < 200 {
            return Some(answer);
        }
        if answer.field("transfer-encoding").is_some() {
            answer.body = self.chunks().await;
            return Some(answer);
        }
        let length = answer.field("content-length").map(|length| length.parse().unwrap());
        while length.is_none_or(|length: usize| self.read.len() < length) {
            if !self.more().await.expect("an end in order") {
                assert_eq!(length, None, "half a body");
                break;
            }
        }
        let rest = self.read.split_off(length.unwrap_or(self.read.len()));
        answer.body = std::mem::replace(&mut self.read, rest);
        Some(answer)
    }

    /// A body in chunks.
    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await;
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk's size");
            while self.read.len() < size + 2 {
                assert!(self.more().await.expect("an end in order"), "half a chunk");
            }
            let rest = self.read.split_off(size + 2);
            body.extend_from_slice(&self.read[..size]);
            self.read = rest;
            if size == 0 {
                return body;
            }
        }
    }

    /// A line with its end.
    async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(2).position(|two| two == b"\r\n") {
                let rest = self.read.split_off(at + 2);
                let line = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(line).expect("a line of text");
            }
            assert!(self.more().await.expect("an end in order"), "half a line");
        }
    }

    /// What comes up to the end of a head, and whether there is one.
    pub async fn rest_until_head(&mut self) -> (Vec<u8>, bool) {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.read.split_off(at + 4);
                return (std::mem::replace(&mut self.read, rest), true);
            }
            if !self.more().await.unwrap_or(false) {
                return (std::mem::take(&mut self.read), false);
            }
        }
    }

    /// What comes until the connection ends, and whether it ended in order: over TLS with a closure alert.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let in_order = loop {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => break true,
                Err(_) => break false,
            }
        };
        (std::mem::take(&mut self.read), in_order)
    }

    /// Whether the server ends the connection, without another octet.
    pub async fn is_ended(&mut self) -> bool {
        self.rest().await.0.is_empty()
    }

    async fn more(&mut self) -> std::io::Result<bool> {
        let octets = timeout(PATIENCE, self.io.read_buf(&mut self.read)).await;
        octets.expect("the server sends something or closes").map(|octets| octets > 0)
    }
}

/// A response, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The fields in their order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    fn from_head(head: &[u8]) -> Self {
        let head = std::str::from_utf8(head).expect("a head of text");
        let mut lines = head.trim_end().split("\r\n");
        let (version, status) = lines.next().unwrap().split_once(' ').expect("a status line");
        let status = status[..3].parse().expect("a status code");
        let fields = fields(lines);
        Self { version: version.to_owned(), status, fields, body: Vec::new() }
    }

    /// The value of a field that may stand there once.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// The words of a field whose value is a list, in lower case: `no-cache` and `no-store`.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        let value = self.field(name).unwrap_or_default().to_ascii_lowercase();
        value
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// The one KMIP message that a 200 carries.
    #[must_use]
    pub fn kmip(&self) -> crate::wire::Item {
        assert_eq!(self.status, 200, "{self:?}");
        crate::wire::response_message(&self.body)
    }

    /// Result Status and Result Reason of the only item of the KMIP message.
    #[must_use]
    pub fn result(&self) -> (i64, Option<i64>) {
        let message = self.kmip();
        let item = message.at(&[0x0f]);
        (item.at(&[0x7f]).number(), item.get(&[0x7e]).map(crate::wire::Item::number))
    }
}

/// The fields of a head's lines, names in lower case.
pub(crate) fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    lines.filter(|line| !line.is_empty()).map(pair).collect()
}

/// The value of a field that may stand there once.
pub(crate) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = fields.iter().filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.as_str());
    assert!(values.next().is_none(), "{name} stands there more than once");
    value
}

/// A request that a test bends: at first a good POST of a body to `/kmip`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Post {
    line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Post {
    /// A good POST in HTTP/1.1.
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        Self { line: "POST /kmip HTTP/1.1".to_owned(), fields: Vec::new(), body: Vec::new() }
            .with("Host", "localhost")
            .with("Content-Type", "application/octet-stream")
            .with("Content-Length", &body.len().to_string())
            .body(body)
    }

    /// The same with another request line.
    pub fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    /// The same in HTTP/1.0, without Host.
    pub fn http_1_0(self) -> Self {
        self.line("POST /kmip HTTP/1.0").without("Host")
    }

    /// The same with another body, and the fields as they are.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same without a field.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    /// The same with one more field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with another value of a field.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// The same in chunks of so many octets, in place of a length.
    pub fn chunked(self, size: usize) -> Self {
        let chunk =
            |chunk: &[u8]| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        let mut body: Vec<u8> = self.body.chunks(size).flat_map(chunk).collect();
        body.extend(b"0\r\n\r\n");
        self.set("Transfer-Encoding", "chunked").without("Content-Length").body(body)
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let field = |(name, value): &(String, String)| format!("{name}: {value}\r\n");
        let fields: String = self.fields.iter().map(field).collect();
        format!("{}\r\n{fields}\r\n", self.line).into_bytes()
    }

    /// Head and body.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}
