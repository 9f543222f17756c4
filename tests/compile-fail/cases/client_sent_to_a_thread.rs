//! Invariant 1: a client belongs to its manager's thread.

#[path = "../crossing.rs"]
mod crossing;

use mongoose::http::Client;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    drop(crossing::crossing(client));
}
