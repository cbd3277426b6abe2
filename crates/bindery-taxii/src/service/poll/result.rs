//! Result sets: what is given in parts.

use bindery_core::Context;
use bindery_taxii_xml::{CollectionType, PollFulfillment, PollResponse, RecordCount, StatusType};

use super::{Bounds, empty_response, set_bounds};
use crate::{
    TaxiiRequest,
    service::{
        Change, Collection, ResultPart, ResultSet, Window,
        engine::{Answering, Done, FeedServer, Wants},
        fault::Fault,
    },
};

impl FeedServer {
    /// Cuts what was asked for into parts. Where it is more than there may be, the window ends with the last one.
    pub(super) async fn cut(
        &self,
        collection: &Collection,
        window: &mut Window,
    ) -> Done<Vec<ResultPart>> {
        let divided = self.store.divide(window, self.config.part, self.config.parts).await;
        let mut parts = self.loaded(divided)?;
        if let Some(last) = parts.last_mut().filter(|last| last.more) {
            if collection.kind == CollectionType::DataSet {
                // A set's answer has no bounds that could tell where it ends.
                let reason = "the set has more than one answer can give; narrow what is wanted";
                return Err(Fault::new(StatusType::Failure, reason));
            }
            last.more = false;
            window.end = last.end;
        }
        Ok(parts)
    }

    /// Keeps a result for whoever polled; its id.
    pub(super) async fn keep(
        &self,
        cx: &Context,
        window: Window,
        subscription: Option<String>,
        parts: Vec<ResultPart>,
    ) -> Done<String> {
        let expires = cx.now.saturating_add(self.config.results);
        let owner = cx.principal.clone();
        let result = ResultSet::new(self.ids.uri(), owner, window, cx.now, expires);
        let mut result = result.in_parts(&parts);
        result.subscription = subscription;
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
                && one.expires > cx.now
                && one.window.collection == collection.name
        });
        let Some(result) = mine else { return Err(Fault::not_found("result", &asked.result_id)) };
        let part = self.part(&result, asked.result_part_number.unwrap_or(1)).await?;
        let mut response = empty_response(&collection, dialect);
        part_of(&mut response, &result, &part);
        let set = collection.kind == CollectionType::DataSet;
        let bounds = (!set).then_some(Bounds { begin: part.begin, end: part.end });
        set_bounds(&mut response, dialect, bounds);
        let window = Window { begin: part.begin, end: part.end, ..result.window };
        self.stream(request, response, window).await
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
