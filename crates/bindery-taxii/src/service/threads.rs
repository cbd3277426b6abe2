//! Where work is done that takes long.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

/// Work that waits for nothing and may take seconds.
pub type Work = Box<dyn FnOnce() + Send>;

/// A place for work that would hold up a runtime's thread: asking a query of many blocks.
pub trait Threads: fmt::Debug + Send + Sync {
    /// Does the work, somewhere; ready when it is done, or will never be.
    fn run(&self, work: Work) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Does the work where it stands: for tests, and for servers of one user.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace;

impl Threads for InPlace {
    fn run(&self, work: Work) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        work();
        Box::pin(std::future::ready(()))
    }
}

/// What work gives; nothing where it was never done, because whoever was to do it is gone.
pub(super) async fn outcome<T: Send + 'static>(
    threads: &dyn Threads,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let slot = Arc::new(Mutex::new(None));
    let put = Arc::clone(&slot);
    let work = move || *put.lock().unwrap_or_else(PoisonError::into_inner) = Some(work());
    threads.run(Box::new(work)).await;
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}
