//! Invariant 1: a manager is not even looked at from another thread.

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| manager.stats());
    });
}
