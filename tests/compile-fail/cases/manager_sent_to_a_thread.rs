//! Invariant 1: a manager stays on its thread.

#[path = "../crossing.rs"]
mod crossing;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    crossing::crossing(manager).run().unwrap();
}
