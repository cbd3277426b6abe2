//! One message: load, decide, commit, answer.

use std::{fmt, sync::Arc};

use bindery_core::{Context, Handler};
use bindery_syncml::StatusCode;
use bytes::Bytes;

use super::{
    Ask, Change, CommitError, DeviceStore, DmServerConfig, Happened, Loaded, Moment, NewCommand,
    Random, RandomError, StoreError, Versioned, Whose,
    turn::{self, Decision, Fetched, Scene},
};
use crate::{Incoming, Outgoing};

/// How many open commands of a device are looked at, for each that may go into a message: some may
/// be given up on the way.
const LOOKED_AT: usize = 2;

/// How many commands [`Management::decide`](super::Management) may queue at once.
const DECIDED: usize = 1_000;

/// How many open commands a device may have when [`Management::decide`](super::Management) queues
/// more.
const OPEN: u32 = 10_000;

/// A device management server without IO: it loads from a [`DeviceStore`], decides, and commits.
///
/// Each message is decided as one piece and committed as one piece, together with its answer, so
/// that nothing is acknowledged before it is durable, and the same message gets the same answer
/// from whichever process it comes to. When somebody else changes the same device meanwhile, the
/// decision is made again.
pub struct DmServer {
    store: Arc<dyn DeviceStore>,
    random: Arc<dyn Random>,
    config: DmServerConfig,
    /// What nonces for unknown devices are made of.
    decoy: [u8; 16],
}

impl DmServer {
    /// A server over a store, with the random generator and the settings given to it.
    ///
    /// # Errors
    /// The generator fails.
    pub fn new(
        store: Arc<dyn DeviceStore>,
        random: Arc<dyn Random>,
        config: DmServerConfig,
    ) -> Result<Self, RandomError> {
        let mut decoy = [0; 16];
        random.fill(&mut decoy)?;
        Ok(Self { store, random, config, decoy })
    }

    /// The store, to register devices, to queue commands, to read results.
    pub fn store(&self) -> &Arc<dyn DeviceStore> {
        &self.store
    }

    /// The settings.
    pub const fn config(&self) -> &DmServerConfig {
        &self.config
    }

    /// Answers one message. It always answers: what cannot be served gets a status.
    pub async fn respond(&self, cx: &Context, incoming: &Incoming) -> Outgoing {
        let mut scene = Scene {
            config: &self.config,
            cx,
            incoming,
            nonce: [0; 16],
            token: [0; 16],
            decoy: &self.decoy,
        };
        let filled =
            self.random.fill(&mut scene.nonce).and_then(|()| self.random.fill(&mut scene.token));
        if let Err(error) = filled {
            self.config.management.random_failed(&error);
            return turn::refuse(&scene, StatusCode::SERVICE_UNAVAILABLE, None).reply;
        }
        let device = incoming.message.hdr.source.loc_uri.as_str();
        if self.has_to_wait(cx, device).await {
            return turn::refuse(&scene, StatusCode::RETRY_LATER, None).reply;
        }
        match self.decide(&scene, device).await {
            Ok(decision) => {
                self.count(cx, device, decision.tried).await;
                self.tell(&scene, device, &decision);
                decision.reply
            }
            Err(error) => {
                self.config.management.store_failed(&error);
                turn::refuse(&scene, StatusCode::SERVICE_UNAVAILABLE, None).reply
            }
        }
    }

    /// Makes the turn and commits it, again and again while others are faster.
    async fn decide(&self, scene: &Scene<'_>, device: &str) -> Result<Decision, StoreError> {
        let mut managed = false;
        for _ in 0..=self.config.conflicts {
            let loaded = self.load(scene, device).await?;
            let mut decision = self.turn(scene, &loaded, device, managed).await?;
            if decision.idle {
                managed = true;
                if self.ask_for_more(scene, &loaded, &decision).await? {
                    continue;
                }
            }
            let changes = std::mem::take(&mut decision.changes);
            if changes.is_empty() {
                return Ok(decision);
            }
            match self.store.commit(changes).await {
                Ok(()) => {
                    self.begin_refreshes(&mut decision);
                    return Ok(decision);
                }
                // Of an unknown outcome the next look tells: the session has the answer, or not.
                Err(CommitError::Conflict { .. } | CommitError::Unknown(_)) => {}
                Err(CommitError::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::Failed(Box::new(error))),
            }
        }
        Err(StoreError::Unavailable("the device is changed by others all the time".to_owned()))
    }

    /// What was decided lasts: refreshes of data stores begin.
    fn begin_refreshes(&self, decision: &mut Decision) {
        let (Some(stores), Some(device)) = (&self.config.datastores, &decision.device) else {
            return;
        };
        for (store, kind) in decision.begun.drain(..) {
            stores.begin(&Whose::new(device, &store), kind);
        }
    }

    async fn load(&self, scene: &Scene<'_>, device: &str) -> Result<Loaded, StoreError> {
        let session = scene.incoming.message.hdr.session_id.as_str();
        let commands = self.config.commands as usize * LOOKED_AT;
        self.store.load(&Ask::new(device, Some(session), commands)).await
    }

    /// A turn, with what it turns out to need.
    async fn turn(
        &self,
        scene: &Scene<'_>,
        loaded: &Loaded,
        device: &str,
        managed: bool,
    ) -> Result<Decision, StoreError> {
        let mut fetched = Fetched::default();
        loop {
            let decision = turn::begin(*scene, loaded.clone(), fetched.clone(), managed);
            let wanted = &decision.wanted;
            if wanted.object && fetched.object.is_none() {
                let session = scene.incoming.message.hdr.session_id.as_str();
                fetched.object = Some(self.store.read_object(device, session).await?);
                continue;
            }
            let Some((id, range)) = &wanted.piece else { return Ok(decision) };
            let again = fetched
                .piece
                .as_ref()
                .is_some_and(|(of, from, _)| of == id && *from == range.start);
            if again {
                return Ok(decision);
            }
            let octets: Bytes = self.store.read_data(id, range.clone()).await?;
            fetched.piece = Some((id.clone(), range.start, octets));
        }
    }

    /// Asks the application what else is to be done; true if it queued something.
    async fn ask_for_more(
        &self,
        scene: &Scene<'_>,
        loaded: &Loaded,
        decision: &Decision,
    ) -> Result<bool, StoreError> {
        let Some(Versioned { entry: device, .. }) = &loaded.device else { return Ok(false) };
        let moment = Moment {
            device,
            session_id: &scene.incoming.message.hdr.session_id,
            msg_id: scene.msg_id().unwrap_or(0),
            results: &decision.results,
            now: scene.cx.now,
        };
        let mut more = false;
        for command in self.config.management.decide(&moment).into_iter().take(DECIDED) {
            more |= self.queue(command).await?;
        }
        Ok(more)
    }

    async fn queue(&self, command: NewCommand) -> Result<bool, StoreError> {
        match self.store.commit(vec![Change::Enqueue { command, at_most: OPEN }]).await {
            Ok(()) => Ok(true),
            // It is there already.
            Err(CommitError::Duplicate { .. } | CommitError::Conflict { .. }) => Ok(false),
            Err(CommitError::Store(error) | CommitError::Unknown(error)) => Err(error),
            Err(error) => Err(StoreError::Failed(Box::new(error))),
        }
    }

    async fn has_to_wait(&self, cx: &Context, device: &str) -> bool {
        let Some(limit) = &self.config.rate_limit else { return false };
        // Who cannot be counted is not kept out: the credentials still decide.
        matches!(limit.wait(&key(cx, device), cx.now).await, Ok(Some(_)))
    }

    async fn count(&self, cx: &Context, device: &str, tried: Option<bool>) {
        let (Some(limit), Some(good)) = (&self.config.rate_limit, tried) else { return };
        let key = key(cx, device);
        // As above.
        let _ = if good { limit.succeeded(&key).await } else { limit.failed(&key, cx.now).await };
    }

    fn tell(&self, scene: &Scene<'_>, device: &str, decision: &Decision) {
        self.config.management.happened(&Happened {
            device,
            session_id: &scene.incoming.message.hdr.session_id,
            msg_id: scene.msg_id().unwrap_or(0),
            status: decision.status,
            user_agent: scene.incoming.user_agent(),
            results: &decision.results,
            commands: &decision.commands,
            over: decision.over,
        });
    }
}

/// Failures are counted by device and address, so that nobody keeps a device out from elsewhere.
fn key(cx: &Context, device: &str) -> String {
    let address = cx.peer.address.map_or_else(String::new, |address| address.ip().to_string());
    format!("device {device} at {address}")
}

impl Handler<Incoming> for DmServer {
    type Response = Outgoing;

    async fn handle(&self, cx: &Context, request: Incoming) -> Outgoing {
        self.respond(cx, &request).await
    }
}

impl fmt::Debug for DmServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DmServer").field("store", &self.store).finish_non_exhaustive()
    }
}
