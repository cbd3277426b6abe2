//! TAXII services in this process, in clear and over TLS, with the store that they have in production.

mod watch;

pub use watch::{Watch, Watched};

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bindery_auth::{Accounts, Authenticator, Guarded, hash};
use bindery_core::{Account, AuthScheme, Endpoint, IdentityMap, Principal, Timestamp};
use bindery_store::{Kek, SqliteOptions, SqliteStore};
use bindery_taxii::{
    Client, Dialects, HttpProfile, Ids, Service, TaxiiHttp, mount,
    service::{
        Change, Collection, FeedServer, FeedServerConfig, FeedStore, Gate, Grant, Grantee, Rights,
        ServiceAccess,
    },
};
use bindery_taxii_xml::Dialect;
use bindery_tls::{CertificateIdentity, Connector};
use bindery_transport::{
    ClientLimits, Counters, Limits, Listener, OnRuntime, Router, Server, Stopped,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    pki::Pki,
    raw::{Post, Raw},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// The password of the account `alice`, where accounts are asked for.
pub const PASSWORD: &str = "correct horse";

/// What a test may want otherwise.
#[derive(Clone, Debug)]
pub struct FeedSetup {
    /// The dialects of all addresses.
    pub dialects: Dialects,
    /// Whether the addresses on the listener in clear take TAXII over clear HTTP.
    pub clear: bool,
    /// Whether a peer without an account has to prove one by Basic.
    pub guarded: bool,
    /// Whether Basic is offered and taken in clear, too, for tests of clients.
    pub basic_in_clear: bool,
    /// The longest Inbox Message, in octets.
    pub request_limit: u64,
    /// Whether messages may take an hour.
    pub slow: bool,
    /// How many readers the store has, where that is not its own choice.
    pub readers: Option<u32>,
    /// Whether what the engine asks of the store is noted.
    pub watched: bool,
    /// The engine's settings but for the addresses.
    pub config: FeedServerConfig,
}

impl Default for FeedSetup {
    fn default() -> Self {
        let config = FeedServerConfig::default();
        Self {
            dialects: Dialects::ALL,
            clear: true,
            guarded: false,
            basic_in_clear: false,
            request_limit: 64 << 20,
            slow: false,
            readers: None,
            watched: false,
            config,
        }
    }
}

/// Services that run: the collections `open` (everybody may do everything), `readonly`, and `hidden`, which alice alone
/// may see.
#[derive(Debug)]
pub struct FeedSite {
    /// Who issues certificates.
    pub pki: Pki,
    /// Where they listen with TLS.
    pub tls: SocketAddr,
    /// Where they listen in clear.
    pub clear: SocketAddr,
    /// The store.
    pub store: SqliteStore,
    /// The server's counters.
    pub counters: Arc<Counters>,
    watch: Watch,
    _folder: TempDir,
    _stop: oneshot::Sender<()>,
    _task: JoinHandle<Stopped>,
}

impl FeedSite {
    /// Services with nothing chosen.
    pub async fn start() -> Self {
        Self::with(FeedSetup::default()).await
    }

    /// Services with these choices.
    pub async fn with(setup: FeedSetup) -> Self {
        let folder = TempDir::new().unwrap();
        let kek = Kek::new(b"one test's key and nobody else's").unwrap();
        let mut options = SqliteOptions::file(folder.path().join("feeds.db"), kek);
        if let Some(readers) = setup.readers {
            options = options.readers(readers);
        }
        let store = SqliteStore::open(options).await.unwrap();
        let changes = collections().into_iter().map(Change::InsertCollection).collect();
        FeedStore::commit(&store, changes, Timestamp::from_unix_seconds(1_000)).await.unwrap();
        let pki = Pki::new();
        let watch = Watch::default();
        let seen: Arc<dyn FeedStore> = Arc::new(store.clone());
        let seen = if setup.watched { Arc::new(Watched::new(seen, watch.clone())) } else { seen };
        let routes = routes(&setup, seen);
        let identities: Arc<dyn IdentityMap> = Arc::new(CertificateIdentity::common_name());
        let mut limits = Limits::default();
        if setup.slow {
            (limits.body, limits.request, limits.write) = (HOUR, HOUR, HOUR);
        }
        let server = Server::builder()
            .listen(Listener::tls(any(), pki.acceptor_taxii()))
            .listen(Listener::clear(any()))
            .router(routes)
            .identities(identities)
            .limits(limits)
            .bind()
            .await
            .unwrap();
        let addresses = server.local_addrs();
        let counters = server.counters();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(async { drop(stopped.await) }));
        let [tls, clear] = addresses[..] else { panic!("two listeners") };
        Self { pki, tls, clear, store, counters, watch, _folder: folder, _stop: stop, _task: task }
    }

    /// What the engine asked of the store, where that is noted.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// A service's URL in clear.
    #[must_use]
    pub fn url(&self, service: Service) -> http::Uri {
        format!("http://{}{}", self.clear, path(service)).parse().unwrap()
    }

    /// A service's URL over TLS.
    #[must_use]
    pub fn secure_url(&self, service: Service) -> http::Uri {
        format!("https://{}{}", self.tls, path(service)).parse().unwrap()
    }

    /// A client in clear and over TLS, with a certificate of this name or none.
    #[must_use]
    pub fn client(&self, dialect: Dialect, name: Option<&str>) -> Client {
        let builder = Client::builder(ids()).dialect(dialect).allow_clear();
        builder.build(self.transport(name))
    }

    /// Connections with a certificate of this name or none.
    #[must_use]
    pub fn transport(&self, name: Option<&str>) -> bindery_transport::Client {
        let mut limits = ClientLimits::default();
        limits.response_body = 1 << 40;
        limits.total = HOUR;
        let builder = bindery_transport::Client::builder().limits(limits);
        builder.connector(self.connector(name)).build()
    }

    /// The client's side of TLS, with a certificate of this name or none.
    #[must_use]
    pub fn connector(&self, name: Option<&str>) -> Arc<dyn Connector> {
        let identity = name.map(|name| self.pki.client(name));
        self.pki.connector_taxii(identity.as_ref())
    }

    /// A connection in clear that sends what it is told.
    pub async fn raw(&self) -> Raw {
        Raw::clear(self.clear).await
    }

    /// The same over TLS.
    pub async fn raw_tls(&self, name: Option<&str>) -> Raw {
        Raw::tls(self.tls, &self.connector(name)).await.unwrap()
    }
}

/// Ids that no other client of this process makes.
#[must_use]
pub fn ids() -> Arc<Ids> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::new(Ids::new(u128::from(NEXT.fetch_add(1, Relaxed)) << 64))
}

/// A service's path.
#[must_use]
pub fn path(service: Service) -> &'static str {
    match HttpProfile::new(service).path {
        std::borrow::Cow::Borrowed(path) => path,
        std::borrow::Cow::Owned(_) => panic!("the usual paths are constants"),
    }
}

fn routes(setup: &FeedSetup, store: Arc<dyn FeedStore>) -> Router {
    let ids = ids();
    let mut config = setup.config.clone();
    config.places.paths =
        Service::ALL.into_iter().map(|service| (service, path(service).to_owned())).collect();
    if config.default_destinations.is_empty() {
        config.default_destinations = vec!["open".to_owned()];
    }
    let engine = Arc::new(FeedServer::new(store, config, Arc::clone(&ids)));
    let authenticator = setup.guarded.then(|| authenticator(setup.basic_in_clear));
    Service::ALL.into_iter().fold(Router::new(), |router, service| {
        let mut profile = HttpProfile::new(service);
        profile.clear = setup.clear;
        profile.request_body_limit = setup.request_limit;
        profile.dialects = setup.dialects;
        let binding = TaxiiHttp::new(&profile, Arc::clone(&ids));
        let access = setup.config.access.get(&service).cloned();
        let everybody = ServiceAccess::open_to(vec![Grantee::Anyone]);
        let behind = |bound| -> Arc<dyn Endpoint> {
            let gate = Gate::new(bound, access.unwrap_or(everybody));
            match &authenticator {
                Some(one) => Arc::new(Guarded::new(gate, Arc::clone(one))),
                None => Arc::new(gate),
            }
        };
        mount(router, binding, Arc::clone(&engine), behind).unwrap()
    })
}

/// Basic: alice, whose account certificates of her name lead to, too.
fn authenticator(in_clear: bool) -> Arc<Authenticator> {
    let mut alice = Account::new(Principal::new("alice"));
    alice.password = Some(hash(PASSWORD, b"a salt of sixteen").unwrap());
    let accounts = Arc::new(Accounts::new().with("alice", alice));
    let authenticator = Authenticator::new("feeds", accounts, [7; 32]).unwrap();
    let mut authenticator = authenticator.with_schemes([AuthScheme::Basic]);
    if in_clear {
        authenticator = authenticator.dangerous_basic_in_clear();
    }
    Arc::new(authenticator.with_blocking(Arc::new(OnRuntime::new())))
}

fn collections() -> Vec<Collection> {
    let collection = |name: &str, to, rights| {
        let mut made = Collection::new(name, format!("the collection {name}"));
        made.grants.push(Grant::new(to, rights));
        made
    };
    vec![
        collection("open", Grantee::Anyone, Rights::ALL),
        collection("readonly", Grantee::Anyone, Rights::READ),
        collection("hidden", Grantee::Principal(Principal::new("alice")), Rights::ALL),
    ]
}

/// A service that alice alone may use, hidden from others or not.
#[must_use]
pub fn alices(service: Service, concealed: bool) -> BTreeMap<Service, ServiceAccess> {
    let access = ServiceAccess::open_to(vec![Grantee::Principal(Principal::new("alice"))]);
    let access = if concealed { access.concealed() } else { access };
    BTreeMap::from([(service, access)])
}

const fn any() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

/// A GUID, as the draft's ids are.
pub const GUID: &str = "00112233445566778899aabbccddeeff";

/// What the draft sends.
pub mod draft {
    use super::{GUID, Post, Service, path};

    /// The namespace of its messages.
    pub const NAMESPACE: &str = "http://taxii.mitre.org/messages/xml/1";

    /// A message's element with what is in it.
    #[must_use]
    pub fn message(name: &str, inside: &str) -> String {
        format!(r#"<d:{name} xmlns:d="{NAMESPACE}" message-id="{GUID}">{inside}</d:{name}>"#)
    }

    /// A Poll Request for everything of a binding in a feed.
    #[must_use]
    pub fn poll(feed: &str) -> String {
        let inside = format!(
            "<d:feed-name>{feed}</d:feed-name><d:content-binding>urn:b</d:content-binding>"
        );
        message("TAXII_PollRequest", &inside)
    }

    /// A STIX Message with one document.
    #[must_use]
    pub fn stix() -> String {
        message(
            "TAXII_STIXMessage",
            r#"<d:content-binding>urn:b</d:content-binding><s:STIX xmlns:s="http://stix.mitre.org"><s:a/></s:STIX>"#,
        )
    }

    /// A subscription request.
    #[must_use]
    pub fn subscribe(feed: &str) -> String {
        let terms = "<d:delivery-method>POLL</d:delivery-method>\
             <d:message-binding>TAXII_XML_BINDING_1.0</d:message-binding>\
             <d:content-binding>urn:b</d:content-binding><d:send-to/>";
        message(
            "TAXII_SubscriptionManagementRequest",
            &format!(
                "<d:feed-name>{feed}</d:feed-name><d:action>SUBSCRIBE</d:action>\
                 <d:subscription>{terms}</d:subscription>"
            ),
        )
    }

    /// A POST in clear.
    pub fn post(service: Service, body: &str) -> Post {
        Post::new(body)
            .line(&format!("POST {} HTTP/1.1", path(service)))
            .set("Content-Type", "application/xml")
            .with("Accept", "application/xml")
            .with("X-TAXII-Accept", "TAXII_1.0/TAXII_XML_1.0")
            .with("X-TAXII-Content-Type", "TAXII_1.0/TAXII_XML_1.0")
            .with("X-TAXII-Protocol", "TAXII_HTTP_BINDING_1.0")
    }

    /// A GET in clear.
    pub fn get(service: Service, query: &str) -> Post {
        Post::new("")
            .line(&format!("GET {}?{query} HTTP/1.1", path(service)))
            .without("Content-Type")
            .without("Content-Length")
            .with("X-TAXII-Protocol", "TAXII_HTTP_BINDING_1.0")
    }

    /// The query of a discovery request.
    #[must_use]
    pub fn discovery() -> String {
        format!("message_type=discovery_request&message_id={GUID}")
    }

    /// The query of a feed information request.
    #[must_use]
    pub fn information() -> String {
        format!("message_type=feed_information_request&message_id={GUID}")
    }
}
