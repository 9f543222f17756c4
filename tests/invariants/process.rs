//! Invariant 18: what belongs to the whole process. Each test has one of its own.

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Event, Manager, sys};
use mongoose_tests::{in_own_process, poll_until};

use crate::harness::{Peer, get, settle};

#[test]
fn invariant_18_a_peer_that_vanished_does_not_kill_the_process() {
    in_own_process(
        "process::invariant_18_a_peer_that_vanished_does_not_kill_the_process",
        |_| {},
        || {
            // The standard library ignores SIGPIPE in every Rust program; here it kills, as in a program of another
            // language that calls this one.
            // SAFETY: the default action is a valid one, and no other thread of this process uses signals.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let mut manager = Manager::new().expect("a manager");
            let listener = manager
                .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
                    reply.body(vec![b'x'; 1 << 20])
                })
                .expect("to listen");
            for _ in 0..20 {
                let mut peer = Peer::connect(listener.local_addr());
                peer.send(get("/"));
                settle(&mut manager);
                // More is to be sent, and nobody there to take it.
                peer.reset();
                poll_until(&mut manager, "the connection to go", |manager| manager.stats().connections == 1);
            }
            let raw = manager
                .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
                    if let Event::Accept = event {
                        // Large borrowed bytes go to the socket while the handler runs.
                        return connection.send(vec![b'x'; 1 << 20].as_slice());
                    }
                    Ok(())
                })
                .expect("to listen");
            Peer::connect(raw.local_addr()).reset();
            poll_until(&mut manager, "the connection to go", |manager| {
                manager.stats().accepted == 21 && manager.stats().connections == 2
            });
        },
    );
}

#[test]
fn invariant_18_hazard_48_c_s_log_is_silenced_once_and_then_left_to_the_user() {
    in_own_process(
        "process::invariant_18_hazard_48_c_s_log_is_silenced_once_and_then_left_to_the_user",
        |_| {},
        || {
            // SAFETY: a plain int, and no other thread of this process touches it.
            let level = || unsafe { sys::mg_log_level as u32 };
            assert_ne!(level(), sys::MG_LL_NONE, "C's default is not silent");
            let first = Manager::new().expect("a manager");
            assert_eq!(level(), sys::MG_LL_NONE);
            // SAFETY: as above.
            unsafe { sys::mg_log_level = sys::MG_LL_ERROR as _ };
            let second = Manager::new().expect("a manager");
            assert_eq!(level(), sys::MG_LL_ERROR, "a later manager does not undo what the user set");
            drop((first, second));
        },
    );
}

#[test]
fn invariant_18_hazard_48_managers_made_on_8_threads_at_once_share_what_is_the_process_s() {
    in_own_process(
        "process::invariant_18_hazard_48_managers_made_on_8_threads_at_once_share_what_is_the_process_s",
        |_| {},
        || {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let mut manager = Manager::new().expect("a manager");
                        let listener = manager
                            .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
                                reply.text("served")
                            })
                            .expect("to listen");
                        let mut peer = Peer::connect(listener.local_addr());
                        for _ in 0..20 {
                            peer.send(get("/")).expect(&mut manager, "served");
                        }
                    });
                }
            });
        },
    );
}
