//! A server over a store in memory, devices that say what they are told to, and a judge.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};

use bindery_core::{Channel, Context, Peer, Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, Hmac, Incoming, Outgoing,
    service::{
        AppAuth, Change, Command as Queued, CommandFilter, CommandState, Device as Registered,
        DeviceStore, DmServer, DmServerConfig, MemoryStore, Order, Random, RandomError,
        ResultEntry, ResultFilter, Session,
    },
};
use bindery_syncml::{
    Alert, AlertCode, Command, Content, Cred, Form, Item, Meta, Options, Replace, Results, Status,
    StatusCode, SyncHdr, SyncMl, WriteOptions,
};
use bytes::Bytes;

/// The server's address as devices know it.
pub(crate) const URL: &str = "https://dm.example/omadm";

/// Runs a future that never waits.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Numbers one after the other: tests need no secrets, only differences.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A generator that is broken.
#[derive(Debug)]
pub(crate) struct Broken;

impl Random for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError::new("it is a test"))
    }
}

/// A server with its store.
pub(crate) struct Site {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) server: DmServer,
    pub(crate) time: AtomicU64,
}

impl Site {
    pub(crate) fn new(config: DmServerConfig) -> Self {
        Self::over(Arc::new(MemoryStore::new()), config)
    }

    pub(crate) fn over(store: Arc<MemoryStore>, config: DmServerConfig) -> Self {
        let shared: Arc<dyn DeviceStore> = store.clone();
        let server = DmServer::new(shared, Arc::new(Counting::default()), config).unwrap();
        Self { store, server, time: AtomicU64::new(1_000) }
    }

    pub(crate) fn with_device(self, id: &str) -> Self {
        self.register(id, Some(account(id)), None);
        self
    }

    pub(crate) fn register(&self, id: &str, client: Option<AppAuth>, server: Option<AppAuth>) {
        let mut device = Registered::new(id, Principal::new("fleet"), Timestamp::UNIX_EPOCH);
        (device.client, device.server) = (client, server);
        now(self.store.commit(vec![Change::InsertDevice(device)])).unwrap();
    }

    pub(crate) fn queue(&self, device: &str, id: &str, order: Order) {
        let command = order.for_device(id, device, self.at()).unwrap();
        now(self.store.commit(vec![Change::Enqueue { command, at_most: 1_000 }])).unwrap();
    }

    pub(crate) fn at(&self) -> Timestamp {
        let seconds = i64::try_from(self.time.load(Ordering::SeqCst)).unwrap();
        Timestamp::from_unix_seconds(seconds)
    }

    pub(crate) fn passes(&self, time: Duration) {
        self.time.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(crate) fn context(&self, principal: Option<&str>) -> Context {
        let address = "192.0.2.7:5000".parse().unwrap();
        Context::new(tls(), Peer::from_address(address), self.at())
            .with_principal(principal.map(Principal::new))
    }

    /// How far a command has come.
    pub(crate) fn command(&self, id: &str) -> Queued {
        now(self.store.command(id)).unwrap().unwrap().entry
    }

    pub(crate) fn state(&self, id: &str) -> (CommandState, Option<u16>) {
        let progress = self.command(id).progress;
        (progress.state, progress.status.map(|code| code.0))
    }

    pub(crate) fn results(&self, device: &str) -> Vec<ResultEntry> {
        now(self.store.results(&ResultFilter::of(device, 10_000))).unwrap()
    }

    pub(crate) fn commands(&self, device: &str) -> Vec<Queued> {
        let filter = CommandFilter::of(device, 10_000);
        now(self.store.commands(&filter)).unwrap().into_iter().map(|one| one.entry).collect()
    }

    pub(crate) fn device(&self, id: &str) -> Registered {
        let ask = bindery_omadm::service::Ask::new(id, None::<String>, 0);
        now(self.store.load(&ask)).unwrap().device.unwrap().entry
    }

    pub(crate) fn session(&self, id: &str, session: &str) -> Option<Session> {
        let ask = bindery_omadm::service::Ask::new(id, Some(session), 0);
        now(self.store.load(&ask)).unwrap().session.map(|session| session.entry)
    }

    /// Octets as they came, and what is answered; judged.
    pub(crate) fn post(&self, octets: Bytes, sent: &Sending<'_>) -> (SyncMl, Outgoing) {
        let mut incoming = Incoming::read(octets, &Options::LENIENT).unwrap();
        incoming.url = Some(sent.url.parse().unwrap());
        incoming.hmac = sent.hmac.clone();
        let cx = self.context(sent.principal);
        let reply = now(self.server.respond(&cx, &incoming));
        assert_eq!(reply.form, incoming.answer);
        let message = SyncMl::decode(&reply.octets, &Options::STRICT).unwrap();
        if incoming.fault.is_none() {
            judge(&incoming.message, &message);
        }
        (message, reply)
    }
}

fn tls() -> Channel {
    use bindery_core::{CipherSuite, TlsInfo, TlsVersion};
    let suite = CipherSuite::new(0x1301, "TLS_AES_128_GCM_SHA256");
    Channel::Tls(Arc::new(TlsInfo::new(TlsVersion::TLS_1_3, suite)))
}

/// How a message is sent.
pub(crate) struct Sending<'a> {
    pub(crate) url: &'a str,
    pub(crate) principal: Option<&'a str>,
    pub(crate) hmac: Option<Hmac>,
}

impl Default for Sending<'_> {
    fn default() -> Self {
        Self { url: URL, principal: None, hmac: None }
    }
}

/// The credentials of a device, with a nonce as its provisioning set it.
pub(crate) fn account(id: &str) -> AppAuth {
    let mut auth = AppAuth::new(id, digest(id));
    auth.nonce = Bytes::from_static(b"first nonce");
    auth
}

pub(crate) fn digest(id: &str) -> CredentialDigest {
    CredentialDigest::new(id, "secret")
}

/// A device in a session.
pub(crate) struct Phone<'s> {
    pub(crate) site: &'s Site,
    pub(crate) id: String,
    pub(crate) session: String,
    pub(crate) form: Form,
    pub(crate) url: String,
    pub(crate) nonce: Bytes,
    pub(crate) principal: Option<String>,
    pub(crate) max_msg_size: Option<u64>,
    pub(crate) max_obj_size: Option<u64>,
    pub(crate) msg: u32,
    pub(crate) last: Bytes,
}

impl<'s> Phone<'s> {
    pub(crate) fn new(site: &'s Site, id: &str) -> Self {
        Self {
            site,
            id: id.to_owned(),
            session: "1".to_owned(),
            form: Form::Wbxml,
            url: URL.to_owned(),
            nonce: Bytes::from_static(b"first nonce"),
            principal: None,
            max_msg_size: None,
            max_obj_size: None,
            msg: 0,
            last: Bytes::new(),
        }
    }

    pub(crate) fn md5(&self) -> Cred {
        cred("syncml:auth-md5", digest(&self.id).md5(&self.nonce))
    }

    /// The header of the next message.
    pub(crate) fn header(&mut self, cred: Option<Cred>) -> SyncHdr {
        self.msg += 1;
        let meta = Meta {
            max_msg_size: self.max_msg_size,
            max_obj_size: self.max_obj_size,
            ..Meta::default()
        };
        SyncHdr {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id: self.session.as_str().into(),
            msg_id: self.msg.into(),
            target: self.url.as_str().into(),
            source: self.id.as_str().into(),
            cred: cred.map(Box::new),
            meta: (meta != Meta::default()).then(|| Box::new(meta)),
            ..SyncHdr::default()
        }
    }

    /// Says commands, with CmdIDs in their order.
    pub(crate) fn say(
        &mut self,
        cred: Option<Cred>,
        commands: Vec<Command>,
        is_final: bool,
    ) -> SyncMl {
        let mut message = SyncMl { hdr: self.header(cred), ..SyncMl::default() };
        for (number, mut command) in (1_u32..).zip(commands) {
            command.set_cmd_id(number);
            message.body.commands.push(command);
        }
        message.body.is_final = is_final;
        self.send(&message)
    }

    pub(crate) fn send(&mut self, message: &SyncMl) -> SyncMl {
        let mut octets = Vec::new();
        message.encode(&mut octets, &WriteOptions::new(self.form)).unwrap();
        self.last = octets.into();
        self.again().0
    }

    /// The last message again.
    pub(crate) fn again(&mut self) -> (SyncMl, Outgoing) {
        let principal = self.principal.clone();
        let sending =
            Sending { url: &self.url, principal: principal.as_deref(), ..Sending::default() };
        let (message, reply) = self.site.post(self.last.clone(), &sending);
        if let Some(most) = self.max_msg_size {
            assert!(reply.octets.len() as u64 <= most.max(1024), "{} octets", reply.octets.len());
        }
        if let Some(uri) = &message.hdr.resp_uri {
            self.url = uri.as_str().to_owned();
        }
        if let Some(nonce) = challenge(&message) {
            self.nonce = nonce;
        }
        (message, reply)
    }

    /// Package 1 with credentials.
    pub(crate) fn begin(&mut self) -> SyncMl {
        let cred = self.md5();
        self.say(Some(cred), package_1(&self.id), true)
    }

    /// A status of one code for the message and for each of its commands.
    pub(crate) fn obey(&mut self, message: &SyncMl, code: StatusCode) -> SyncMl {
        let statuses = statuses(message, code);
        self.say(None, statuses, true)
    }
}

pub(crate) fn cred(kind: &str, data: impl Into<Content>) -> Cred {
    let meta = Meta { format: Some("b64".into()), kind: Some(kind.into()), ..Meta::default() };
    Cred { meta: Some(Box::new(meta)), data: data.into().into(), ..Cred::default() }
}

/// Alert 1201 and a Replace of DevInfo.
pub(crate) fn package_1(id: &str) -> Vec<Command> {
    let told = |name: &str, value: &str| Item {
        source: Some(format!("./DevInfo/{name}").as_str().into()),
        data: Some(Content::from(value).into()),
        ..Item::default()
    };
    let items = vec![told("DevId", id), told("Man", "Acme"), told("Mod", "One")];
    vec![
        Alert::new("", AlertCode::CLIENT_INITIATED_MANAGEMENT).into(),
        Replace { items, ..Replace::default() }.into(),
    ]
}

/// The statuses for a message of the server.
pub(crate) fn statuses(message: &SyncMl, code: StatusCode) -> Vec<Command> {
    let mut all: Vec<Command> =
        vec![Status::of("", message.hdr.msg_id.clone(), 0_u32, "SyncHdr", StatusCode::OK).into()];
    for command in asked(message) {
        all.push(status_for(message, command, code));
    }
    all
}

pub(crate) fn status_for(message: &SyncMl, command: &Command, code: StatusCode) -> Command {
    let (name, cmd) = (command.tag().unwrap().name(), command.cmd_id().unwrap().clone());
    Status::of("", message.hdr.msg_id.clone(), cmd, name, code).into()
}

/// What a message asks a device to do.
pub(crate) fn asked(message: &SyncMl) -> impl Iterator<Item = &Command> {
    message.body.commands.iter().filter(|command| !matches!(command, Command::Status(_)))
}

/// Results for a command of a message.
pub(crate) fn results(message: &SyncMl, command: &Command, uri: &str, data: Content) -> Results {
    let item = Item { source: Some(uri.into()), data: Some(data.into()), ..Item::default() };
    Results {
        msg_ref: Some(message.hdr.msg_id.clone()),
        cmd_ref: command.cmd_id().unwrap().clone(),
        items: vec![item],
        ..Results::default()
    }
}

/// The code of the status for a command, 0 being the header.
pub(crate) fn code_of(message: &SyncMl, cmd_ref: u32) -> Option<u16> {
    let wanted = cmd_ref.to_string();
    message.body.commands.iter().find_map(|command| match command {
        Command::Status(status) if *status.cmd_ref == *wanted => status.code().map(|code| code.0),
        _ => None,
    })
}

pub(crate) fn challenge(message: &SyncMl) -> Option<Bytes> {
    message.body.commands.iter().find_map(|command| match command {
        Command::Status(status) => status.chal.as_ref()?.nonce(),
        _ => None,
    })
}

pub(crate) fn alerts(message: &SyncMl) -> Vec<u16> {
    let code = |command: &Command| match command {
        Command::Alert(alert) => alert.code().map(|code| code.0),
        _ => None,
    };
    message.body.commands.iter().filter_map(code).collect()
}

/// The rules that hold for every answer (OMA DM Protocol 1.2; RepPro 1.2).
pub(crate) fn judge(request: &SyncMl, reply: &SyncMl) {
    assert_eq!(reply.hdr.session_id, request.hdr.session_id, "SessionID is the session's");
    assert_eq!(reply.hdr.msg_id, request.hdr.msg_id, "one answer for each message");
    assert_eq!(reply.hdr.target.loc_uri, request.hdr.source.loc_uri, "it goes back");
    let mut ids = BTreeSet::new();
    for command in
        reply.body.commands.iter().flat_map(|one| std::iter::once(one).chain(one.commands()))
    {
        let id = command.cmd_id().unwrap().number().expect("a CmdID is a number");
        assert!(id > 0 && ids.insert(id), "CmdID {id} is given once and never 0");
    }
    if !request.hdr.no_resp {
        let Some(Command::Status(first)) = reply.body.commands.first() else {
            panic!("the header is answered first: {reply:?}");
        };
        assert_eq!((&*first.cmd, &*first.cmd_ref), ("SyncHdr", "0"));
        assert_eq!(first.msg_ref, request.hdr.msg_id);
    }
    let asks = alerts(reply).contains(&1222);
    if asks {
        assert!(!reply.body.is_final, "a request for the next message ends no package");
        let only = |one: &Command| matches!(one, Command::Status(_) | Command::Alert(_));
        assert!(reply.body.commands.iter().all(only), "nothing else stands beside it");
    }
    for command in &request.body.commands {
        let (Some(tag), Some(id)) = (command.tag(), command.cmd_id()) else { continue };
        let answered = reply.body.commands.iter().any(|one| {
            matches!(one, Command::Status(status)
            if status.cmd_ref == *id && &*status.cmd == tag.name()
                && status.msg_ref == request.hdr.msg_id)
        });
        let pieces = matches!(command, Command::Results(results)
            if results.items.iter().any(|item| item.more_data));
        let owes = !matches!(command, Command::Status(_) | Command::Results(_)) || pieces;
        // What has no room comes with the next message.
        // Of more commands than the limit the rest gets none.
        // Where the server breaks the session off the rest is not answered either.
        let whole = code_of(reply, 0) != Some(413) && !alerts(reply).contains(&1223);
        if owes && whole && !request.hdr.no_resp && (reply.body.is_final || asks) {
            assert!(answered, "{} {id} gets a status", tag.name());
        }
        if matches!(command, Command::Status(_)) {
            assert!(!answered, "a Status gets none");
        }
    }
}
