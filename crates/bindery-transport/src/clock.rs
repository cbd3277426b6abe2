//! The wall clock, which only the driver reads.

use std::fmt;

use bindery_core::Timestamp;

/// Where a server takes [`Context::now`](bindery_core::Context::now) from; read once a request.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing and never will")]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the driver owns the clock")]
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}
