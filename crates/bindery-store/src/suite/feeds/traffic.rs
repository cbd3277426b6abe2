//! The checker: pushers and pollers at the same time, and what every poller must have seen.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use bindery_core::Timestamp;
use bindery_taxii::service::{Change, Collection, FeedStore, PageLimits, Window};
use futures_util::future::{join, join_all};

use super::{at, inbox, mark, send, text};

/// How much goes on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests only")]
pub struct Traffic {
    /// How many push at the same time.
    pub pushers: usize,
    /// How many poll meanwhile.
    pub pollers: usize,
    /// How many messages each pusher sends, of one to four blocks.
    pub messages: usize,
}

const FEED: &str = "urn:traffic";

/// What a block says: pusher, message, place in the message.
type Sent = (usize, usize, usize);

/// Lets pushers and pollers work on one feed, spread over the stores (which share it), and checks what each poller saw:
/// every block once, labels strictly increasing, the same for all pollers; messages whole and in the order in which they
/// were sent.
pub async fn traffic(stores: &[&dyn FeedStore], traffic: Traffic) {
    let store = |number: usize| stores[number % stores.len()];
    let new = Change::InsertCollection(Collection::new(FEED, ""));
    store(0).commit(vec![new], at(1_000_000)).await.unwrap();
    let left = AtomicUsize::new(traffic.pushers);
    let pushing = join_all((0..traffic.pushers).map(|number| {
        let (store, left) = (store(number), &left);
        async move {
            push(store, number, traffic.messages).await;
            left.fetch_sub(1, Ordering::SeqCst);
        }
    }));
    let polling = join_all((0..traffic.pollers).map(|number| poll(store(number), number, &left)));
    let (_, seen) = join(pushing, polling).await;
    let sent: usize = (0..traffic.messages).map(|message| 1 + message % 4).sum();
    for (number, seen) in seen.iter().enumerate() {
        check(number, seen, traffic);
        assert_eq!(seen.len(), sent * traffic.pushers, "poller {number} missed blocks");
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "pollers saw different labels");
}

async fn push(store: &dyn FeedStore, pusher: usize, messages: usize) {
    for message in 0..messages {
        let block = |place: usize| text(format!("{pusher} {message} {place}"));
        let blocks = (0..1 + message % 4).map(block).collect();
        // Clocks that differ and go back.
        let now = 1_000_000 + i64::try_from((pusher * 37 + message * 11) % 500).unwrap();
        send(store, inbox(&[FEED], now), blocks, now).await.unwrap();
    }
}

/// Polls by windows, each up to the mark of when it began, in small pages.
async fn poll(store: &dyn FeedStore, poller: usize, left: &AtomicUsize) -> Vec<(Timestamp, Sent)> {
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let over = left.load(Ordering::SeqCst) == 0;
        let mut window = Window::up_to(FEED, mark(store, FEED).await);
        window.begin = cursor;
        let counted = store.count(&window, u64::MAX).await.unwrap();
        let limits = PageLimits::new(1 + poller % 7, usize::MAX);
        let (before, mut after) = (seen.len(), None);
        loop {
            let page = store.page(&window, after, limits).await.unwrap();
            seen.extend(page.blocks.iter().map(|one| (one.label, sent(&one.block.content.raw))));
            match page.next {
                None => break,
                next => after = next,
            }
        }
        assert_eq!(counted, (seen.len() - before) as u64, "a window changed while it was read");
        cursor = Some(window.end);
        if over {
            return seen;
        }
    }
}

fn sent(content: &str) -> Sent {
    let numbers: Vec<usize> = content.split(' ').map(|number| number.parse().unwrap()).collect();
    (numbers[0], numbers[1], numbers[2])
}

/// What one poller saw.
fn check(poller: usize, seen: &[(Timestamp, Sent)], traffic: Traffic) {
    let increasing = seen.windows(2).all(|pair| pair[0].0 < pair[1].0);
    assert!(increasing, "poller {poller} saw labels that do not increase");
    let mut next: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut open: Option<usize> = None;
    for (label, (pusher, message, place)) in seen {
        let expected = next.entry(*pusher).or_default();
        assert_eq!(*expected, (*message, *place), "poller {poller}, pusher {pusher}, {label:?}");
        assert!(open.is_none_or(|one| one == *pusher), "a message is torn at {label:?}");
        let ends = *place == message % 4;
        *expected = if ends { (message + 1, 0) } else { (*message, place + 1) };
        open = (!ends).then_some(*pusher);
    }
    for pusher in 0..traffic.pushers {
        let reached = next.get(&pusher).copied().unwrap_or_default();
        assert_eq!(reached, (traffic.messages, 0), "poller {poller} missed the end of {pusher}");
    }
}
