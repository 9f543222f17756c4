//! Reading an HTTP date in its three forms (RFC 9110 section 5.6.7). [`date`](super::super::date) writes them.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds since 1970, negative before. `now` tells the century of a year of two digits. The day of the week is not
/// compared with the date. `None`: not a date.
pub(super) fn parse(text: &[u8], now: u64) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (weekday, rest) = text.split_once(' ')?;
    if let Some(weekday) = weekday.strip_suffix(',') {
        let rest = rest.strip_suffix(" GMT")?;
        let (date, time) = rest.rsplit_once(' ')?;
        let (day, month, year) = match date.split_once('-') {
            // Sunday, 06-Nov-94 08:49:37 GMT
            Some((day, rest)) if weekday.ends_with("day") => {
                let (month, year) = rest.split_once('-')?;
                (day, month, full_year(number(year, 2)?, now))
            }
            // Sun, 06 Nov 1994 08:49:37 GMT
            _ if weekday.len() == 3 => {
                let (day, rest) = date.split_once(' ')?;
                let (month, year) = rest.split_once(' ')?;
                (day, month, number(year, 4)?)
            }
            _ => return None,
        };
        return seconds(year, month, number(day, 2)?, time);
    }
    // Sun Nov  6 08:49:37 1994
    let (month, rest) = rest.split_once(' ')?;
    let day = rest.get(..2)?;
    let (time, year) = rest.get(2..)?.strip_prefix(' ')?.split_once(' ')?;
    let day = match day.strip_prefix(' ') {
        Some(digit) => number(digit, 1)?,
        None => number(day, 2)?,
    };
    if weekday.len() == 3 { seconds(number(year, 4)?, month, day, time) } else { None }
}

/// A year of two digits that seems more than 50 years ahead is the last one that ended so.
fn full_year(two_digits: i64, now: u64) -> i64 {
    let this_year = 1970 + i64::try_from(now / 31_556_952).unwrap_or(0);
    let year = this_year - this_year % 100 + two_digits;
    if year > this_year + 50 { year - 100 } else { year }
}

fn seconds(year: i64, month: &str, day: i64, time: &str) -> Option<i64> {
    let month = MONTHS.iter().position(|name| *name == month)? as i64;
    let mut parts = time.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // 60: a leap second.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if day == 0 || day > days_in(month, year) {
        return None;
    }
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        1 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Digits alone, and so many of them.
fn number(text: &str, digits: usize) -> Option<i64> {
    let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::date;

    const NOW: u64 = 1_763_800_000;

    #[test]
    fn reads_the_three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            // The day of the week is nobody's business.
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), Some(784_111_777), "{text}");
        }
        assert_eq!(parse(b"Thu, 31 Dec 1959 23:59:59 GMT", NOW), Some(-315_619_201));
        assert_eq!(parse(b"Sat Dec 31 23:59:60 2016", NOW), Some(1_483_228_800), "a leap second");
    }

    #[test]
    fn a_year_of_two_digits_is_at_most_50_years_ahead() {
        let year_of = |text: &str| parse(text.as_bytes(), NOW).expect("a date") / 31_556_952 + 1970;
        assert_eq!(year_of("Friday, 06-Nov-75 08:49:37 GMT"), 2075);
        assert_eq!(year_of("Friday, 06-Nov-76 08:49:37 GMT"), 1976);
        assert_eq!(year_of("Friday, 06-Nov-00 08:49:37 GMT"), 2000);
    }

    #[test]
    fn reads_what_is_written() {
        let mut second = 0;
        while second < 253_402_300_799 {
            let line = date::format(second);
            let text = &line[6..35];
            assert_eq!(parse(text, NOW), Some(second as i64), "{}", String::from_utf8_lossy(text));
            // Some 27 years in a thousand steps, so that no part of a date is skipped.
            second += 8_640_961 + second % 7;
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "784111777",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:01 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov   6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun Nov \u{e9} 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes(), NOW), None, "{text:?}");
        }
    }
}
