//! Wall-clock time as a value: protocol code receives it and never reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point of wall-clock time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// It covers about 292,000 years either way. It is kept apart from [`std::time::Instant`], which
/// measures how long something took: a wall clock may be set back, an instant may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// From microseconds since the Unix epoch.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the Unix epoch; saturates at the ends of the range.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time plus a span; saturates at the end of the range.
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::UNIX_EPOCH.saturating_add(after),
            Err(before) => {
                let micros = i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX);
                Self(micros.saturating_neg())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_unix_micros(1_999_999).unix_seconds(), 1);
        assert_eq!(Timestamp::from_unix_micros(-1).unix_seconds(), -1);
    }

    #[test]
    fn system_time_before_and_after_the_epoch() {
        let after = UNIX_EPOCH + Duration::from_micros(5);
        let before = UNIX_EPOCH - Duration::from_micros(5);
        assert_eq!(Timestamp::from(after).unix_micros(), 5);
        assert_eq!(Timestamp::from(before).unix_micros(), -5);
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_unix_seconds(i64::MAX);
        assert_eq!(end.saturating_add(Duration::MAX), Timestamp::from_unix_micros(i64::MAX));
    }
}
