//! An endpoint that echoes, a server around it, and a client that speaks octets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bindery_core::{
    Body, Bound, ContentCoding, Context, Decoded, Endpoint, Handler, MediaType, Profile, Refusal,
    Scheme, ServerBinding, Timestamp,
};
use bindery_transport::{Clock, Counters, Limits, Listener, Router, Server, Stopped};
use bytes::Bytes;
use http::{Request, Response, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::mutation::mutated;

/// Longer than anything here should take, on a machine with other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// A short limit for a test that waits until it passes.
pub(crate) const SHORT: Duration = Duration::from_millis(250);

pub(crate) const OCTETS: &str = "application/octet-stream";

/// A binding whose message is the body.
#[derive(Debug)]
pub(crate) struct Echo(Profile);

impl Echo {
    pub(crate) fn profile() -> Profile {
        let mut profile = Profile::new("echo");
        profile.schemes = vec![Scheme::Http, Scheme::Https];
        profile.request_media_types = vec![MediaType::from_static(OCTETS)];
        profile.response_media_types = vec![MediaType::from_static(OCTETS)];
        profile.request_body_limit = 64 << 10;
        profile
    }

    pub(crate) fn endpoint(service: &Arc<Service>) -> Arc<dyn Endpoint> {
        Arc::new(Bound::new(Self::new(Self::profile()), Arc::clone(service)))
    }

    /// The binding of a card, one of whose rules a mutation may switch off.
    pub(crate) fn new(profile: Profile) -> Self {
        Self(mutated(profile))
    }

    pub(crate) fn coded() -> Profile {
        let mut profile = Self::profile();
        profile.request_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        profile.response_codings = vec![ContentCoding::Gzip, ContentCoding::Deflate];
        profile
    }
}

impl ServerBinding for Echo {
    type Request = Bytes;
    type Response = Bytes;
    type Reply = ();

    fn profile(&self) -> &Profile {
        &self.0
    }

    /// What is for a proxy on the way has no business here.
    fn decode_request(&self, _: &Context, request: Request<Body>) -> Decoded<Bytes, ()> {
        let name = header::PROXY_AUTHORIZATION;
        if request.headers().contains_key(&name) {
            return Err(Refusal::ForbiddenHeader { name }.into());
        }
        Ok((request.into_body().into_bytes().expect("the body is whole"), ()))
    }

    fn encode_response(&self, cx: &Context, (): (), message: Bytes) -> Response<Body> {
        let principal = cx.principal.as_ref().map_or("nobody", |principal| principal.as_str());
        Response::builder()
            .header(header::CONTENT_TYPE, OCTETS)
            .header("x-principal", principal)
            .header("x-now", cx.now.unix_seconds())
            .header(
                "x-tls",
                cx.channel.tls().map_or_else(|| "none".into(), |tls| tls.version.to_string()),
            )
            .body(message.into())
            .expect("the parts are fit")
    }
}

/// Answers with the message, unless the message tells otherwise.
#[derive(Debug, Default)]
pub(crate) struct Service {
    /// Messages that were handled.
    pub(crate) handled: AtomicUsize,
    /// Messages whose handling was cancelled.
    pub(crate) cancelled: AtomicUsize,
    /// Told when a message `hold` or `stuck` has arrived.
    pub(crate) arrived: Notify,
    /// Lets a message `hold` go on.
    pub(crate) release: Notify,
}

struct Unfinished<'a>(&'a Service, bool);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.cancelled.fetch_add(1, SeqCst);
            self.0.arrived.notify_one();
        }
    }
}

impl Handler<Bytes> for Service {
    type Response = Bytes;

    async fn handle(&self, _: &Context, message: Bytes) -> Bytes {
        let mut unfinished = Unfinished(self, true);
        self.handled.fetch_add(1, SeqCst);
        match &*message {
            b"panic" => {
                unfinished.1 = false;
                panic!("told to")
            }
            b"stuck" => {
                self.arrived.notify_one();
                std::future::pending::<()>().await;
            }
            b"hold" => {
                self.arrived.notify_one();
                self.release.notified().await;
            }
            _ => {}
        }
        unfinished.1 = false;
        match message.strip_prefix(b"big ") {
            Some(size) => {
                let size: usize = std::str::from_utf8(size).unwrap().parse().unwrap();
                vec![b'x'; size].into()
            }
            None => message,
        }
    }
}

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Stopped2026;

impl Clock for Stopped2026 {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_795_000_000)
    }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) service: Arc<Service>,
    pub(crate) counters: Arc<Counters>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Stopped>,
}

impl Running {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::with_profile(limits, Echo::profile()).await
    }

    pub(crate) async fn with_profile(limits: Limits, profile: Profile) -> Self {
        let listener = Listener::clear("127.0.0.1:0".parse().unwrap());
        let service = Arc::new(Service::default());
        let endpoint = Arc::new(Bound::new(Echo::new(profile), Arc::clone(&service)));
        let router = Router::new().mount("/echo", endpoint).unwrap();
        let server = Server::builder()
            .listen(listener)
            .router(router)
            .limits(limits)
            .clock(Arc::new(Stopped2026))
            .bind()
            .await
            .unwrap();
        Self::spawn(server, service)
    }

    pub(crate) fn spawn(server: Server, service: Arc<Service>) -> Self {
        let address = server.local_addrs()[0];
        let counters = server.counters();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { address, service, counters, stop: Some(stop), task }
    }

    pub(crate) async fn connect(&self) -> Raw {
        Raw::connect(self.address).await
    }

    pub(crate) fn signal(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(mut self) -> Stopped {
        self.signal();
        timeout(PATIENCE, self.task).await.expect("the server stops").unwrap()
    }

    pub(crate) async fn abort(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/echo", self.address)
    }
}

/// A response, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A client that sends what it is told, octet by octet.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.write_all(octets.as_ref()).await.unwrap();
    }

    /// Sends a message as a good client would.
    pub(crate) async fn post(&mut self, body: impl AsRef<[u8]>) {
        self.send(request(body)).await;
    }

    pub(crate) async fn ask(&mut self, body: impl AsRef<[u8]>) -> Answer {
        self.post(body).await;
        self.answer().await
    }

    /// More octets; false at the end.
    async fn more(&mut self) -> bool {
        let octets = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        octets.expect("the server sends something or closes").expect("no reset") > 0
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.maybe_answer().await.expect("an answer before the end")
    }

    /// The next answer but 100; `None` at the end.
    pub(crate) async fn maybe_answer(&mut self) -> Option<Answer> {
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.read.split_off(end + 4);
                break std::mem::replace(&mut self.read, rest);
            }
            if !self.more().await {
                assert_eq!(self.read.escape_ascii().to_string(), "", "half an answer");
                return None;
            }
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let (version, status) = lines.next().unwrap().split_once(' ').unwrap();
        let fields: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            version: version.to_owned(),
            status: status[..3].parse().unwrap(),
            fields,
            body: Vec::new(),
        };
        if answer.status != 100 {
            assert_eq!(answer.field("transfer-encoding"), None, "whole bodies only");
            let length = answer.field("content-length").map_or(0, |text| text.parse().unwrap());
            while self.read.len() < length {
                assert!(self.more().await, "half a body");
            }
            let rest = self.read.split_off(length);
            answer.body = std::mem::replace(&mut self.read, rest);
        }
        Some(answer)
    }

    /// Reads an answer's head only; gives the length of its body.
    pub(crate) async fn head(&mut self) -> usize {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more().await, "half a head");
        };
        let rest = self.read.split_off(end);
        let head = String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
        let length = head.to_lowercase().split_once("content-length: ").unwrap().1.to_owned();
        length.split_once("\r\n").unwrap().0.parse().unwrap()
    }

    /// Reads so many octets of a body.
    pub(crate) async fn read_exactly(&mut self, piece: &mut [u8]) {
        let at_hand = self.read.len().min(piece.len());
        let rest = self.read.split_off(at_hand);
        piece[..at_hand].copy_from_slice(&std::mem::replace(&mut self.read, rest));
        let reading = self.stream.read_exact(&mut piece[at_hand..]);
        timeout(PATIENCE, reading).await.expect("the server goes on").expect("not cut off");
    }

    /// Whether the server ends the connection, in order, without another octet.
    pub(crate) async fn is_ended(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    /// Whether the connection still works.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let answer = self.ask("alive?").await;
        answer.status == 200 && answer.body == b"alive?"
    }
}

pub(crate) fn request(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut octets = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: {OCTETS}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    octets.extend_from_slice(body);
    octets
}

/// Waits until a condition holds, which it should soon.
pub(crate) async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "{what}");
}
