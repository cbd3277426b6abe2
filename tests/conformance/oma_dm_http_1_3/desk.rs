//! A device management server in this process, with a handler that shows what it hears, and a
//! server that only says what it is told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bindery_core::{Body, ClientBinding as _, Context, Handler, Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, DmHttp, DmProfile, Incoming, Outgoing, mount,
    service::{
        AppAuth, Change, Device, DeviceStore, DmServer, DmServerConfig, MemoryStore, Order, Random,
        RandomError,
    },
};
use bindery_syncml::{
    Alert, AlertCode, Command, Content, Cred, Form, Meta, Options, Status, SyncHdr, SyncMl,
    WriteOptions,
};
use bindery_tests::raw::{Answer, Raw};
use bindery_transport::{Client, Listener, Router, Server};
use http::{HeaderMap, Request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

/// The service, and what it heard.
#[derive(Debug)]
pub(super) struct Heard {
    server: DmServer,
    pub(super) messages: Mutex<Vec<Incoming>>,
    /// What the application adds to every answer.
    fields: HeaderMap,
}

impl Handler<Incoming> for Heard {
    type Response = Outgoing;

    async fn handle(&self, cx: &Context, request: Incoming) -> Outgoing {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let mut reply = self.server.respond(cx, &request).await;
        reply.headers.extend(self.fields.clone());
        reply
    }
}

/// A server on a port of this machine, in clear.
pub(super) struct Desk {
    pub(super) address: SocketAddr,
    pub(super) heard: Arc<Heard>,
    task: JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The service over a store with the device `phone` and one command for it.
pub(super) async fn service(fields: HeaderMap) -> Arc<Heard> {
    let store = MemoryStore::new();
    let mut device = Device::new("phone", Principal::new("fleet"), Timestamp::UNIX_EPOCH);
    device.client = Some(AppAuth::new("eve", CredentialDigest::new("eve", "moth")));
    let order = Order::get(["./DevDetail/SwV"]).unwrap();
    let command = order.for_device("swv", "phone", Timestamp::UNIX_EPOCH).unwrap();
    let changes = vec![Change::InsertDevice(device), Change::Enqueue { command, at_most: 9 }];
    store.commit(changes).await.unwrap();
    let mut config = DmServerConfig::default();
    config.dangerous_basic_in_clear = true;
    let server = DmServer::new(Arc::new(store), Arc::new(Counting::default()), config).unwrap();
    Arc::new(Heard { server, messages: Mutex::default(), fields })
}

/// The card of a server in clear.
pub(super) fn clear() -> DmProfile {
    let mut profile = DmProfile::default();
    profile.dangerous_clear = true;
    profile
}

impl Desk {
    pub(super) async fn start() -> Self {
        Self::with(DmHttp::new(&clear()), HeaderMap::new()).await
    }

    pub(super) async fn with(binding: DmHttp, fields: HeaderMap) -> Self {
        let heard = service(fields).await;
        let router = mount(Router::new(), binding, Arc::clone(&heard)).unwrap();
        let listener = Listener::clear("127.0.0.1:0".parse().unwrap());
        let server = Server::builder().listen(listener).router(router).bind().await.unwrap();
        let address = server.local_addrs()[0];
        let task = tokio::spawn(async {
            server.serve(std::future::pending()).await;
        });
        Self { address, heard, task }
    }

    pub(super) fn heard(&self) -> Vec<Incoming> {
        self.heard.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn ask(&self, post: &Post) -> Answer {
        let mut raw = Raw::clear(self.address).await;
        raw.send(post.octets()).await;
        raw.answer().await
    }
}

/// The header of a message of the device, with its credentials.
fn header(msg: u32) -> SyncHdr {
    let meta = Meta {
        format: Some("b64".into()),
        kind: Some("syncml:auth-basic".into()),
        ..Meta::default()
    };
    let data = Content::base64(b"eve:moth").into();
    let cred = Cred { meta: Some(Box::new(meta)), data, ..Cred::default() };
    SyncHdr {
        ver_dtd: "1.2".into(),
        ver_proto: "DM/1.2".into(),
        session_id: "1".into(),
        msg_id: msg.into(),
        target: "http://localhost/omadm".into(),
        source: "phone".into(),
        cred: Some(Box::new(cred)),
        ..SyncHdr::default()
    }
}

/// A message that begins a session, or goes on with it.
pub(super) fn message(msg: u32, form: Form, is_final: bool) -> Vec<u8> {
    let mut message = SyncMl { hdr: header(msg), ..SyncMl::default() };
    if msg == 1 {
        let alert = Alert::new(1_u32, AlertCode::CLIENT_INITIATED_MANAGEMENT);
        message.body.commands.push(alert.into());
    }
    message.body.is_final = is_final;
    encode(&message, form)
}

fn encode(message: &SyncMl, form: Form) -> Vec<u8> {
    let mut octets = Vec::new();
    message.encode(&mut octets, &WriteOptions::new(form)).unwrap();
    octets
}

/// The one message that an answer is.
pub(super) fn read(answer: &Answer) -> SyncMl {
    assert_eq!(answer.status, 200, "{answer:?}");
    SyncMl::decode(&answer.body.clone().into(), &Options::STRICT).unwrap()
}

/// The status of the message's header in an answer.
pub(super) fn code(message: &SyncMl) -> u16 {
    match message.body.commands.first() {
        Some(Command::Status(Status { cmd_ref, data, .. })) if *cmd_ref == *"0" => {
            data.as_str().unwrap().parse().unwrap()
        }
        other => panic!("{other:?}"),
    }
}

/// A request that a test bends: at first a good one in XML.
#[derive(Clone, Debug)]
pub(super) struct Post {
    line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(super) const XML: &str = "application/vnd.syncml.dm+xml";
pub(super) const WBXML: &str = "application/vnd.syncml.dm+wbxml";

impl Post {
    pub(super) fn new(msg: u32) -> Self {
        Self::of(message(msg, Form::Xml, true), XML)
    }

    pub(super) fn of(body: Vec<u8>, media_type: &str) -> Self {
        let length = body.len().to_string();
        Self { line: "POST /omadm HTTP/1.1".to_owned(), fields: Vec::new(), body }
            .set("Host", "localhost")
            .set("User-Agent", "Foo Bar DM Products v3.4")
            .set("Cache-Control", "no-store")
            .set("Accept", media_type)
            .set("Accept-Charset", "UTF-8")
            .set("Content-Type", media_type)
            .set("Content-Length", &length)
    }

    pub(super) fn line(mut self, line: &str) -> Self {
        line.clone_into(&mut self.line);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// Another body, with its length.
    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        let length = body.len().to_string();
        self.body = body;
        self.set("Content-Length", &length)
    }

    pub(super) fn body_octets(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn chunked(mut self) -> Self {
        let piece =
            |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        let mut chunks: Vec<u8> = self.body.chunks(100).flat_map(piece).collect();
        chunks.extend(b"0\r\n\r\n");
        self.body = chunks;
        self.without("Content-Length").with("Transfer-Encoding", "chunked")
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let field = |(name, value): &(String, String)| format!("{name}: {value}\r\n");
        let fields: String = self.fields.iter().map(field).collect();
        [format!("{}\r\n{fields}\r\n", self.line).into_bytes(), self.body.clone()].concat()
    }
}

/// A server that takes one request after the other and says what it is told.
pub(super) struct Told {
    pub(super) address: SocketAddr,
    /// The requests as they came, each on its connection.
    pub(super) requests: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Told {
    /// `answers` are whole responses; the last one is said again and again.
    pub(super) async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut said = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = Vec::new();
                while stream.read_buf(&mut read).await.is_ok_and(|octets| octets > 0) {
                    if !is_whole(&read) {
                        continue;
                    }
                    kept.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(std::mem::take(&mut read));
                    let answer = &answers[said.min(answers.len() - 1)];
                    said += 1;
                    if stream.write_all(answer).await.is_err() {
                        break;
                    }
                }
            }
        });
        Self { address, requests, task }
    }

    pub(super) fn heads(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let head = |request: &Vec<u8>| {
            let end = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
            String::from_utf8(request[..end].to_vec()).unwrap()
        };
        requests.iter().map(head).collect()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => request.len() >= end + 4 + length.trim().parse::<usize>().unwrap(),
        None => request.ends_with(b"0\r\n\r\n"),
    }
}

/// A response with a message and further fields, each with its line end.
pub(super) fn response(fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {XML}\r\n{fields}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// What the client's binding and connection make of a server: a message is sent, and what came is
/// given back.
pub(super) async fn call(
    address: SocketAddr,
    binding: &DmHttp,
    message: Outgoing,
) -> Result<Incoming, String> {
    let (request, expect) = prepare(address, binding, message);
    let mut connection =
        Client::builder().build().connection(format!("http://{address}/omadm").parse().unwrap());
    let response = connection.send(request).await.map_err(|error| error.to_string())?;
    binding.decode_response(expect, response).map_err(|error| error.to_string())
}

pub(super) fn prepare(
    address: SocketAddr,
    binding: &DmHttp,
    message: Outgoing,
) -> (Request<Body>, bindery_omadm::binding::Expect) {
    let target = format!("http://{address}/omadm").parse().unwrap();
    binding.encode_request(&target, message).unwrap()
}

pub(super) fn outgoing(form: Form) -> Outgoing {
    Outgoing::new(message(1, form, true), form)
}
