//! Timestamps and timestamp labels.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A point in time as it is written. Two are equal, and ordered, as the instants that they name, whatever their zones;
/// the text stays as it was.
#[derive(Clone)]
pub struct Timestamp {
    text: Box<str>,
    micros: i64,
    zone: bool,
}

impl Timestamp {
    /// Reads a timestamp label of TAXII 1.0 and 1.1 (`TimestampLabelType`): a year of four digits, a zone (`Z` or an
    /// offset), at most six decimals. White space around it is dropped.
    pub fn label(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let parsed = Self::date_time(text)?;
        let year = text.strip_prefix('-').unwrap_or(text).find('-')?;
        let decimals = text
            .split_once('.')
            .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        (parsed.zone && year == 4 && decimals <= 6).then_some(parsed)
    }

    /// Reads an `xs:dateTime`, as the draft has it: the zone may be missing (it is taken for UTC), decimals behind the
    /// sixth do not count.
    pub fn date_time(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let mut rest = text.as_bytes();
        let negative = take(&mut rest, b'-').is_some();
        let year = digits(&mut rest, 4, 9)?;
        take(&mut rest, b'-')?;
        let month = digits(&mut rest, 2, 2)?;
        take(&mut rest, b'-')?;
        let day = digits(&mut rest, 2, 2)?;
        take(&mut rest, b'T')?;
        let (hour, minute, second) = clock(&mut rest)?;
        let micros = fraction(&mut rest)?;
        let offset = zone(&mut rest)?;
        let leading_zero = text.trim_start_matches('-').starts_with('0') && year > 9999;
        let midnight = hour == 24 && minute == 0 && second == 0 && micros == 0;
        let right = (1..=12).contains(&month)
            && day >= 1
            && day <= days(if negative { -year } else { year }, month)
            && (hour < 24 || midnight)
            && minute < 60
            && second < 60
            && year != 0
            && !leading_zero;
        if !right || !rest.is_empty() {
            return None;
        }
        // XML Schema 1.0 has no year 0: -0001 is the year before 0001.
        let year = if negative { 1 - year } else { year };
        let minutes = hour * 60 + minute - offset.unwrap_or(0);
        let seconds =
            civil(year, month, day).checked_mul(86_400)?.checked_add(minutes * 60 + second)?;
        let micros = seconds.checked_mul(1_000_000)?.checked_add(micros)?;
        Some(Self { text: text.into(), micros, zone: offset.is_some() })
    }

    /// The instant so many microseconds after 1970-01-01T00:00:00Z, written in UTC with `Z` and six decimals. Nothing
    /// outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, date) = date(day);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let second = second % 60;
        let text = format!(
            "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z"
        );
        (1..=9999).contains(&year).then(|| Self { text: text.into(), micros, zone: true })
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(&self) -> i64 {
        self.micros
    }

    /// Whether it says its zone. Labels of TAXII 1.0 and 1.1 always do.
    pub const fn has_zone(&self) -> bool {
        self.zone
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn take(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

fn digits(rest: &mut &[u8], min: usize, max: usize) -> Option<i64> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at_checked(length)?;
    *rest = after;
    let value = number.iter().take(max).fold(0, |n, byte| n * 10 + i64::from(byte - b'0'));
    (min..=max).contains(&length).then_some(value)
}

fn clock(rest: &mut &[u8]) -> Option<(i64, i64, i64)> {
    let hour = digits(rest, 2, 2)?;
    take(rest, b':')?;
    let minute = digits(rest, 2, 2)?;
    take(rest, b':')?;
    Some((hour, minute, digits(rest, 2, 2)?))
}

/// Microseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    if take(rest, b'.').is_none() {
        return Some(0);
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at_checked(length)?;
    *rest = after;
    let digit = |at| i64::from(number.get(at).map_or(0, |byte| byte - b'0'));
    (length > 0).then(|| (0..6).fold(0, |n, at| n * 10 + digit(at)))
}

/// Minutes east of UTC; nothing inside where there is no zone.
fn zone(rest: &mut &[u8]) -> Option<Option<i64>> {
    if rest.is_empty() {
        return Some(None);
    }
    if take(rest, b'Z').is_some() {
        return Some(Some(0));
    }
    let sign = if take(rest, b'+').is_some() { 1 } else { -1 };
    if sign < 0 {
        take(rest, b'-')?;
    }
    let hour = digits(rest, 2, 2)?;
    take(rest, b':')?;
    let minute = digits(rest, 2, 2)?;
    (minute < 60 && hour * 60 + minute <= 14 * 60).then_some(Some(sign * (hour * 60 + minute)))
}

fn days(year: i64, month: i64) -> i64 {
    // The year as XML Schema 1.0 counts it: -1 is astronomical 0.
    let year = if year < 0 { year + 1 } else { year };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar; years begin in March, so that the leap day is
/// the last one.
fn civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse: year, month, day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}

impl Hash for Timestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.micros.hash(state);
    }
}

/// As it is written.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
