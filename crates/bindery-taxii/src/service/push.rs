//! Pushing: what subscribers are sent, out of the store's outbox.

mod result;
mod rules;
mod turns;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bindery_core::Timestamp as Instant;
use bindery_taxii_xml::{
    ContentBlock, Dialect, Inbox, Message, RecordCount, ResponseType, SourceSubscription, Timestamp,
};
use thiserror::Error;

use self::{
    rules::inbox_of,
    turns::{Turn, Turns},
};
use super::{
    Collection, CommitError, ContentFilter, CutLimits, Delivery, FeedServerConfig, FeedStore,
    FeedStoreError, InPlace, Outcome, Outgoing, PageLimits, PushTo, Queries, Subscription, Threads,
    Window,
    poll::{meeting, written},
    query::Compiled,
};
use crate::names::dialect_of_binding;
pub use rules::{Hosts, ParseHostError, PushHost, PushPorts, PushRules};

/// What carries an Inbox Message to an inbox of others.
pub trait SendPush: fmt::Debug + Send + Sync {
    /// Sends a message, and is ready once the inbox has said SUCCESS.
    ///
    /// # Errors
    /// It is sent again later.
    fn send<'a>(
        &'a self,
        to: &'a PushTo,
        dialect: Dialect,
        message: Message<'static>,
    ) -> Sending<'a>;
}

/// The future of [`SendPush::send`].
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), PushFailed>> + Send + 'a>>;

/// Why a push did not arrive, for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PushFailed(pub String);

/// How pushing goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PusherConfig {
    /// The most of one message. Default 100 blocks and 1 MiB.
    pub message: PageLimits,
    /// How long a delivery is worked on before others may take it; longer than sending may take. Default 5 min.
    pub lease: Duration,
    /// From a failure to the next try; twice as long after each one. Default 10 s.
    pub first_pause: Duration,
    /// The longest pause. Default 1 h.
    pub longest_pause: Duration,
    /// How long a delivery without any progress is tried before it is given up, with a record. Default 3 days.
    pub give_up: Duration,
    /// How many messages are on their way to one inbox at a time, so that a slow one holds up nobody else. What is due to it
    /// beyond that comes a little later. Default 2.
    pub at_an_inbox: usize,
    /// Where content may be pushed, as the server has it: what a subscriber was allowed once may not be any more. Nothing,
    /// the default: nowhere.
    pub push: Option<PushRules>,
    /// How long a result that comes later can be asked for once it is there. Default an hour.
    pub results: Duration,
    /// What results that come later are cut by: as the server's are. A push with a query looks through as much at a time.
    pub cut: CutLimits,
    /// The queries that are known; as the server has them.
    pub queries: Option<Queries>,
}

impl Default for PusherConfig {
    fn default() -> Self {
        Self {
            message: PageLimits::default(),
            lease: Duration::from_secs(300),
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(3_600),
            give_up: Duration::from_secs(3 * 86_400),
            at_an_inbox: 2,
            push: None,
            results: FeedServerConfig::default().results,
            cut: FeedServerConfig::default().cut_limits(),
            queries: None,
        }
    }
}

/// Pushes what subscribers have not been given, one message at a time.
///
/// Any number of them may work on one store, in one process or in several: each delivery is leased. A subscriber may get
/// blocks twice, when a message arrived and its answer did not, and never misses any. What is sent again is the same
/// message, with the id that it had, also where more has come meanwhile.
#[derive(Debug)]
pub struct Pusher {
    store: Arc<dyn FeedStore>,
    sender: Arc<dyn SendPush>,
    threads: Arc<dyn Threads>,
    config: PusherConfig,
    turns: Turns,
}

/// What [`Pusher::step`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stepped {
    /// A delivery was worked on, and this came of it: call again at once.
    Worked(Outcome),
    /// Nothing is due before then; nothing at all where it is `None`: wait for new content.
    Idle(Option<Instant>),
}

/// What a delivery is to send, and up to where that goes.
struct Portion {
    message: Option<Addressed>,
    up_to: Instant,
}

/// A message, and where it goes.
struct Addressed {
    to: PushTo,
    dialect: Dialect,
    message: Message<'static>,
    _turn: Turn,
}

/// Why a delivery has nothing to send.
enum Stop {
    GiveUp(String),
    /// So many are on their way to the inbox that this one waits.
    Busy(Duration),
    Store(FeedStoreError),
}

impl From<FeedStoreError> for Stop {
    fn from(error: FeedStoreError) -> Self {
        Self::Store(error)
    }
}

impl Pusher {
    /// Pushes from a store through a sender.
    pub fn new(store: Arc<dyn FeedStore>, sender: Arc<dyn SendPush>, config: PusherConfig) -> Self {
        let turns = Turns::new(config.at_an_inbox);
        Self { store, sender, threads: Arc::new(InPlace), config, turns }
    }

    /// The same, which asks queries on these threads.
    #[must_use]
    pub fn with_threads(mut self, threads: Arc<dyn Threads>) -> Self {
        self.threads = threads;
        self
    }

    /// Does one delivery that is due.
    ///
    /// # Errors
    /// The store failed; what was sent and could not be noted is sent again.
    pub async fn step(&self, now: Instant) -> Result<Stepped, CommitError> {
        let until = now.saturating_add(self.config.lease);
        let Some(delivery) = self.store.lease(now, until, 1).await?.pop() else {
            return Ok(Stepped::Idle(self.store.next_due().await?));
        };
        let lease = delivery.lease;
        let outcome = match self.deliver(&delivery, now).await {
            Ok(outcome) => outcome,
            Err(error) => {
                // What cannot be read, and goes on so, is given up in the end like what does not arrive.
                let failed = self.failed(&delivery, now, error.to_string(), None);
                // The store may be what fails: then the lease runs out.
                let _ = self.store.settle(lease, failed, now).await;
                return Err(error);
            }
        };
        match self.store.settle(lease, outcome.clone(), now).await {
            // Somebody else has it, or it is gone.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(Stepped::Worked(outcome)),
            Err(error) => Err(error),
        }
    }

    async fn deliver(&self, delivery: &Delivery, now: Instant) -> Result<Outcome, CommitError> {
        let (id, begin, up_to) = match &delivery.outgoing {
            Outgoing::Push { subscription, delivered, up_to } => (subscription, *delivered, *up_to),
            Outgoing::Poll { result } => return self.work(result, now).await,
            Outgoing::Result { result, delivered } => {
                let number = delivered.saturating_add(1);
                return self.push_part(delivery, result, number, now).await;
            }
        };
        let portion = match self.portion(id, (begin, up_to), delivery.lease.id).await {
            Ok(portion) => portion,
            Err(stop) => return stopped(stop, now),
        };
        let sent = match portion.message {
            Some(one) => self.sender.send(&one.to, one.dialect, one.message).await,
            None => Ok(()),
        };
        Ok(match sent {
            Ok(()) => Outcome::Delivered { up_to: portion.up_to },
            Err(PushFailed(error)) => self.failed(delivery, now, error, Some(portion.up_to)),
        })
    }

    fn failed(
        &self,
        delivery: &Delivery,
        now: Instant,
        error: String,
        up_to: Option<Instant>,
    ) -> Outcome {
        if now >= delivery.since.saturating_add(self.config.give_up) {
            return Outcome::GiveUp { error };
        }
        let doubled = 2_u32.saturating_pow(delivery.attempts.min(31));
        let pause = self.config.first_pause.saturating_mul(doubled).min(self.config.longest_pause);
        Outcome::Retry { due: now.saturating_add(pause), error, up_to }
    }

    /// Whether it may still be pushed there, and is not busy.
    fn may_push(&self, to: &PushTo, dialect: Dialect) -> Result<Turn, Stop> {
        let Some(rules) = &self.config.push else {
            return Err(Stop::GiveUp("nothing is pushed any more".to_owned()));
        };
        let checked = rules.check(to.clone(), dialect);
        checked.map_err(|fault| Stop::GiveUp(fault.into_reason()))?;
        self.turns.take(inbox_of(to)).map_err(Stop::Busy)
    }

    /// The next message of a subscription, from behind a label up to another one.
    async fn portion(
        &self,
        id: &str,
        (delivered, up_to): (Instant, Instant),
        lease: u64,
    ) -> Result<Portion, Stop> {
        let gone = |what: &str| Stop::GiveUp(format!("{what} is no longer there"));
        let Some(found) = self.store.load_subscription(id).await? else {
            return Err(gone("the subscription"));
        };
        let subscription = found.record;
        let names = [subscription.collection.clone()];
        let mut collections = self.store.load_collections(&names).await?;
        let Some(state) = collections.pop().flatten() else { return Err(gone("the collection")) };
        let to = target(&subscription, &state.collection)?;
        let Some(dialect) = dialect_of_binding(&to.message_binding) else {
            let reason = format!("{:?} is no message binding of ours", to.message_binding);
            return Err(Stop::GiveUp(reason));
        };
        let turn = self.may_push(&to, dialect)?;
        let mut window = Window::up_to(&subscription.collection, up_to.min(state.mark));
        window.begin = Some(delivered);
        window.content = ContentFilter::of(&subscription.content_bindings);
        let counts = subscription.response_type == ResponseType::CountOnly;
        let (blocks, count, up_to) = if counts && dialect == Dialect::V1_1 {
            let query = self.query(subscription.query.as_ref())?;
            let (count, up_to) = self.count(&state.collection, window, query).await?;
            (Vec::new(), Some(count), up_to)
        } else {
            let query = self.query(subscription.query.as_ref())?;
            let (blocks, up_to) = self.blocks(&window, dialect, query.as_ref()).await?;
            (blocks, None, up_to)
        };
        if blocks.is_empty() && count.unwrap_or(0) == 0 {
            return Ok(Portion { message: None, up_to });
        }
        let inbox = inbox(&subscription, dialect, (delivered, up_to), count, &blocks);
        let id = message_id(lease, (delivered, up_to), dialect);
        let mut message = Message::new(id, None, inbox.into());
        message.blocks = blocks;
        let message = Some(Addressed { to, dialect, message, _turn: turn });
        Ok(Portion { message, up_to })
    }

    /// The blocks of one message, and up to where they go: there may be none where a query has looked at much.
    async fn blocks(
        &self,
        window: &Window,
        dialect: Dialect,
        query: Option<&Arc<Compiled>>,
    ) -> Result<(Vec<ContentBlock<'static>>, Instant), Stop> {
        let (mut after, mut used) = (window.begin, (0, 0, 0));
        loop {
            let page = self.store.page(window, after, self.config.message).await?;
            let octets: usize = page.blocks.iter().map(|stored| stored.block.octets()).sum();
            let seen = page.blocks.len();
            let (met, work) = match query {
                None => (page.blocks, 0),
                Some(query) => meeting(query, page.blocks, &*self.threads)
                    .await
                    .map_err(|failed| FeedStoreError::Unavailable(failed.to_string()))?,
            };
            used = (used.0 + seen, used.1 + octets, work.saturating_add(used.2));
            let mut blocks = Vec::with_capacity(met.len());
            for stored in met {
                // The draft's messages are of one binding; what is damaged stops the delivery for the operator to see.
                let label = stored.label;
                match written(stored, dialect) {
                    Ok(Some(block)) if other_binding(dialect, &blocks, &block) => {
                        // What is not of it comes in the next message.
                        return Ok((blocks, before(label)));
                    }
                    Ok(block) => blocks.extend(block),
                    Err(error) => return Err(Stop::GiveUp(error.to_string())),
                }
            }
            match page.next {
                Some(next) if blocks.is_empty() && !self.config.cut.are_used_up(used) => {
                    after = Some(next);
                }
                next => return Ok((blocks, next.unwrap_or(window.end))),
            }
        }
    }
}

/// What becomes of a delivery that has nothing to send.
fn stopped(stop: Stop, now: Instant) -> Result<Outcome, CommitError> {
    match stop {
        Stop::GiveUp(error) => Ok(Outcome::GiveUp { error }),
        Stop::Busy(pause) => Ok(Outcome::Extend { until: now.saturating_add(pause) }),
        Stop::Store(error) => Err(error.into()),
    }
}

/// Whether a draft's message cannot have another block.
fn other_binding(
    dialect: Dialect,
    blocks: &[ContentBlock<'static>],
    next: &ContentBlock<'static>,
) -> bool {
    dialect == Dialect::Draft
        && blocks.last().is_some_and(|block| block.binding.id != next.binding.id)
}

fn before(label: Instant) -> Instant {
    Instant::from_unix_micros(label.unix_micros().saturating_sub(1))
}

/// The inbox of a subscriber who may still have the collection's content.
fn target(subscription: &Subscription, collection: &Collection) -> Result<PushTo, Stop> {
    let may = collection.rights(subscription.owner.as_ref()).subscribe;
    if !(may && collection.enabled && collection.offers.push) {
        let reason = "the subscriber may no longer have the collection pushed";
        return Err(Stop::GiveUp(reason.to_owned()));
    }
    match &subscription.push {
        Some(push) if subscription.is_pushing() => Ok(push.clone()),
        _ => Err(Stop::GiveUp("the subscription is not pushed to anybody".to_owned())),
    }
}

/// All of an Inbox Message but its blocks.
fn inbox(
    subscription: &Subscription,
    dialect: Dialect,
    (begin, end): (Instant, Instant),
    count: Option<u64>,
    blocks: &[ContentBlock<'static>],
) -> Inbox {
    let draft = dialect == Dialect::Draft;
    // The range begins with what is in it in 1.0, and before it in 1.1.
    let first = i64::from(dialect == Dialect::V1_0);
    let source = (!draft).then(|| SourceSubscription {
        collection: subscription.collection.clone(),
        subscription_id: Some(subscription.id.clone()),
        begin: Timestamp::from_micros(begin.unix_micros().saturating_add(first)),
        end: Timestamp::from_micros(end.unix_micros()),
    });
    Inbox {
        result_id: None,
        destination_collections: Vec::new(),
        message: None,
        source_subscription: source,
        subscription_id: draft.then(|| subscription.id.clone()),
        record_count: count.map(|count| RecordCount { count, partial: None }),
        content_binding: blocks.first().filter(|_| draft).map(|block| block.binding.id.clone()),
    }
}

/// A message's id: the same when the same is sent again, and another one when more has come meanwhile, since a receiver may
/// leave out what has an id that it knows. 32 decimal digits are a GUID in form, digits, and a URI.
fn message_id(lease: u64, (begin, end): (Instant, Instant), dialect: Dialect) -> String {
    const DIGITS: u128 = 10_u128.pow(20);
    let number = |label: Instant| u128::from(label.unix_micros().unsigned_abs());
    // One number of both ends: the factor is odd and no power of ten divides it.
    let window = (number(begin) * 1_000_000_007 + number(end)) % DIGITS;
    let id = format!("{:012}{window:020}", lease % 1_000_000_000_000);
    match dialect {
        Dialect::V1_0 => id.trim_start_matches('0').to_owned(),
        _ => id,
    }
}
