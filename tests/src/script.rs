//! A server that answers what it is told, and keeps every request as it came.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bindery_tls::Acceptor;
use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    raw::{field, fields},
    wire,
};

/// A request as it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The number of the connection, from 0 on.
    pub connection: usize,
    /// The request line.
    pub line: String,
    /// The fields in their order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, as its Content-Length delimits it.
    pub body: Vec<u8>,
    /// The certificate that the client showed.
    pub certificate: Option<CertificateDer<'static>>,
}

impl Recorded {
    /// The value of a field that may stand there once.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// The one request message that the body is.
    #[must_use]
    pub fn kmip(&self) -> wire::Item {
        wire::message(&self.body, wire::REQUEST_MESSAGE).unwrap_or_else(|fault| panic!("{fault}"))
    }
}

/// What is sent for a request, and whether the connection is closed then.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Say {
    octets: Vec<u8>,
    close: bool,
}

impl Say {
    /// These octets.
    #[must_use]
    pub fn octets(octets: impl Into<Vec<u8>>) -> Self {
        Self { octets: octets.into(), close: false }
    }

    /// A body behind a head that ends with an empty line.
    #[must_use]
    pub fn message(head: &str, body: &[u8]) -> Self {
        Self::octets([head.as_bytes(), body].concat())
    }

    /// A response with status 200 as the profile has it.
    #[must_use]
    pub fn ok(body: &[u8]) -> Self {
        Self::with("", body)
    }

    /// The same with more fields, each with its line end.
    #[must_use]
    pub fn with(fields: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\
             Cache-Control: no-cache\r\n{fields}Content-Length: {length}\r\n\r\n"
        );
        Self::message(&head, body)
    }

    /// The same, and then the connection is closed.
    #[must_use]
    pub const fn and_close(mut self) -> Self {
        self.close = true;
        self
    }
}

/// The answer to a request: made from it and from its place in the connection, from 0 on.
type Answers = dyn Fn(&Recorded, usize) -> Say + Send + Sync;

/// A scripted server.
pub struct Script {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Recorded>>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    /// A server over TLS that answers so.
    pub async fn start(
        acceptor: Arc<dyn Acceptor>,
        answers: impl Fn(&Recorded, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, answers): (_, Arc<Answers>) = (Arc::clone(&requests), Arc::new(answers));
        let task = tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let play = play(
                    stream,
                    connection,
                    Arc::clone(&acceptor),
                    Arc::clone(&answers),
                    Arc::clone(&kept),
                );
                tokio::spawn(play);
            }
        });
        Self { address, requests, task }
    }

    /// The URL of the service.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}/kmip", self.address)
    }

    /// What came so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn play(
    stream: TcpStream,
    connection: usize,
    acceptor: Arc<dyn Acceptor>,
    answers: Arc<Answers>,
    kept: Arc<Mutex<Vec<Recorded>>>,
) {
    // A handshake that fails, and a client that goes away, show in what the client is told.
    let Ok(mut secured) = acceptor.accept(Box::new(stream)).await else { return };
    let certificate = secured.peer_certificates.first().cloned();
    let mut read = Vec::new();
    for place in 0.. {
        let recorded = loop {
            if let Some(recorded) = whole(&mut read, connection, certificate.as_ref()) {
                break recorded;
            }
            if !matches!(secured.io.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(recorded.clone());
        let Say { octets, close } = answers(&recorded, place);
        if secured.io.write_all(&octets).await.is_err() || secured.io.flush().await.is_err() {
            return;
        }
        if close {
            // The client may have closed first.
            let _ = secured.io.shutdown().await;
            return;
        }
    }
}

/// Takes a request off what was read, if all of it is there. The framing is what HTTP/1.0 has: a length or nothing.
fn whole(
    read: &mut Vec<u8>,
    connection: usize,
    certificate: Option<&CertificateDer<'static>>,
) -> Option<Recorded> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let fields = fields(lines);
    let length: usize =
        field(&fields, "content-length").map_or(0, |length| length.parse().unwrap());
    if read.len() < end + length {
        return None;
    }
    let rest = read.split_off(end + length);
    let body = std::mem::replace(read, rest).split_off(end);
    Some(Recorded { connection, line, fields, body, certificate: certificate.cloned() })
}
