//! Content pushed to subscribers.

mod slow;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bindery_core::{Context, Timestamp};
use bindery_taxii::{
    ClientError, HttpProfile, PollOptions, PushReceiver, PushSender, ReceivePush, Received,
    Receiving, Service, TaxiiHttp, mount,
    service::{
        FeedStore, Hosts, Later, Outcome, PageLimits, PushRules, Pusher, PusherConfig, Stepped,
    },
};
use bindery_taxii_xml::{
    Action, Dialect, PushParameters, StatusMessage, StatusType, SubscriptionRequest,
};
use bindery_tests::feeds::{FeedSetup, FeedSite, ids};
use bindery_transport::{Clock as _, Listener, Router, Server, SystemClock};

use super::{block, fill, queries, subscribe};

/// Keeps what comes, while it is up.
#[derive(Debug, Default)]
struct Shelf {
    down: Mutex<bool>,
    /// Whether it keeps what comes and says that it did not: to the sender that is a lost answer.
    denies: Mutex<bool>,
    kept: Mutex<Vec<Received>>,
}

impl ReceivePush for Shelf {
    fn receive<'a>(&'a self, _: &'a Context, received: Received) -> Receiving<'a> {
        Box::pin(async move {
            if *self.down.lock().unwrap() {
                return Err(StatusMessage::new(StatusType::Failure));
            }
            self.kept.lock().unwrap().push(received);
            match *self.denies.lock().unwrap() {
                true => Err(StatusMessage::new(StatusType::Failure)),
                false => Ok(()),
            }
        })
    }
}

impl Shelf {
    fn texts(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        let blocks = kept.iter().flat_map(|one| &one.blocks);
        blocks.map(|block| block.content.raw().to_owned()).collect()
    }
}

/// The inbox of a subscriber, in clear.
struct Subscriber {
    inbox: Arc<PushReceiver<Shelf>>,
    url: String,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Subscriber {
    async fn start() -> Self {
        let inbox = Arc::new(PushReceiver::new(Shelf::default(), ids()));
        let mut profile = HttpProfile::new(Service::Inbox);
        profile.clear = true;
        let binding = TaxiiHttp::new(&profile, ids());
        let router = mount(Router::new(), binding, Arc::clone(&inbox), |b| Arc::new(b)).unwrap();
        let listener = Listener::clear(SocketAddr::from(([127, 0, 0, 1], 0)));
        let server = Server::builder().listen(listener).router(router).bind().await.unwrap();
        let url = format!("http://{}/taxii/inbox", server.local_addrs()[0]);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { inbox, url, _stop: stop }
    }

    fn shelf(&self) -> &Shelf {
        self.inbox.receiver()
    }

    /// Push parameters of this inbox.
    fn push(&self, message: &str) -> PushParameters {
        PushParameters {
            protocol_binding: "urn:taxii.mitre.org:protocol:http:1.0".to_owned(),
            address: self.url.clone(),
            message_binding: format!("urn:taxii.mitre.org:message:xml:{message}"),
            content_bindings: vec![],
        }
    }
}

fn to(host: &str) -> PushRules {
    PushRules::to([host.parse().unwrap()])
}

fn rules() -> PushRules {
    let mut rules = to("127.0.0.1:*");
    rules.clear = true;
    rules
}

async fn site(rules: Option<PushRules>) -> FeedSite {
    let mut setup = FeedSetup::default();
    setup.config.push = rules;
    FeedSite::with(setup).await
}

fn pusher(site: &FeedSite) -> Pusher {
    let sender = PushSender::new(site.transport(None), ids()).allow_clear();
    let mut config = PusherConfig::default();
    config.message = PageLimits::new(4, 1 << 20);
    config.push = Some(rules());
    Pusher::new(Arc::new(site.store.clone()), Arc::new(sender), config)
}

fn asking(push: PushParameters) -> SubscriptionRequest {
    SubscriptionRequest { push: Some(push), ..subscribe(Action::Subscribe, None) }
}

/// The time on the wall, and so much.
fn later(seconds: u64) -> Timestamp {
    SystemClock.now().saturating_add(Duration::from_secs(seconds))
}

/// Works until nothing is due.
async fn work(pusher: &Pusher, now: Timestamp) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while let Stepped::Worked(outcome) = pusher.step(now).await.unwrap() {
        outcomes.push(outcome);
        assert!(outcomes.len() < 50, "{outcomes:?}");
    }
    outcomes
}

#[tokio::test]
async fn subscribers_are_sent_what_comes_in_both_versions() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let (new, old) = (Subscriber::start().await, Subscriber::start().await);
    fill(&site, &mut client, 3).await;
    let made = client.subscription(&management, asking(new.push("1.1"))).await.unwrap();
    let id = made.subscriptions[0].id.clone();
    assert_eq!(made.subscriptions[0].push.as_ref().unwrap().address, new.url);
    client.subscription(&management, asking(old.push("1.0"))).await.unwrap();
    let pusher = pusher(&site);
    // What was there before is not sent.
    work(&pusher, later(0)).await;
    assert_eq!((new.shelf().texts().len(), old.shelf().texts().len()), (0, 0));
    fill(&site, &mut client, 10).await;
    work(&pusher, later(0)).await;
    let expected: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    assert_eq!((new.shelf().texts(), old.shelf().texts()), (expected.clone(), expected));
    let kept = std::mem::take(&mut *new.shelf().kept.lock().unwrap());
    // In messages of four, whose ranges follow each other.
    assert_eq!(kept.iter().map(|one| one.blocks.len()).collect::<Vec<_>>(), [4, 4, 2]);
    let sources: Vec<_> =
        kept.iter().map(|one| one.inbox.source_subscription.clone().unwrap()).collect();
    assert!(sources.iter().all(|one| one.subscription_id.as_ref() == Some(&id)));
    assert_eq!(sources[0].end, sources[1].begin);
    assert_eq!(sources[1].end, sources[2].begin);
    assert!(kept.iter().all(|one| one.dialect == Dialect::V1_1));
    assert!(old.shelf().kept.lock().unwrap().iter().all(|one| one.dialect == Dialect::V1_0));
    assert_eq!(pusher.step(later(0)).await.unwrap(), Stepped::Idle(None));
}

#[tokio::test]
async fn what_does_not_arrive_is_sent_again() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    client.subscription(&management, asking(subscriber.push("1.1"))).await.unwrap();
    let pusher = pusher(&site);
    *subscriber.shelf().down.lock().unwrap() = true;
    let inbox = site.url(Service::Inbox);
    client.push(&inbox, vec!["open".to_owned()], vec![block("a")]).await.unwrap();
    let outcomes = work(&pusher, later(0)).await;
    assert!(matches!(&outcomes[..], [Outcome::Retry { .. }]), "{outcomes:?}");
    // Not before its time, and then once, though it failed more than once.
    assert!(matches!(pusher.step(later(1)).await.unwrap(), Stepped::Idle(Some(_))));
    let outcomes = work(&pusher, later(11)).await;
    assert!(matches!(&outcomes[..], [Outcome::Retry { due, .. }] if *due > later(25)));
    *subscriber.shelf().down.lock().unwrap() = false;
    let outcomes = work(&pusher, later(60)).await;
    assert!(matches!(&outcomes[..], [Outcome::Delivered { .. }]), "{outcomes:?}");
    assert_eq!(subscriber.shelf().texts(), ["a"]);
    // Given up after days, with a record; what comes later is sent.
    *subscriber.shelf().down.lock().unwrap() = true;
    client.push(&inbox, vec!["open".to_owned()], vec![block("b")]).await.unwrap();
    let outcomes = work(&pusher, later(4 * 86_400)).await;
    assert!(matches!(&outcomes[..], [Outcome::GiveUp { .. }]), "{outcomes:?}");
    let records = FeedStore::undelivered(&site.store, None, 10).await.unwrap();
    assert_eq!(records.len(), 1);
    *subscriber.shelf().down.lock().unwrap() = false;
    client.push(&inbox, vec!["open".to_owned()], vec![block("c")]).await.unwrap();
    work(&pusher, later(5 * 86_400)).await;
    assert_eq!(subscriber.shelf().texts(), ["a", "c"]);
}

/// Its answer was lost and more has come meanwhile: a receiver that knows ids leaves it out, and no block comes under two.
#[tokio::test]
async fn what_is_sent_again_is_the_same_message() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    client.subscription(&management, asking(subscriber.push("1.1"))).await.unwrap();
    let pusher = pusher(&site);
    *subscriber.shelf().denies.lock().unwrap() = true;
    fill(&site, &mut client, 3).await;
    for later_by in [0, 20] {
        let outcomes = work(&pusher, later(later_by)).await;
        assert!(matches!(&outcomes[..], [Outcome::Retry { .. }]), "{outcomes:?}");
        fill(&site, &mut client, 2).await;
    }
    // Whoever had it last is gone before it could say so.
    let mut leased = FeedStore::lease(&site.store, later(60), later(61), 1).await.unwrap();
    assert_eq!(leased.pop().unwrap().attempts, 2);
    fill(&site, &mut client, 2).await;
    *subscriber.shelf().denies.lock().unwrap() = false;
    work(&pusher, later(100)).await;
    let kept = std::mem::take(&mut *subscriber.shelf().kept.lock().unwrap());
    let texts = |received: &Received| {
        received.blocks.iter().map(|one| one.content.raw().to_owned()).collect::<Vec<_>>()
    };
    let same: Vec<_> = kept.iter().filter(|one| one.id == kept[0].id).collect();
    assert_eq!(same.len(), 3);
    assert!(same.iter().all(|one| texts(one) == ["0", "1", "2"]), "{same:?}");
    let rest: Vec<_> = kept.iter().filter(|one| one.id != kept[0].id).flat_map(texts).collect();
    assert_eq!(rest, ["0", "1", "0", "1", "0", "1"]);
}

#[tokio::test]
async fn what_may_not_be_pushed_any_more_is_not() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    client.subscription(&management, asking(subscriber.push("1.1"))).await.unwrap();
    let port = subscriber.url.parse::<http::Uri>().unwrap().port_u16().unwrap();
    let in_clear = |host: &str| {
        let mut rules = to(host);
        rules.clear = true;
        Some(rules)
    };
    let other = format!("127.0.0.1:{}", port ^ 1);
    for rules in [None, in_clear("inbox.example:*"), in_clear(&other), Some(to("127.0.0.1:*"))] {
        fill(&site, &mut client, 1).await;
        let sender = PushSender::new(site.transport(None), ids()).allow_clear();
        let mut config = PusherConfig::default();
        config.push = rules;
        let pusher = Pusher::new(Arc::new(site.store.clone()), Arc::new(sender), config);
        let outcomes = work(&pusher, later(0)).await;
        assert!(matches!(&outcomes[..], [Outcome::GiveUp { .. }]), "{outcomes:?}");
        assert!(subscriber.shelf().texts().is_empty());
    }
    fill(&site, &mut client, 1).await;
    work(&pusher(&site), later(0)).await;
    assert_eq!(subscriber.shelf().texts(), ["0"]);
}

#[tokio::test]
async fn a_paused_subscription_waits_and_an_ended_one_is_over() {
    let site = site(Some(rules())).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    let made = client.subscription(&management, asking(subscriber.push("1.1"))).await.unwrap();
    let id = made.subscriptions[0].id.clone();
    let pusher = pusher(&site);
    let inbox = site.url(Service::Inbox);
    client.subscription(&management, subscribe(Action::Pause, Some(&id))).await.unwrap();
    client.push(&inbox, vec!["open".to_owned()], vec![block("a")]).await.unwrap();
    assert!(work(&pusher, later(1)).await.is_empty());
    client.subscription(&management, subscribe(Action::Resume, Some(&id))).await.unwrap();
    work(&pusher, later(1)).await;
    assert_eq!(subscriber.shelf().texts(), ["a"]);
    client.subscription(&management, subscribe(Action::Unsubscribe, Some(&id))).await.unwrap();
    client.push(&inbox, vec!["open".to_owned()], vec![block("b")]).await.unwrap();
    work(&pusher, later(1)).await;
    assert_eq!(subscriber.shelf().texts(), ["a"]);
}

#[tokio::test]
async fn where_nothing_is_pushed_to() {
    use StatusType::{Denied, UnsupportedMessage, UnsupportedProtocol};
    let subscriber = Subscriber::start().await;
    let refused = async |rules: Option<PushRules>, bend: &dyn Fn(&mut PushParameters)| {
        let site = site(rules).await;
        let mut push = subscriber.push("1.1");
        bend(&mut push);
        let mut client = site.client(Dialect::V1_1, None);
        let url = site.url(Service::CollectionManagement);
        let found = client.collections(&url).await.unwrap();
        let methods = found.iter().find(|one| one.name == "open").unwrap().push_methods.len();
        let error = client.subscription(&url, asking(push)).await.unwrap_err();
        (error.status_type().unwrap(), methods)
    };
    let same = |_: &mut PushParameters| {};
    assert_eq!(refused(None, &same).await, (UnsupportedProtocol, 0));
    // In clear only where that is allowed.
    assert_eq!(refused(Some(to("127.0.0.1:*")), &same).await, (UnsupportedProtocol, 1));
    // Another host, or another port of the same.
    for other in ["inbox.example:*", "127.0.0.1", "127.0.0.1:1"] {
        let mut others = to(other);
        others.clear = true;
        assert_eq!(refused(Some(others), &same).await, (Denied, 2), "{other}");
    }
    let other = |push: &mut PushParameters| push.message_binding = "urn:x".to_owned();
    assert_eq!(refused(Some(rules()), &other).await, (UnsupportedMessage, 2));
    let both = |push: &mut PushParameters| {
        push.message_binding = "urn:x".to_owned();
        push.protocol_binding = "urn:y".to_owned();
    };
    assert_eq!(refused(Some(rules()), &both).await.0, UnsupportedProtocol, "it is checked first");
    for address in ["inbox", "https://127.0.0.1/", "http://me@127.0.0.1/", "file:///etc/passwd"] {
        let bent = |push: &mut PushParameters| push.address = address.to_owned();
        assert_eq!(refused(Some(rules()), &bent).await.0, Denied, "{address}");
    }
    let mut any = rules();
    any.hosts = Hosts::DangerousAny;
    let open = site(Some(any)).await;
    let mut client = open.client(Dialect::V1_1, None);
    let url = open.url(Service::CollectionManagement);
    client.subscription(&url, asking(subscriber.push("1.1"))).await.unwrap();
}

/// Services that answer later what is more than three blocks.
async fn late(rules: Option<PushRules>) -> FeedSite {
    let mut setup = queries::setup();
    setup.config.push = rules;
    setup.config.later = Some(Later::above(3));
    FeedSite::with(setup).await
}

fn worker(site: &FeedSite) -> Pusher {
    let sender = PushSender::new(site.transport(None), ids()).allow_clear();
    let setup = queries::setup().config;
    let mut config = PusherConfig::default();
    (config.cut, config.queries) = (setup.cut_limits(), setup.queries);
    config.push = Some(rules());
    Pusher::new(Arc::new(site.store.clone()), Arc::new(sender), config)
}

/// What PENDING says: the result's id, and whether it will be pushed.
fn pending(error: ClientError) -> (String, bool) {
    let ClientError::Status { status, .. } = &error else { panic!("{error}") };
    assert_eq!(status.status_type, StatusType::Pending, "{error}");
    let detail = |name: &str| {
        let found = status.details.iter().find(|one| one.name == name).unwrap();
        found.value.as_text().unwrap().into_owned()
    };
    assert!(detail("ESTIMATED_WAIT").parse::<u32>().unwrap() > 0);
    (detail("RESULT_ID"), detail("WILL_PUSH") == "true")
}

#[tokio::test]
async fn an_answer_that_comes_later_is_fetched() {
    let site = late(None).await;
    queries::fill(&site, 250).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    let mut options = PollOptions::default();
    options.query = Some(queries::ending("7"));
    // Who does not allow it gets it at once.
    client.poll(&url, "open", &options).await.map(drop).unwrap();
    options.allow_asynch = true;
    let (result, pushed) = pending(client.poll(&url, "open", &options).await.unwrap_err());
    assert!(!pushed);
    let plain = PollOptions::default();
    let (same, _) = pending(client.fulfil(&url, "open", &result, 1, &plain).await.unwrap_err());
    assert_eq!(same, result);
    let outcomes = work(&worker(&site), later(0)).await;
    assert!(matches!(&outcomes[..], [Outcome::Finished]), "{outcomes:?}");
    let mut polling = client.fulfil(&url, "open", &result, 1, &plain).await.unwrap();
    assert_eq!(polling.response().record_count.as_ref().unwrap().count, 25);
    let mut found = Vec::new();
    while let Some(block) = polling.next_block().await.unwrap() {
        found.push(block.content.raw().to_owned());
    }
    assert_eq!(queries::titles(&found).len(), 25);
    assert!(polling.end().is_some());
    // Few blocks come at once.
    options.begin = polling.end().cloned();
    client.poll(&url, "open", &options).await.map(drop).unwrap();
}

#[tokio::test]
async fn an_answer_that_comes_later_is_pushed_where_it_was_asked_for() {
    let site = late(Some(rules())).await;
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 25).await;
    let url = site.url(Service::Poll);
    let subscriber = Subscriber::start().await;
    let mut options = PollOptions::default();
    options.allow_asynch = true;
    options.delivery = Some(subscriber.push("1.1"));
    let (result, pushed) = pending(client.poll(&url, "open", &options).await.unwrap_err());
    assert!(pushed);
    let worker = worker(&site);
    *subscriber.shelf().down.lock().unwrap() = true;
    let outcomes = work(&worker, later(0)).await;
    assert!(matches!(&outcomes[..], [Outcome::Finished, Outcome::Retry { .. }]), "{outcomes:?}");
    *subscriber.shelf().down.lock().unwrap() = false;
    let outcomes = work(&worker, later(60)).await;
    assert!(
        matches!(
            &outcomes[..],
            [Outcome::Part { number: 1 }, Outcome::Part { number: 2 }, Outcome::Finished]
        ),
        "{outcomes:?}"
    );
    assert_eq!(subscriber.shelf().texts(), (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
    let kept = std::mem::take(&mut *subscriber.shelf().kept.lock().unwrap());
    assert!(kept.iter().all(|one| one.inbox.result_id.as_ref() == Some(&result)));
    assert_eq!(kept.iter().map(|one| one.blocks.len()).collect::<Vec<_>>(), [10, 10, 5]);
    // It can be fetched all the same.
    let plain = PollOptions::default();
    client.fulfil(&url, "open", &result, 2, &plain).await.map(drop).unwrap();
    // Where the address is none that is pushed to, nothing is begun.
    for (message, expected) in
        [("1.0", StatusType::UnsupportedMessage), ("9", StatusType::UnsupportedMessage)]
    {
        options.delivery = Some(subscriber.push(message));
        let error = client.poll(&url, "open", &options).await.unwrap_err();
        assert_eq!(error.status_type(), Some(expected), "{error}");
    }
    let mut elsewhere = subscriber.push("1.1");
    elsewhere.address = "http://inbox.example/".to_owned();
    options.delivery = Some(elsewhere);
    let error = client.poll(&url, "open", &options).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Denied), "{error}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_made_says_so() {
    let site = late(None).await;
    let mut client = site.client(Dialect::V1_1, None);
    queries::fill(&site, 25).await;
    let url = site.url(Service::Poll);
    let mut options = PollOptions::default();
    options.allow_asynch = true;
    options.query = Some(queries::ending("7"));
    let (result, _) = pending(client.poll(&url, "open", &options).await.unwrap_err());
    // A worker that takes no queries any more.
    work(&pusher(&site), later(0)).await;
    let plain = PollOptions::default();
    let error = client.fulfil(&url, "open", &result, 1, &plain).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::AsynchronousPollError), "{error}");
}

#[tokio::test]
async fn subscribers_with_a_query_are_sent_what_meets_it() {
    let mut setup = queries::setup();
    setup.config.push = Some(rules());
    let site = FeedSite::with(setup).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    let mut request = asking(subscriber.push("1.1"));
    request.parameters.as_mut().unwrap().query = Some(queries::ending("7"));
    client.subscription(&management, request).await.unwrap();
    queries::fill(&site, 40).await;
    work(&worker(&site), later(0)).await;
    assert_eq!(queries::titles(&subscriber.shelf().texts()), [7, 17, 27, 37]);
}

/// What is looked through under one lease is limited, and it goes on where that ended.
#[tokio::test]
async fn a_query_that_meets_nothing_goes_on_by_pieces() {
    let mut setup = queries::setup();
    setup.config.push = Some(rules());
    setup.config.queries.as_mut().unwrap().examined = PageLimits::new(20, usize::MAX);
    let mut config = PusherConfig::default();
    (config.cut, config.queries) = (setup.config.cut_limits(), setup.config.queries.clone());
    (config.push, config.message) = (Some(rules()), PageLimits::new(10, 1 << 20));
    let site = FeedSite::with(setup).await;
    let management = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let subscriber = Subscriber::start().await;
    let mut request = asking(subscriber.push("1.1"));
    request.parameters.as_mut().unwrap().query = Some(queries::ending("299"));
    client.subscription(&management, request).await.unwrap();
    queries::fill(&site, 300).await;
    let sender = PushSender::new(site.transport(None), ids()).allow_clear();
    let pusher = Pusher::new(Arc::new(site.store.clone()), Arc::new(sender), config);
    let outcomes = work(&pusher, later(0)).await;
    // 306 blocks by 20.
    assert!((14..=18).contains(&outcomes.len()), "{outcomes:?}");
    let mut before = Timestamp::UNIX_EPOCH;
    for outcome in &outcomes {
        let Outcome::Delivered { up_to } = outcome else { panic!("{outcome:?}") };
        assert!(*up_to > before);
        before = *up_to;
    }
    assert_eq!(queries::titles(&subscriber.shelf().texts()), [299]);
}

/// A result that was promised is there when it comes, however late.
#[tokio::test]
async fn a_promised_answer_outlives_the_time_of_results() {
    let mut setup = queries::setup();
    setup.config.push = Some(rules());
    setup.config.later = Some(Later::above(3));
    setup.config.results = Duration::ZERO;
    let site = FeedSite::with(setup).await;
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 15).await;
    let url = site.url(Service::Poll);
    let subscriber = Subscriber::start().await;
    let mut options = PollOptions::default();
    options.allow_asynch = true;
    options.delivery = Some(subscriber.push("1.1"));
    let (result, _) = pending(client.poll(&url, "open", &options).await.unwrap_err());
    let upkeep = async |now: Timestamp| {
        while FeedStore::maintain(&site.store, now, 100).await.unwrap().more {}
    };
    upkeep(later(7_200)).await;
    let plain = PollOptions::default();
    let (same, _) = pending(client.fulfil(&url, "open", &result, 1, &plain).await.unwrap_err());
    assert_eq!(same, result);
    // The inbox is down for longer than a result is kept.
    *subscriber.shelf().down.lock().unwrap() = true;
    work(&worker(&site), later(7_200)).await;
    upkeep(later(20_000)).await;
    *subscriber.shelf().down.lock().unwrap() = false;
    work(&worker(&site), later(20_000)).await;
    assert_eq!(subscriber.shelf().texts().len(), 15);
    upkeep(later(40_000)).await;
    let error = client.fulfil(&url, "open", &result, 1, &plain).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::NotFound), "{error}");
}
