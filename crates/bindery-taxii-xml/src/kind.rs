//! What the kinds of text allow (XML Schema, part 2).

use std::borrow::Cow;

use crate::Dialect;
use crate::registry::{
    Action, CollectionType, Kind, Operator, ResponseType, ServiceType, SubscriptionStatus,
};
use crate::timestamp::Timestamp;

impl Kind {
    /// The value in its plain form: white space as the type has it. Nothing when the type does not allow it.
    pub(crate) fn checked<'t>(self, dialect: Dialect, text: &'t str) -> Option<Cow<'t, str>> {
        let plain: Cow<'t, str> = match self {
            Self::String | Self::Guid | Self::Status => Cow::Borrowed(text),
            Self::Uri => collapsed(text),
            _ => Cow::Borrowed(text.trim_matches(WHITE)),
        };
        self.allows(dialect, &plain, text).then_some(plain)
    }

    /// Enumerations restrict `xs:string`, so that white space counts in them.
    fn allows(self, dialect: Dialect, plain: &str, text: &str) -> bool {
        match self {
            // An anyURI is any string: what is no URI is escaped (XML Schema 1.0, part 2, 3.2.17).
            Self::String | Self::Uri | Self::Guid | Self::Status => true,
            Self::Digits => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Count => integer(plain).is_some(),
            Self::Positive => integer(plain).is_some_and(|number| number > 0),
            Self::Boolean => boolean(plain).is_some(),
            Self::Label => Timestamp::label(plain).is_some(),
            Self::Datetime => Timestamp::date_time(plain).is_some(),
            Self::Service => ServiceType::of(dialect, text).is_some(),
            Self::Action => Action::of(dialect, text).is_some(),
            Self::Response => ResponseType::of(dialect, text).is_some(),
            Self::Collection => CollectionType::of(dialect, text).is_some(),
            Self::Subscription => SubscriptionStatus::of(dialect, text).is_some(),
            Self::Operator => Operator::of(dialect, text).is_some(),
        }
    }

    /// What is expected, for people.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::String | Self::Status => "text",
            Self::Uri => "a URI",
            Self::Guid => "32 hexadecimal digits",
            Self::Digits => "digits",
            Self::Count => "an integer from 0 to 18446744073709551615",
            Self::Positive => "an integer from 1 to 18446744073709551615",
            Self::Boolean => "true, false, 1 or 0",
            Self::Label => "a timestamp with a zone and at most six decimals",
            Self::Datetime => "a timestamp",
            Self::Service => "a service type of the dialect",
            Self::Action => "an action of the dialect",
            Self::Response => "FULL or COUNT_ONLY",
            Self::Collection => "DATA_FEED or DATA_SET",
            Self::Subscription => "ACTIVE, PAUSED or UNSUBSCRIBED",
            Self::Operator => "AND or OR",
        }
    }
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

fn collapsed(text: &str) -> Cow<'_, str> {
    let inner = text.trim_matches(WHITE);
    if inner.contains("  ") || inner.contains(['\t', '\r', '\n']) {
        let words: Vec<&str> = inner.split(WHITE).filter(|word| !word.is_empty()).collect();
        return Cow::Owned(words.join(" "));
    }
    Cow::Borrowed(inner)
}

/// An `xs:nonNegativeInteger`, with a sign or leading zeros too, as far as 64 bits go.
pub(crate) fn integer(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let zero = text.strip_prefix('-').unwrap_or(text);
    if !zero.is_empty() && zero.bytes().all(|byte| byte == b'0') {
        return Some(0);
    }
    let right = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if right { digits.parse().ok() } else { None }
}

/// An `xs:boolean`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
