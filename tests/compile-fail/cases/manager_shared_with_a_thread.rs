//! Invariant 1: a manager is not even looked at from another thread.

#[path = "../crossing.rs"]
mod crossing;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    crossing::crossing(&manager).stats();
}
