//! Invariant 2: a registry is lent for an event.

use std::cell::Cell;
use std::time::Duration;

use mongoose::Registry;

thread_local! {
    static KEPT: Cell<Option<&'static Registry>> = const { Cell::new(None) };
}

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager.once(Duration::ZERO, |registry| KEPT.set(Some(registry))).unwrap().detach();
}
