//! Device management for `cargo xtask interop omadm`: a server for curl, and a sink of contacts for SyncEvolution.
//!
//! It listens on a free loopback port, prints its address, and ends with its standard input. `/dm` is the device
//! management server, `/basic` and `/digest` the same behind HTTP authentication (user `alice`); the device `curl-1`
//! belongs to alice and has one command queued for each of them. `/sync/basic` and `/sync/md5` are sinks: they speak
//! just enough of SyncML DS to let a client prove itself and refresh its contacts, and print a line for each message.
//! Passwords: `OMADM_PASSWORD`.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use bindery_auth::{Accounts, Algorithm, Authenticator, hash, secret};
use bindery_core::{Account, AuthScheme, Context, DigestAlgorithm, Handler, Principal, Timestamp};
use bindery_omadm::service::{
    AppAuth, Change, Device, DeviceStore, DmServer, DmServerConfig, MemoryStore, Order,
};
use bindery_omadm::{
    CredentialDigest, DmHttp, DmProfile, Incoming, Outgoing, SystemRandom, mount, mount_guarded,
};
use bindery_syncml::{
    Alert, Anchor, Chal, Command, Content, DataStore, DevInf, Item, Meta, Results, RxPref, Status,
    StatusCode, Sync, SyncMl, TxPref, WriteOptions,
};
use bindery_transport::{Listener, OnRuntime, Router, Server};

type Failed = Box<dyn Error + Send + std::marker::Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let password = std::env::var("OMADM_PASSWORD")?;
    let mut router = Router::new();
    for (path, scheme) in
        [("/dm", None), ("/basic", Some(AuthScheme::Basic)), ("/digest", Some(AuthScheme::Digest))]
    {
        // Where HTTP asks for nothing, the messages have to prove themselves.
        let client = scheme.is_none().then(|| CredentialDigest::new("alice", &password));
        let server = server(client).await?;
        let binding = binding(path);
        router = match scheme {
            None => mount(router, binding, server)?,
            Some(scheme) => {
                mount_guarded(router, binding, server, authenticator(scheme, &password)?)?
            }
        };
    }
    for (path, scheme) in [("/sync/basic", "syncml:auth-basic"), ("/sync/md5", "syncml:auth-md5")] {
        let digest = CredentialDigest::new("alice", &password);
        let sink = Sink { scheme, digest, sessions: Mutex::default() };
        router = mount(router, binding(path), Arc::new(sink))?;
    }
    let listener = Listener::clear("127.0.0.1:0".parse()?);
    let server = Server::builder().listen(listener).router(router).bind().await?;
    for address in server.local_addrs() {
        println!("http://{address}");
    }
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    server
        .serve(async {
            // Whatever ended it.
            let _ = ended.await;
        })
        .await;
    Ok(())
}

fn binding(path: &'static str) -> DmHttp {
    let mut profile = DmProfile::default();
    profile.path = path.into();
    profile.any_target = false;
    profile.dangerous_clear = true;
    DmHttp::new(&profile)
}

async fn server(client: Option<CredentialDigest>) -> Result<Arc<DmServer>, Failed> {
    let store = Arc::new(MemoryStore::new());
    let now = Timestamp::UNIX_EPOCH;
    let mut device = Device::new("curl-1", Principal::new("alice"), now);
    device.client = client.map(|digest| AppAuth::new("alice", digest));
    let command = Order::get(["./DevDetail/SwV"])?.for_device("swv", "curl-1", now)?;
    let changes = vec![Change::InsertDevice(device), Change::Enqueue { command, at_most: 10 }];
    store.commit(changes).await?;
    let server = DmServer::new(store, Arc::new(SystemRandom), DmServerConfig::default())?;
    Ok(Arc::new(server))
}

fn authenticator(scheme: AuthScheme, password: &str) -> Result<Arc<Authenticator>, Failed> {
    let realm = "bindery";
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash(password, b"sixteen octets..")?);
    alice.digests.push(secret(DigestAlgorithm::Md5, "alice", realm, password));
    let accounts = Arc::new(Accounts::new().with("alice", alice));
    let made = Authenticator::new(realm, accounts as Arc<_>, [7; 32])?
        .with_blocking(Arc::new(OnRuntime::new()))
        .with_schemes([scheme])
        .with_algorithms([Algorithm::MD5]);
    Ok(Arc::new(match scheme {
        AuthScheme::Basic => made.dangerous_basic_in_clear(),
        _ => made,
    }))
}

/// A sink of contacts.
#[derive(Debug)]
struct Sink {
    scheme: &'static str,
    digest: CredentialDigest,
    sessions: Mutex<BTreeMap<String, Session>>,
}

/// What is known of a session.
#[derive(Debug, Default)]
struct Session {
    proved: bool,
    /// The nonce that its next digest is made with.
    nonce: Vec<u8>,
    /// The kind of synchronization.
    alert: u16,
    /// How many contacts came.
    items: usize,
}

impl Handler<Incoming> for Sink {
    type Response = Outgoing;

    async fn handle(&self, _: &Context, request: Incoming) -> Outgoing {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let hdr = &request.message.hdr;
        let name = format!("{} {}", hdr.source.loc_uri, hdr.session_id);
        let session = sessions.entry(name).or_default();
        let (code, chal) = self.prove(&request, session);
        let mut answer = answer_to(&request.message);
        let mut status = status(&request.message, "0", "SyncHdr", code);
        status.chal = chal;
        let proved = code.is_success();
        let commands = &mut answer.body.commands;
        commands.push(status.into());
        for command in &request.message.body.commands {
            match proved {
                true => session.take(&request.message, command, commands),
                false => commands.push(refused(&request.message, command, code)),
            }
        }
        commands
            .retain(|command| !matches!(command, Command::Status(status) if status.cmd.is_empty()));
        for (number, command) in (1_u32..).zip(&mut *commands) {
            command.set_cmd_id(number);
        }
        answer.body.is_final = true;
        println!(
            "message {} {:?} {} items={}",
            request.message.hdr.msg_id, request.form, code.0, session.items
        );
        let mut octets = Vec::new();
        if answer.encode(&mut octets, &WriteOptions::new(request.answer)).is_err() {
            println!("the answer cannot be written");
        }
        Outgoing::new(octets, request.answer)
    }
}

impl Sink {
    fn prove(&self, request: &Incoming, session: &mut Session) -> (StatusCode, Option<Box<Chal>>) {
        let Some(cred) = &request.message.hdr.cred else {
            return match session.proved {
                true => (StatusCode::OK, None),
                false => (
                    StatusCode::AUTHENTICATION_REQUIRED_MISSING_CREDENTIALS,
                    Some(self.challenge(session)),
                ),
            };
        };
        let kind = cred.meta.as_ref().and_then(|meta| meta.kind.as_deref());
        let data = cred.data.as_str().unwrap_or_default();
        let good = kind == Some(self.scheme)
            && match self.scheme {
                "syncml:auth-basic" => self.digest.verify_basic(data),
                // Before a challenge there is no nonce that counts.
                _ => !session.nonce.is_empty() && self.digest.verify_md5(&session.nonce, data),
            };
        session.proved = good;
        match good {
            true => (StatusCode::AUTHENTICATION_ACCEPTED, None),
            false => (StatusCode::INVALID_CREDENTIALS, Some(self.challenge(session))),
        }
    }

    fn challenge(&self, session: &mut Session) -> Box<Chal> {
        session.nonce = b"a nonce \0\xff".to_vec();
        let next_nonce =
            (self.scheme == "syncml:auth-md5").then(|| Content::base64(&session.nonce));
        let meta = Meta {
            kind: Some(self.scheme.into()),
            format: Some("b64".into()),
            next_nonce,
            ..Meta::default()
        };
        Box::new(Chal { meta, ..Chal::default() })
    }
}

impl Session {
    /// Does a command of the client, in so far as a sink can.
    fn take(&mut self, message: &SyncMl, command: &Command, answers: &mut Vec<Command>) {
        let id = command.cmd_id().map_or("", |id| id);
        match command {
            Command::Status(_) | Command::Results(_) | Command::Map(_) => {}
            Command::Put(_) => answers.push(status(message, id, "Put", StatusCode::OK).into()),
            Command::Get(_) => {
                answers.push(status(message, id, "Get", StatusCode::OK).into());
                answers.push(dev_inf(message, id).into());
            }
            Command::Alert(alert) => {
                self.alert = alert.code().map_or(0, |code| code.0);
                alerted(message, alert, answers);
            }
            Command::Sync(sync) => {
                answers.push(status(message, id, "Sync", StatusCode::OK).into());
                for inner in &sync.commands {
                    let id = inner.cmd_id().map_or("", |id| id);
                    let name = inner.tag().map_or("", |tag| tag.name());
                    self.items += 1;
                    answers.push(status(message, id, name, StatusCode::ITEM_ADDED).into());
                }
                // 203: the server only takes.
                if self.alert != 203 {
                    answers.push(
                        Sync {
                            target: Some("./addressbook".into()),
                            source: Some("addressbook".into()),
                            number_of_changes: Some(0),
                            ..Sync::default()
                        }
                        .into(),
                    );
                }
            }
            _ => answers.push(refused(message, command, StatusCode::COMMAND_NOT_IMPLEMENTED)),
        }
    }
}

/// The answer to an alert: its anchor comes back, and ours goes.
fn alerted(message: &SyncMl, alert: &Alert, answers: &mut Vec<Command>) {
    let theirs = alert.items.first().and_then(|item| item.meta.as_ref()?.anchor.as_ref());
    let anchor = |next: &str| {
        let anchor = Anchor { next: next.into(), ..Anchor::default() };
        Box::new(Meta { anchor: Some(Box::new(anchor)), ..Meta::default() })
    };
    let mut taken = status(message, &alert.cmd_id, "Alert", StatusCode::OK);
    taken.target_refs = vec!["addressbook".into()];
    taken.source_refs = vec!["./addressbook".into()];
    let next = theirs.map_or("1", |anchor| &anchor.next);
    let data = Content::Meta(anchor(next));
    taken.items = vec![Item { data: Some(data.into()), ..Item::default() }];
    answers.push(taken.into());
    let item = Item {
        target: Some("./addressbook".into()),
        source: Some("addressbook".into()),
        meta: Some(anchor("1")),
        ..Item::default()
    };
    answers.push(Alert { data: alert.data.clone(), items: vec![item], ..Alert::default() }.into());
}

fn dev_inf(message: &SyncMl, id: &str) -> Results {
    let kind = "application/vnd.syncml-devinf+xml";
    let store = DataStore {
        source_ref: "./addressbook".into(),
        rx_pref: Some(RxPref {
            ct_type: "text/vcard".into(),
            ver_ct: Some("3.0".into()),
            ..RxPref::default()
        }),
        tx_pref: Some(TxPref {
            ct_type: "text/vcard".into(),
            ver_ct: Some("3.0".into()),
            ..TxPref::default()
        }),
        ..DataStore::default()
    };
    let inf = DevInf {
        ver_dtd: "1.2".into(),
        dev_id: "sink".into(),
        dev_typ: "server".into(),
        data_stores: vec![store],
        ..DevInf::default()
    };
    let item = Item {
        source: Some("./devinf12".into()),
        data: Some(Content::DevInf(Box::new(inf)).into()),
        ..Item::default()
    };
    Results {
        msg_ref: Some(message.hdr.msg_id.clone()),
        cmd_ref: id.into(),
        meta: Some(Box::new(Meta { kind: Some(kind.into()), ..Meta::default() })),
        items: vec![item],
        ..Results::default()
    }
}

fn answer_to(message: &SyncMl) -> SyncMl {
    let mut answer = SyncMl::default();
    let (ours, theirs) = (&mut answer.hdr, &message.hdr);
    ours.ver_dtd = theirs.ver_dtd.clone();
    ours.ver_proto = theirs.ver_proto.clone();
    ours.session_id = theirs.session_id.clone();
    ours.msg_id = theirs.msg_id.clone();
    ours.target = (&*theirs.source.loc_uri).into();
    ours.source = (&*theirs.target.loc_uri).into();
    answer
}

fn status(message: &SyncMl, id: &str, name: &str, code: StatusCode) -> Status {
    Status::of(0_u32, message.hdr.msg_id.clone(), id, name, code)
}

fn refused(message: &SyncMl, command: &Command, code: StatusCode) -> Command {
    // A status or a result gets none; it is taken out again.
    let name = match command {
        Command::Status(_) | Command::Results(_) => "",
        command => command.tag().map_or("", |tag| tag.name()),
    };
    status(message, command.cmd_id().map_or("", |id| id), name, code).into()
}
