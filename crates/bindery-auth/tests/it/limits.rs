//! Failures cost time.

use std::{sync::Arc, time::Duration};

use bindery_auth::{Attempts, Authenticator, Login, Session};
use bindery_core::{AuthScheme, RateLimit as _, Refusal, Timestamp};

use crate::support::{asking, at, authenticator, head};

async fn tried(server: &Authenticator, password: &str, second: i64) -> Result<(), u64> {
    let login = Login::new("device", password).with_preemptive_basic();
    let value = Session::new(login).authorize(&asking(b"")).unwrap();
    match server.authenticate(&at(second), &head(value.as_ref()), b"").await {
        Ok(_) => Ok(()),
        Err(Refusal::Unauthorized { .. }) => Err(0),
        Err(Refusal::TooManyRequests { retry_after }) => Err(retry_after),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_fails_too_often_waits_longer_and_longer() {
    let attempts = Attempts::new(2, Duration::from_secs(10), Duration::from_secs(100), 100);
    let server =
        authenticator().with_schemes([AuthScheme::Basic]).with_rate_limit(Arc::new(attempts));
    for _ in 0..3 {
        assert_eq!(tried(&server, "wrong", 0).await, Err(0));
    }
    assert_eq!(tried(&server, "correct horse", 1).await, Err(10));
    // The right password sets the user free, and the address goes on counting.
    assert_eq!(tried(&server, "correct horse", 10).await, Ok(()));
    assert_eq!(tried(&server, "wrong", 11).await, Err(0));
    assert_eq!(tried(&server, "correct horse", 12).await, Err(20), "the address failed four times");
}

#[tokio::test]
async fn keys_are_bounded_and_failures_forgotten() {
    let attempts = Attempts::new(0, Duration::from_secs(10), Duration::from_secs(20), 3);
    let now = Timestamp::from_unix_seconds;
    for (second, key) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        attempts.failed(key, now(second)).await.unwrap();
    }
    assert_eq!(attempts.wait("a", now(5)).await.unwrap(), None, "it failed longest ago");
    assert_eq!(attempts.wait("b", now(5)).await.unwrap(), Some(Duration::from_secs(7)));
    attempts.failed("b", now(6)).await.unwrap();
    assert_eq!(attempts.wait("b", now(6)).await.unwrap(), Some(Duration::from_secs(20)));
    attempts.failed("b", now(60)).await.unwrap();
    assert_eq!(attempts.wait("b", now(60)).await.unwrap(), Some(Duration::from_secs(10)));
    attempts.succeeded("b").await.unwrap();
    assert_eq!(attempts.wait("b", now(60)).await.unwrap(), None);
}
