//! Tests: relationships of the capability modules.

use std::cmp::Ordering;

use bindery_taxii_xml::{StatusType, Test as Asked, Timestamp};
use regex::{Regex, RegexBuilder};

use super::Queries;
use crate::service::fault::Fault;

pub(super) const CORE: &str = "urn:taxii.mitre.org:query:capability:core-1";
pub(super) const REGEX: &str = "urn:taxii.mitre.org:query:capability:regex-1";
pub(super) const TIMESTAMP: &str = "urn:taxii.mitre.org:query:capability:timestamp-1";

/// The most octets of a regular expression, and of what it is compiled to.
const EXPRESSION: (usize, usize) = (1_000, 1 << 20);

/// A test of a node.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Exists,
    DoesNotExist,
    /// A comparison of texts; in small letters where capitals do not count.
    Text {
        compare: Compare,
        value: String,
        small: bool,
    },
    Number(Order, f64),
    Time(Order, Timestamp),
    Matches(Regex),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Compare {
    Equals,
    NotEquals,
    Begins,
    Ends,
    Contains,
}

/// Which orders of node and value are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Order {
    /// By the name of a relationship. The text says `or_equal` of numbers and `or_equals` of timestamps, libtaxii the
    /// first of both.
    fn of(relationship: &str) -> Option<Self> {
        Some(match relationship {
            "equals" => Self::Equal,
            "not_equals" => Self::NotEqual,
            "greater_than" => Self::Greater,
            "greater_than_or_equal" | "greater_than_or_equals" => Self::GreaterOrEqual,
            "less_than" => Self::Less,
            "less_than_or_equal" | "less_than_or_equals" => Self::LessOrEqual,
            _ => return None,
        })
    }

    const fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::NotEqual => found.is_ne(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
        }
    }
}

impl Test {
    pub(super) fn of(asked: &Asked, queries: &Queries) -> Result<Self, Fault> {
        let (module, relationship) = (asked.capability_id.as_str(), asked.relationship.as_str());
        let taken = match module {
            CORE => queries.core,
            REGEX => queries.regex,
            TIMESTAMP => queries.timestamp,
            _ => false,
        };
        if !taken {
            return Err(queries.no_module(module));
        }
        let wrong = |reason: &str| {
            let reason = format!("the test {relationship:?} of {module}: {reason}");
            Fault::new(StatusType::BadMessage, reason)
        };
        let parameter = |name: &str| {
            let mut found = asked.parameters.iter().filter(|one| one.name == name);
            match (found.next(), found.next()) {
                (one, None) => Ok(one.map(|one| one.value.as_str())),
                _ => Err(wrong(&format!("the parameter {name} stands there more than once"))),
            }
        };
        let value = || parameter("value")?.ok_or_else(|| wrong("the parameter value is missing"));
        let small = || match parameter("case_sensitive")? {
            None | Some("true") => Ok(false),
            Some("false") => Ok(true),
            Some(_) => Err(wrong("case_sensitive is neither true nor false")),
        };
        let number = || number(value()?).ok_or_else(|| wrong("the value is no number"));
        let compared = |compare, small: bool| {
            let value = value()?;
            let value = if small { value.to_lowercase() } else { value.to_owned() };
            Ok(Self::Text { compare, value, small })
        };
        let unknown = || wrong("there is no such relationship");
        match (module, relationship) {
            (CORE, "exists") => Ok(Self::Exists),
            (CORE, "does_not_exist") => Ok(Self::DoesNotExist),
            (CORE, "begins_with") => compared(Compare::Begins, small()?),
            (CORE, "ends_with") => compared(Compare::Ends, small()?),
            (CORE, "contains") => compared(Compare::Contains, small()?),
            (CORE, "equals" | "not_equals") => {
                let equals = relationship == "equals";
                let compare = if equals { Compare::Equals } else { Compare::NotEquals };
                match parameter("match_type")? {
                    Some("case_sensitive_string") => compared(compare, false),
                    Some("case_insensitive_string") => compared(compare, true),
                    Some("number") if equals => Ok(Self::Number(Order::Equal, number()?)),
                    Some("number") => Ok(Self::Number(Order::NotEqual, number()?)),
                    _ => Err(wrong(
                        "match_type is none of case_sensitive_string, case_insensitive_string, number",
                    )),
                }
            }
            (CORE, other) => Ok(Self::Number(Order::of(other).ok_or_else(unknown)?, number()?)),
            (TIMESTAMP, other) if other != "not_equals" => {
                let order = Order::of(other).ok_or_else(unknown)?;
                let time = Timestamp::date_time(value()?).filter(Timestamp::has_zone);
                Ok(Self::Time(order, time.ok_or_else(|| wrong("the value is no timestamp"))?))
            }
            (REGEX, "matches") => {
                let expression = value()?;
                let (longest, compiled) = EXPRESSION;
                if expression.len() > longest {
                    return Err(wrong(&format!("the expression has more than {longest} octets")));
                }
                let mut builder = RegexBuilder::new(expression);
                builder.case_insensitive(small()?).size_limit(compiled).dfa_size_limit(compiled);
                let built = builder.build().map_err(|error| wrong(&error.to_string()))?;
                Ok(Self::Matches(built))
            }
            _ => Err(unknown()),
        }
    }

    /// Whether the test holds for a node with this value.
    pub(super) fn holds(&self, found: &str) -> bool {
        match self {
            Self::Exists | Self::DoesNotExist => true,
            Self::Text { compare, value, small: true } => {
                compare.holds(&found.to_lowercase(), value)
            }
            Self::Text { compare, value, small: false } => compare.holds(found, value),
            Self::Number(order, value) => number(found)
                .and_then(|found| found.partial_cmp(value))
                .is_some_and(|found| order.holds(found)),
            Self::Time(order, value) => {
                Timestamp::date_time(found).is_some_and(|found| order.holds(found.cmp(value)))
            }
            Self::Matches(regex) => regex.is_match(found),
        }
    }

    /// What it comes to: whether there was a node for which it holds, or, of one that must not be there, whether there
    /// was none.
    pub(super) const fn outcome(&self, found: bool) -> bool {
        match self {
            Self::DoesNotExist => !found,
            _ => found,
        }
    }
}

impl Compare {
    fn holds(self, found: &str, value: &str) -> bool {
        match self {
            Self::Equals => found == value,
            Self::NotEquals => found != value,
            Self::Begins => found.starts_with(value),
            Self::Ends => found.ends_with(value),
            Self::Contains => found.contains(value),
        }
    }
}

/// A number in decimal digits.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let plain = |octet: u8| octet.is_ascii_digit() || b"+-.eE".contains(&octet);
    let number: f64 = text.bytes().all(plain).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}
