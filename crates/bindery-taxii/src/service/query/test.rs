//! Tests: relationships of the capability modules.

use std::cmp::Ordering;

use bindery_taxii_xml::{StatusType, Test as Asked, Timestamp};
use regex::{Regex, RegexBuilder};

use super::Queries;
use crate::service::fault::Fault;

pub(super) const CORE: &str = "urn:taxii.mitre.org:query:capability:core-1";
pub(super) const REGEX: &str = "urn:taxii.mitre.org:query:capability:regex-1";
pub(super) const TIMESTAMP: &str = "urn:taxii.mitre.org:query:capability:timestamp-1";

/// The most octets of a regular expression.
const EXPRESSION: usize = 1_000;

/// What an expression is compiled to has at most so many octets, the last of these. The time for a text goes with the
/// product of the two, so it is small, and said closely: by the first of these that is enough.
const PROGRAM: [usize; 3] = [1 << 12, 1 << 14, 1 << 16];

/// About how many octets of a program are one of its states, each of which may be looked at for each octet of a text.
const STATE: usize = 32;

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
    /// With the steps that it may take for each octet.
    Matches(Regex, u64),
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

/// A test as it is asked for.
struct Asking<'a>(&'a Asked);

impl<'a> Asking<'a> {
    #[cold]
    fn wrong(&self, reason: &str) -> Fault {
        let (relationship, module) = (&self.0.relationship, &self.0.capability_id);
        let reason = format!("the test {relationship:?} of {module}: {reason}");
        Fault::new(StatusType::BadMessage, reason)
    }

    fn parameter(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        let mut found = self.0.parameters.iter().filter(|one| one.name == name);
        match (found.next(), found.next()) {
            (one, None) => Ok(one.map(|one| one.value.as_str())),
            _ => Err(self.wrong(&format!("the parameter {name} stands there more than once"))),
        }
    }

    fn value(&self) -> Result<&'a str, Fault> {
        self.parameter("value")?.ok_or_else(|| self.wrong("the parameter value is missing"))
    }

    fn number(&self) -> Result<f64, Fault> {
        number(self.value()?).ok_or_else(|| self.wrong("the value is no number"))
    }

    fn order(&self) -> Result<Order, Fault> {
        Order::of(&self.0.relationship).ok_or_else(|| self.unknown())
    }

    /// Whether capitals do not count.
    fn small(&self) -> Result<bool, Fault> {
        match self.parameter("case_sensitive")? {
            None | Some("true") => Ok(false),
            Some("false") => Ok(true),
            Some(_) => Err(self.wrong("case_sensitive is neither true nor false")),
        }
    }

    fn compared(&self, compare: Compare, small: bool) -> Result<Test, Fault> {
        let value = self.value()?;
        let value = if small { value.to_lowercase() } else { value.to_owned() };
        Ok(Test::Text { compare, value, small })
    }

    fn unknown(&self) -> Fault {
        self.wrong("there is no such relationship")
    }

    fn core(&self) -> Result<Test, Fault> {
        let (compare, order) = match self.0.relationship.as_str() {
            "exists" => return Ok(Test::Exists),
            "does_not_exist" => return Ok(Test::DoesNotExist),
            "begins_with" => return self.compared(Compare::Begins, self.small()?),
            "ends_with" => return self.compared(Compare::Ends, self.small()?),
            "contains" => return self.compared(Compare::Contains, self.small()?),
            "equals" => (Compare::Equals, Order::Equal),
            "not_equals" => (Compare::NotEquals, Order::NotEqual),
            _ => return Ok(Test::Number(self.order()?, self.number()?)),
        };
        match self.parameter("match_type")? {
            Some("case_sensitive_string") => self.compared(compare, false),
            Some("case_insensitive_string") => self.compared(compare, true),
            Some("number") => Ok(Test::Number(order, self.number()?)),
            _ => Err(self.wrong(
                "match_type is none of case_sensitive_string, case_insensitive_string, number",
            )),
        }
    }

    fn timestamp(&self) -> Result<Test, Fault> {
        let order = self.order()?;
        if matches!(order, Order::NotEqual) {
            return Err(self.unknown());
        }
        let time = Timestamp::date_time(self.value()?).filter(Timestamp::has_zone);
        Ok(Test::Time(order, time.ok_or_else(|| self.wrong("the value is no timestamp"))?))
    }

    fn regex(&self) -> Result<Test, Fault> {
        if self.0.relationship != "matches" {
            return Err(self.unknown());
        }
        let expression = self.value()?;
        if expression.len() > EXPRESSION {
            return Err(self.wrong(&format!("the expression has more than {EXPRESSION} octets")));
        }
        let mut builder = RegexBuilder::new(expression);
        builder.case_insensitive(self.small()?);
        let mut failed = None;
        for octets in PROGRAM {
            match builder.size_limit(octets).dfa_size_limit(octets).build() {
                Ok(regex) => return Ok(Test::Matches(regex, (octets / STATE) as u64)),
                Err(error) => failed = Some(error),
            }
        }
        let reason = failed.map(|error| error.to_string()).unwrap_or_default();
        Err(self.wrong(&reason))
    }
}

impl Test {
    pub(super) fn of(asked: &Asked, queries: &Queries) -> Result<Self, Fault> {
        let asking = Asking(asked);
        match asked.capability_id.as_str() {
            CORE if queries.core => asking.core(),
            REGEX if queries.regex => asking.regex(),
            TIMESTAMP if queries.timestamp => asking.timestamp(),
            other => Err(queries.no_module(other)),
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
            Self::Matches(regex, _) => regex.is_match(found),
        }
    }

    /// How many steps it may take for an octet of a value.
    pub(super) const fn steps(&self) -> u64 {
        match self {
            Self::Matches(_, steps) => *steps,
            _ => 1,
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
