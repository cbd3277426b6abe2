//! The device management service: its route, its upkeep.

use std::{sync::Arc, time::Duration};

use bindery_core::Timestamp;
use bindery_omadm::{
    DmHttp, mount, mount_guarded,
    service::{DeviceStore, DmServer, Happened, Management, Random, RandomError, StoreError},
};
use bindery_store::SqliteStore;
use bindery_transport::Router;

use super::{Service, accounts::LiveAccounts, cannot_start, plan::omadm::OmadmPlan, taxii::guard};
use crate::{config::ServiceName, error::Result, serve::now};

/// How often what is over is looked for.
const UPKEEP: Duration = Duration::from_secs(60);
/// The rows of one piece of upkeep.
const PIECE: usize = 1_000;
/// How long finished commands are kept, in seconds.
const HISTORY: i64 = 90 * 86_400;

/// Makes the service ready.
///
/// # Errors
/// There are no random octets, or a path is taken.
pub(super) fn service(
    mut plan: OmadmPlan,
    store: &SqliteStore,
    accounts: &LiveAccounts,
) -> Result<Service> {
    plan.engine.management = Arc::new(LogManagement);
    let path = plan.profile.path.to_string();
    let engine = DmServer::new(Arc::new(store.clone()), Arc::new(System), plan.engine);
    let engine = Arc::new(engine.map_err(|error| cannot_start(&error))?);
    let binding = DmHttp::new(&plan.profile);
    let routes = match guard(&plan.auth, accounts)? {
        None => mount(Router::new(), binding, engine),
        Some(guard) => mount_guarded(Router::new(), binding, engine, guard),
    };
    let routes = routes.map_err(|error| cannot_start(&error))?;
    // It ends with the runtime.
    drop(tokio::spawn(upkeep(store.clone())));
    Ok(Service { name: ServiceName::Omadm, path, routes })
}

/// The system's random octets.
#[derive(Debug)]
struct System;

impl Random for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(buffer).map_err(|error| RandomError::new(error.to_string()))
    }
}

/// Takes away sessions and commands that are over, a piece at a time.
async fn upkeep(store: SqliteStore) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        loop {
            let now = now();
            let before = Timestamp::from_unix_seconds(now.unix_seconds() - HISTORY);
            match store.sweep(now, before, PIECE).await {
                Ok(swept) if swept.is_empty() => break,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    tracing::warn!(%error, "upkeep of the devices failed; it is tried again");
                    break;
                }
            }
        }
    }
}

/// Writes to the log what devices did.
#[derive(Debug)]
struct LogManagement;

impl Management for LogManagement {
    fn happened(&self, happened: &Happened<'_>) {
        // Written as strings, so that the log escapes what the device has chosen.
        tracing::info!(
            device = happened.device,
            session = happened.session_id,
            message = happened.msg_id,
            status = happened.status.to_string(),
            results = happened.results.len(),
            commands = happened.commands.len(),
            over = happened.over,
            "device"
        );
    }

    fn store_failed(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(%error, cause, "the store failed; the device was told to come again");
    }

    fn random_failed(&self, error: &RandomError) {
        tracing::error!(%error, "no random octets; the device was told to come again");
    }
}
