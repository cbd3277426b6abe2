//! Where passwords are hashed: on the runtime's threads for work that blocks.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
};

use bindery_auth::{Blocking, Job, Turn};
use tokio::sync::Semaphore;

/// How many passwords are hashed at once, in the whole process: more than there are processors gain no time and take
/// 19 MiB each.
static AT_ONCE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
});

/// Does an [`Authenticator`](bindery_auth::Authenticator)'s slow work on tokio's threads for
/// blocking work, as many pieces at once as the machine has processors.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OnRuntime;

impl OnRuntime {
    /// The runtime that runs the call.
    pub const fn new() -> Self {
        Self
    }
}

impl Blocking for OnRuntime {
    fn turn(&self) -> Pin<Box<dyn Future<Output = Turn> + Send + '_>> {
        Box::pin(async {
            // It is never closed.
            Arc::clone(&AT_ONCE).acquire_owned().await.map_or(Turn::free(), Turn::holding)
        })
    }

    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        // A runtime that ends in between takes nobody for anybody.
        Box::pin(async { tokio::task::spawn_blocking(job).await.unwrap_or(false) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn no_more_at_once_than_there_are_processors() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut turns = Vec::new();
        for _ in 0..processors {
            turns.push(OnRuntime.turn().await);
        }
        let moment = Duration::from_millis(50);
        assert!(timeout(moment, OnRuntime.turn()).await.is_err());
        // A turn lasts as long as the work that it went into, whoever waits for that.
        let turn = turns.pop();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let work = OnRuntime.run(Box::new(move || {
            let waited = told.recv().is_ok();
            drop(turn);
            waited
        }));
        assert!(timeout(moment, work).await.is_err());
        assert!(timeout(moment, OnRuntime.turn()).await.is_err());
        tell.send(()).unwrap();
        drop(timeout(Duration::from_secs(20), OnRuntime.turn()).await.unwrap());
    }
}
