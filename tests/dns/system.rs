//! The system's resolver.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use mongoose::{Connection, Error, Event, Lookup, Manager, Registry};
use mongoose_tests::{poll_until, scaled};

type Found = Result<Vec<SocketAddr>, Error>;

/// A lookup whose answer the test reads.
fn resolve(registry: &Registry, host: &str) -> (Lookup, Rc<RefCell<Option<Found>>>) {
    let answer = Rc::new(RefCell::new(None));
    let note = Rc::clone(&answer);
    let then = move |_: &Registry, found: Found| {
        assert!(note.borrow_mut().replace(found).is_none(), "one answer");
    };
    (registry.resolve(host, then).expect("to begin"), answer)
}

fn answer_for(host: &str) -> Found {
    let mut manager = Manager::new().expect("a manager");
    let (lookup, answer) = resolve(&manager, host);
    assert!(answer.borrow().is_none() && lookup.is_active(), "never before it returns");
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
    assert!(!lookup.is_active());
    answer.take().expect("an answer")
}

#[test]
fn names_and_addresses_have_addresses() {
    let addresses = answer_for("localhost").expect("every system has it");
    assert!(!addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback()));
    for literal in ["192.0.2.1", "::1", "::ffff:192.0.2.1"] {
        let ip = literal.parse().expect("an address");
        assert_eq!(answer_for(literal).expect("itself"), [SocketAddr::new(ip, 0)]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hazard_55_a_scope_is_kept() {
    let index: u32 = std::fs::read_to_string("/sys/class/net/lo/ifindex")
        .expect("the loopback interface")
        .trim()
        .parse()
        .expect("a number");
    let addresses = answer_for("fe80::1%lo").expect("an address");
    let SocketAddr::V6(address) = addresses[0] else { panic!("{addresses:?}") };
    assert_eq!(address.scope_id(), index);
    // More than the 8 bits that C keeps.
    let addresses = answer_for("fe80::1%70000").expect("an address");
    assert!(matches!(addresses[0], SocketAddr::V6(address) if address.scope_id() == 70_000), "{addresses:?}");
}

#[test]
fn a_host_without_an_address_is_an_error_that_names_host_and_reason() {
    // No resolver has to be asked: a label past 63 bytes, nothing, what no name has.
    for host in [format!("{}.invalid", "x".repeat(64)), String::new(), "a\0b".to_owned(), "a b".to_owned()] {
        let error = answer_for(&host).expect_err(&host);
        let Error::Resolve { url, source } = &error else { panic!("{error}") };
        assert_eq!(*url, host);
        assert!(error.to_string().ends_with(&source.to_string()), "{error}");
    }
}

#[test]
fn a_lookup_that_is_dropped_is_never_answered_and_its_closure_is_freed() {
    let mut manager = Manager::new().expect("a manager");
    for host in ["127.0.0.1", "localhost", "no-such-host.invalid"] {
        let kept = Rc::new(());
        let in_closure = Rc::clone(&kept);
        let then = move |_: &Registry, _: Found| panic!("told of {in_closure:?}");
        let lookup = manager.resolve(host, then).expect("to begin");
        drop(lookup);
        assert_eq!(Rc::strong_count(&kept), 1, "freed at once");
    }
    // One that is answered, behind what would be told before.
    let (_lookup, answer) = resolve(&manager, "localhost");
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
}

#[test]
fn a_detached_lookup_is_answered() {
    let mut manager = Manager::new().expect("a manager");
    let (lookup, answer) = resolve(&manager, "localhost");
    lookup.detach();
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
}

#[test]
fn a_manager_may_go_while_lookups_are_under_way() {
    let manager = Manager::new().expect("a manager");
    let kept = Rc::new(());
    let lookups: Vec<_> = (0..20)
        .map(|number| {
            let in_closure = Rc::clone(&kept);
            let host = if number % 2 == 0 { "localhost" } else { "no-such-host.invalid" };
            manager.resolve(host, move |_: &Registry, _: Found| drop(in_closure)).expect("to begin")
        })
        .collect();
    drop(manager);
    assert_eq!(Rc::strong_count(&kept), 1, "their closures go with it");
    assert!(lookups.iter().all(|lookup| !lookup.is_active()));
}

#[test]
fn a_lookup_begins_and_ends_others_in_its_answer() {
    let mut manager = Manager::new().expect("a manager");
    let second = Rc::new(RefCell::new(None));
    let done = Rc::new(Cell::new(false));
    let (place, end) = (Rc::clone(&second), Rc::clone(&done));
    let first = manager.resolve("127.0.0.1", move |registry: &Registry, _: Found| {
        let (lookup, _) = resolve(registry, "no-such-host.invalid");
        drop(lookup);
        let then = move |_: &Registry, found: Found| end.set(found.is_ok());
        *place.borrow_mut() = Some(registry.resolve("localhost", then).expect("to begin"));
    });
    poll_until(&mut manager, "both", |_| done.get());
    drop(first);
}

#[test]
fn a_panic_in_an_answer_goes_on_from_poll_and_the_manager_lives() {
    let mut manager = Manager::new().expect("a manager");
    let lookup = manager.resolve("127.0.0.1", |_: &Registry, _: Found| panic!("of the user's"));
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        poll_until(&mut manager, "the panic", |_| false);
    }));
    let message = polled.expect_err("a panic");
    assert_eq!(message.downcast_ref::<&str>(), Some(&"of the user's"));
    let (_lookup, answer) = resolve(&manager, "127.0.0.1");
    poll_until(&mut manager, "an answer", |_| answer.borrow().is_some());
    drop(lookup);
}

/// How many threads of the resolver's this process has.
#[cfg(target_os = "linux")]
fn resolver_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the process's threads");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("mongoose-resolv"))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_connections_to_a_name_need_a_few_threads() {
    // Eight, and those that are just about to end.
    const THREADS: usize = 20;
    let count = scaled(1000).max(50);
    let mut manager = Manager::new().expect("a manager");
    let listener =
        manager.tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, _: Event<'_>| Ok(())).expect("a free port");
    let url = format!("tcp://localhost:{}", listener.local_addr().port());
    let connected = Rc::new(Cell::new(0));
    for _ in 0..count {
        let connected = Rc::clone(&connected);
        manager
            .connect(&url, move |connection: &Connection<'_>, event: Event<'_>| {
                match event {
                    Event::Connect => {
                        connected.set(connected.get() + 1);
                        connection.close();
                    }
                    Event::Error(error) => panic!("{error}"),
                    _ => {}
                }
                Ok(())
            })
            .expect("to begin");
        assert!(resolver_threads() <= THREADS);
    }
    poll_until(&mut manager, "all to be connected", |_| {
        assert!(resolver_threads() <= THREADS);
        connected.get() == count
    });
}
