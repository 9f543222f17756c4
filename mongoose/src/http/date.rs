//! The Date header's value (RFC 9110 section 5.6.7).

use crate::engine::unix_seconds;

/// The whole line, such as `Date: Sun, 06 Nov 1994 08:49:37 GMT`, with its CRLF.
pub(super) type DateLine = [u8; 37];

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// A formatted date, made anew when the second changes.
#[derive(Debug)]
pub(super) struct DateCache {
    second: u64,
    line: DateLine,
}

impl DateCache {
    pub(super) fn new() -> Self {
        Self { second: 0, line: format(0) }
    }

    /// At a second since 1970.
    pub(super) fn at(&mut self, second: u64) -> &DateLine {
        if second != self.second {
            self.second = second;
            self.line = format(second);
        }
        &self.line
    }
}

/// The current date.
pub(super) fn now() -> DateLine {
    format(unix_seconds())
}

/// At a second since 1970.
pub(super) fn format(second: u64) -> DateLine {
    let days = second / 86_400;
    let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
    // Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);

    let mut line = *b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    let text = &mut line[6..];
    text[..3].copy_from_slice(DAYS[(days % 7) as usize]);
    text[8..11].copy_from_slice(MONTHS[month as usize]);
    for (at, number) in
        [(5, day), (12, year / 100 % 100), (14, year % 100), (17, hour), (20, minute), (23, second)]
    {
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_known_dates() {
        for (second, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(String::from_utf8_lossy(&format(second)), format!("Date: {text}\r\n"));
        }
    }
}
