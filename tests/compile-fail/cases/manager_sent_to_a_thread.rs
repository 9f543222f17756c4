//! Invariant 1: a manager stays on its thread.

fn main() {
    let mut manager = mongoose::Manager::new().unwrap();
    std::thread::spawn(move || manager.run());
}
