//! Targets of bindery-omadm: a server and a client, each facing a peer that says anything.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Poll, Waker},
};

use bindery_core::{Channel, Context, Peer, Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, Incoming, Outgoing,
    client::{Account, AuthType, Begin, Client, Credential, DevInfo, NodePath, Tree},
    service::{
        AppAuth, Ask, Change, CommandState, Datastore, Device, DeviceStore, DmServer,
        DmServerConfig, MemoryDatastores, MemoryStore, Order, Random, RandomError, ResultFilter,
        Value,
    },
};
use bindery_syncml::{
    Chal, Command, Content, Form, Meta, Options, Status, StatusCode, SyncMl, WriteOptions,
};
use bytes::Bytes;

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for octet in buffer {
            *octet = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes()[0];
        }
        Ok(())
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a store in memory waits"),
    }
}

/// What the control octet of a message says.
mod control {
    /// The device's channel stands for it.
    pub(super) const CHANNEL: u8 = 1;
    /// The message gets a good header: session, number, device, address.
    pub(super) const HEADER: u8 = 2;
    /// The last message is sent again in its place.
    pub(super) const AGAIN: u8 = 4;
    /// It is written in WBXML before it is sent.
    pub(super) const WBXML: u8 = 8;
    /// The device says that it takes 2,000 octets.
    pub(super) const SMALL: u8 = 16;
    /// Half an hour and more passes before it.
    pub(super) const LATE: u8 = 32;
    /// Its good header speaks of data synchronization.
    pub(super) const SYNC: u8 = 64;
}

struct Site {
    store: Arc<MemoryStore>,
    server: DmServer,
}

const OTHERS: &str = "another device's";

impl Site {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut changes = Vec::new();
        for id in ["phone", "other"] {
            let mut device = Device::new(id, Principal::new("fleet"), Timestamp::UNIX_EPOCH);
            device.client = Some(AppAuth::new(id, CredentialDigest::new(id, "secret")));
            device.server = Some(AppAuth::new("server", CredentialDigest::new("server", "x")));
            changes.push(Change::InsertDevice(device));
        }
        let big = Value::new("./Big", "bin", Bytes::from(vec![7; 9_000]));
        let orders = [
            ("phone", "get", Order::get(["./A", "./B"])),
            ("phone", "big", Order::replace(big)),
            ("phone", "all", Order::atomic([Order::delete("./C").unwrap()])),
            ("other", OTHERS, Order::get(["./Secret"])),
        ];
        for (device, id, order) in orders {
            let command = order.unwrap().for_device(id, device, Timestamp::UNIX_EPOCH).unwrap();
            changes.push(Change::Enqueue { command, at_most: 10 });
        }
        now(store.commit(changes)).unwrap();
        let mut config = DmServerConfig::default();
        (config.max_obj_size, config.messages) = (4_000, 40);
        let book = Datastore::new("addressbook", "text/vcard", "3.0");
        let stores = MemoryDatastores::new(vec![book]).with_room(100, 10_000);
        config.datastores = Some(Arc::new(stores));
        let shared: Arc<dyn DeviceStore> = store.clone();
        let server = DmServer::new(shared, Arc::new(Counting::default()), config).unwrap();
        Self { store, server }
    }

    fn check(&self, incoming: &Incoming, reply: &Outgoing) {
        let message = SyncMl::decode(&reply.octets, &Options::LENIENT).expect("an answer is one");
        assert_eq!(Form::detect(&reply.octets), reply.form);
        if !incoming.message.hdr.no_resp && !message.body.commands.is_empty() {
            assert!(
                matches!(&message.body.commands[0], Command::Status(first)
                if &*first.cmd_ref == "0"),
                "the header is answered first"
            );
        }
        let other = now(self.store.command(OTHERS)).unwrap().unwrap().entry;
        assert_eq!(other.progress.state, CommandState::Queued, "nobody else's command moves");
        assert!(now(self.store.results(&ResultFilter::of("other", 1))).unwrap().is_empty());
        let session = incoming.message.hdr.session_id.as_str();
        let loaded = now(self.store.load(&Ask::new("phone", Some(session), 10))).unwrap();
        assert!(loaded.object_len <= 8_000, "an object has a limit");
        if let Some(session) = loaded.session {
            let state = session.entry.state.len();
            assert!(state <= 4_096 + 40 * incoming.octets.len(), "{state} octets of state");
        }
    }
}

/// A sequence of arbitrary messages, each behind a control octet and its length in two: no panic,
/// an answer that is one to each, no state without bounds, nobody else's commands.
pub fn session(data: &[u8]) {
    let site = Site::new();
    let (mut url, mut msg, mut time) = ("https://dm.example/omadm".to_owned(), 0_u32, 0_i64);
    let mut last: Option<Incoming> = None;
    let mut rest = data;
    while let [control, high, low, after @ ..] = rest {
        let has = |bit: u8| control & bit != 0;
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (octets, after) = after.split_at(length);
        rest = after;
        time += if has(control::LATE) { 2_000 } else { 1 };
        let incoming = match last.take().filter(|_| has(control::AGAIN)) {
            Some(again) => again,
            None => match prepare(octets, *control, &url, &mut msg) {
                Some(incoming) => incoming,
                None => continue,
            },
        };
        let address = "192.0.2.1:9".parse().unwrap();
        let principal = has(control::CHANNEL).then(|| Principal::new("phone"));
        let at = Timestamp::from_unix_seconds(time);
        let cx =
            Context::new(Channel::Clear, Peer::from_address(address), at).with_principal(principal);
        let reply = now(site.server.respond(&cx, &incoming));
        site.check(&incoming, &reply);
        if let Ok(message) = SyncMl::decode(&reply.octets, &Options::LENIENT)
            && let Some(uri) = message.hdr.resp_uri
        {
            url = uri.as_str().to_owned();
        }
        last = Some(incoming);
    }
}

fn prepare(octets: &[u8], control: u8, url: &str, msg: &mut u32) -> Option<Incoming> {
    let mut octets = Bytes::copy_from_slice(octets);
    if control & control::HEADER != 0 {
        let mut message = SyncMl::decode(&octets, &Options::LENIENT).ok()?;
        *msg += 1;
        let protocol = if control & control::SYNC == 0 { "DM/1.2" } else { "SyncML/1.2" };
        (message.hdr.ver_dtd, message.hdr.ver_proto) = ("1.2".into(), protocol.into());
        (message.hdr.session_id, message.hdr.msg_id) = ("1".into(), (*msg).into());
        message.hdr.source = "phone".into();
        if control & control::SMALL != 0 {
            message.hdr.meta.get_or_insert_default().max_msg_size = Some(2_000);
        }
        let form = if control & control::WBXML != 0 { Form::Wbxml } else { Form::Xml };
        let mut written = Vec::new();
        message.encode(&mut written, &WriteOptions::new(form)).ok()?;
        octets = written.into();
    }
    let mut incoming = Incoming::read(octets, &Options::LENIENT).ok()?;
    incoming.url = url.parse().ok();
    Some(incoming)
}

/// What the control octet of a server's message says.
mod serving {
    /// It gets a good header: session and number.
    pub(super) const HEADER: u8 = 1;
    /// A good status of the client's message stands before its commands.
    pub(super) const TAKEN: u8 = 2;
    /// Or one that asks for a proof, by MD5 under a nonce.
    pub(super) const ASKED: u8 = 4;
    /// It is written in WBXML before it is sent.
    pub(super) const WBXML: u8 = 8;
    /// The server says that it takes 1,500 octets.
    pub(super) const SMALL: u8 = 16;
    /// It is the last message again.
    pub(super) const AGAIN: u8 = 32;
    /// Its commands are numbered.
    pub(super) const NUMBERED: u8 = 64;
}

const DEVICE: &str = "urn:x:1";

fn device(kind: u8) -> Client {
    let mut account = Account::new("srv", "https://dm.example/omadm".parse().unwrap());
    let auth = match kind % 4 {
        0 => None,
        1 => Some(AuthType::Basic),
        2 => Some(AuthType::Digest),
        _ => Some(AuthType::Hmac),
    };
    account.client = auth.map(|auth| Credential::new(auth, "device", "one"));
    if kind & 4 != 0 {
        let mut server = Credential::new(auth.unwrap_or(AuthType::Digest), "srv", "two");
        server.nonce = Bytes::from_static(b"what nobody knows");
        account.server = Some(server);
    }
    let mut tree = Tree::new();
    DevInfo::new(DEVICE, "Maker", "Thing").put(&mut tree).unwrap();
    for number in 0..20 {
        let path = NodePath::parse(&format!("./A/{number}")).unwrap();
        tree.put_text(&path, &"value ".repeat(number)).unwrap();
    }
    account.grant(&mut tree);
    let mut client = Client::new(tree, account);
    client.config.form = if kind & 8 == 0 { Form::Wbxml } else { Form::Xml };
    (client.config.max_messages, client.config.max_commands) = (40, 20);
    (client.config.max_nodes, client.config.max_found) = (200, 20_000);
    client.config.max_obj_size = 4_000;
    client
}

/// A server that says anything to a client, behind an octet that says what the device is: no panic, messages that are
/// some and within what the server takes, an end, and nothing done for a server that has not proved itself.
pub fn client(data: &[u8]) {
    let Some((kind, mut rest)) = data.split_first() else { return };
    let mut client = device(*kind);
    let document = |client: &Client| client.tree.to_document(&WriteOptions::XML).unwrap();
    let before = (kind & 4 != 0).then(|| document(&client));
    let mut conversation = client.begin(Begin::new("7", [7; 16]));
    let (mut number, mut limit, mut over) = (0_u32, usize::MAX, None);
    let mut last: Option<Incoming> = None;
    while over.is_none() {
        let Some(message) = conversation.message() else {
            over = Some(conversation.outcome().expect("nothing to send, and no outcome"));
            break;
        };
        number += 1;
        let ours = SyncMl::decode(&message.octets, &Options::STRICT).expect("ours is a message");
        assert_eq!(ours.hdr.msg_id.number(), Some(u64::from(number)), "MsgID counts");
        let one = ours.body.commands.len() <= 1;
        assert!(message.octets.len() <= limit || one, "{} octets", message.octets.len());
        let [control, high, low, after @ ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (octets, after) = after.split_at(length);
        rest = after;
        let again = last.take().filter(|_| control & serving::AGAIN != 0);
        let Some(answer) = again.or_else(|| served(octets, *control, number)) else { break };
        // An opening message is whole, whatever the server takes.
        if answer.message.hdr.meta.as_ref().is_some_and(|meta| meta.max_msg_size.is_some()) {
            limit = if control & serving::SMALL != 0 { 1_500 } else { usize::MAX };
        }
        conversation.receive(&answer);
        last = Some(answer);
        over = conversation.outcome();
    }
    assert!(number <= 40, "a session has an end");
    let proved = over.and_then(Result::ok).is_some_and(|summary| summary.server_proved);
    let id = NodePath::parse("./DevInfo/DevId").unwrap();
    assert_eq!(client.tree.text(&id), Some(DEVICE), "what is permanent stays");
    if let Some(before) = before.filter(|_| !proved) {
        assert_eq!(document(&client), before, "something was done for nobody knows whom");
    }
}

fn served(octets: &[u8], control: u8, number: u32) -> Option<Incoming> {
    let mut octets = Bytes::copy_from_slice(octets);
    if control & serving::HEADER != 0 {
        let mut message = SyncMl::decode(&octets, &Options::LENIENT).ok()?;
        (message.hdr.ver_dtd, message.hdr.ver_proto) = ("1.2".into(), "DM/1.2".into());
        (message.hdr.session_id, message.hdr.msg_id) = ("7".into(), number.into());
        if control & serving::SMALL != 0 {
            message.hdr.meta.get_or_insert_default().max_msg_size = Some(1_500);
        }
        let code = match control & (serving::TAKEN | serving::ASKED) {
            0 => None,
            serving::TAKEN => Some(StatusCode::AUTHENTICATION_ACCEPTED),
            _ => Some(StatusCode::INVALID_CREDENTIALS),
        };
        if let Some(code) = code {
            let mut status = Status::of(0_u32, number, 0_u32, "SyncHdr", code);
            if !code.is_success() {
                let kind = Some("syncml:auth-md5".into());
                let next_nonce = Some(Content::base64(b"a nonce"));
                let meta = Meta { kind, next_nonce, ..Meta::default() };
                status.chal = Some(Box::new(Chal { meta, ..Chal::default() }));
            }
            message.body.commands.insert(0, status.into());
        }
        if control & serving::NUMBERED != 0 {
            for (number, command) in (1_u32..).zip(&mut message.body.commands) {
                command.set_cmd_id(number);
            }
        }
        let form = if control & serving::WBXML != 0 { Form::Wbxml } else { Form::Xml };
        let mut written = Vec::new();
        message.encode(&mut written, &WriteOptions::new(form)).ok()?;
        octets = written.into();
    }
    Incoming::read(octets, &Options::LENIENT).ok()
}
