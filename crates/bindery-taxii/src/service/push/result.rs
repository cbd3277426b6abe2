//! Results that come later: cut, and pushed part by part.

use std::sync::Arc;

use bindery_core::Timestamp as Instant;
use bindery_taxii_xml::{
    CollectionType, Dialect, Inbox, Message, RecordCount, SourceSubscription, Timestamp,
};

use super::{Pusher, Stop, message_id, stopped};
use crate::service::{
    Change, Collection, CommitError, Delivery, Outcome, PushFailed, QueryText, ResultPart,
    ResultSet, ResultState, Versioned, Window,
    cut::{Uncut, cut},
    query::Compiled,
};

impl Pusher {
    /// Works on a poll that was put off: cuts its result.
    pub(super) async fn work(&self, id: &str, now: Instant) -> Result<Outcome, CommitError> {
        let Some(Versioned { record, version, .. }) = self.store.load_result(id).await? else {
            return Ok(Outcome::Finished);
        };
        let mut result = record;
        // Done before, by somebody who did not come to say so: cut again it could have other parts, while its own are
        // being fetched or pushed.
        if result.state != ResultState::Pending {
            return Ok(Outcome::Finished);
        }
        let parts = match self.cut(&mut result).await {
            Ok(parts) => parts,
            Err(Stop::GiveUp(reason)) => {
                result.state = ResultState::Failed(reason);
                Vec::new()
            }
            Err(stop) => return stopped(stop, now),
        };
        // It may have waited: its time begins now.
        result.expires = result.expires.max(now.saturating_add(self.config.results));
        if !parts.is_empty() {
            result = result.in_parts(&parts);
        }
        let change = Change::ReplaceResult { result, parts, expected: version };
        match self.store.commit(vec![change], now).await {
            // Changed or gone: then somebody else has done it, or nobody wants it.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(Outcome::Finished),
            Err(error) => Err(error),
        }
    }

    async fn cut(&self, result: &mut ResultSet) -> Result<Vec<ResultPart>, Stop> {
        let collection = self.collection_of(result).await?;
        let query = self.query(result.query.as_ref())?;
        let (window, limits) = (&mut result.window, self.config.cut);
        let cut = cut(&*self.store, &collection, window, query.as_ref(), limits, &*self.threads);
        cut.await.map_err(stop)
    }

    async fn collection_of(&self, result: &ResultSet) -> Result<Collection, Stop> {
        let names = [result.window.collection.clone()];
        let found = self.store.load_collections(&names).await?.pop().flatten();
        let collection = found.map(|found| found.collection);
        let gone = || Stop::GiveUp("the collection is no longer there".to_owned());
        let collection = collection.ok_or_else(gone)?;
        let may = collection.enabled && collection.rights(result.owner.as_ref()).poll;
        match may {
            true => Ok(collection),
            false => Err(Stop::GiveUp("the collection may no longer be polled".to_owned())),
        }
    }

    /// A query made ready.
    pub(super) fn query(&self, query: Option<&QueryText>) -> Result<Option<Arc<Compiled>>, Stop> {
        let Some(query) = query else { return Ok(None) };
        let Some(queries) = &self.config.queries else {
            return Err(Stop::GiveUp("queries are not taken any more".to_owned()));
        };
        let compiled = queries.compile(query);
        compiled.map(|one| Some(Arc::new(one))).map_err(|fault| Stop::GiveUp(fault.into_reason()))
    }

    /// How many blocks of a window meet a query, and up to where they were counted.
    pub(super) async fn count(
        &self,
        collection: &Collection,
        mut window: Window,
        query: Option<Arc<Compiled>>,
    ) -> Result<(u64, Instant), Stop> {
        if query.is_none() {
            return Ok((self.store.count(&window, u64::MAX).await?, window.end));
        }
        let (query, limits) = (query.as_ref(), self.config.cut);
        let cut = cut(&*self.store, collection, &mut window, query, limits, &*self.threads);
        let parts = cut.await.map_err(stop)?;
        Ok((parts.iter().map(|part| part.blocks).sum(), window.end))
    }

    /// Pushes a part of a result, a message for each.
    pub(super) async fn push_part(
        &self,
        delivery: &Delivery,
        id: &str,
        number: u64,
        now: Instant,
    ) -> Result<Outcome, CommitError> {
        let (result, part) = match self.part(id, number).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Outcome::Finished),
            Err(stop) => return stopped(stop, now),
        };
        let Some(to) = &result.push else { return Ok(Outcome::Finished) };
        let _turn = match self.may_push(to, Dialect::V1_1) {
            Ok(turn) => turn,
            Err(stop) => return stopped(stop, now),
        };
        let message = match self.message_of(&result, &part, delivery.lease.id).await {
            Ok(message) => message,
            Err(stop) => return stopped(stop, now),
        };
        Ok(match self.sender.send(to, Dialect::V1_1, message).await {
            Ok(()) if part.more => Outcome::Part { number },
            Ok(()) => Outcome::Finished,
            Err(PushFailed(error)) => self.failed(delivery, now, error, None),
        })
    }

    async fn part(&self, id: &str, number: u64) -> Result<Option<(ResultSet, ResultPart)>, Stop> {
        let Some(found) = self.store.load_result(id).await? else { return Ok(None) };
        self.collection_of(&found.record).await?;
        let part = self.store.load_parts(id, number, 1).await?.pop();
        Ok(part.filter(|part| part.number == number).map(|part| (found.record, part)))
    }

    /// An Inbox Message with all blocks of a part: as long as a part may be.
    async fn message_of(
        &self,
        result: &ResultSet,
        part: &ResultPart,
        lease: u64,
    ) -> Result<Message<'static>, Stop> {
        let query = self.query(result.query.as_ref())?;
        let set = self.collection_of(result).await?.kind == CollectionType::DataSet;
        let mut window = result.window.clone();
        (window.begin, window.end) = (part.begin, part.end);
        let mut blocks = Vec::new();
        loop {
            let (some, up_to) = self.blocks(&window, Dialect::V1_1, query.as_ref()).await?;
            blocks.extend(some);
            if up_to >= window.end {
                break;
            }
            window.begin = Some(up_to);
        }
        let label = |at: Instant| Timestamp::from_micros(at.unix_micros());
        let source = (!set).then(|| SourceSubscription {
            collection: result.window.collection.clone(),
            subscription_id: None,
            begin: part.begin.and_then(label),
            end: label(part.end),
        });
        let inbox = Inbox {
            result_id: Some(result.id.clone()),
            destination_collections: Vec::new(),
            message: None,
            source_subscription: source.filter(|_| result.subscription.is_some()),
            subscription_id: None,
            record_count: result.blocks.map(|count| RecordCount { count, partial: None }),
            content_binding: None,
        };
        // The same when it is sent again.
        let at = Instant::from_unix_micros(i64::try_from(part.number).unwrap_or(i64::MAX));
        let mut message =
            Message::new(message_id(lease, (at, at), Dialect::V1_1), None, inbox.into());
        message.blocks = blocks;
        Ok(message)
    }
}

fn stop(uncut: Uncut) -> Stop {
    match uncut {
        Uncut::Store(error) => Stop::Store(error),
        Uncut::Fault(fault) => Stop::GiveUp(fault.into_reason()),
    }
}
