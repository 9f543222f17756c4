//! A listener that is never begun is a mistake.
#![deny(unused_must_use)]

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    manager.listener("http://127.0.0.1:0").backlog(1);
}
