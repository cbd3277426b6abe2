//! A span of time as people write it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time of at least a millisecond: `500ms`, `30s`, `2m`, `1h30m`; a bare number counts
/// seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(Duration);

/// The longest span: what is meant to be "never" is better said so.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

impl Span {
    /// A span that the program itself has chosen.
    pub(crate) const fn new(span: Duration) -> Self {
        Self(span)
    }

    /// The span as the libraries take it.
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no span of time such as 500ms, 30s, 2m or 1h30m");
        let seconds = text.parse().map(Duration::from_secs);
        let span = match seconds {
            Ok(span) => span,
            Err(_) => {
                let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
                Duration::try_from(span).map_err(|_| wrong())?
            }
        };
        if span < Duration::from_millis(1) || span > LONGEST {
            return Err(format!("\"{text}\" is not between 1 ms and 366 days"));
        }
        Ok(Self(span))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(span) => write!(f, "{span:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let read = |text: &str| text.parse::<Span>().map(Span::duration);
        assert_eq!(read("30"), Ok(Duration::from_secs(30)));
        assert_eq!(read("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(read("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0", "-3s", "soon", "10y", "1us"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_can_be_read() {
        for text in ["30s", "500ms", "2m", "1h 30m"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse::<Span>(), Ok(span), "{text}");
        }
    }
}
