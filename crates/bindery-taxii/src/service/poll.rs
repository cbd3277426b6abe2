//! Poll and Poll Fulfillment (Services 1.1, sections 4.5 and 4.6; draft: Poll Request).

mod pages;
mod result;

use std::sync::Arc;

use bindery_core::{Context, Timestamp as Instant};
use bindery_taxii_xml::{
    CollectionType, ContentBinding, Dialect, PollParameters, PollRequest, PollResponse, Query,
    RecordCount, ResponseType, ServiceContact, StatusType, SubscriptionStatus, Timestamp,
};

use self::pages::{Begun, Pages};
pub(super) use self::pages::{meeting, written};
use super::{
    Change, Collection, ContentFilter, Part, PushTo, QueryText, Window,
    engine::{Answering, Done, FeedServer, Wants},
    fault::Fault,
    query::Compiled,
};
use crate::{BlocksFailed, Names, Service, TaxiiRequest, TaxiiResponse, answer::Streamed};

/// What is polled, as it was asked for.
struct Wanted {
    bindings: Vec<ContentBinding>,
    count_only: bool,
    subscription_id: Option<String>,
    query: Option<QueryText>,
    /// Whether the answer may come later.
    later: bool,
    /// Where it is pushed then.
    push: Option<PushTo>,
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
        let query = wanted.query.as_ref().map(|query| self.compile(query)).transpose()?;
        let mut window = self.window(cx, &collection, mark, &wanted, poll).await?;
        let mut response = empty_response(&collection, dialect);
        response.subscription_id.clone_from(&wanted.subscription_id);
        if dialect == Dialect::Draft {
            response.content_binding = wanted.bindings.first().map(|one| one.id.clone());
        }
        let set = collection.kind == CollectionType::DataSet;
        let bounds = (!set).then_some(Bounds { begin: window.begin, end: window.end });
        if dialect != Dialect::V1_1 {
            set_bounds(&mut response, dialect, bounds);
            return self.stream(request, response, window, query).await;
        }
        if self.comes_later(&wanted, &window).await? {
            return self.pend(cx, window, wanted.query, wanted.push).await;
        }
        if wanted.count_only && query.is_none() {
            let most = self.config.counted;
            let count = self.loaded(self.store.count(&window, most).await)?;
            response.record_count = Some(RecordCount { count, partial: Some(count == most) });
            set_bounds(&mut response, dialect, bounds);
            return Ok(Answering::of(response));
        }
        let parts = self.cut(&collection, &mut window, query.as_ref()).await?;
        let total = parts.iter().map(|part| part.blocks).sum();
        response.record_count = Some(RecordCount { count: total, partial: Some(false) });
        let Some(first) = parts.first().copied() else {
            return Err(Fault::new(StatusType::Failure, "the server cut no part"));
        };
        if wanted.count_only {
            let bounds = bounds.map(|bounds| Bounds { end: window.end, ..bounds });
            set_bounds(&mut response, dialect, bounds);
            return Ok(Answering::of(response));
        }
        if first.more {
            let result = self.keep(cx, window.clone(), &wanted, parts).await?;
            response.more = Some(true);
            response.result_id = Some(result);
            response.result_part_number = Some(1);
        }
        let bounds = bounds.map(|bounds| Bounds { end: first.end, ..bounds });
        set_bounds(&mut response, dialect, bounds);
        self.stream(request, response, Window { end: first.end, ..window }, query).await
    }

    /// The range of labels that a poll asks for.
    async fn window(
        &self,
        cx: &Context,
        collection: &Collection,
        mark: Instant,
        wanted: &Wanted,
        poll: &PollRequest,
    ) -> Done<Window> {
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
        Ok(window)
    }

    /// Whether the answer to a poll is put off.
    async fn comes_later(&self, wanted: &Wanted, window: &Window) -> Done<bool> {
        let Some(later) = self.config.later.filter(|_| wanted.later && !wanted.count_only) else {
            return Ok(false);
        };
        let enough = later.above.saturating_add(1);
        Ok(self.loaded(self.store.count(window, enough).await)? >= enough)
    }

    /// A query made ready, where queries are taken.
    fn compile(&self, query: &QueryText) -> Done<Arc<Compiled>> {
        let Some(queries) = &self.config.queries else {
            let reason = "queries are not taken here; ask without one";
            return Err(Fault::new(StatusType::UnsupportedQuery, reason));
        };
        queries.compile(query).map(Arc::new)
    }

    /// The same of a query as it came, which is not kept; a subscription keeps its text.
    pub(super) fn check_query(&self, query: &Query) -> Done<QueryText> {
        let text = QueryText::new(query.format_id.clone(), Part::of_inside(&query.inside));
        self.compile(&text)?;
        Ok(text)
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
                query: found.query,
                later: false,
                push: None,
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
        let later = parameters.allow_asynch == Some(true) && self.config.later.is_some();
        // Where nothing is pushed the client is told so, and fetches it.
        let push = match (&parameters.delivery, &self.config.push) {
            (Some(to), Some(rules)) if later => Some(rules.check_result(to)?),
            _ => None,
        };
        Ok(Wanted {
            query: parameters.query.as_ref().map(|query| self.check_query(query)).transpose()?,
            later,
            push,
            bindings: parameters.content_bindings.clone(),
            count_only: parameters.response_type == Some(ResponseType::CountOnly),
            subscription_id: None,
        })
    }

    /// An answer whose blocks are read as the peer takes them; whole where it is short.
    async fn stream(
        &self,
        request: &TaxiiRequest,
        response: PollResponse,
        window: Window,
        query: Option<Arc<Compiled>>,
    ) -> Done<Answering> {
        let mut head = self.message(request.dialect, &request.message.id, response.into());
        let pages = Box::new(Pages::new(self, request.dialect, window, query));
        // What fails at once is still told.
        let first = pages.next().await.map_err(|BlocksFailed(reason)| {
            Fault::new(StatusType::Failure, format!("the server failed: {reason}"))
        })?;
        let Some((blocks, rest)) = first else { return Ok(Answering::Response(head.into())) };
        if rest.is_over() {
            head.blocks = blocks;
            return Ok(Answering::Response(head.into()));
        }
        let stream = Streamed { head, blocks: Box::new(Begun { blocks, rest }) };
        Ok(Answering::Response(TaxiiResponse::Stream(Box::new(stream))))
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
    let known = ContentFilter::of(&collection.content_bindings);
    if wanted.is_empty() || wanted.iter().any(|one| known.meets(one)) {
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
