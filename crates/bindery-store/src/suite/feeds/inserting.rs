use bindery_taxii::service::{
    Block, FeedStore, Inbox, Part, Received, RepeatKey, StoredBlock, Subject,
};

use super::{
    BEGIN, FEED, OTHER, alice, all, assert_conflict, assert_misuse, at, blocks, bound, inbox,
    insert, mark, numbered, opened, send, state, text, texts,
};

pub(super) async fn what_was_inserted_is_read(store: &dyn FeedStore) {
    opened(store).await;
    let mut rich = bound("urn:b", Some("urn:s"), "<x:a y='&amp;'/>");
    rich.content.namespaces = vec![("".into(), "urn:d".into()), ("x".into(), "urn:x".into())];
    rich.message = Some("a message".into());
    rich.padding = Some("".into());
    rich.signature = Some(Part::new("<ds:S/>", vec![("ds".into(), "urn:ds".into())]));
    let blocks = vec![
        rich,
        bound("urn:b", None, "no subtype"),
        bound("urn:b", Some(""), "the empty subtype"),
        bound("", None, ""),
        bound("urn:b'; --\u{e9}\u{1f600}", Some("\u{7f}"), "\u{1f600} odd"),
    ];
    let receipt = send(store, inbox(&[FEED], BEGIN + 77), blocks.clone(), BEGIN).await.unwrap();
    let read = all(store, FEED).await;
    let labels = (read[0].label, read[4].label);
    assert_eq!(receipt.collections, [Received::new(5, Some(labels))]);
    assert!(!receipt.repeated);
    assert!(read.iter().all(|one| one.received == at(BEGIN + 77)));
    let read: Vec<Block> = read.into_iter().map(|one| one.block).collect();
    assert_eq!(read, blocks);
    let state = state(store, FEED).await.unwrap();
    assert_eq!((state.blocks, state.mark), (5, labels.1));
}

pub(super) async fn content_of_any_length_survives(store: &dyn FeedStore) {
    opened(store).await;
    let lengths = [0, 1, 4000, 4096, 5000, 100_000, 3_000_000];
    for length in lengths {
        let content: String = ('a'..='z').cycle().take(length).collect();
        insert(store, FEED, vec![text(content)], BEGIN).await;
    }
    let read = all(store, FEED).await;
    let found: Vec<_> = read.iter().map(|one| one.block.content.raw.len()).collect();
    assert_eq!(found, lengths);
    let right = |one: &StoredBlock| {
        one.block.content.raw.chars().eq(('a'..='z').cycle().take(one.block.content.raw.len()))
    };
    assert!(read.iter().all(right));
}

pub(super) async fn labels_are_later_than_all_before_and_not_before_now(store: &dyn FeedStore) {
    opened(store).await;
    let mut before = mark(store, FEED).await;
    for now in [BEGIN, BEGIN, BEGIN + 1, BEGIN + 50, BEGIN + 50, BEGIN + 1_000_000] {
        let receipt = insert(store, FEED, blocks(0..40), now).await;
        let labels: Vec<_> = all(store, FEED).await.iter().map(|one| one.label).collect();
        let new = &labels[labels.len() - 40..];
        assert!(new[0] > before && new[0] >= at(now));
        assert!(new.windows(2).all(|pair| pair[0] < pair[1]), "{new:?}");
        assert_eq!(receipt.collections[0].labels, Some((new[0], new[39])));
        before = new[39];
        assert_eq!(mark(store, FEED).await, before);
    }
}

pub(super) async fn labels_go_on_when_the_clock_is_set_back(store: &dyn FeedStore) {
    opened(store).await;
    for (number, now) in [(0, BEGIN + 1_000_000), (1, 5), (2, -5)] {
        insert(store, FEED, blocks(number..number + 1), now).await;
    }
    let read = all(store, FEED).await;
    assert_eq!(texts(&read), numbered(0..3));
    assert!(read.windows(2).all(|pair| pair[0].label < pair[1].label));
}

pub(super) async fn blocks_go_to_the_collections_that_they_are_for(store: &dyn FeedStore) {
    opened(store).await;
    insert(store, OTHER, blocks(10..12), BEGIN + 100).await;
    let mut insertion = store.insert(inbox(&[FEED, OTHER], BEGIN)).await.unwrap();
    let places: [&[usize]; 6] = [&[0], &[1], &[0, 1], &[], &[1, 0, 1], &[0]];
    for (block, to) in blocks(0..6).into_iter().zip(places) {
        insertion.add(block, to).await.unwrap();
    }
    let receipt = insertion.commit(at(BEGIN)).await.unwrap();
    assert_eq!(texts(&all(store, FEED).await), numbered([0, 2, 4, 5]));
    let other = all(store, OTHER).await;
    assert_eq!(texts(&other), numbered([10, 11, 1, 2, 4]));
    assert!(other[2].label > other[1].label);
    let counts: Vec<_> = receipt.collections.iter().map(|one| one.blocks).collect();
    assert_eq!(counts, [4, 3]);
    assert_eq!(receipt.collections[1].labels, Some((other[2].label, other[4].label)));
    let nothing = send(store, inbox(&[FEED], BEGIN), Vec::new(), BEGIN + 9000).await.unwrap();
    assert_eq!(nothing.collections, [Received::default()]);
    assert_eq!(all(store, FEED).await.len(), 4);
}

/// About 3 MB in 300 blocks, every third for the other collection too.
async fn large(store: &dyn FeedStore, received: i64) -> Box<dyn bindery_taxii::service::Insertion> {
    let mut insertion = store.insert(inbox(&[FEED, OTHER], received)).await.unwrap();
    for number in 0..300_usize {
        let block = text(format!("{number} {}", "x".repeat(10_000)));
        let to: &[usize] = if number.is_multiple_of(3) { &[0, 1] } else { &[0] };
        insertion.add(block, to).await.unwrap();
    }
    insertion
}

pub(super) async fn a_large_message_becomes_visible_at_once(store: &dyn FeedStore) {
    opened(store).await;
    let insertion = large(store, BEGIN).await;
    assert_eq!(state(store, FEED).await.unwrap().blocks, 0);
    assert!(all(store, FEED).await.is_empty());
    // Others do not wait for it.
    insert(store, FEED, blocks(0..1), BEGIN).await;
    let receipt = insertion.commit(at(BEGIN)).await.unwrap();
    let counts: Vec<_> = receipt.collections.iter().map(|one| one.blocks).collect();
    assert_eq!(counts, [300, 100]);
    let number = |one: &StoredBlock| {
        one.block.content.raw.split(' ').next().unwrap().parse::<usize>().unwrap()
    };
    let feed = all(store, FEED).await;
    assert!(feed.windows(2).all(|pair| pair[0].label < pair[1].label));
    assert!(feed[1..].iter().map(number).eq(0..300));
    assert!(all(store, OTHER).await.iter().map(number).eq((0..300).step_by(3)));
    assert_eq!(receipt.collections[0].labels, Some((feed[1].label, feed[300].label)));
}

pub(super) async fn a_large_message_that_is_dropped_leaves_nothing(store: &dyn FeedStore) {
    opened(store).await;
    drop(large(store, BEGIN).await);
    insert(store, FEED, blocks(0..1), BEGIN).await;
    assert_eq!(all(store, FEED).await.len(), 1);
    // Long after, there is nothing left to clear away either: the drop did it.
    let done = store.maintain(at(i64::MAX / 2), 10_000).await.unwrap();
    assert_eq!((done.blocks, done.others), (0, 0));
}

pub(super) async fn an_unknown_collection_refuses_the_whole_message(store: &dyn FeedStore) {
    opened(store).await;
    let unknown = Subject::Collection("urn:nowhere".to_owned());
    for names in [&["urn:nowhere"][..], &[FEED, "urn:nowhere", OTHER], &["urn:nowhere", FEED]] {
        let outcome = send(store, inbox(names, BEGIN), blocks(0..2), BEGIN).await;
        assert_conflict(outcome, &unknown);
    }
    assert!(all(store, FEED).await.is_empty() && all(store, OTHER).await.is_empty());
    assert_eq!(mark(store, FEED).await, at(BEGIN));
}

pub(super) async fn what_cannot_be_is_a_misuse(store: &dyn FeedStore) {
    opened(store).await;
    assert_misuse(store.insert(inbox(&[FEED, OTHER, FEED], BEGIN)).await);
    let mut insertion = store.insert(inbox(&[FEED], BEGIN)).await.unwrap();
    assert_misuse(insertion.add(text("x"), &[0, 1]).await);
}

fn repeated(message: &str, until: i64) -> Inbox {
    let mut one = inbox(&[FEED, OTHER], BEGIN);
    one.repeat = Some(RepeatKey::new(alice(), message, at(until)));
    one
}

pub(super) async fn a_message_that_comes_again_is_stored_once(store: &dyn FeedStore) {
    opened(store).await;
    let key = || repeated("1", BEGIN + 1000);
    let first = send(store, key(), blocks(0..3), BEGIN).await.unwrap();
    assert!(!first.repeated);
    insert(store, FEED, blocks(3..4), BEGIN).await;
    let again = send(store, key(), blocks(0..3), BEGIN + 10).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.collections, first.collections);
    assert_eq!(texts(&all(store, FEED).await), numbered(0..4));
    // A large one too.
    for repeated in [false, true] {
        let mut insertion = store.insert(key()).await.unwrap();
        for number in 0..30 {
            let block = text(format!("{number} {}", "x".repeat(100_000)));
            insertion.add(block, &[number % 2]).await.unwrap();
        }
        assert_eq!(insertion.commit(at(BEGIN + 20)).await.unwrap().repeated, repeated);
    }
    assert_eq!(all(store, FEED).await.len(), 4 + 15);
    assert_eq!(all(store, OTHER).await.len(), 3 + 15);
}

pub(super) async fn another_message_of_the_same_id_is_stored(store: &dyn FeedStore) {
    opened(store).await;
    let key = |message: &str| repeated(message, BEGIN + 1000);
    send(store, key("1"), blocks(0..3), BEGIN).await.unwrap();
    let mut other_sender = key("1");
    other_sender.repeat.as_mut().unwrap().sender = None;
    let mut other_collections = key("1");
    other_collections.collections.reverse();
    let mut other_subtype = blocks(0..3);
    other_subtype[1].subtype = Some(String::new());
    let messages = [
        (key("1"), blocks(0..2)),
        (key("1"), blocks(1..4)),
        (key("2"), blocks(0..3)),
        (key("1"), other_subtype),
        (other_sender, blocks(0..3)),
        (other_collections, blocks(0..3)),
    ];
    for (inbox, blocks) in messages {
        let told = format!("{inbox:?}");
        assert!(!send(store, inbox, blocks, BEGIN).await.unwrap().repeated, "{told}");
    }
    assert_eq!(all(store, FEED).await.len(), 3 + 2 + 3 * 5);
}

pub(super) async fn a_repeat_key_is_forgotten_in_time(store: &dyn FeedStore) {
    opened(store).await;
    let key = || repeated("1", BEGIN + 1000);
    send(store, key(), blocks(0..1), BEGIN).await.unwrap();
    assert!(send(store, key(), blocks(0..1), BEGIN + 999).await.unwrap().repeated);
    assert!(!send(store, key(), blocks(0..1), BEGIN + 1000).await.unwrap().repeated);
    assert_eq!(all(store, FEED).await.len(), 2);
    assert_eq!(store.maintain(at(BEGIN + 999), 10).await.unwrap().others, 0);
    assert_eq!(store.maintain(at(BEGIN + 1000), 10).await.unwrap().others, 1);
}
