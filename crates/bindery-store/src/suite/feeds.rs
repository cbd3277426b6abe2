//! What every feed store does.

mod collections;
mod concurrent;
mod inserting;
mod maintaining;
mod outbox;
mod reading;
mod results;
mod subscriptions;
mod traffic;

use bindery_core::{Principal, Timestamp};
use bindery_taxii::service::{
    Block, Change, Collection, CollectionState, CommitError, ContentFilter, FeedStore, Inbox,
    PageLimits, Part, PushTo, Receipt, ResultLimits, ResultSet, StoredBlock, Subject, Subscription,
    Versioned, Window,
};
use bindery_taxii_xml::ContentBinding;

use super::{cases, drop_after};

pub use traffic::{Traffic, traffic};

cases! {
    dyn FeedStore;
    collections:
        a_collection_comes_back_as_it_was,
        a_name_is_taken_once,
        a_change_names_the_version_that_it_changes,
        collections_are_listed_by_name_and_pages,
        a_removed_collection_is_gone_with_what_belongs_to_it,
        a_name_that_comes_again_goes_on_behind_the_old_labels,
        a_raised_mark_stays_raised,
        a_commit_is_made_whole_or_not_at_all,
        an_empty_commit_does_nothing;
    inserting:
        what_was_inserted_is_read,
        content_of_any_length_survives,
        labels_are_later_than_all_before_and_not_before_now,
        labels_go_on_when_the_clock_is_set_back,
        blocks_go_to_the_collections_that_they_are_for,
        a_large_message_becomes_visible_at_once,
        a_large_message_that_is_dropped_leaves_nothing,
        an_unknown_collection_refuses_the_whole_message,
        what_cannot_be_is_a_misuse,
        a_message_that_comes_again_is_stored_once,
        another_message_of_the_same_id_is_stored,
        a_repeat_key_is_forgotten_in_time;
    reading:
        a_window_is_open_at_its_begin_and_closed_at_its_end,
        pages_join_without_gap_or_overlap,
        a_page_keeps_its_limits_and_has_at_least_one_block,
        a_binding_stands_for_all_its_subtypes_and_a_subtype_for_itself,
        many_bindings_are_read_in_the_order_of_labels,
        a_count_is_how_many_blocks_the_pages_have,
        a_count_ends_where_it_may,
        what_comes_later_does_not_slip_into_a_window,
        a_rare_binding_is_found_by_pages_that_end,
        a_binding_of_very_many_subtypes_is_read_whole,
        an_unknown_collection_has_nothing;
    maintaining:
        removed_blocks_are_gone_and_no_others,
        what_another_collection_has_stays,
        the_oldest_are_removed_by_age,
        the_oldest_are_removed_by_number,
        maintenance_goes_by_pieces,
        results_that_are_over_are_removed,
        parts_of_results_go_by_pieces,
        a_promised_result_stays_until_it_is_settled,
        what_was_given_up_is_forgotten_in_time,
        subscriptions_that_ended_long_ago_are_forgotten,
        content_bindings_come_and_go_with_blocks,
        messages_that_were_begun_long_ago_are_cleared_away;
    subscriptions:
        a_subscription_comes_back_as_it_was,
        a_change_of_a_subscription_names_its_version,
        the_same_terms_are_subscribed_to_once,
        an_ended_subscription_makes_room_for_a_new_one,
        subscriptions_are_listed_by_collection_owner_and_pages,
        a_subscription_needs_its_collection,
        an_owner_has_so_many_subscriptions_and_no_more,
        of_those_that_ended_the_last_are_remembered;
    results:
        a_result_comes_back_as_it_was,
        a_change_of_a_result_names_its_version,
        parts_are_loaded_by_their_numbers,
        a_window_is_cut_into_parts,
        the_oldest_result_makes_room_for_its_owners_next,
        there_are_so_many_results_and_no_more,
        a_removed_result_is_gone_with_its_parts;
    outbox:
        nothing_is_due_without_something_to_deliver,
        blocks_are_delivered_from_where_it_was_left,
        what_is_sent_again_goes_no_further_than_it_went,
        a_lease_lasts_until_its_end,
        a_settled_lease_is_over,
        what_failed_is_tried_again_when_it_is_due,
        what_was_given_up_leaves_a_record,
        a_paused_subscription_gets_nothing_until_it_is_resumed,
        a_restart_delivers_again,
        a_result_is_worked_on_and_pushed,
        an_outcome_of_another_kind_is_a_misuse,
        who_is_due_longest_comes_first;
    concurrent:
        pushers_and_pollers_miss_nothing_and_see_nothing_twice,
        a_delivery_is_leased_to_one_of_many,
        no_change_of_a_subscription_is_lost,
        a_message_that_comes_twice_at_once_is_stored_once,
        the_limit_of_subscriptions_holds_for_those_who_come_at_once,
        a_dropped_message_is_whole_or_nothing,
        dropped_reads_do_no_harm;
}

const FEED: &str = "urn:feed";
const OTHER: &str = "urn:other";

/// When the collections of most cases are made.
const BEGIN: i64 = 1_000_000;

/// Everything in one page.
const WIDE: PageLimits = PageLimits::new(1_000_000, usize::MAX);

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros)
}

fn alice() -> Option<Principal> {
    Some(Principal::new("alice"))
}

async fn commit(store: &dyn FeedStore, change: Change) {
    store.commit(vec![change], at(BEGIN)).await.unwrap();
}

/// A subscription, of which an owner may have any number.
fn subscribe(subscription: Subscription) -> Change {
    Change::InsertSubscription { subscription, most: usize::MAX }
}

/// A result set without parts, of which there may be any number.
fn keep(result: ResultSet) -> Change {
    let limits = ResultLimits::new(usize::MAX, usize::MAX);
    Change::InsertResult { result, parts: Vec::new(), limits }
}

async fn opened(store: &dyn FeedStore) {
    for name in [FEED, OTHER] {
        commit(store, Change::InsertCollection(Collection::new(name, "a feed"))).await;
    }
}

async fn state(store: &dyn FeedStore, name: &str) -> Option<CollectionState> {
    store.load_collections(&[name.to_owned()]).await.unwrap().remove(0)
}

async fn mark(store: &dyn FeedStore, name: &str) -> Timestamp {
    state(store, name).await.unwrap().mark
}

fn text(text: impl Into<String>) -> Block {
    Block::new("urn:b", Part::new(text, Vec::new()))
}

fn bound(binding: &str, subtype: Option<&str>, content: &str) -> Block {
    let mut block = text(content);
    block.binding = binding.to_owned();
    block.subtype = subtype.map(str::to_owned);
    block
}

/// Numbered blocks.
fn blocks(numbers: std::ops::Range<usize>) -> Vec<Block> {
    numbers.map(|number| text(format!("block {number}"))).collect()
}

/// One message whose blocks all go to all of these collections.
async fn send(
    store: &dyn FeedStore,
    inbox: Inbox,
    blocks: Vec<Block>,
    now: i64,
) -> Result<Receipt, CommitError> {
    let everywhere: Vec<usize> = (0..inbox.collections.len()).collect();
    let mut insertion = store.insert(inbox).await?;
    for block in blocks {
        insertion.add(block, &everywhere).await?;
    }
    insertion.commit(at(now)).await
}

fn inbox(names: &[&str], received: i64) -> Inbox {
    Inbox::new(names.iter().map(|name| (*name).to_owned()).collect(), at(received))
}

async fn insert(store: &dyn FeedStore, name: &str, blocks: Vec<Block>, now: i64) -> Receipt {
    send(store, inbox(&[name], now), blocks, now).await.unwrap()
}

async fn whole(store: &dyn FeedStore, name: &str) -> Window {
    Window::up_to(name, mark(store, name).await)
}

/// All blocks of a window by pages of these limits, and how many these are.
async fn pages(
    store: &dyn FeedStore,
    window: &Window,
    limits: PageLimits,
) -> (Vec<StoredBlock>, usize) {
    let (mut after, mut all, mut count) = (None, Vec::new(), 0);
    loop {
        let page = store.page(window, after, limits).await.unwrap();
        all.extend(page.blocks);
        count += 1;
        match page.next {
            None => return (all, count),
            next => after = next,
        }
    }
}

async fn all(store: &dyn FeedStore, name: &str) -> Vec<StoredBlock> {
    pages(store, &whole(store, name).await, WIDE).await.0
}

fn texts(blocks: &[StoredBlock]) -> Vec<String> {
    blocks.iter().map(|one| one.block.content.raw.clone()).collect()
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("block {number}")).collect()
}

/// A binding's id, and its subtypes'.
type Wanted<'a> = (&'a str, &'a [&'a str]);

fn wanted(bindings: &[Wanted<'_>]) -> ContentFilter {
    let bindings = bindings.iter().map(|(id, subtypes)| {
        subtypes.iter().fold(ContentBinding::new(*id), |one, id| one.with_subtype(*id))
    });
    ContentFilter::of(&bindings.collect::<Vec<_>>())
}

/// A subscription that is pushed to.
fn pushed(id: &str, address: &str) -> Subscription {
    let mut one = Subscription::new(id, FEED, alice(), at(BEGIN));
    one.push = Some(PushTo::new("urn:http", address, "urn:xml"));
    one
}

async fn subscription(store: &dyn FeedStore, id: &str) -> Versioned<Subscription> {
    store.load_subscription(id).await.unwrap().unwrap()
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(outcome: Result<T, CommitError>, subject: &Subject) {
    match outcome {
        Err(CommitError::Conflict(found)) => assert_eq!(found, *subject),
        other => panic!("expected a conflict over {subject}, got {other:?}"),
    }
}

#[track_caller]
fn assert_misuse<T: std::fmt::Debug>(outcome: Result<T, CommitError>) {
    assert!(matches!(outcome, Err(CommitError::Misuse(_))), "{outcome:?}");
}
