//! Sessions over real connections.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bindery_core::{Context, Handler, Principal, Timestamp};
use bindery_omadm::{
    CredentialDigest, DmHttp, DmProfile, Incoming, Outgoing,
    client::{Account, AuthType, Begin, Client, Credential, NodePath, SessionError, manage},
    mount,
    service::{
        AppAuth, Change, CommandState, Device, DeviceStore, DmServer, DmServerConfig, MemoryStore,
        Order, Value,
    },
};
use bindery_syncml::Form;
use bindery_transport::{Listener, Router, Server, Target};

use crate::support::Counting;

/// The server, which loses the answer to one of its messages.
#[derive(Debug)]
struct Losing {
    server: DmServer,
    /// Which answer, counted from 1; 0 for none.
    loses: u32,
    count: AtomicU32,
    /// Where messages came from.
    peers: Mutex<BTreeSet<SocketAddr>>,
}

impl Handler<Incoming> for Losing {
    type Response = Outgoing;

    async fn handle(&self, cx: &Context, request: Incoming) -> Outgoing {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.peers.lock().unwrap().extend(cx.peer.address);
        let answer = self.server.respond(cx, &request).await;
        if number == self.loses {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        answer
    }
}

struct Site {
    store: Arc<MemoryStore>,
    handler: Arc<Losing>,
    binding: DmHttp,
    address: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Site {
    async fn start(loses: u32) -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut device = Device::new("urn:x:1", Principal::new("fleet"), Timestamp::UNIX_EPOCH);
        let digest = CredentialDigest::new("device", "one");
        device.client = Some(AppAuth::new("device", digest));
        let mut changes = vec![Change::InsertDevice(device)];
        for name in ["a", "b"] {
            let value = Value::new(format!("./{name}"), "chr", name);
            let order = Order::add(value).unwrap();
            let command = order.for_device(name, "urn:x:1", Timestamp::UNIX_EPOCH).unwrap();
            changes.push(Change::Enqueue { command, at_most: 10 });
        }
        store.commit(changes).await.unwrap();
        let mut config = DmServerConfig::default();
        // A message for each command.
        config.commands = 1;
        let shared: Arc<dyn DeviceStore> = store.clone();
        let server = DmServer::new(shared, Arc::new(Counting::default()), config).unwrap();
        let handler =
            Arc::new(Losing { server, loses, count: AtomicU32::new(0), peers: Mutex::default() });
        let mut profile = DmProfile::default();
        profile.dangerous_clear = true;
        let binding = DmHttp::new(&profile);
        let router = mount(Router::new(), binding.clone(), Arc::clone(&handler)).unwrap();
        let running = Server::builder()
            .listen(Listener::clear(SocketAddr::from(([127, 0, 0, 1], 0))))
            .router(router)
            .bind()
            .await
            .unwrap();
        let address = running.local_addrs()[0];
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(running.serve(async { drop(stopped.await) }));
        Self { store, handler, binding, address, stop }
    }

    fn client(&self, form: Form) -> Client {
        let address = format!("http://{}/omadm", self.address).parse().unwrap();
        let mut account = Account::new("srv", address);
        account.client = Some(Credential::new(AuthType::Digest, "device", "one"));
        let mut tree = super::tree();
        account.grant(&mut tree);
        let mut client = Client::new(tree, account);
        client.config.form = form;
        client.config.timeout = Duration::from_millis(500);
        client.config.pause = Duration::from_millis(10);
        client
    }

    fn connection(&self, client: &Client) -> bindery_transport::Connection {
        let transport = bindery_transport::Client::builder().build();
        transport.connection(Target::new(client.account.address.clone()).unwrap())
    }

    async fn state(&self, name: &str) -> (CommandState, u32) {
        let progress = self.store.command(name).await.unwrap().unwrap().entry.progress;
        (progress.state, progress.attempts)
    }
}

/// proves: DM-CONN-5, DM-METH-1
#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_done_twice() {
    for form in [Form::Xml, Form::Wbxml] {
        for loses in 0..=5 {
            let site = Site::start(loses).await;
            let mut client = site.client(form);
            let mut connection = site.connection(&client);
            let begin = Begin::new("1", [9; 16]);
            let summary =
                manage(&mut client, begin, &site.binding, &mut connection).await.unwrap().unwrap();
            let messages = site.handler.count.load(Ordering::SeqCst);
            let lost = u32::from(loses > 0 && loses <= summary.messages);
            assert_eq!((summary.resent, messages), (lost, summary.messages + lost), "{loses}");
            assert_eq!((summary.done, summary.failed), (2, 0));
            for name in ["a", "b"] {
                assert_eq!(site.state(name).await, (CommandState::Acknowledged, 1));
                let path = NodePath::parse(&format!("./{name}")).unwrap();
                assert_eq!(client.tree.text(&path), Some(name));
            }
            site.stop.send(()).unwrap();
        }
    }
}

/// proves: DM-CONN-3
#[tokio::test]
async fn the_client_closes_the_connection_when_the_session_is_over_and_the_server_does_not() {
    let site = Site::start(0).await;
    let mut client = site.client(Form::Wbxml);
    let mut connection = site.connection(&client);
    let begin = Begin::new("1", [9; 16]);
    let summary = manage(&mut client, begin, &site.binding, &mut connection).await.unwrap();
    assert!(summary.unwrap().messages >= 3);
    let peers = site.handler.peers.lock().unwrap().len();
    assert_eq!(peers, 1, "nobody closed it in the middle");
    assert!(!connection.is_open(), "the client closed it");
    // Left to the server it stays: the next message goes the same way.
    let session =
        bindery_omadm::client::Session::new(&site.binding, client.begin(Begin::new("2", [8; 16])));
    connection.run(session).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(connection.is_open(), "the server does not close what is kept");
    connection.close();
}

/// proves: DM-CONN-1
#[tokio::test]
async fn a_client_that_finds_no_server_tries_again_and_then_says_so() {
    let site = Site::start(0).await;
    let mut client = site.client(Form::Wbxml);
    let mut connection = site.connection(&client);
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/omadm", nobody.local_addr().unwrap());
    drop(nobody);
    client.account.address = address.parse().unwrap();
    let mut none = site.connection(&client);
    let begin = Begin::new("1", [9; 16]);
    let outcome = manage(&mut client, begin, &site.binding, &mut none).await.unwrap();
    assert!(matches!(outcome, Err(SessionError::NoAnswer(4))), "{outcome:?}");
    // The device is as it was, and can begin again.
    client.account.address = connection.target().uri().clone();
    let begin = Begin::new("2", [8; 16]);
    let outcome = manage(&mut client, begin, &site.binding, &mut connection).await.unwrap();
    assert_eq!(outcome.unwrap().done, 2);
}
