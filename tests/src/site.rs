//! A key server over mutual TLS in this process, with the store that it has in production.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bindery_kmip::{
    Client, HttpsProfile, KmipHttps, KmipTls, mount,
    service::{AwsLcCrypto, KeyServer, KeyServerConfig},
};
use bindery_store::{Kek, SqliteOptions, SqliteStore};
use bindery_tls::{CertificateIdentity, Connector, Identity};
use bindery_transport::{Counters, Limits, Listener, Router, Server, Stopped};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    pki::Pki,
    raw::{PATIENCE, Raw},
    wire,
};

/// The key that every store of a test is under.
const KEK: [u8; 32] = *b"\x9d\x13\xe8\x07one test's key, not others'\x02";

/// What a test may want otherwise.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where to listen; `127.0.0.1` with a free port.
    pub address: SocketAddr,
    /// The transport's limits.
    pub limits: Limits,
    /// The deployment's choices in the card.
    pub profile: HttpsProfile,
    /// Whether the same service is mounted on a listener in clear, too.
    pub clear: bool,
    /// Whether the port also takes KMIP messages without HTTP.
    pub messages: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            address: any(),
            limits: Limits::default(),
            profile: HttpsProfile::default(),
            clear: false,
            messages: false,
        }
    }
}

/// A key server that runs, and who may talk to it.
#[derive(Debug)]
pub struct Site {
    /// Who issues certificates.
    pub pki: Pki,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens in clear, if [`Setup::clear`] asks for that.
    pub clear: Option<SocketAddr>,
    /// The server's counters.
    pub counters: Arc<Counters>,
    setup: Setup,
    folder: TempDir,
    store: SqliteStore,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Stopped>,
    clients: Mutex<BTreeMap<String, Identity>>,
}

impl Site {
    /// A server with nothing chosen.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A server with these choices.
    pub async fn with(setup: Setup) -> Self {
        let folder = TempDir::new().unwrap();
        Self::open(Pki::new(), folder, setup, Mutex::default()).await
    }

    async fn open(
        pki: Pki,
        folder: TempDir,
        setup: Setup,
        clients: Mutex<BTreeMap<String, Identity>>,
    ) -> Self {
        let options = SqliteOptions::file(file(&folder), Kek::new(&KEK).unwrap());
        let store = SqliteStore::open(options).await.unwrap();
        let crypto = Arc::new(AwsLcCrypto::new());
        let engine = KeyServer::new(Arc::new(store.clone()), crypto, KeyServerConfig::default());
        let engine = Arc::new(engine);
        let binding = KmipHttps::new(setup.profile.clone());
        let messages = Arc::new(KmipTls::new(&binding, Arc::clone(&engine)));
        let listener = Listener::tls(setup.address, pki.acceptor());
        let mut builder = Server::builder()
            .listen(if setup.messages { listener.messages_or_http(messages) } else { listener })
            .router(mount(Router::new(), binding, engine).unwrap())
            .identities(Arc::new(CertificateIdentity::common_name()))
            .limits(setup.limits.clone());
        if setup.clear {
            builder = builder.listen(Listener::clear(any()));
        }
        let server = builder.bind().await.unwrap();
        let addresses = server.local_addrs();
        let counters = server.counters();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self {
            pki,
            address: addresses[0],
            clear: addresses.get(1).copied(),
            counters,
            setup,
            folder,
            store,
            stop: Some(stop),
            task,
            clients,
        }
    }

    /// The URL of the service.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}{}", self.address, self.setup.profile.path)
    }

    /// The files of the store that are there: the database, its log, the log's index.
    #[must_use]
    pub fn store_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files
    }

    /// The certificate and key of a client; the same each time.
    #[must_use]
    pub fn identity(&self, name: &str) -> Identity {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(name.to_owned()).or_insert_with(|| self.pki.client(name)).clone()
    }

    /// The client's side of TLS for a client.
    #[must_use]
    pub fn connector(&self, name: &str) -> Arc<dyn Connector> {
        self.pki.connector(Some(&self.identity(name)))
    }

    /// Connections of a client.
    #[must_use]
    pub fn transport(&self, name: &str) -> bindery_transport::Client {
        bindery_transport::Client::builder().connector(self.connector(name)).build()
    }

    /// A KMIP client.
    #[must_use]
    pub fn client(&self, name: &str) -> Client {
        Client::builder(self.url().parse().unwrap()).build(&self.transport(name))
    }

    /// A connection of a client that sends what it is told.
    pub async fn raw(&self, name: &str) -> Raw {
        Raw::tls(self.address, &self.connector(name)).await.unwrap()
    }

    /// Asserts that the server goes on: a good request over a new connection is answered.
    pub async fn goes_on(&self) {
        let answer = self.raw("somebody").await.post(wire::query()).await;
        assert_eq!(answer.result(), (0, None), "{answer:?}");
    }

    /// How many requests got a response, whatever it said.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.counters.snapshot().requests.values().sum()
    }

    /// Tells the server to stop, without waiting for it.
    pub fn signal(&mut self) {
        drop(self.stop.take());
    }

    /// Stops the server, closes the store, and starts both again over what is there.
    pub async fn restart(mut self) -> (Self, Stopped) {
        self.signal();
        let stopped = timeout(PATIENCE, self.task).await.expect("the server stops").unwrap();
        self.store.close().await.unwrap();
        (Self::open(self.pki, self.folder, self.setup, self.clients).await, stopped)
    }
}

const fn any() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

fn file(folder: &TempDir) -> PathBuf {
    Path::join(folder.path(), "keys.db")
}

/// Waits until a condition holds, which it should soon.
pub async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "{what}");
}
