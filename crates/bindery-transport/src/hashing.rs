//! Where passwords are hashed: on the runtime's threads for work that blocks.

use std::{future::Future, pin::Pin};

use bindery_auth::{Blocking, Job};

/// Does an [`Authenticator`](bindery_auth::Authenticator)'s slow work on tokio's threads for
/// blocking work.
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
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        // A runtime that ends in between takes nobody for anybody.
        Box::pin(async { tokio::task::spawn_blocking(job).await.unwrap_or(false) })
    }
}
