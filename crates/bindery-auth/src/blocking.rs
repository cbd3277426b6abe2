//! Where work is done that takes long: a password's hash takes tens of milliseconds.

use std::{fmt, future::Future, pin::Pin};

/// Work that gives yes or no.
pub type Job = Box<dyn FnOnce() -> bool + Send>;

/// A place for work that would hold up a runtime's thread. The transport has one on the runtime's
/// threads for blocking work.
pub trait Blocking: fmt::Debug + Send + Sync {
    /// Does the work, somewhere, and gives what came of it. Work that could not be done is a no.
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}

/// Does the work where it stands: for tests, and for servers of one user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Blocking for Inline {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(job()))
    }
}
