//! Invariant 1: a client belongs to its manager's thread.

use mongoose::http::Client;

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    std::thread::spawn(move || drop(client));
}
