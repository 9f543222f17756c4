//! Closures posted to one loop from several threads, counted where they arrive.

use std::cell::Cell;
use std::time::Instant;

use mongoose::{Error, Manager};

thread_local! {
    static ARRIVED: Cell<u64> = const { Cell::new(0) };
    static FINISHED: Cell<u64> = const { Cell::new(0) };
}

/// Prints `sent N arrived N seconds S`.
pub fn run(threads: u64, posts: u64) -> Result<(), Error> {
    let mut manager = Manager::new()?;
    let begun = Instant::now();
    let senders: Vec<_> = (0..threads)
        .map(|_| {
            let handle = manager.handle();
            std::thread::spawn(move || {
                for _ in 0..posts {
                    handle.post(|_| ARRIVED.set(ARRIVED.get() + 1)).expect("the manager is there");
                }
                // Behind everything that this thread posted.
                handle.post(|_| FINISHED.set(FINISHED.get() + 1)).expect("the manager is there");
            })
        })
        .collect();
    while FINISHED.get() < threads {
        manager.poll(None)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for sender in senders {
        sender.join().expect("a sender does not panic");
    }
    println!("sent {} arrived {} seconds {seconds:.6}", threads * posts, ARRIVED.get());
    Ok(())
}
