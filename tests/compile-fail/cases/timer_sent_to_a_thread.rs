//! Invariant 1: dropping a timer cancels it on the loop's thread.

#[path = "../crossing.rs"]
mod crossing;

use std::time::Duration;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let timer = manager.every(Duration::from_secs(1), |_| {}).unwrap();
    drop(crossing::crossing(timer));
}
