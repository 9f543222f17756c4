//! Invariant 10: a close costs the same however many connections there are.

use std::cell::Cell;
use std::rc::Rc;

use mongoose::{Connection, Event, Manager};
use mongoose_tests::{poll_until, scaled};

use crate::harness::{connect_many, room};

#[test]
fn invariant_10_20000_connections_closed_oldest_first_take_one_step_each() {
    let total = scaled(20_000);
    let at_once = total.min(room());
    let mut manager = Manager::new().expect("a manager");
    let closed = Rc::new(Cell::new(0usize));
    let count = Rc::clone(&closed);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Close = event {
                // C walks its list to the connection that it closes. The engine puts that one at its head: with none
                // other on the list, that is one step.
                let raw = connection.as_raw();
                // SAFETY: the connection is alive as long as it is borrowed, and its manager is longer.
                unsafe { assert!((*(*raw).mgr).conns.is_null() && (*raw).next.is_null()) };
                count.set(count.get() + 1);
            }
            Ok(())
        })
        .expect("to listen");
    let mut left = total;
    while left > 0 {
        let batch = left.min(at_once);
        let peers = connect_many(&mut manager, listener.local_addr(), batch);
        left -= batch;
        assert_eq!(manager.stats().connections, batch as u64 + 1);
        let mut expected = closed.get();
        for pairs in peers.chunks(500) {
            // The oldest first: for C's list, which adds at its head, those at its very end.
            for peer in pairs {
                peer.stream().shutdown(std::net::Shutdown::Both).expect("to shut down");
            }
            expected += pairs.len();
            let before = manager.stats().polls;
            poll_until(&mut manager, "these to go", |_| closed.get() == expected);
            let polls = manager.stats().polls - before;
            assert!(polls <= pairs.len() as u64 + 10, "{polls} turns for {} closes", pairs.len());
        }
        assert_eq!(manager.stats().connections, 1);
    }
    assert_eq!((closed.get(), manager.stats().accepted), (total, total as u64));
}
