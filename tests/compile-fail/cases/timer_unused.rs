//! A timer that nobody holds is cancelled at once.
#![deny(unused_must_use)]

use std::time::Duration;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager.every(Duration::from_secs(1), |_| {}).unwrap();
}
