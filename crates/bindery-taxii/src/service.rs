//! The feed services, without IO, clock or runtime.

mod store;

pub use store::{
    BindingFilter, Delivery, FeedStore, Label, NewBlock, PageLimit, Selection, StoreError,
    StoreFuture, StoredBlock, StoredResult, StoredSubscription, Stretch, Versioned,
};
