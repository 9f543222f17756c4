//! How far a long download is, for who watches.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::{Duration, Instant};

/// What is over sooner than that shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

const WIDTH: u64 = 30;

/// A line on a terminal that is written over and over.
pub struct Progress {
    begun: Instant,
    shows: bool,
    shown: bool,
    received: u64,
    total: Option<u64>,
}

impl Progress {
    /// It shows on a terminal, unless the body does too.
    pub fn new(to_file: bool) -> Self {
        let shows = stderr().is_terminal() && (to_file || !stdout().is_terminal());
        Self { begun: Instant::now(), shows, shown: false, received: 0, total: None }
    }

    pub fn expect(&mut self, total: Option<u64>) {
        self.total = total;
    }

    pub fn add(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Writes the line anew.
    pub fn show(&mut self) {
        let time = self.begun.elapsed();
        if !self.shows || time < PATIENCE {
            return;
        }
        self.shown = true;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let speed = megabytes(self.received) / time.as_secs_f64();
        let mut line = String::from("\r");
        if let Some(total) = self.total.filter(|&total| total > 0) {
            let filled = (WIDTH * self.received.min(total) / total) as usize;
            line += &format!("[{:<1$}] ", "#".repeat(filled), WIDTH as usize);
            line += &format!("{:.1} of {:.1} MB", megabytes(self.received), megabytes(total));
        } else {
            line += &format!("{:.1} MB", megabytes(self.received));
        }
        // Nothing depends on it.
        let _ = write!(stderr(), "{line}, {speed:.1} MB/s \x1b[K");
    }

    /// Leaves no line behind.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
