//! Poll and Poll Fulfillment (Services 1.1, sections 4.5 and 4.6; draft: Poll Request).

use std::sync::Arc;

use bindery_core::{Context, Timestamp as Instant};
use bindery_taxii_xml::{
    CollectionType, Content, ContentBinding, ContentBlock, Dialect, PollFulfillment,
    PollParameters, PollRequest, PollResponse, RecordCount, ResponseType, ServiceContact,
    StatusType, SubscriptionStatus, Timestamp,
};

use super::{
    Change, Collection, CommitError, ContentFilter, FeedStore, Observer, PageLimits, ResultPart,
    ResultSet, StoredBlock, Window,
    engine::{Answering, Done, FeedServer, Wants},
    fault::Fault,
};
use crate::{
    Blocks, BlocksFailed, Names, NextBlocks, Service, TaxiiRequest, TaxiiResponse, answer::Streamed,
};

/// How often a decision is made again because somebody else made one meanwhile.
const TRIES: usize = 8;

/// What is polled, as it was asked for.
struct Wanted {
    bindings: Vec<ContentBinding>,
    count_only: bool,
    subscription_id: Option<String>,
}

/// The range that was looked at.
#[derive(Clone, Copy)]
struct Bounds {
    begin: Option<Instant>,
    end: Instant,
}

impl FeedServer {
    pub(super) async fn poll(
        &self,
        cx: &Context,
        request: &TaxiiRequest,
        poll: &PollRequest,
    ) -> Done<Answering> {
        let dialect = request.dialect;
        let found = self.collection(cx, dialect, &poll.collection, Wants::Poll).await?;
        let (collection, mark) = (found.collection, found.mark);
        let wanted = self.wanted(cx, &collection, poll).await?;
        check_bindings(&collection, &wanted.bindings)?;
        if let (Some(begin), Some(end)) = (&poll.begin, &poll.end)
            && begin > end
        {
            let reason = "the range begins later than it ends";
            return Err(Fault::new(StatusType::BadMessage, reason));
        }
        let set = collection.kind == CollectionType::DataSet;
        let instant = |label: &Option<Timestamp>| {
            let label = label.as_ref().filter(|_| !set)?;
            Some(Instant::from_unix_micros(label.micros()))
        };
        let (begin, end) = (instant(&poll.begin), instant(&poll.end));
        // Up to the mark the collection is complete, and every later label is behind it.
        let mut window = Window::up_to(&collection.name, end.map_or(mark, |end| end.min(mark)));
        window.begin = begin;
        window.content = ContentFilter::of(&wanted.bindings);
        if let Some(begin) = begin.filter(|begin| *begin > window.end) {
            // The answer ends where it begins at the earliest, and labels to come are behind its end.
            window.end = begin;
            if begin > mark {
                self.raise(&collection.name, begin, cx.now).await?;
            }
        }
        let mut response = empty_response(&collection, dialect);
        response.subscription_id.clone_from(&wanted.subscription_id);
        if dialect == Dialect::Draft {
            response.content_binding = wanted.bindings.first().map(|one| one.id.clone());
        }
        let bounds = (!set).then_some(Bounds { begin, end: window.end });
        if dialect != Dialect::V1_1 {
            set_bounds(&mut response, dialect, bounds);
            return Ok(self.stream(request, response, window));
        }
        let total = self.loaded(self.store.count(&window).await)?;
        response.record_count = Some(RecordCount { count: total, partial: Some(false) });
        if wanted.count_only {
            set_bounds(&mut response, dialect, bounds);
            return Ok(Answering::of(response));
        }
        let (part, blocks) = self.part(&window, 1, window.begin).await?;
        if part.more {
            let expires = cx.now.saturating_add(self.config.results);
            let owner = cx.principal.clone();
            let mut result = ResultSet::new(self.ids.uri(), owner, window, cx.now, expires);
            result.subscription = wanted.subscription_id;
            response.more = Some(true);
            response.result_id = Some(result.id.clone());
            response.result_part_number = Some(1);
            let insert = Change::InsertPart { result: result.id.clone(), part };
            let changes = vec![Change::InsertResult(result), insert];
            self.committed(self.store.commit(changes, cx.now).await)?;
        }
        set_bounds(&mut response, dialect, bounds.map(|bounds| Bounds { end: part.end, ..bounds }));
        self.whole(request, response, blocks)
    }

    /// Makes sure that no label up to this one will be given.
    async fn raise(&self, collection: &str, to: Instant, now: Instant) -> Done<()> {
        let change = Change::RaiseMark { collection: collection.to_owned(), to };
        // Far ahead of time nobody's labels are to be pushed.
        if to > now.saturating_add(AHEAD) {
            let reason = "the range begins in the future";
            return Err(Fault::new(StatusType::BadMessage, reason));
        }
        self.committed(self.store.commit(vec![change], now).await)
    }

    /// What a poll wants, of itself or by its subscription.
    async fn wanted(
        &self,
        cx: &Context,
        collection: &Collection,
        poll: &PollRequest,
    ) -> Done<Wanted> {
        if let Some(id) = &poll.subscription_id {
            let found = self.loaded(self.store.load_subscription(id).await)?;
            let found = found
                .map(|found| found.record)
                .filter(|one| one.owner == cx.principal && one.collection == collection.name);
            let Some(found) = found else { return Err(Fault::not_found("subscription", id)) };
            match found.status {
                SubscriptionStatus::Active => {}
                SubscriptionStatus::Paused => {
                    let reason = "the subscription is paused; resume it, or poll without it";
                    return Err(Fault::new(StatusType::Denied, reason));
                }
                _ => return Err(Fault::not_found("subscription", id)),
            }
            return Ok(Wanted {
                bindings: found.content_bindings,
                count_only: found.response_type == ResponseType::CountOnly,
                subscription_id: Some(id.clone()),
            });
        }
        let none = PollParameters {
            allow_asynch: None,
            response_type: None,
            content_bindings: poll.content_bindings.clone(),
            query: None,
            delivery: None,
        };
        let parameters = poll.parameters.as_ref().unwrap_or(&none);
        if parameters.query.is_some() {
            let reason = "queries are not taken here; poll without one";
            return Err(Fault::new(StatusType::UnsupportedQuery, reason));
        }
        // An answer is never late here, so `allow_asynch` and where it would be pushed count for nothing.
        Ok(Wanted {
            bindings: parameters.content_bindings.clone(),
            count_only: parameters.response_type == Some(ResponseType::CountOnly),
            subscription_id: None,
        })
    }

    pub(super) async fn fulfil(
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
        let number = asked.result_part_number.unwrap_or(1);
        let part = match self.find_part(cx, &result, number).await? {
            Ok(part) => part,
            Err(parts) if self.config.part_behind_last && number == parts.saturating_add(1) => {
                let end = result.window.end;
                ResultPart::new(number, Some(end), end, 0, false)
            }
            Err(parts) => {
                let reason = format!("the result has {parts} parts");
                return Err(Fault::new(StatusType::InvalidResponsePart, reason)
                    .with("MAX_PART_NUMBER", parts.to_string()));
            }
        };
        let mut response = empty_response(&collection, dialect);
        response.more = Some(part.more);
        response.result_id = Some(asked.result_id.clone());
        response.result_part_number = Some(number);
        response.subscription_id.clone_from(&result.subscription);
        let total = self.loaded(self.store.count(&result.window).await)?;
        response.record_count = Some(RecordCount { count: total, partial: Some(false) });
        let set = collection.kind == CollectionType::DataSet;
        let bounds = (!set).then_some(Bounds { begin: part.begin, end: part.end });
        set_bounds(&mut response, dialect, bounds);
        let window = Window { begin: part.begin, end: part.end, ..result.window };
        Ok(self.stream(request, response, window))
    }

    /// A part of a result by its number, or how many there are. What is not known yet is found and kept.
    async fn find_part(
        &self,
        cx: &Context,
        result: &ResultSet,
        number: u64,
    ) -> Done<Result<ResultPart, u64>> {
        if number == 0 {
            return Ok(Err(self.last_part(result).await?.map_or(0, |part| part.number)));
        }
        for _ in 0..TRIES {
            let known = self.loaded(self.store.load_parts(&result.id, number, 1).await)?;
            if let Some(part) = known.first().filter(|part| part.number == number) {
                return Ok(Ok(*part));
            }
            let mut last = self.last_part(result).await?;
            loop {
                let (next, begin) = match last {
                    Some(part) if !part.more => return Ok(Err(part.number)),
                    Some(part) => (part.number.saturating_add(1), Some(part.end)),
                    None => (1, result.window.begin),
                };
                let (part, _) = self.part(&result.window, next, begin).await?;
                let change = Change::InsertPart { result: result.id.clone(), part };
                match self.store.commit(vec![change], cx.now).await {
                    Ok(()) if next == number => return Ok(Ok(part)),
                    Ok(()) => last = Some(part),
                    // Somebody else found it.
                    Err(CommitError::Conflict(_)) => break,
                    Err(error) => {
                        self.committed::<()>(Err(error))?;
                    }
                }
            }
        }
        Err(Fault::new(StatusType::Failure, "others ask for the same parts; try again"))
    }

    async fn last_part(&self, result: &ResultSet) -> Done<Option<ResultPart>> {
        let (mut last, mut from) = (None, 1);
        loop {
            let parts = self.loaded(self.store.load_parts(&result.id, from, PARTS).await)?;
            match parts.last() {
                None => return Ok(last),
                Some(part) => {
                    from = part.number.saturating_add(1);
                    last = Some(*part);
                }
            }
        }
    }

    /// The part that begins behind a label, and its blocks.
    async fn part(
        &self,
        whole: &Window,
        number: u64,
        begin: Option<Instant>,
    ) -> Done<(ResultPart, Vec<StoredBlock>)> {
        let limits = self.config.part;
        let (mut blocks, mut after) = (Vec::new(), begin);
        let mut octets = 0_usize;
        loop {
            let left = PageLimits::new(
                limits.blocks.saturating_sub(blocks.len()),
                limits.octets.saturating_sub(octets),
            );
            let page = self.loaded(self.store.page(whole, after, left).await)?;
            octets += page.blocks.iter().map(|one| one.block.octets()).sum::<usize>();
            blocks.extend(page.blocks);
            let full = blocks.len() >= limits.blocks || octets >= limits.octets;
            let count = blocks.len() as u64;
            match page.next {
                None => {
                    return Ok((ResultPart::new(number, begin, whole.end, count, false), blocks));
                }
                Some(next) if full && self.has_more(whole, next).await? => {
                    return Ok((ResultPart::new(number, begin, next, count, true), blocks));
                }
                Some(_) if full => {
                    return Ok((ResultPart::new(number, begin, whole.end, count, false), blocks));
                }
                Some(next) => after = Some(next),
            }
        }
    }

    /// Whether a window has blocks behind a label: an empty last part is none.
    async fn has_more(&self, whole: &Window, after: Instant) -> Done<bool> {
        let mut after = Some(after);
        while let Some(behind) = after {
            let page = self.store.page(whole, Some(behind), PageLimits::new(1, 1)).await;
            let page = self.loaded(page)?;
            if !page.blocks.is_empty() {
                return Ok(true);
            }
            after = page.next;
        }
        Ok(false)
    }

    fn whole(
        &self,
        request: &TaxiiRequest,
        response: PollResponse,
        blocks: Vec<StoredBlock>,
    ) -> Done<Answering> {
        let mut message = self.message(request.dialect, &request.message.id, response.into());
        for stored in blocks {
            let written = written(stored, request.dialect).map_err(|BlocksFailed(reason)| {
                Fault::new(StatusType::Failure, format!("the server failed: {reason}"))
            })?;
            message.blocks.extend(written);
        }
        Ok(Answering::Response(message.into()))
    }

    fn stream(&self, request: &TaxiiRequest, response: PollResponse, window: Window) -> Answering {
        let head = self.message(request.dialect, &request.message.id, response.into());
        let blocks = Pages {
            store: Arc::clone(&self.store),
            observer: Arc::clone(&self.config.observer),
            window,
            after: None,
            limits: self.config.page,
            dialect: request.dialect,
            over: false,
        };
        let stream = Streamed { head, blocks: Box::new(blocks) };
        Answering::Response(TaxiiResponse::Stream(Box::new(stream)))
    }

    /// Where a collection can be polled, in a subscription's answer.
    pub(super) fn poll_instances(&self, request: &TaxiiRequest) -> Vec<ServiceContact> {
        let names = Names::of(request.dialect);
        let address = self.config.places.address(Service::Poll, request);
        let contact = address.map(|address| ServiceContact {
            protocol_binding: names.protocol(self.config.places.carrier(request)).to_owned(),
            address,
            message_bindings: vec![names.message().to_owned()],
        });
        contact.into_iter().collect()
    }
}

/// How far ahead of time a poll may begin: clocks differ.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(300);

/// How many parts are loaded at once.
const PARTS: usize = 256;

fn set_bounds(response: &mut PollResponse, dialect: Dialect, bounds: Option<Bounds>) {
    let Some(Bounds { begin, end }) = bounds else { return };
    let mut begin = begin.map(Instant::unix_micros);
    let mut end = end.unix_micros();
    if dialect == Dialect::V1_0 {
        // Its response begins with what is in it, that of 1.1 before it.
        begin = begin.map(|begin| begin.saturating_add(1));
        end = end.max(begin.unwrap_or(end));
    }
    response.begin = begin.and_then(Timestamp::from_micros);
    response.end = Timestamp::from_micros(end);
}

fn empty_response(collection: &Collection, dialect: Dialect) -> PollResponse {
    PollResponse {
        collection: (dialect != Dialect::Draft).then(|| collection.name.clone()),
        more: None,
        result_id: None,
        result_part_number: None,
        subscription_id: None,
        begin: None,
        end: None,
        record_count: None,
        message: None,
        content_binding: None,
    }
}

/// The most content bindings and subtypes that a request may name: each costs the store a look-up, in every page.
const BINDINGS: usize = 256;

/// Whether the collection may ever have what is wanted.
pub(super) fn check_bindings(
    collection: &Collection,
    wanted: &[ContentBinding],
) -> Result<(), Fault> {
    if wanted.iter().map(|one| 1 + one.subtypes.len()).sum::<usize>() > BINDINGS {
        let reason = format!("more than {BINDINGS} content bindings and subtypes: ask for fewer");
        return Err(Fault::new(StatusType::BadMessage, reason));
    }
    let known = &collection.content_bindings;
    let possible = |one: &ContentBinding| {
        known.is_empty()
            || known.iter().any(|known| {
                known.id == one.id
                    && (known.subtypes.is_empty()
                        || one.subtypes.is_empty()
                        || one.subtypes.iter().any(|s| known.subtypes.contains(s)))
            })
    };
    if wanted.is_empty() || wanted.iter().any(possible) {
        return Ok(());
    }
    let reason = "the collection has no content of these bindings";
    Err(supported(Fault::new(StatusType::UnsupportedContent, reason), collection))
}

/// What a collection takes, as details.
pub(super) fn supported(fault: Fault, collection: &Collection) -> Fault {
    let bindings = collection.content_bindings.iter();
    bindings.fold(fault, |fault, one| fault.with("SUPPORTED_CONTENT", &*one.id))
}

/// A block in a dialect's form; nothing where the dialect cannot carry it: the draft's content is one element `STIX`.
pub(super) fn written(
    stored: StoredBlock,
    dialect: Dialect,
) -> Result<Option<ContentBlock<'static>>, BlocksFailed> {
    if dialect == Dialect::Draft {
        let Ok(element) = stored.block.content.into_element() else { return Ok(None) };
        let content = Content::Element(element);
        let binding = ContentBinding::new(stored.block.binding);
        return Ok(content.is_draft_stix().then(|| ContentBlock::new(binding, content)));
    }
    let label = stored.label.unix_micros();
    let mut block = stored
        .into_content_block()
        .map_err(|error| BlocksFailed(format!("the block {label} is damaged: {error}")))?;
    if dialect == Dialect::V1_0 {
        // It has subtypes nowhere, and no message in a block.
        block.binding.subtypes.clear();
        block.message = None;
    }
    Ok(Some(block))
}

/// Reads a window page by page as the peer takes it.
struct Pages {
    store: Arc<dyn FeedStore>,
    observer: Arc<dyn Observer>,
    window: Window,
    after: Option<Instant>,
    limits: PageLimits,
    dialect: Dialect,
    over: bool,
}

impl Blocks for Pages {
    fn next(mut self: Box<Self>) -> NextBlocks {
        Box::pin(async move {
            if self.over {
                return Ok(None);
            }
            let page = self.store.page(&self.window, self.after, self.limits).await;
            let page = page.map_err(|error| {
                self.observer.store_failed(&error);
                BlocksFailed(error.to_string())
            })?;
            self.over = page.next.is_none();
            self.after = page.next;
            let mut blocks = Vec::with_capacity(page.blocks.len());
            for stored in page.blocks {
                blocks.extend(written(stored, self.dialect)?);
            }
            Ok(Some((blocks, self as Box<dyn Blocks>)))
        })
    }
}
