//! Dates of the text forms: ISO 8601 (KMIP Profiles 2.1, sections 5.4 and 5.5), in the Gregorian calendar.

/// Year, month and day of a day number (0 is 1970-01-01), in the Gregorian calendar. Years are counted from March, so
/// that the leap day is the last of the year.
pub(crate) const fn civil(days: i64) -> (i64, i64, i64) {
    let since = days + 719_468; // 0000-03-01
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let january = month >= 10;
    let month = if january { month - 9 } else { month + 3 };
    (400 * era + year + january as i64, month, day)
}

/// The day number of a date: what [`civil`] undoes.
#[cfg(any(feature = "xml", feature = "json"))]
const fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let in_year = (153 * month + 2) / 5 + day - 1;
    let in_era = in_era * 365 + in_era / 4 - in_era / 100 + in_year;
    era * 146_097 + in_era - 719_468
}

#[cfg(any(feature = "xml", feature = "json"))]
pub(crate) use text::{micros, parse, seconds};

#[cfg(any(feature = "xml", feature = "json"))]
mod text {
    use std::fmt::Write;

    use super::{civil, day_number};

    const DAY: i64 = 86_400;
    const MICROS: i64 = 1_000_000;

    /// POSIX seconds as `2012-04-27T08:12:21+00:00`; `None` for years outside 0 to 9999.
    pub(crate) fn seconds(seconds: i64) -> Option<String> {
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // 0000-01-01 to 9999-12-31.
        if !(-719_528..=2_932_896).contains(&days) {
            return None;
        }
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00");
        Some(text)
    }

    /// POSIX microseconds likewise, with six decimals.
    pub(crate) fn micros(micros: i64) -> Option<String> {
        let mut text = seconds(micros.div_euclid(MICROS))?;
        let zone = text.split_off(text.len() - "+00:00".len());
        // Writing to a String does not fail.
        let _ = write!(text, ".{:06}{zone}", micros.rem_euclid(MICROS));
        Some(text)
    }

    /// The POSIX microseconds of a date and time with its zone (`Z` or `+hh:mm`); at most six decimals. A time without
    /// a zone is taken as UTC, as KMIP 1.x allows.
    pub(crate) fn parse(text: &str) -> Option<i64> {
        let (date, rest) = text.split_once(['T', 't', ' '])?;
        let at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at_checked(at)?;
        let mut date = date.splitn(3, '-');
        let year = digits(date.next()?, 4)?;
        let month = digits(date.next()?, 2)?;
        let day = digits(date.next()?, 2)?;
        let days = day_number(year, month, day);
        if !(1..=12).contains(&month) || civil(days) != (year, month, day) {
            return None;
        }
        let micros = days.checked_mul(DAY * MICROS)?.checked_add(time_of_day(time)?)?;
        micros.checked_sub(offset(zone)?.checked_mul(60 * MICROS)?)
    }

    fn time_of_day(text: &str) -> Option<i64> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mut parts = whole.splitn(3, ':');
        let hour = digits(parts.next()?, 2)?;
        let minute = digits(parts.next()?, 2)?;
        let second = digits(parts.next()?, 2)?;
        if hour > 23 || minute > 59 || second > 60 || fraction.len() > 6 {
            return None;
        }
        let mut micros = 0;
        if !fraction.is_empty() || text.ends_with('.') {
            let places = u32::try_from(fraction.len()).ok()?;
            micros = digits(fraction, fraction.len())? * 10_i64.pow(6 - places);
        }
        Some((hour * 3600 + minute * 60 + second) * MICROS + micros)
    }

    /// Minutes east of Greenwich.
    fn offset(zone: &str) -> Option<i64> {
        if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
            return Some(0);
        }
        let (sign, rest) = match zone.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, zone.strip_prefix('+')?),
        };
        let (hours, minutes) = rest.split_once(':')?;
        let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
        (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }

    /// A number of exactly so many digits.
    fn digits(text: &str, count: usize) -> Option<i64> {
        let all = text.len() == count && count > 0 && text.bytes().all(|b| b.is_ascii_digit());
        if all { text.parse().ok() } else { None }
    }

    #[cfg(test)]
    mod tests {
        use super::{micros, parse, seconds};

        #[test]
        fn what_is_written_is_read() {
            for at in [0, 1, -1, 951_782_400, 1_335_514_341, -62_167_219_200, 253_402_300_799] {
                let text = seconds(at).unwrap();
                assert_eq!(parse(&text), Some(at * 1_000_000), "{text}");
                let text = micros(at * 1_000_000 + 1).unwrap();
                assert_eq!(parse(&text), Some(at * 1_000_000 + 1), "{text}");
            }
            for day in (-719_528..2_932_896).step_by(97) {
                assert_eq!(parse(&seconds(day * 86_400).unwrap()), Some(day * 86_400_000_000));
            }
            assert_eq!(seconds(1_335_514_341).unwrap(), "2012-04-27T08:12:21+00:00");
            assert_eq!(seconds(-62_167_219_201), None);
            assert_eq!(seconds(i64::MAX), None);
            assert_eq!(micros(i64::MIN), None);
        }

        #[test]
        fn zones_and_fractions() {
            let second = |text| parse(text).map(|micros| micros / 1_000_000);
            assert_eq!(second("2000-02-01T00:00:00+10:00"), Some(949_327_200));
            assert_eq!(second("2000-01-31T14:00:00Z"), Some(949_327_200));
            assert_eq!(second("2000-01-31T14:00:00"), Some(949_327_200));
            assert_eq!(second("2000-01-31T04:00:00-10:00"), Some(949_327_200));
            assert_eq!(parse("1970-01-01T00:00:00.5Z"), Some(500_000));
        }

        #[test]
        fn what_is_no_date_is_refused() {
            for text in [
                "",
                "T",
                "2000-02-30T00:00:00Z",
                "2001-02-29T00:00:00Z",
                "2000-13-01T00:00:00Z",
                "2000-00-01T00:00:00Z",
                "2000-01-00T00:00:00Z",
                "20000-01-01T00:00:00Z",
                "2000-1-1T00:00:00Z",
                "2000-01-01T24:00:00Z",
                "2000-01-01T00:60:00Z",
                "2000-01-01T00:00Z",
                "2000-01-01T00:00:00.Z",
                "2000-01-01T00:00:00.1234567Z",
                "2000-01-01T00:00:00+1",
                "2000-01-01T00:00:00+15:00",
                "2000-01-01T00:00:00*",
                "+200-01-01T00:00:00Z",
                "2000-01-01",
            ] {
                assert_eq!(parse(text), None, "{text}");
            }
        }
    }
}
