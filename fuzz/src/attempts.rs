//! Failed logins, counted anew for each input.

use std::sync::{Arc, Mutex};

use bindery_auth::Attempts;
use bindery_core::{AccountFuture, RateLimit, Timestamp};

/// The real count of failures, which can be begun anew: an authenticator is dear to make (it hashes a password), so a target
/// makes one, and what one input does must not tell on the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anew(Arc<Mutex<Arc<Attempts>>>);

impl Anew {
    pub(crate) fn begin(&self) {
        *self.0.lock().expect("no panic") = Arc::default();
    }

    fn now(&self) -> Arc<Attempts> {
        Arc::clone(&self.0.lock().expect("no panic"))
    }
}

impl RateLimit for Anew {
    fn wait<'a>(
        &'a self,
        key: &'a str,
        now: Timestamp,
    ) -> AccountFuture<'a, Option<std::time::Duration>> {
        let attempts = self.now();
        Box::pin(async move { attempts.wait(key, now).await })
    }

    fn failed<'a>(&'a self, key: &'a str, now: Timestamp) -> AccountFuture<'a, ()> {
        let attempts = self.now();
        Box::pin(async move { attempts.failed(key, now).await })
    }

    fn succeeded<'a>(&'a self, key: &'a str) -> AccountFuture<'a, ()> {
        let attempts = self.now();
        Box::pin(async move { attempts.succeeded(key).await })
    }
}
