//! Where work is done that takes long: a password's hash takes tens of milliseconds.

use std::{any::Any, fmt, future::Future, pin::Pin};

/// Work that gives yes or no.
pub type Job = Box<dyn FnOnce() -> bool + Send>;

/// Leave to do one piece of such work. It goes into the work, and is given back with it.
pub struct Turn(
    #[expect(dead_code, reason = "it is held, and dropped")] Option<Box<dyn Any + Send>>,
);

impl Turn {
    /// Leave that nobody counts.
    pub const fn free() -> Self {
        Self(None)
    }

    /// Leave that lasts as long as something is held.
    pub fn holding(leave: impl Any + Send) -> Self {
        Self(Some(Box::new(leave)))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

/// A place for work that would hold up a runtime's thread. The transport has one on the runtime's
/// threads for blocking work.
pub trait Blocking: fmt::Debug + Send + Sync {
    /// Waits until one more piece of work may be done. Each takes 19 MiB and a processor for tens of milliseconds: a place
    /// that takes any number at once lets strangers fill its machine's memory.
    fn turn(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>>;

    /// Does the work, somewhere, and gives what came of it. Work that could not be done is a no.
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}

/// Does the work where it stands: for tests, and for servers of one user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Blocking for Inline {
    fn turn(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>> {
        Box::pin(std::future::ready(Turn::free()))
    }

    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(job()))
    }
}
