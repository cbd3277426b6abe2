use bindery_taxii::service::{FeedStore, PageLimits, Window};

use super::{
    BEGIN, FEED, OTHER, WIDE, Wanted, all, at, blocks, bound, insert, mark, numbered, opened,
    pages, text, texts, wanted, whole,
};

pub(super) async fn a_window_is_open_at_its_begin_and_closed_at_its_end(store: &dyn FeedStore) {
    opened(store).await;
    for number in 0..5 {
        let now = BEGIN + 100 * (1 + i64::try_from(number).unwrap());
        insert(store, FEED, blocks(number..number + 1), now).await;
    }
    let labels: Vec<_> = all(store, FEED).await.iter().map(|one| one.label.unix_micros()).collect();
    let read = async |begin: Option<i64>, end| {
        let mut window = Window::up_to(FEED, at(end));
        window.begin = begin.map(at);
        let read = texts(&pages(store, &window, WIDE).await.0);
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), read.len() as u64);
        read
    };
    assert_eq!(read(Some(labels[0]), labels[2]).await, numbered(1..3));
    assert_eq!(read(Some(labels[0] - 1), labels[2] - 1).await, numbered(0..2));
    assert_eq!(read(None, labels[0]).await, numbered(0..1));
    assert_eq!(read(None, i64::MAX).await, numbered(0..5));
    assert_eq!(read(Some(labels[3]), i64::MAX).await, numbered(4..5));
    for (begin, end) in [
        (Some(labels[2]), labels[2]),
        (Some(labels[3]), labels[1]),
        (Some(labels[4]), i64::MAX),
        (None, BEGIN),
    ] {
        assert_eq!(read(begin, end).await, numbered([]));
    }
    // A page may be asked for behind a label before the window's begin.
    let mut window = Window::up_to(FEED, at(i64::MAX));
    window.begin = Some(at(labels[2]));
    let page = store.page(&window, Some(at(labels[0])), WIDE).await.unwrap();
    assert_eq!(texts(&page.blocks), numbered(3..5));
}

pub(super) async fn pages_join_without_gap_or_overlap(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, OTHER, blocks(500..600), BEGIN).await;
    for start in (0..200).step_by(25) {
        insert(store, FEED, blocks(start..start + 25), BEGIN).await;
        insert(store, OTHER, blocks(start..start + 1), BEGIN).await;
    }
    let window = whole(store, FEED).await;
    let expected = all(store, FEED).await;
    assert_eq!(texts(&expected), numbered(0..200));
    for count in [1, 7, 100, 199, 200, 201] {
        let (read, pages) = pages(store, &window, PageLimits::new(count, usize::MAX)).await;
        assert_eq!(read, expected);
        assert!(pages >= 200_usize.div_ceil(count));
    }
}

pub(super) async fn a_page_keeps_its_limits_and_has_at_least_one_block(store: &dyn FeedStore) {
    opened(store).await;
    let made: Vec<_> = [10, 10, 50, 100, 10, 10].map(|length| text("x".repeat(length))).to_vec();
    let beside = text("").octets();
    let total: usize = made.iter().map(|block| block.octets()).sum();
    insert(store, FEED, made, BEGIN).await;
    let window = whole(store, FEED).await;
    let lengths = async |limits| {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = store.page(&window, after, limits).await.unwrap();
            found.push(
                page.blocks.iter().map(|one| one.block.content.raw.len()).collect::<Vec<_>>(),
            );
            match page.next {
                None => {
                    return found.into_iter().filter(|page| !page.is_empty()).collect::<Vec<_>>();
                }
                next => after = next,
            }
        }
    };
    let found = lengths(PageLimits::new(3, 60 + 2 * beside)).await;
    assert_eq!(found, [vec![10, 10], vec![50], vec![100], vec![10, 10]]);
    for limits in [PageLimits::new(0, 0), PageLimits::new(9, 0), PageLimits::new(1, usize::MAX)] {
        assert_eq!(lengths(limits).await, [[10], [10], [50], [100], [10], [10]], "{limits:?}");
    }
    assert_eq!(lengths(PageLimits::new(usize::MAX, total)).await.len(), 1);
    assert_eq!(lengths(PageLimits::new(usize::MAX, total - 1)).await.len(), 2);
}

pub(super) async fn a_binding_stands_for_all_its_subtypes_and_a_subtype_for_itself(
    store: &dyn FeedStore,
) {
    opened(store).await;
    let made = [
        ("urn:a", None, "a"),
        ("urn:a", Some("urn:s"), "a s"),
        ("urn:a", Some("urn:t"), "a t"),
        ("urn:a", Some(""), "a empty"),
        ("urn:a|urn:b", None, "a in b"),
        ("urn:b", Some("urn:s"), "b s"),
        ("urn:a", None, "a again"),
    ];
    let made = made.map(|(binding, subtype, content)| bound(binding, subtype, content));
    insert(store, FEED, made.to_vec(), BEGIN).await;
    let mut window = whole(store, FEED).await;
    let everything: &[&str] = &["a", "a s", "a t", "a empty", "a again"];
    let cases: [(&[Wanted<'_>], &[&str]); 6] = [
        (&[("urn:a", &[])], everything),
        (&[("urn:a", &["urn:s", "urn:u"])], &["a s"]),
        (&[("urn:a", &[""]), ("urn:b", &[])], &["a empty", "b s"]),
        (&[("urn:a", &["urn:t"]), ("urn:a", &["urn:s"])], &["a s", "a t"]),
        (&[("urn:a", &["urn:t"]), ("urn:a", &[])], everything),
        (&[("urn:A", &[]), ("urn", &[])], &[]),
    ];
    for (bindings, expected) in cases {
        window.content = wanted(bindings);
        let (read, _) = pages(store, &window, PageLimits::new(2, usize::MAX)).await;
        assert_eq!(texts(&read), expected, "{bindings:?}");
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), expected.len() as u64);
    }
}

pub(super) async fn many_bindings_are_read_in_the_order_of_labels(store: &dyn FeedStore) {
    opened(store).await;
    for round in 0..4 {
        let made = (0..50).map(|number| {
            bound(&format!("urn:{}", (number * 7) % 50), None, &format!("{round} {number}"))
        });
        insert(store, FEED, made.collect(), BEGIN).await;
    }
    let everything = all(store, FEED).await;
    let mut window = whole(store, FEED).await;
    let ids: Vec<String> = (0..50).map(|number| format!("urn:{number}")).collect();
    for count in [1, 2, 15, 16, 17, 40, 50] {
        let bindings: Vec<Wanted<'_>> =
            ids[..count].iter().map(|id| (id.as_str(), &[] as &[&str])).collect();
        window.content = wanted(&bindings);
        let mut expected = everything.clone();
        expected.retain(|one| window.content.matches(&one.block.binding, None));
        assert_eq!(expected.len(), 4 * count);
        let (read, _) = pages(store, &window, PageLimits::new(9, usize::MAX)).await;
        assert_eq!(read, expected, "{count} bindings");
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), expected.len() as u64);
    }
}

pub(super) async fn a_count_is_how_many_blocks_the_pages_have(store: &dyn FeedStore) {
    opened(store).await;
    for round in 0..10_i64 {
        insert(store, FEED, blocks(0..usize::try_from(round).unwrap()), BEGIN + 10 * round).await;
        let window = whole(store, FEED).await;
        let expected = pages(store, &window, WIDE).await.0.len();
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), expected as u64);
        let mut part = window.clone();
        part.end = at(window.end.unix_micros() - 1);
        part.begin = Some(at(BEGIN + 15));
        let expected = pages(store, &part, WIDE).await.0.len();
        assert_eq!(store.count(&part, u64::MAX).await.unwrap(), expected as u64);
    }
}

pub(super) async fn what_comes_later_does_not_slip_into_a_window(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    let window = whole(store, FEED).await;
    let before = pages(store, &window, WIDE).await.0;
    // Also where the clock says the same, or is set back.
    let end = window.end.unix_micros();
    for now in [BEGIN, 0, end, end - 1] {
        insert(store, FEED, blocks(3..6), now).await;
        assert_eq!(pages(store, &window, WIDE).await.0, before);
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 3);
    }
    assert!(mark(store, FEED).await > window.end);
}

/// The filter that looks through the window: more bindings than a window is put together from.
fn many(ids: &[&str]) -> bindery_taxii::service::ContentFilter {
    let more: Vec<String> = (0..40).map(|number| format!("urn:none:{number}")).collect();
    let all = ids.iter().copied().chain(more.iter().map(String::as_str));
    wanted(&all.map(|id| (id, &[] as &[&str])).collect::<Vec<Wanted<'_>>>())
}

pub(super) async fn a_rare_binding_is_found_by_pages_that_end(store: &dyn FeedStore) {
    opened(store).await;
    let none: Vec<_> =
        (0..40).map(|number| bound(&format!("urn:none:{number}"), None, "x")).collect();
    insert(store, OTHER, none, BEGIN).await;
    for message in 0..3 {
        insert(store, FEED, blocks(message * 4_000..(message + 1) * 4_000), BEGIN).await;
        if message % 2 == 0 {
            insert(store, FEED, vec![bound("urn:rare", None, &message.to_string())], BEGIN).await;
        }
    }
    let mut window = whole(store, FEED).await;
    window.content = many(&["urn:rare"]);
    let (read, pages) = pages(store, &window, PageLimits::new(2, usize::MAX)).await;
    assert_eq!(texts(&read), ["0", "2"]);
    assert!(pages <= 20, "{pages}");
    assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 2);
}

pub(super) async fn a_binding_of_very_many_subtypes_is_read_whole(store: &dyn FeedStore) {
    opened(store).await;
    let made = (0..300).map(|number| bound("urn:a", Some(&format!("urn:{number}")), "x"));
    insert(store, FEED, made.collect(), BEGIN).await;
    insert(store, FEED, blocks(0..20), BEGIN).await;
    let mut window = whole(store, FEED).await;
    let subtypes: Vec<String> = (0..600).map(|number| format!("urn:{number}")).collect();
    let subtypes: Vec<&str> = subtypes.iter().map(String::as_str).collect();
    for (bindings, expected) in [
        (vec![("urn:a", &[] as &[&str])], 300),
        (vec![("urn:a", &subtypes[..])], 300),
        (vec![("urn:a", &subtypes[5..25])], 20),
        (vec![("urn:a", &subtypes[5..25]), ("urn:b", &[])], 40),
        (vec![("urn:a", &subtypes[590..])], 0),
    ] {
        window.content = wanted(&bindings);
        let (read, _) = pages(store, &window, PageLimits::new(70, usize::MAX)).await;
        assert_eq!(read.len(), expected, "{}", bindings[0].1.len());
        assert_eq!(store.count(&window, u64::MAX).await.unwrap(), expected as u64);
    }
}

pub(super) async fn an_unknown_collection_has_nothing(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, FEED, blocks(0..3), BEGIN).await;
    let window = Window::up_to("urn:nowhere", at(i64::MAX));
    assert_eq!(store.count(&window, u64::MAX).await.unwrap(), 0);
    let page = store.page(&window, None, WIDE).await.unwrap();
    assert!(page.blocks.is_empty() && page.next.is_none());
}

pub(super) async fn a_count_ends_where_it_may(store: &dyn FeedStore) {
    opened(store).await;
    let made = (0..30).map(|number| bound("urn:a", Some(&format!("{}", number % 20)), "x"));
    insert(store, FEED, made.collect(), BEGIN).await;
    let whole = whole(store, FEED).await;
    // All of a collection needs no counting.
    assert_eq!(store.count(&whole, 7).await.unwrap(), 30);
    let mut behind = whole.clone();
    behind.begin = Some(at(0));
    let mut few = whole.clone();
    few.content = wanted(&[("urn:a", &["1", "2", "3", "4", "5"])]);
    let mut many = whole.clone();
    many.content = wanted(&[("urn:a", &[])]);
    for (window, has) in [(behind, 30), (few, 10), (many, 30)] {
        assert_eq!(store.count(&window, 7).await.unwrap(), 7);
        assert_eq!(store.count(&window, 0).await.unwrap(), 0);
        assert_eq!(store.count(&window, has).await.unwrap(), has);
        assert_eq!(store.count(&window, has + 1).await.unwrap(), has);
    }
}
