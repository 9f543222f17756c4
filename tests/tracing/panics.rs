//! A subscriber that panics is one more piece of user code.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use mongoose::Manager;
use mongoose::http::{Reply, Request};
use mongoose_tests::Client;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// The call of the subscriber's that panics, counted from here.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

struct Bomb;

fn tick() {
    let left = FUSE.get();
    FUSE.set(left.wrapping_sub(1));
    assert!(left != 0, "the subscriber's panic");
}

impl Subscriber for Bomb {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "mongoose"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        tick();
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        tick();
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        tick();
    }

    fn enter(&self, _: &Id) {
        tick();
    }

    // What runs while others unwind may not: that ends any program.
    fn exit(&self, _: &Id) {}

    fn try_close(&self, _: Id) -> bool {
        if !std::thread::panicking() {
            tick();
        }
        true
    }
}

#[test]
fn a_subscriber_that_panics_anywhere_costs_its_connection_and_no_other() {
    let _default = tracing::subscriber::set_default(Bomb);
    let mut blown = 0;
    for fuse in 0..100 {
        let mut manager = Manager::new().expect("a manager");
        let hello = |_: Request<'_>, reply: Reply<'_>| reply.text("hello");
        let listener = manager.http("http://127.0.0.1:0", hello).expect("a free port");
        let address = listener.local_addr();
        let ask = move || {
            let mut client = Client::connect(address);
            client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").to_end()
        };
        FUSE.set(fuse);
        let asking = std::thread::spawn(ask);
        let mut panics = 0;
        while !asking.is_finished() || manager.stats().connections > 1 {
            let polled = catch_unwind(AssertUnwindSafe(|| manager.poll(Duration::from_millis(5))));
            panics += u32::from(polled.is_err());
        }
        FUSE.set(u32::MAX);
        asking.join().expect("no panic of the client's");
        assert!(panics <= 1, "{panics} panics of one");
        let asking = std::thread::spawn(ask);
        while !asking.is_finished() {
            manager.poll(Duration::from_millis(5)).expect("to poll");
        }
        let answer = asking.join().expect("no panic of the client's");
        assert!(answer.ends_with(b"hello"), "after a panic at call {fuse}");
        blown += panics;
        if panics == 0 {
            break;
        }
    }
    assert!((8..100).contains(&blown), "{blown}");
}
