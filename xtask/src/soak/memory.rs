//! Whether a server's memory stays what it was.

use std::fmt;

/// By how much it may grow once it is warm.
const SHARE: f64 = 0.02;

/// And this besides, in bytes: which pages the allocator touches changes from round to round, and a small server has few.
/// What is lost for each connection or message is more than that at the end of a long run.
const PAGES: f64 = 128.0 * 4096.0;

/// Readings of a server's private memory, each when the same things are open. What it is after the first tenth is what
/// it has to be at the end.
#[derive(Debug, Default)]
pub struct Flat {
    readings: Vec<f64>,
}

impl Flat {
    pub fn add(&mut self, bytes: f64) {
        self.readings.push(bytes);
    }

    /// The most of the first tenth, of two readings at least; and the last.
    fn figures(&self) -> (f64, f64) {
        let warm = (self.readings.len() / 10).max(2).min(self.readings.len());
        let before = self.readings[..warm].iter().copied().fold(0.0, f64::max);
        (before, self.readings.last().copied().unwrap_or_default())
    }

    pub fn is_flat(&self) -> bool {
        let (before, after) = self.figures();
        !self.readings.is_empty() && after <= before * (1.0 + SHARE) + PAGES
    }
}

impl fmt::Display for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.figures();
        let percent = 100.0 * (after - before) / before.max(1.0);
        write!(f, "{:.0} KiB, {:.0} KiB ({percent:+.1} %)", before / 1024.0, after / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Flat;

    fn flat(readings: &[f64]) -> bool {
        Flat { readings: readings.to_vec() }.is_flat()
    }

    #[test]
    fn what_grows_is_not_flat() {
        let steady = vec![1e7; 30];
        assert!(flat(&steady));
        assert!(!flat(&[&steady[..], &[1.08e7]].concat()));
        assert!(flat(&[&steady[..], &[1.06e7]].concat()));
        assert!(!flat(&[]));
    }

    #[test]
    fn what_happens_before_it_is_warm_does_not_count() {
        assert!(flat(&[1e6, 1e7, 1e7, 1e7]));
        assert!(!flat(&[1e6, 1e6, 1e6, 1e7]));
    }
}
