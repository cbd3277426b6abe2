//! Polls: ranges, parts, cursors, filters, counts.

use bindery_taxii::{
    PollOptions, Service,
    service::{PageLimits, ResultLimits},
};
use bindery_taxii_xml::{
    Action, ContentBinding, Dialect, StatusType, SubscriptionStatus, Timestamp,
};
use bindery_tests::feeds::{FeedSetup, FeedSite};

use super::{block, bound, fill, read, subscribe};

fn small() -> FeedSetup {
    let mut setup = FeedSetup::default();
    setup.config.part = PageLimits::new(10, 1 << 20);
    setup.config.page = PageLimits::new(3, 1 << 20);
    setup
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn every_dialect_gets_every_block_in_its_order() {
    let site = FeedSite::with(small()).await;
    let url = site.url(Service::Poll);
    fill(&site, &mut site.client(Dialect::V1_1, None), 32).await;
    for dialect in [Dialect::V1_0, Dialect::V1_1] {
        let mut client = site.client(dialect, None);
        let (found, end) = read(&mut client, &url, "open", &PollOptions::default()).await;
        assert_eq!(found, numbers(0..32), "{dialect}");
        // From there on there is nothing; what comes then is all that comes.
        let mut options = PollOptions::default();
        options.begin = end;
        assert_eq!(read(&mut client, &url, "open", &options).await.0, Vec::<String>::new());
    }
    // Text is nothing that the draft's blocks could hold.
    let mut options = PollOptions::default();
    options.content_bindings = vec![ContentBinding::new("urn:example:text")];
    let mut draft = site.client(Dialect::Draft, None);
    let (found, end) = read(&mut draft, &url, "open", &options).await;
    assert_eq!((found.len(), end.is_some()), (0, true));
}

#[tokio::test]
async fn a_cursor_misses_nothing_and_repeats_nothing() {
    let site = FeedSite::with(small()).await;
    let url = site.url(Service::Poll);
    let mut sender = site.client(Dialect::V1_1, None);
    for dialect in [Dialect::V1_1, Dialect::V1_0] {
        let mut client = site.client(dialect, None);
        let mut options = PollOptions::default();
        options.begin = read(&mut client, &url, "open", &options).await.1;
        for round in 0..5 {
            let text = format!("{dialect}-{round}");
            let inbox = site.url(Service::Inbox);
            sender.push(&inbox, vec!["open".to_owned()], vec![block(&text)]).await.unwrap();
            let (found, end) = read(&mut client, &url, "open", &options).await;
            assert_eq!(found, [text]);
            assert!(end > options.begin);
            options.begin = end;
        }
    }
}

#[tokio::test]
async fn the_range_begins_exclusively_and_ends_inclusively() {
    let site = FeedSite::start().await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 5).await;
    let mut labels: Vec<Timestamp> = Vec::new();
    let mut polling = client.poll(&url, "open", &PollOptions::default()).await.unwrap();
    while let Some(block) = polling.next_block().await.unwrap() {
        labels.push(block.timestamp_label.unwrap());
    }
    assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "{labels:?}");
    let mut options = PollOptions::default();
    options.begin = Some(labels[1].clone());
    options.end = Some(labels[3].clone());
    let (found, end) = read(&mut client, &url, "open", &options).await;
    assert_eq!((found, end), (numbers(2..4), Some(labels[3].clone())));
    let mut old = site.client(Dialect::V1_0, None);
    let mut polling = old.poll(&url, "open", &options).await.unwrap();
    // 1.0's answer begins with what is in it.
    assert!(polling.response().begin.as_ref().unwrap() > &labels[1]);
    let mut found = Vec::new();
    while let Some(block) = polling.next_block().await.unwrap() {
        found.push(block.content.raw().to_owned());
    }
    assert_eq!(found, numbers(2..4));
    // A range that is none.
    options.end = Some(labels[0].clone());
    let error = client.poll(&url, "open", &options).await.unwrap_err();
    assert!(error.is_unsent() || error.status_type() == Some(StatusType::BadMessage), "{error}");
}

#[tokio::test]
async fn parts_have_their_own_ranges_and_can_be_asked_for_again() {
    let site = FeedSite::with(small()).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 25).await;
    let polling = client.poll(&url, "open", &PollOptions::default()).await.unwrap();
    let first = polling.response().clone();
    assert_eq!((first.more, first.record_count.unwrap().count), (Some(true), 25));
    let result = first.result_id.unwrap();
    for (part, expected) in [(3, 20..25), (2, 10..25), (1, 0..25)] {
        let options = PollOptions::default();
        let mut polling = client.fulfil(&url, "open", &result, part, &options).await.unwrap();
        let mut found = Vec::new();
        while let Some(block) = polling.next_block().await.unwrap() {
            found.push(block.content.raw().to_owned());
        }
        assert_eq!(found, numbers(expected), "from part {part} on");
    }
    for part in [4, 400] {
        let options = PollOptions::default();
        let error = client.fulfil(&url, "open", &result, part, &options).await.unwrap_err();
        assert_eq!(error.status_type(), Some(StatusType::InvalidResponsePart), "{error}");
        assert!(error.to_string().contains("MAX_PART_NUMBER 3"), "{error}");
    }
    // A bad request does not end the result.
    client.fulfil(&url, "open", &result, 2, &PollOptions::default()).await.unwrap();
    let error =
        client.fulfil(&url, "open", "urn:none", 1, &PollOptions::default()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::NotFound), "{error}");
    // Exactly one part has no empty one behind it.
    let mut options = PollOptions::default();
    options.begin = first.end;
    let mut ten = site.client(Dialect::V1_1, None);
    let polling = ten.poll(&url, "open", &options).await.unwrap();
    assert_eq!(polling.response().more, Some(true));
}

#[tokio::test]
async fn counts_and_content_filters() {
    let site = FeedSite::start().await;
    let (url, inbox) = (site.url(Service::Poll), site.url(Service::Inbox));
    let mut client = site.client(Dialect::V1_1, None);
    let blocks = vec![
        bound("urn:a", None, "a"),
        bound("urn:a", Some("urn:s"), "as"),
        bound("urn:b", Some("urn:s"), "bs"),
    ];
    client.push(&inbox, vec!["open".to_owned()], blocks).await.unwrap();
    for (wanted, expected) in [
        (vec![], vec!["a", "as", "bs"]),
        (vec![ContentBinding::new("urn:a")], vec!["a", "as"]),
        (vec![ContentBinding::new("urn:a").with_subtype("urn:s")], vec!["as"]),
        (vec![ContentBinding::new("urn:none")], vec![]),
        (
            vec![ContentBinding::new("urn:b").with_subtype("urn:s"), ContentBinding::new("urn:a")],
            vec!["a", "as", "bs"],
        ),
    ] {
        let mut options = PollOptions::default();
        options.content_bindings = wanted;
        assert_eq!(read(&mut client, &url, "open", &options).await.0, expected);
        let (count, end) = client.count(&url, "open", &options).await.unwrap();
        assert_eq!(count.unwrap().count, expected.len() as u64);
        assert!(end.is_some());
    }
}

#[tokio::test]
async fn a_count_ends_somewhere_and_says_so() {
    let mut setup = FeedSetup::default();
    setup.config.counted = 7;
    let site = FeedSite::with(setup).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 10).await;
    let mut count = async |begin: Option<&str>| {
        let mut options = PollOptions::default();
        options.begin = begin.and_then(Timestamp::label);
        let (count, _) = client.count(&url, "open", &options).await.unwrap();
        count.map(|one| (one.count, one.partial)).unwrap()
    };
    assert_eq!(count(Some("1970-01-01T00:00:01Z")).await, (7, Some(true)));
    assert_eq!(count(None).await, (10, Some(false)), "it takes no counting");
}

#[tokio::test]
async fn subscriptions_are_managed_as_specified() {
    use SubscriptionStatus::{Active, Paused, Unsubscribed};
    let site = FeedSite::start().await;
    let url = site.url(Service::CollectionManagement);
    let mut client = site.client(Dialect::V1_1, None);
    let made = client.subscription(&url, subscribe(Action::Subscribe, None)).await.unwrap();
    let id = made.subscriptions[0].id.clone();
    assert_eq!(made.subscriptions[0].poll_instances.len(), 1);
    // The same again is the same.
    let again = client.subscription(&url, subscribe(Action::Subscribe, None)).await.unwrap();
    assert_eq!(again.subscriptions[0].id, id);
    let mut status = async |action, id: Option<&str>| {
        let answer = client.subscription(&url, subscribe(action, id)).await;
        answer
            .map(|answer| {
                answer.subscriptions.into_iter().map(|one| one.status.unwrap()).collect::<Vec<_>>()
            })
            .map_err(|error| error.status_type().unwrap())
    };
    for (action, expected) in [
        (Action::Status, Active),
        (Action::Pause, Paused),
        (Action::Pause, Paused),
        (Action::Status, Paused),
        (Action::Resume, Active),
        (Action::Resume, Active),
    ] {
        assert_eq!(status(action, Some(&id)).await, Ok(vec![expected]), "{action:?}");
    }
    for action in [Action::Pause, Action::Resume, Action::Status] {
        assert_eq!(status(action, Some("urn:none")).await, Err(StatusType::NotFound));
    }
    assert_eq!(status(Action::Status, None).await, Ok(vec![Active]));
    // An unknown one is as good as ended.
    assert_eq!(status(Action::Unsubscribe, Some("urn:none")).await, Ok(vec![Unsubscribed]));
    assert_eq!(status(Action::Unsubscribe, Some(&id)).await, Ok(vec![Unsubscribed]));
    assert_eq!(status(Action::Status, None).await, Ok(vec![]));
    assert_eq!(status(Action::Resume, Some(&id)).await, Err(StatusType::NotFound));
}

#[tokio::test]
async fn any_part_costs_what_the_first_one_does() {
    const PARTS: u64 = 40;
    let site = FeedSite::with(FeedSetup { watched: true, ..small() }).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 10 * usize::try_from(PARTS).unwrap()).await;
    let watch = site.watch();
    let mut options = PollOptions::default();
    options.max_parts = Some(1);
    let mut polling = client.poll(&url, "open", &options).await.unwrap();
    let result = polling.response().result_id.clone().unwrap();
    // To its end, or the server would still be reading.
    while let Ok(Some(_)) = polling.next_block().await {}
    let cost = async |part: u64| {
        let mut client = site.client(Dialect::V1_1, None);
        drop(watch.take());
        let mut polling = client.fulfil(&url, "open", &result, part, &options).await.unwrap();
        assert_eq!(polling.response().record_count.clone().unwrap().count, 10 * PARTS);
        let mut blocks = 0;
        while let Ok(Some(_)) = polling.next_block().await {
            blocks += 1;
        }
        assert_eq!(blocks, 10, "part {part}");
        watch.take()
    };
    let first = cost(1).await;
    // One look at the result and at its part, four pages of at most three blocks, and nothing counted or cut.
    let calls = [
        "load_collections 1",
        "load_result",
        "load_parts 1",
        "page 3",
        "page 3",
        "page 3",
        "page 1",
    ];
    assert_eq!(first, calls);
    for part in [2, PARTS / 2, PARTS - 1, PARTS] {
        assert_eq!(cost(part).await, first, "part {part}");
    }
}

#[tokio::test]
async fn the_oldest_result_of_a_peer_makes_room_and_there_are_so_many_in_all() {
    let mut setup = small();
    setup.config.result_sets = ResultLimits::new(2, 3);
    let site = FeedSite::with(setup).await;
    let url = site.secure_url(Service::Poll);
    let mut alice = site.client(Dialect::V1_1, Some("alice"));
    fill(&site, &mut site.client(Dialect::V1_1, None), 15).await;
    let mut results = Vec::new();
    for _ in 0..3 {
        let polling = alice.poll(&url, "open", &PollOptions::default()).await.unwrap();
        results.push(polling.response().result_id.clone().unwrap());
    }
    for (result, there) in results.iter().zip([false, true, true]) {
        let options = PollOptions::default();
        let found = alice.fulfil(&url, "open", result, 2, &options).await.map(drop);
        let expected = if there { Ok(()) } else { Err(Some(StatusType::NotFound)) };
        assert_eq!(found.map_err(|error| error.status_type()), expected);
    }
    let mut bob = site.client(Dialect::V1_1, Some("bob"));
    bob.poll(&url, "open", &PollOptions::default()).await.map(drop).unwrap();
    let mut carol = site.client(Dialect::V1_1, Some("carol"));
    let error = carol.poll(&url, "open", &PollOptions::default()).await.unwrap_err();
    assert_eq!(error.status_type(), Some(StatusType::Retry), "{error}");
    // What is short needs no result set.
    let mut options = PollOptions::default();
    options.content_bindings = vec![ContentBinding::new("urn:none")];
    carol.poll(&url, "open", &options).await.map(drop).unwrap();
}

#[tokio::test]
async fn an_answer_of_more_parts_than_there_may_be_ends_where_they_do() {
    let mut setup = small();
    setup.config.parts = 2;
    let site = FeedSite::with(setup).await;
    let url = site.url(Service::Poll);
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 47).await;
    let (mut options, mut all, mut polls) = (PollOptions::default(), Vec::new(), 0);
    loop {
        let (found, end) = read(&mut client, &url, "open", &options).await;
        if found.is_empty() {
            break;
        }
        assert!(found.len() <= 20);
        all.extend(found);
        options.begin = end;
        polls += 1;
    }
    assert_eq!((all, polls), (numbers(0..47), 3));
}

#[tokio::test]
async fn a_request_names_so_many_bindings_and_no_more() {
    let site = FeedSite::start().await;
    let mut client = site.client(Dialect::V1_1, None);
    fill(&site, &mut client, 3).await;
    let text = "urn:example:text";
    // Bindings and subtypes count alike.
    let bindings = |subtypes: usize, others: usize| {
        let first = (0..subtypes).fold(ContentBinding::new("urn:b"), |one, number| {
            one.with_subtype(format!("urn:{number}"))
        });
        let others = (0..others).map(|number| ContentBinding::new(format!("urn:o:{number}")));
        let all = [first, ContentBinding::new(text)].into_iter().chain(others);
        all.collect::<Vec<_>>()
    };
    for (wanted, taken) in [
        (bindings(0, 254), true),
        (bindings(0, 255), false),
        (bindings(254, 0), true),
        (bindings(255, 0), false),
        (bindings(100, 154), true),
        (bindings(100, 155), false),
    ] {
        let mut options = PollOptions::default();
        options.content_bindings = wanted.clone();
        let url = site.url(Service::Poll);
        let polled = client.poll(&url, "open", &options).await.map(drop);
        let mut request = subscribe(Action::Subscribe, None);
        request.parameters.as_mut().unwrap().content_bindings = wanted;
        let url = site.url(Service::CollectionManagement);
        let subscribed = client.subscription(&url, request).await.map(drop);
        for outcome in [polled, subscribed] {
            match outcome {
                Ok(()) => assert!(taken),
                Err(error) => {
                    assert_eq!(error.status_type(), Some(StatusType::BadMessage), "{error}");
                    assert!(!taken && error.to_string().contains("256"), "{error}");
                }
            }
        }
    }
}
