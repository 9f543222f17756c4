//! Invariant 2: only a `Manager` runs, and a timer has a `Registry`.

use std::time::Duration;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager.once(Duration::ZERO, |registry| registry.run().unwrap()).unwrap().detach();
}
