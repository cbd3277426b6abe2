//! The feed services: their collections made as the configuration has them, their routes, their upkeep.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bindery_auth::{Authenticator, Guarded};
use bindery_core::{Bound, Endpoint};
use bindery_store::SqliteStore;
use bindery_taxii::{
    Ids, PushSender, TaxiiHttp, mount,
    service::{
        Change, Collection, CommitError, FeedServer, FeedServerConfig, FeedStore, FeedStoreError,
        Observer, Outcome, Pusher, PusherConfig, Stepped, Threads, Work,
    },
};
use bindery_transport::{OnRuntime, Router};

use super::{
    Service,
    accounts::LiveAccounts,
    cannot_start,
    plan::taxii::{AuthPlan, PushPlan, TaxiiPlan},
};
use crate::{
    config::ServiceName,
    error::{Exit, Failure, Layer, Result},
    serve::now,
};

/// How often what is to be pushed is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is over is looked for.
const UPKEEP: Duration = Duration::from_secs(60);
/// The rows of one piece of upkeep.
const PIECE: usize = 1_000;
/// How often a collection is set up again because another process does the same.
const TRIES: usize = 8;

/// Makes the services ready.
///
/// # Errors
/// The store cannot be used, or a path is taken.
pub(super) async fn service(
    mut plan: TaxiiPlan,
    store: &SqliteStore,
    accounts: &LiveAccounts,
) -> Result<Service> {
    for collection in &plan.collections {
        set_up(store, collection).await?;
    }
    plan.engine.observer = Arc::new(LogObserver);
    plan.engine.threads = Arc::new(QueryThreads::new());
    let ids = Arc::new(Ids::new(u128::from_be_bytes(random()?)));
    start_pushing(plan.push, &plan.engine, store, &ids);
    let engine = FeedServer::new(Arc::new(store.clone()), plan.engine, Arc::clone(&ids));
    let engine = Arc::new(engine);
    let guard = guard(&plan.auth, accounts)?;
    let mut routes = Router::new();
    for profile in &plan.profiles {
        let binding = TaxiiHttp::new(profile, Arc::clone(&ids));
        let behind =
            |bound| -> Arc<dyn Endpoint> { behind(bound, guard.clone(), plan.auth.anonymous) };
        let mounted = mount(routes, binding, Arc::clone(&engine), behind);
        routes = mounted.map_err(|error| cannot_start(&error))?;
    }
    let path = plan.profiles.first().map(|profile| profile.path.to_string()).unwrap_or_default();
    // It ends with the runtime.
    drop(tokio::spawn(upkeep(store.clone())));
    Ok(Service { name: ServiceName::Taxii, path, routes })
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| cannot_start(&error))?;
    Ok(octets)
}

/// What clients prove passwords to; nothing where they need not.
pub(super) fn guard(
    auth: &AuthPlan,
    accounts: &LiveAccounts,
) -> Result<Option<Arc<Authenticator>>> {
    if auth.schemes.is_empty() {
        return Ok(None);
    }
    let made = Authenticator::new(&*auth.realm, Arc::new(accounts.clone()), random()?);
    let made = made.map_err(|error| cannot_start(&error))?;
    let made = made.with_schemes(auth.schemes.clone()).with_blocking(Arc::new(OnRuntime::new()));
    Ok(Some(Arc::new(made)))
}

type Bare = Bound<TaxiiHttp, Arc<FeedServer>>;

fn behind(bound: Bare, guard: Option<Arc<Authenticator>>, anonymous: bool) -> Arc<dyn Endpoint> {
    match guard {
        None => Arc::new(bound),
        Some(guard) if anonymous => Arc::new(Guarded::new(bound, guard).and_nobody()),
        Some(guard) => Arc::new(Guarded::new(bound, guard)),
    }
}

/// Makes a collection what the configuration says. Its blocks stay.
async fn set_up(store: &SqliteStore, wanted: &Collection) -> Result<()> {
    let failed = |error: &dyn std::error::Error| {
        let message = format!("the collection {:?} cannot be set up: {error}", wanted.name);
        Failure::new(Exit::Start, Layer::Store, message).hint("see the section [store]")
    };
    let names = [wanted.name.clone()];
    for _ in 0..TRIES {
        let found = store.load_collections(&names).await.map_err(|error| failed(&error))?;
        let change = match found.into_iter().next().flatten() {
            None => Change::InsertCollection(wanted.clone()),
            Some(found) if found.collection == *wanted => return Ok(()),
            Some(found) if found.collection.kind != wanted.kind => {
                let message =
                    format!("the collection {:?} is there with another type", wanted.name);
                return Err(Failure::new(Exit::Start, Layer::Store, message)
                    .hint("a feed cannot become a set: give it another name"));
            }
            Some(found) => {
                Change::ReplaceCollection { collection: wanted.clone(), expected: found.version }
            }
        };
        match store.commit(vec![change], now()).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Conflict(_)) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(failed(&std::io::Error::other("another process changes it all the time")))
}

/// Has workers push what subscribers and polls are owed. They end with the runtime: what they were at is done again.
fn start_pushing(plan: PushPlan, engine: &FeedServerConfig, store: &SqliteStore, ids: &Arc<Ids>) {
    if plan.workers == 0 {
        return;
    }
    let transport = bindery_transport::Client::builder();
    let transport = match plan.connector {
        Some(connector) => transport.connector(connector),
        None => transport,
    };
    let mut sender = PushSender::new(transport.build(), Arc::clone(ids));
    if plan.clear {
        sender = sender.allow_clear();
    }
    let mut config = PusherConfig::default();
    (config.cut, config.queries) = (engine.cut_limits(), engine.queries.clone());
    (config.push, config.results) = (engine.push.clone(), engine.results);
    let pusher = Pusher::new(Arc::new(store.clone()), Arc::new(sender), config);
    let pusher = Arc::new(pusher.with_threads(Arc::clone(&engine.threads)));
    for _ in 0..plan.workers {
        drop(tokio::spawn(push(Arc::clone(&pusher))));
    }
}

/// Does one delivery after the other.
async fn push(pusher: Arc<Pusher>) {
    loop {
        match pusher.step(now()).await {
            Ok(Stepped::Worked(outcome)) => {
                if let Outcome::Retry { error, .. } | Outcome::GiveUp { error } = &outcome {
                    let given_up = matches!(outcome, Outcome::GiveUp { .. });
                    tracing::warn!(%error, given_up, "a push did not arrive");
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "pushing failed; it is tried again"),
        }
        // New content may come through another process: looking costs one read.
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes away what is over, a piece at a time, so that nobody waits long.
async fn upkeep(store: SqliteStore) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        loop {
            match store.maintain(now(), PIECE).await {
                Ok(done) if done.more => tokio::task::yield_now().await,
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "upkeep of the feeds failed; it is tried again");
                    break;
                }
            }
        }
    }
}

/// Asks queries on tokio's threads for blocking work: of as many at a time as half the processors, so that the rest of the
/// server goes on beside them.
#[derive(Debug)]
struct QueryThreads(tokio::sync::Semaphore);

impl QueryThreads {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(tokio::sync::Semaphore::new((processors / 2).max(1)))
    }
}

impl Threads for QueryThreads {
    fn run(&self, work: Work) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            // It is never closed. Work that a runtime which ends leaves undone is told by what it did not give.
            let permit = self.0.acquire().await;
            drop(tokio::task::spawn_blocking(work).await);
            drop(permit);
        })
    }
}

/// Writes to the log what peers must not see.
#[derive(Debug)]
struct LogObserver;

impl Observer for LogObserver {
    fn store_failed(&self, error: &FeedStoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "the store failed; the client was told FAILURE");
    }

    fn received(&self, collection: &str, blocks: u64, repeated: bool) {
        tracing::info!(collection, blocks, repeated, "received");
    }
}
