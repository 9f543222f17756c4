//! What a process has open. A test that counts has a process of its own.

use std::fs;
use std::thread;
use std::time::Instant;

use mongoose_tests::PATIENCE;

/// How many descriptors are open, that of the look itself among them.
pub fn open() -> usize {
    fs::read_dir("/proc/self/fd").expect("a process").count()
}

/// Waits until no more are open than there were.
pub fn wait_until_back(before: usize) {
    let end = Instant::now() + PATIENCE;
    while open() > before {
        assert!(Instant::now() < end, "{} descriptors are open, and {before} were before", open());
        thread::yield_now();
    }
}
