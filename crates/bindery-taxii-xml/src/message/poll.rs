//! Polls and inbox messages.

use super::{ContentBinding, PushParameters, Query};
use crate::node::record;
use crate::registry::ResponseType;
use crate::timestamp::Timestamp;

record! {
    /// Poll Request.
    PollRequest {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// Later than this one (exclusive); none: from the first.
        begin: Option<Timestamp> = opt(Begin),
        /// Not later than this one (inclusive); none: up to the last.
        end: Option<Timestamp> = opt(End),
        /// The subscription whose terms hold. In 1.1 and the draft either this or what is wanted.
        subscription_id: Option<String> = opt(SubscriptionId),
        /// What is wanted (1.1).
        parameters: Option<PollParameters> = opt(PollParameters),
        /// The content bindings that are wanted (1.0: none for all; draft: one).
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
    }
}

record! {
    /// What a poll wants (1.1).
    PollParameters {
        /// Whether the answer may come later; none: no.
        allow_asynch: Option<bool> = opt(AllowAsynch),
        /// Blocks, or their number only; none: blocks.
        response_type: Option<ResponseType> = opt(ResponseType),
        /// The content bindings that are wanted; none: all.
        content_bindings: Vec<ContentBinding> = many(ContentBinding),
        /// The query that blocks must meet.
        query: Option<Query> = opt(Query),
        /// Where a result that comes later may be pushed to.
        delivery: Option<PushParameters> = opt(DeliveryParameters),
    }
}

record! {
    /// Poll Response; its blocks are those of the [`Message`](crate::Message).
    PollResponse {
        /// The collection's name; the draft's response does not say it.
        collection: Option<String> = opt(CollectionName),
        /// Whether there are more parts (1.1); none: no.
        more: Option<bool> = opt(More),
        /// The result's id (1.1), which is there when there are more parts.
        result_id: Option<String> = opt(ResultId),
        /// The part's number from 1 (1.1); none: 1.
        result_part_number: Option<u64> = opt(ResultPartNumber),
        /// The subscription.
        subscription_id: Option<String> = opt(SubscriptionId),
        /// Where the range begins: exclusive in 1.1, inclusive in 1.0.
        begin: Option<Timestamp> = opt(Begin),
        /// Where the range ends, inclusive. Required in 1.0 and the draft, and for data feeds in 1.1.
        end: Option<Timestamp> = opt(End),
        /// How many records the whole result has (1.1).
        record_count: Option<RecordCount> = opt(RecordCount),
        /// A message for people.
        message: Option<String> = opt(Message),
        /// The content binding of all blocks (draft).
        content_binding: Option<String> = opt(ContentBinding),
    }
}

record! {
    /// How many records there are (1.1).
    RecordCount {
        /// The number.
        count: u64 = one(Count),
        /// Whether there may be more; none: no.
        partial: Option<bool> = opt(PartialCount),
    }
}

record! {
    /// Poll Fulfillment: asks for a part of a result (1.1).
    PollFulfillment {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// The result's id.
        result_id: String = one(ResultId),
        /// The part's number from 1. The specification requires it, the schema does not.
        result_part_number: Option<u64> = opt(ResultPartNumber),
    }
}

record! {
    /// Inbox Message; in the draft, STIX Message. Its blocks are those of the [`Message`](crate::Message).
    Inbox {
        /// The result that it is a part of (1.1).
        result_id: Option<String> = opt(ResultId),
        /// The collections that the content is for (1.1).
        destination_collections: Vec<String> = many(DestinationCollectionName),
        /// A message for people.
        message: Option<String> = opt(Message),
        /// The subscription that it fulfils (1.0, 1.1).
        source_subscription: Option<SourceSubscription> = opt(SourceSubscription),
        /// The subscription that it fulfils (draft).
        subscription_id: Option<String> = opt(SubscriptionId),
        /// How many records the whole result has (1.1).
        record_count: Option<RecordCount> = opt(RecordCount),
        /// The content binding of all blocks (draft).
        content_binding: Option<String> = opt(ContentBinding),
    }
}

record! {
    /// The subscription that content comes for.
    SourceSubscription {
        /// The collection's name.
        collection: String = one(CollectionName),
        /// The subscription's id. 1.0's schema lets it be missing, its errata do not.
        subscription_id: Option<String> = opt(SubscriptionId),
        /// Where the range begins: exclusive in 1.1, inclusive in 1.0.
        begin: Option<Timestamp> = opt(Begin),
        /// Where the range ends, inclusive. Required in 1.0.
        end: Option<Timestamp> = opt(End),
    }
}
