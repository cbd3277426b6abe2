//! Queries in polls and subscriptions.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bindery_taxii::{
    PollOptions, Service,
    service::{InPlace, PageLimits, Queries, Threads, Work},
};
use bindery_taxii_xml::{
    Action, Content, ContentBinding, ContentBlock, Criteria, Criterion, DefaultQuery,
    DefaultQueryInfo, Dialect, Operator, Parameter, Part, Query, ServiceType, StatusType, Test,
    Timestamp,
};
use bindery_tests::feeds::{FeedSetup, FeedSite};
use bindery_xml::Source;

use super::{block, read, subscribe};

pub(super) const STIX: &str = "urn:stix.mitre.org:xml:1.1.1";

/// A package of this title.
pub(super) fn package(title: &str) -> ContentBlock<'static> {
    let text = format!(
        "<s:STIX_Package xmlns:s='http://stix.mitre.org/stix-1'><s:STIX_Header><s:Title>{title}</s:Title>\
         </s:STIX_Header></s:STIX_Package>"
    );
    let source = Source::new(text.as_bytes());
    let mut reader = source.reader();
    while !matches!(reader.next_event().unwrap(), Some(bindery_xml::Event::Start(_))) {}
    let content = Content::Element(reader.subtree().unwrap().into_owned());
    ContentBlock::new(ContentBinding::new(STIX), content)
}

/// Those whose title ends so.
pub(super) fn ending(value: &str) -> Query {
    asking("core-1", "ends_with", value)
}

/// Those whose title has this in it.
fn matching(expression: &str) -> Query {
    asking("regex-1", "matches", expression)
}

fn asking(module: &str, relationship: &str, value: &str) -> Query {
    let test = Test {
        capability_id: format!("urn:taxii.mitre.org:query:capability:{module}"),
        relationship: relationship.to_owned(),
        parameters: vec![Parameter { name: "value".to_owned(), value: value.to_owned() }],
    };
    let criterion = Criterion { negate: None, target: "**/Title".to_owned(), test };
    let criteria = Criteria { operator: Operator::And, parts: vec![Part::Criterion(criterion)] };
    DefaultQuery { targeting_expression_id: STIX.to_owned(), criteria }.to_query().unwrap()
}

pub(super) fn setup() -> FeedSetup {
    let mut setup = FeedSetup::default();
    setup.config.queries = Some(Queries::stix());
    setup.config.part = PageLimits::new(10, 1 << 20);
    setup.config.page = PageLimits::new(7, 1 << 20);
    setup
}

/// Packages `0` to `count`, and between them what no query is asked of.
pub(super) async fn fill(site: &FeedSite, count: usize) {
    let mut client = site.client(Dialect::V1_1, None);
    let to = vec!["open".to_owned()];
    for first in (0..count).step_by(50) {
        let mut blocks: Vec<_> =
            (first..count.min(first + 50)).map(|number| package(&number.to_string())).collect();
        blocks.push(block("7"));
        client.push(&site.url(Service::Inbox), to.clone(), blocks).await.unwrap();
    }
}

pub(super) fn titles(found: &[String]) -> Vec<usize> {
    found
        .iter()
        .map(|raw| raw.split("<s:Title>").nth(1).unwrap().split('<').next().unwrap())
        .map(|title| title.parse().unwrap())
        .collect()
}

fn sevens(to: usize) -> Vec<usize> {
    (0..to).filter(|number| number % 10 == 7).collect()
}

#[tokio::test]
async fn a_poll_gives_what_meets_the_query_in_parts() {
    let site = FeedSite::with(setup()).await;
    fill(&site, 250).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    let mut options = PollOptions::default();
    options.query = Some(ending("7"));
    let polling = client.poll(&url, "open", &options).await.unwrap();
    let response = polling.response().clone();
    assert_eq!((response.more, response.record_count.unwrap().count), (Some(true), 25));
    let (found, end) = read(&mut client, &url, "open", &options).await;
    assert_eq!(titles(&found), sevens(250));
    assert!(end.is_some());
    let (count, counted) = client.count(&url, "open", &options).await.unwrap();
    assert_eq!((count.unwrap().count, counted), (25, end));
    // Any part can be asked for by its number, and has what meets the query of its range.
    let result = response.result_id.unwrap();
    let options = PollOptions::default();
    let mut polling = client.fulfil(&url, "open", &result, 3, &options).await.unwrap();
    let mut found = Vec::new();
    while let Some(block) = polling.next_block().await.unwrap() {
        found.push(block.content.raw().to_owned());
    }
    assert_eq!(titles(&found), sevens(250)[20..]);
}

#[tokio::test]
async fn what_one_poll_looks_through_is_limited_and_nothing_is_missed() {
    let mut setup = setup();
    setup.config.queries.as_mut().unwrap().examined = PageLimits::new(40, usize::MAX);
    assert!((6..=9).contains(&polls_to_the_end(setup, ending("7")).await));
}

/// An expression that takes much work ends a poll sooner than one that takes little.
#[tokio::test]
async fn the_work_of_one_poll_is_limited_and_nothing_is_missed() {
    let with = |work| {
        let mut setup = setup();
        setup.config.queries.as_mut().unwrap().work = work;
        setup
    };
    // Titles of at most three octets, and a program of some hundred states or thousand.
    let (plain, dear) = (matching("7$"), matching("^[0-9]{0,300}7$"));
    let budget = 20_000;
    let (few, many) = (
        polls_to_the_end(with(budget), plain.clone()).await,
        polls_to_the_end(with(budget), dear).await,
    );
    assert!(few >= 2 && many >= 2 * few, "{few} {many}");
    assert_eq!(polls_to_the_end(with(u64::MAX), plain).await, 1);
}

/// Counts what it is given to do.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Threads for Counting {
    fn run(&self, work: Work) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.fetch_add(1, Relaxed);
        InPlace.run(work)
    }
}

#[tokio::test]
async fn long_work_is_done_on_threads_for_it() {
    let counting = Arc::new(Counting::default());
    let mut setup = setup();
    setup.config.page = PageLimits::new(500, 1 << 20);
    setup.config.threads = Arc::clone(&counting) as Arc<dyn Threads>;
    let site = FeedSite::with(setup).await;
    fill(&site, 40).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    let mut options = PollOptions::default();
    options.query = Some(ending("7"));
    assert_eq!(read(&mut client, &url, "open", &options).await.0.len(), 4);
    assert_eq!(counting.0.load(Relaxed), 0, "little is done where it stands");
    options.query = Some(matching("^[0-9]{0,300}7$"));
    assert_eq!(read(&mut client, &url, "open", &options).await.0.len(), 4);
    // Once to cut the answer, and again to give it.
    assert_eq!(counting.0.load(Relaxed), 2);
}

/// How many polls it takes to have everything that meets a query: the sevens.
async fn polls_to_the_end(setup: FeedSetup, query: Query) -> usize {
    let site = FeedSite::with(setup).await;
    fill(&site, 250).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    let mut options = PollOptions::default();
    options.query = Some(query);
    let (mut all, mut polls, mut before) = (Vec::new(), 0, None::<Timestamp>);
    loop {
        let (found, end) = read(&mut client, &url, "open", &options).await;
        all.extend(titles(&found));
        if end == before {
            break;
        }
        (before, options.begin) = (end.clone(), end);
        polls += 1;
    }
    assert_eq!(all, sevens(250));
    polls
}

#[tokio::test]
async fn a_subscription_keeps_its_query() {
    let site = FeedSite::with(setup()).await;
    fill(&site, 30).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let mut request = subscribe(Action::Subscribe, None);
    request.parameters.as_mut().unwrap().query = Some(ending("7"));
    let made = client.subscription(&management, request.clone()).await.unwrap();
    let one = &made.subscriptions[0];
    let shown = one.parameters.as_ref().unwrap().query.as_ref().unwrap();
    assert_eq!(DefaultQuery::read(&shown.inside), DefaultQuery::read(&ending("7").inside));
    let other = subscribe(Action::Subscribe, None);
    let other = client.subscription(&management, other).await.unwrap();
    assert_ne!(other.subscriptions[0].id, one.id);
    let again = client.subscription(&management, request).await.unwrap();
    assert_eq!(again.subscriptions[0].id, one.id);
    for dialect in [Dialect::V1_1, Dialect::V1_0] {
        let mut options = PollOptions::default();
        options.subscription_id = Some(one.id.clone());
        let mut client = site.client(dialect, None);
        let (found, _) = read(&mut client, &site.url(Service::Poll), "open", &options).await;
        assert_eq!(titles(&found), [7, 17, 27], "{dialect}");
    }
}

#[tokio::test]
async fn discovery_says_which_queries_are_taken_and_others_are_refused() {
    let site = FeedSite::with(setup()).await;
    let mut client = site.client(Dialect::V1_1, None);
    let found = client.discovery(&site.url(Service::Discovery)).await.unwrap();
    for one in &found {
        let queried = [ServiceType::Poll, ServiceType::CollectionManagement];
        let expected = if queried.contains(&one.service_type) { 5 } else { 0 };
        assert_eq!(one.supported_queries.len(), expected, "{:?}", one.service_type);
        for query in &one.supported_queries {
            let info = DefaultQueryInfo::read(&query.inside).unwrap();
            assert_eq!(info.capability_modules.len(), 3);
            assert_eq!(info.targeting.allowed_scopes, ["**"]);
        }
    }
    let mut options = PollOptions::default();
    let mut query = ending("7");
    query.format_id = "urn:example:query".to_owned();
    options.query = Some(query);
    let error = client.poll(&site.url(Service::Poll), "open", &options).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::UnsupportedQuery), "{error}");
    // Where none are taken, none are said to be.
    let site = FeedSite::start().await;
    let mut client = site.client(Dialect::V1_1, None);
    let found = client.discovery(&site.url(Service::Discovery)).await.unwrap();
    assert!(found.iter().all(|one| one.supported_queries.is_empty()));
    options.query = Some(ending("7"));
    let error = client.poll(&site.url(Service::Poll), "open", &options).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::UnsupportedQuery), "{error}");
    let mut request = subscribe(Action::Subscribe, None);
    request.parameters.as_mut().unwrap().query = Some(ending("7"));
    let url = site.url(Service::CollectionManagement);
    let error = client.subscription(&url, request).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::UnsupportedQuery), "{error}");
}
