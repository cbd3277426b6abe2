//! Result sets: what is given in parts.

use std::sync::Arc;

use bindery_core::Context;
use bindery_taxii_xml::{CollectionType, PollFulfillment, PollResponse, RecordCount, StatusType};

use super::{Bounds, Wanted, empty_response, set_bounds};
use crate::{
    TaxiiRequest,
    service::{
        Change, Collection, PushTo, QueryText, ResultPart, ResultSet, ResultState, Window,
        cut::{Uncut, cut},
        engine::{Answering, Done, FeedServer, Wants},
        fault::Fault,
        query::Compiled,
    },
};

impl FeedServer {
    /// Cuts what was asked for into parts. Where it is more than there may be, the window ends with the last one.
    pub(super) async fn cut(
        &self,
        collection: &Collection,
        window: &mut Window,
        query: Option<&Arc<Compiled>>,
    ) -> Done<Vec<ResultPart>> {
        let (limits, threads) = (self.config.cut_limits(), &*self.config.threads);
        match cut(&*self.store, collection, window, query, limits, threads).await {
            Ok(parts) => Ok(parts),
            Err(Uncut::Fault(fault)) => Err(fault),
            Err(Uncut::Store(error)) => self.loaded(Err(error)),
        }
    }

    /// Says that the answer comes later, and has it worked on.
    pub(super) async fn pend(
        &self,
        cx: &Context,
        window: Window,
        query: Option<QueryText>,
        push: Option<PushTo>,
    ) -> Done<Answering> {
        let expires = cx.now.saturating_add(self.config.results);
        let owner = cx.principal.clone();
        let mut result = ResultSet::new(self.ids.uri(), owner, window, cx.now, expires);
        (result.query, result.push) = (query, push);
        result.state = ResultState::Pending;
        let pending = self.pending(&result);
        let limits = self.config.result_sets;
        let change = Change::InsertResult { result, parts: Vec::new(), limits };
        self.committed(self.store.commit(vec![change], cx.now).await)?;
        Err(pending)
    }

    /// PENDING, as the details of 1.1 have it.
    fn pending(&self, result: &ResultSet) -> Fault {
        let wait = self.config.later.map_or(1, |later| later.wait.as_secs().max(1));
        let reason = "the answer is being made; ask for the result then";
        Fault::new(StatusType::Pending, reason)
            .with("ESTIMATED_WAIT", wait.to_string())
            .with("RESULT_ID", result.id.clone())
            .with("WILL_PUSH", result.push.is_some().to_string())
    }

    /// Keeps a result for whoever polled; its id.
    pub(super) async fn keep(
        &self,
        cx: &Context,
        window: Window,
        wanted: &Wanted,
        parts: Vec<ResultPart>,
    ) -> Done<String> {
        let expires = cx.now.saturating_add(self.config.results);
        let owner = cx.principal.clone();
        let result = ResultSet::new(self.ids.uri(), owner, window, cx.now, expires);
        let mut result = result.in_parts(&parts);
        result.subscription.clone_from(&wanted.subscription_id);
        result.query.clone_from(&wanted.query);
        let id = result.id.clone();
        let limits = self.config.result_sets;
        let change = Change::InsertResult { result, parts, limits };
        self.committed(self.store.commit(vec![change], cx.now).await)?;
        Ok(id)
    }

    /// A part of a result. Any part costs what the first one does: where it lies stands in the store.
    pub(in crate::service) async fn fulfil(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
        asked: &PollFulfillment,
    ) -> Done<Answering> {
        let dialect = request.dialect;
        let found = self.collection(cx, dialect, &asked.collection, Wants::Poll).await?;
        let collection = found.collection;
        let result = self.loaded(self.store.load_result(&asked.result_id).await)?;
        let mine = result.map(|one| one.record).filter(|one| {
            one.owner == cx.principal
                && (one.expires > cx.now || one.state == ResultState::Pending)
                && one.window.collection == collection.name
        });
        let Some(result) = mine else { return Err(Fault::not_found("result", &asked.result_id)) };
        match &result.state {
            ResultState::Pending => return Err(self.pending(&result)),
            ResultState::Failed(reason) => {
                return Err(Fault::new(StatusType::AsynchronousPollError, reason.clone()));
            }
            ResultState::Ready => {}
        }
        let query = result.query.as_ref().map(|query| self.compile(query)).transpose()?;
        let part = self.part(&result, asked.result_part_number.unwrap_or(1)).await?;
        let mut response = empty_response(&collection, dialect);
        part_of(&mut response, &result, &part);
        let set = collection.kind == CollectionType::DataSet;
        let bounds = (!set).then_some(Bounds { begin: part.begin, end: part.end });
        set_bounds(&mut response, dialect, bounds);
        let window = Window { begin: part.begin, end: part.end, ..result.window };
        self.stream(request, response, window, query).await
    }

    /// A part by its number.
    async fn part(&self, result: &ResultSet, number: u64) -> Done<ResultPart> {
        let found = self.loaded(self.store.load_parts(&result.id, number, 1).await)?;
        if let Some(part) = found.first().filter(|part| part.number == number) {
            return Ok(*part);
        }
        let parts = result.parts;
        if self.config.part_behind_last && number == parts.saturating_add(1) {
            let end = result.window.end;
            return Ok(ResultPart::new(number, Some(end), end, 0, false));
        }
        let reason = format!("the result has {parts} parts");
        Err(Fault::new(StatusType::InvalidResponsePart, reason)
            .with("MAX_PART_NUMBER", parts.to_string()))
    }
}

/// Says which part of which result a response is.
fn part_of(response: &mut PollResponse, result: &ResultSet, part: &ResultPart) {
    response.more = Some(part.more);
    response.result_id = Some(result.id.clone());
    response.result_part_number = Some(part.number);
    response.subscription_id.clone_from(&result.subscription);
    let count = result.blocks.unwrap_or(part.blocks);
    response.record_count = Some(RecordCount { count, partial: Some(false) });
}
