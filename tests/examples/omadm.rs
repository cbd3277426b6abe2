//! Device management for `cargo xtask interop omadm`: the server, for curl and for SyncEvolution.
//!
//! It listens on a free loopback port, prints its address, and ends with its standard input. `/dm` is the device
//! management server, `/basic` and `/digest` the same behind HTTP authentication (user `alice`); the device `curl-1`
//! belongs to alice and has one command queued for each of them. `/sync/basic` and `/sync/md5` have contacts to refresh
//! (`Datastores`), and print a line for each message. Passwords: `OMADM_PASSWORD`.

#![expect(clippy::print_stdout, reason = "a tool prints")]

use std::error::Error;
use std::io::Read as _;
use std::sync::Arc;

use bindery_auth::{Accounts, Algorithm, Authenticator, hash, secret};
use bindery_core::{Account, AuthScheme, Context, DigestAlgorithm, Handler, Principal, Timestamp};
use bindery_omadm::service::{
    AppAuth, Change, Datastore, Datastores as _, Device, DeviceStore, DmServer, DmServerConfig,
    MemoryDatastores, MemoryStore, Order, Scheme, Whose,
};
use bindery_omadm::{
    CredentialDigest, DmHttp, DmProfile, Incoming, Outgoing, SystemRandom, mount, mount_guarded,
};
use bindery_syncml::{Command, Options, SyncMl};
use bindery_transport::{Listener, OnRuntime, Router, Server};

type Failed = Box<dyn Error + Send + Sync>;

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
    for (path, scheme) in [("/sync/basic", Scheme::Basic), ("/sync/md5", Scheme::Md5)] {
        let told = refreshable(scheme, &CredentialDigest::new("alice", &password)).await?;
        router = mount(router, binding(path), Arc::new(told))?;
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

/// A server whose data stores SyncEvolution refreshes: devices of four owners, two each. The one gives its contacts,
/// the other gets them.
async fn refreshable(scheme: Scheme, digest: &CredentialDigest) -> Result<Told, Failed> {
    let store = Arc::new(MemoryStore::new());
    let now = Timestamp::UNIX_EPOCH;
    for form in ["Wbxml", "Xml"] {
        for role in ["give", "get"] {
            let owner = Principal::new(format!("{form} alice"));
            let mut device = Device::new(format!("{role}-{form}"), owner, now);
            device.client = Some(AppAuth::new("alice", digest.clone()));
            store.commit(vec![Change::InsertDevice(device)]).await?;
        }
    }
    let contacts = Datastore::new("addressbook", "text/vcard", "3.0");
    let datastores = Arc::new(MemoryDatastores::new(vec![contacts]));
    let mut config = DmServerConfig::default();
    config.schemes = vec![scheme];
    config.dangerous_basic_in_clear = true;
    config.datastores = Some(Arc::clone(&datastores) as Arc<_>);
    let server = DmServer::new(store, Arc::new(SystemRandom), config)?;
    Ok(Told { server, datastores })
}

/// The server, which prints a line for each message: its number, its form, the status that it got, and how many
/// contacts there are.
#[derive(Debug)]
struct Told {
    server: DmServer,
    datastores: Arc<MemoryDatastores>,
}

impl Handler<Incoming> for Told {
    type Response = Outgoing;

    async fn handle(&self, cx: &Context, request: Incoming) -> Outgoing {
        let reply = self.server.respond(cx, &request).await;
        let status = SyncMl::decode(&reply.octets, &Options::LENIENT).ok().and_then(|answer| {
            answer.body.commands.into_iter().find_map(|command| match command {
                Command::Status(status) if &*status.cmd_ref == "0" => status.code(),
                _ => None,
            })
        });
        let owner = Principal::new(format!("{:?} alice", request.form));
        let device = Device::new("whoever has none of them", owner, Timestamp::UNIX_EPOCH);
        let items = self.datastores.items(&Whose::new(&device, "addressbook"), None, 100).len();
        let (number, form) = (&request.message.hdr.msg_id, request.form);
        println!("message {number} {form:?} {} items={items}", status.map_or(0, |code| code.0));
        reply
    }
}
