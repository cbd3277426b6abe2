//! Whole sessions over this backend, on real sockets: a device managed over PSK-TLS and over old TLS.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bindery_core::{Channel, CipherSuite, Context, Handler, Principal, Timestamp, TlsVersion};
use bindery_omadm::{
    DmHttp, Incoming, Outgoing, SystemRandom,
    client::{
        Account, Begin, Client as Phone, DevDetail, DevInfo, SessionError, Summary, Tree, manage,
    },
    mount,
    service::{
        Change, CommandFilter, CommandState, Device, DeviceStore, DmServer, DmServerConfig,
        MemoryStore, Order, ResultFilter,
    },
};
use bindery_tls::{
    Acceptor, Backend as _, CertificateIdentity, ClientAuth, ClientConfig, Policy, Psk,
    ServerConfig,
};
use bindery_transport::{Client, Listener, Router, Server};
use tokio::task::JoinHandle;

use crate::support::{World, backend, key, policy, suite, within};

const DEVICE: &str = "urn:example:17";

/// The DM server, and over what each message came.
#[derive(Debug)]
struct Desk {
    server: DmServer,
    store: Arc<MemoryStore>,
    heard: Mutex<Vec<(TlsVersion, CipherSuite, Option<Principal>)>>,
}

impl Handler<Incoming> for Desk {
    type Response = Outgoing;

    async fn handle(&self, cx: &Context, request: Incoming) -> Outgoing {
        let Channel::Tls(info) = &cx.channel else { panic!("a message in clear") };
        self.heard.lock().unwrap().push((info.version, info.suite, cx.principal.clone()));
        self.server.respond(cx, &request).await
    }
}

impl Desk {
    /// A server that knows one device by its account, and has something to ask it.
    async fn new(account: &str) -> Arc<Self> {
        let store = Arc::new(MemoryStore::new());
        let device = Device::new(DEVICE, Principal::new(account), Timestamp::UNIX_EPOCH);
        let order = Order::get(["./DevDetail/SwV"]).unwrap();
        let command = order.for_device("swv", DEVICE, Timestamp::UNIX_EPOCH).unwrap();
        let changes = vec![Change::InsertDevice(device), Change::Enqueue { command, at_most: 9 }];
        store.commit(changes).await.unwrap();
        let (shared, random) = (Arc::clone(&store), Arc::new(SystemRandom));
        let server = DmServer::new(shared, random, DmServerConfig::default()).unwrap();
        Arc::new(Self { server, store, heard: Mutex::default() })
    }

    /// Listens on loopback.
    async fn listen(self: &Arc<Self>, acceptor: Arc<dyn Acceptor>) -> Running {
        let router = mount(Router::new(), DmHttp::default(), Arc::clone(self)).unwrap();
        let server = Server::builder()
            .listen(Listener::tls("127.0.0.1:0".parse().unwrap(), acceptor))
            .router(router)
            .identities(Arc::new(CertificateIdentity::subject()))
            .bind()
            .await
            .unwrap();
        let address = *server.local_addrs().first().unwrap();
        let task = tokio::spawn(async move {
            server.serve(std::future::pending()).await;
        });
        Running { address, task }
    }

    /// What the device answered to what it was asked.
    async fn answer(&self) -> Option<String> {
        let results = self.store.results(&ResultFilter::of(DEVICE, 9)).await.unwrap();
        let found = results.into_iter().find(|one| one.uri == "./DevDetail/SwV");
        found.map(|one| String::from_utf8_lossy(&one.data).into_owned())
    }

    async fn state(&self) -> CommandState {
        let commands = self.store.commands(&CommandFilter::of(DEVICE, 9)).await.unwrap();
        commands.first().unwrap().entry.progress.state
    }
}

struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The device, whose tree its server may manage.
fn phone(url: &str) -> Phone {
    let account = Account::new("srv", url.parse().unwrap());
    let mut tree = Tree::new();
    DevInfo::new(DEVICE, "Maker", "Thing").put(&mut tree).unwrap();
    DevDetail::new("thing", "1", "7.1", "1").put(&mut tree).unwrap();
    account.grant(&mut tree);
    Phone::new(tree, account)
}

/// A session, and what its connection was.
async fn session(
    server: &Running,
    policy: &Policy,
    config: ClientConfig,
) -> (Result<Summary, SessionError>, TlsVersion, CipherSuite) {
    let connector = backend().connector(policy, config).unwrap();
    let url = format!("https://localhost:{}/omadm", server.address.port());
    let mut connection =
        Client::builder().connector(connector).build().connection(url.parse().unwrap());
    let (mut phone, begin) = (phone(&url), Begin::new("1", [7; 16]));
    let binding = DmHttp::default();
    let ran = within(manage(&mut phone, begin, &binding, &mut connection)).await.unwrap();
    let info = connection.channel().and_then(Channel::tls).unwrap();
    (ran, info.version, info.suite)
}

fn with_keys(mut config: ServerConfig, keys: &[Psk]) -> ServerConfig {
    config.psk.keys.extend_from_slice(keys);
    config
}

fn holding(world: &World, psk: Psk) -> ClientConfig {
    let mut config = world.client_config();
    config.psk.keys.push(psk);
    config
}

/// Each kind of pre-shared key, in both of its suites; the identity is the account.
///
/// proves: DM-TLS-2, DSDM-HTTP-S-056-O
#[tokio::test]
async fn a_device_is_managed_over_psk_tls_and_its_identity_is_its_account() {
    let world = World::shared();
    for name in [
        "TLS_PSK_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256",
    ] {
        let policy = policy(&[TlsVersion::TLS_1_2], &[name]).with_client_auth(ClientAuth::Required);
        let desk = Desk::new("psk:device-17").await;
        let config = with_keys(world.server_config(), &[key()]);
        let server = desk.listen(backend().acceptor(&policy, config).unwrap()).await;
        let (ran, version, used) = session(&server, &policy, holding(world, key())).await;
        let summary = ran.unwrap();
        assert_eq!((summary.done, summary.failed), (1, 0), "{name}");
        assert_eq!((version, used), (TlsVersion::TLS_1_2, suite(name)));
        assert_eq!(desk.answer().await.as_deref(), Some("7.1"));
        let heard = desk.heard.lock().unwrap().clone();
        assert!(heard.len() >= 2, "a session of several messages");
        for (version, used, principal) in heard {
            assert_eq!((version, used), (TlsVersion::TLS_1_2, suite(name)));
            assert_eq!(principal, Some(Principal::new("psk:device-17")));
        }
    }
}

/// A good key of another identity is another account: it does not make somebody the device.
#[tokio::test]
async fn another_identity_is_not_the_device() {
    let world = World::shared();
    let policy = policy(&[TlsVersion::TLS_1_2], &["TLS_PSK_WITH_AES_128_GCM_SHA256"]);
    let desk = Desk::new("psk:device-17").await;
    let other = Psk::new("device-18", [9; 32]).unwrap();
    let config = with_keys(world.server_config(), &[key(), other.clone()]);
    let server = desk.listen(backend().acceptor(&policy, config).unwrap()).await;
    let (ran, ..) = session(&server, &policy, holding(world, other)).await;
    assert!(ran.is_err(), "{ran:?}");
    assert_eq!(desk.answer().await, None);
    assert_eq!(desk.state().await, CommandState::Queued);
    let heard = desk.heard.lock().unwrap().clone();
    assert!(heard.iter().all(|one| one.2 == Some(Principal::new("psk:device-18"))), "{heard:?}");
}

/// proves: DM-TLS-1, DM-TLS-2, DSDM-HTTP-C-054-O, DSDM-HTTP-S-055-O
#[tokio::test]
async fn a_device_is_managed_over_tls_1_1() {
    managed_over(TlsVersion::TLS_1_1, "TLS_RSA_WITH_AES_128_CBC_SHA").await;
}

/// proves: DM-TLS-2, DSDM-HTTP-S-052-O
#[tokio::test]
async fn a_device_is_managed_over_tls_1_0() {
    managed_over(TlsVersion::TLS_1_0, "TLS_RSA_WITH_AES_128_CBC_SHA").await;
}

/// proves: DM-TLS-2, DSDM-HTTP-S-053-O
#[cfg(feature = "vendored")]
#[tokio::test]
async fn a_device_is_managed_over_ssl_3_0() {
    managed_over(TlsVersion::SSL_3_0, "TLS_RSA_WITH_3DES_EDE_CBC_SHA").await;
}

/// A session of a device that shows its certificate, in one version alone.
async fn managed_over(version: TlsVersion, name: &str) {
    let world = World::shared();
    let policy = policy(&[version], &[name]).with_client_auth(ClientAuth::Required);
    let desk = Desk::new("CN=alice").await;
    let acceptor = backend().acceptor(&policy, world.server_config()).unwrap();
    let server = desk.listen(acceptor).await;
    let client = world.client_config().with_identity(world.client.identity().unwrap());
    let (ran, met, used) = session(&server, &policy, client).await;
    let summary = ran.unwrap();
    assert_eq!((summary.done, summary.failed), (1, 0));
    assert_eq!((met, used), (version, suite(name)));
    assert_eq!(desk.answer().await.as_deref(), Some("7.1"));
    let heard = desk.heard.lock().unwrap().clone();
    assert!(heard.iter().all(|one| one.0 == version), "{heard:?}");
    assert!(heard.iter().all(|one| one.2 == Some(Principal::new("CN=alice"))), "{heard:?}");
}
