//! The server: from a checked plan to listeners that serve, and back to a closed store.

pub(crate) mod accounts;
pub(crate) mod admin;
mod observer;
mod omadm;
pub(crate) mod plan;
pub(crate) mod ready;
pub(crate) mod secure;
pub(crate) mod signals;
pub(crate) mod supervisor;
mod taxii;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use bindery_core::{ServerBinding, StreamEndpoint};
use bindery_kmip::{
    KmipTls, mount,
    service::{AwsLcCrypto, KeyServer},
};
use bindery_store::SqliteStore;
use bindery_transport::{Listener, Router, Server, Stopped, TransportError};
use tokio::sync::oneshot;

use crate::{
    config::{Protocol, ServiceName},
    error::{Exit, Failure, Layer, Result},
    lock::Lock,
};
use admin::Admin;
use observer::{LogObserver, Operations};
use plan::Plan;
use supervisor::{Inherited, State};

/// A server whose store is open and whose listeners are bound.
#[derive(Debug)]
pub(crate) struct Started {
    /// The listeners.
    pub(crate) listeners: Vec<Listening>,
    /// The admin listener's real address.
    pub(crate) admin: Option<SocketAddr>,
    /// The TLS of the listeners.
    pub(crate) secure: secure::Secure,
    server: Server,
    admin_server: Option<Server>,
    store: SqliteStore,
    /// The hold on the store, to the end.
    lock: Option<Lock>,
    ready: Arc<AtomicBool>,
}

/// A listener that is bound.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its real address.
    pub(crate) address: SocketAddr,
    /// What is spoken on it.
    pub(crate) protocol: Protocol,
    /// The services on it, and the path of each.
    pub(crate) services: Vec<(ServiceName, String)>,
}

/// Opens the store and binds the listeners. Nothing is served yet.
///
/// # Errors
/// The store cannot be opened, an address not be listened on; the exit code says that the server
/// could not start.
pub(crate) async fn start(plan: Plan, inherited: Inherited) -> Result<Started> {
    let lock = plan.store.path().map(Lock::of_store).transpose()?;
    let store = SqliteStore::open(plan.store).await.map_err(|error| {
        Failure::new(Exit::Start, Layer::Store, error.to_string())
            .hint("see the section [store] of the configuration")
    })?;
    match bind(plan.serving, &store, inherited).await {
        Ok(started) => Ok(Started { lock, ..started }),
        Err(failure) => {
            // The first failure is the one to tell.
            let _ = store.close().await;
            Err(failure)
        }
    }
}

/// The services, and KMIP's messages without HTTP.
async fn services(
    serving: &mut plan::Serving,
    store: &SqliteStore,
    operations: &Operations,
) -> Result<(Vec<Service>, Option<Arc<dyn StreamEndpoint>>)> {
    let mut services: Vec<Service> = Vec::new();
    let mut messages: Option<Arc<dyn StreamEndpoint>> = None;
    if let Some(mut kmip) = serving.kmip.take() {
        kmip.engine.observer = Arc::new(LogObserver::new(operations.clone()));
        let engine =
            KeyServer::new(Arc::new(store.clone()), Arc::new(AwsLcCrypto::new()), kmip.engine);
        let engine = Arc::new(engine);
        messages = Some(Arc::new(KmipTls::new(&kmip.binding, Arc::clone(&engine))));
        let path = ServerBinding::profile(&kmip.binding).default_path.clone().into_owned();
        let routes = mount(Router::new(), kmip.binding, engine);
        let routes = routes.map_err(|error| cannot_start(&error))?;
        services.push(Service { name: ServiceName::Kmip, path, routes });
    }
    if let Some(plan) = serving.omadm.take() {
        services.push(omadm::service(plan, store, &serving.accounts)?);
    }
    if let Some(plan) = serving.taxii.take() {
        services.push(taxii::service(plan, store, &serving.accounts).await?);
    }
    Ok((services, messages))
}

async fn bind(
    mut serving: plan::Serving,
    store: &SqliteStore,
    mut inherited: Inherited,
) -> Result<Started> {
    let operations = Operations::default();
    let (services, messages) = services(&mut serving, store, &operations).await?;
    let mut builder = Server::builder()
        .limits(serving.limits.clone())
        .identities(Arc::clone(&serving.identities));
    let secure = secure::Secure::new(&serving.listeners, serving.accounts.clone());
    for plan in &serving.listeners {
        let acceptor = secure.acceptor(&plan.name);
        let upgrade = plan.upgrade.zip(acceptor.clone()).map(|(how, by)| how.by(by));
        // One that upgrades begins in clear.
        let acceptor = acceptor.filter(|_| upgrade.is_none());
        let listener = match (inherited.of(plan.address), acceptor) {
            (Some(socket), acceptor) => Listener::from_std(socket, acceptor),
            (None, Some(acceptor)) => Listener::tls(plan.address, acceptor),
            (None, None) => Listener::clear(plan.address),
        };
        let listener = match &plan.balancers[..] {
            [] => listener,
            balancers => listener.proxy_protocol(balancers),
        };
        let mut listener = listener.router(routes_of(plan, &services)?);
        if let Some(upgrade) = upgrade {
            listener = listener.upgrade(upgrade);
        }
        builder = builder.listen(match (plan.protocol, &messages) {
            (Protocol::KmipTls, Some(messages)) => listener.messages(Arc::clone(messages)),
            (Protocol::Both, Some(messages)) => listener.messages_or_http(Arc::clone(messages)),
            _ => listener,
        });
    }
    let server = builder.bind().await.map_err(|error| cannot_listen(&error))?;
    let plans = serving.listeners.into_iter().zip(server.local_addrs());
    let listeners = plans
        .map(|(plan, address)| Listening {
            services: services_of(&plan, &services)
                .map(|service| (service.name, service.path.clone()))
                .collect(),
            name: plan.name,
            address,
            protocol: plan.protocol,
        })
        .collect();
    let ready = Arc::new(AtomicBool::new(false));
    let admin_server = match serving.admin {
        Some(admin) => {
            let endpoint =
                Admin::new(server.counters(), store.clone(), operations, Arc::clone(&ready))
                    .with_tls(secure.clone());
            Some(bind_admin(admin, &Arc::new(endpoint), inherited.of(admin.address)).await?)
        }
        None => None,
    };
    inherited.all_taken()?;
    let admin = admin_server.as_ref().and_then(|server| server.local_addrs().first().copied());
    let store = store.clone();
    Ok(Started { listeners, admin, secure, server, admin_server, store, lock: None, ready })
}

/// A service that is ready to be reached.
#[derive(Debug)]
struct Service {
    name: ServiceName,
    /// Where clients begin.
    path: String,
    routes: Router,
}

/// The services that a listener has.
fn services_of<'a>(
    plan: &'a plan::ListenerPlan,
    services: &'a [Service],
) -> impl Iterator<Item = &'a Service> {
    services
        .iter()
        .filter(|service| plan.services.is_empty() || plan.services.contains(&service.name))
}

/// Their routes.
fn routes_of(plan: &plan::ListenerPlan, services: &[Service]) -> Result<Router> {
    let mut router = Router::new();
    for service in services_of(plan, services) {
        for (path, endpoint) in service.routes.routes() {
            let mounted = router.mount(path, Arc::clone(endpoint));
            router = mounted.map_err(|error| cannot_start(&error))?;
        }
    }
    Ok(router)
}

async fn bind_admin(
    admin: plan::AdminPlan,
    endpoint: &Arc<Admin>,
    inherited: Option<std::net::TcpListener>,
) -> Result<Server> {
    let listen = |listener| async move {
        let router = admin::routes(endpoint).map_err(|error| cannot_start(&error))?;
        let builder = Server::builder().router(router).limits(admin::limits());
        Ok(builder.listen(listener).bind().await)
    };
    let listener = match inherited {
        Some(socket) => Listener::from_std(socket, None),
        None => Listener::clear(admin.address),
    };
    match listen(listener).await? {
        Ok(server) => Ok(server),
        // Nobody has asked for this port: another one does as well.
        Err(_) if admin.any_port => {
            let free = SocketAddr::new(admin.address.ip(), 0);
            listen(Listener::clear(free)).await?.map_err(|error| cannot_listen(&error))
        }
        Err(error) => Err(cannot_listen(&error)),
    }
}

impl Started {
    /// Serves until `shutdown` completes, drains, and closes the store.
    ///
    /// The admin listener goes on answering while requests under way are finished; it says that
    /// the server is not ready any more.
    ///
    /// # Errors
    /// The store could not be closed in order. What was answered is in it all the same.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<Stopped> {
        let (stop_admin, admin_stopped) = oneshot::channel::<()>();
        let admin = self.admin_server.map(|server| {
            tokio::spawn(server.serve(async {
                // Either way it is over.
                let _ = admin_stopped.await;
            }))
        });
        let ready = Arc::clone(&self.ready);
        ready.store(true, Relaxed);
        supervisor::tell(State::Ready);
        let stopped = self
            .server
            .serve(async {
                shutdown.await;
                ready.store(false, Relaxed);
                supervisor::tell(State::Stopping);
            })
            .await;
        drop(stop_admin);
        if let Some(admin) = admin {
            // A panic of the admin listener is no reason not to close the store.
            let _ = admin.await;
        }
        self.store.close().await.map_err(|error| {
            Failure::new(Exit::Protocol, Layer::Store, error.to_string())
                .hint("what was answered is in the store; look at the disk and the file")
        })?;
        drop(self.lock);
        Ok(stopped)
    }
}

fn cannot_listen(error: &TransportError) -> Failure {
    // The message has the system's words in it already.
    Failure::new(Exit::Start, Layer::Tcp, error.to_string()).hint(error.hint())
}

fn cannot_start(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Start, Layer::Config, error.to_string())
        .hint("bindery config check says more")
}
