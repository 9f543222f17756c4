//! Timers: what ends them, what outlives them, and that the loop does not sleep past them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Error, Manager, Timer};
use mongoose_tests::{PATIENCE, poll_until, scaled};

use crate::harness::{Journal, Noted, Watchdog, settle};

const FAR: Duration = Duration::from_secs(3600);

#[test]
fn hazard_34_a_timer_due_in_10_ms_ends_a_poll_of_far_longer() {
    let mut manager = Manager::new().expect("a manager");
    let fired = Rc::new(Cell::new(0));
    let count = Rc::clone(&fired);
    let timer =
        manager.every(Duration::from_millis(10), move |_| count.set(count.get() + 1)).expect("a timer");
    // Nothing else can end these polls but the watchdog, without a tick.
    let _watchdog = Watchdog::new(&manager);
    for expected in 1..=5 {
        manager.poll(FAR).expect("to poll");
        assert_eq!(fired.get(), expected, "one poll, one tick");
    }
    drop(timer);
    let slow = Rc::new(Cell::new(false));
    let set = Rc::clone(&slow);
    let timer = manager.once(Duration::from_millis(10), move |_| set.set(true)).expect("a timer");
    manager.poll(None).expect("to poll");
    assert!(slow.get());
    assert!(!timer.is_active(), "once is once");
}

#[test]
fn timers_fire_in_the_order_they_are_due_and_once_fires_once() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let timers: Vec<_> = [30, 10, 20, 10, 0]
        .into_iter()
        .enumerate()
        .map(|(number, due)| {
            let log = journal.clone();
            manager
                .once(Duration::from_millis(due), move |_| log.note(format!("{due}/{number}")))
                .expect("a timer")
        })
        .collect();
    poll_until(&mut manager, "the last", |_| journal.has("30/0"));
    settle(&mut manager);
    assert_eq!(journal.take(), ["0/4", "10/1", "10/3", "20/2", "30/0"]);
    assert!(timers.iter().all(|timer| !timer.is_active()));
}

#[test]
fn r11_a_timer_frees_what_it_holds_once_whoever_ends_it() {
    let journal = Journal::default();
    let noted = || Noted(journal.clone(), "freed");
    let freed = |count: usize, what: &str| {
        assert_eq!(journal.count("freed"), count, "{what}");
        journal.take();
    };
    let mut manager = Manager::new().expect("a manager");

    let held = noted();
    let timer = manager.once(FAR, move |_| drop(held)).expect("a timer");
    drop(timer);
    freed(1, "dropped before it was due");

    let held = noted();
    let timer = manager.every(FAR, move |_| _ = &held).expect("a timer");
    timer.cancel();
    freed(1, "cancelled");

    let held = noted();
    let timer = manager.once(Duration::ZERO, move |_| drop(held)).expect("a timer");
    poll_until(&mut manager, "it", |_| !timer.is_active());
    freed(1, "fired");
    drop(timer);
    freed(0, "dropped after it had fired");

    let held = noted();
    let slot: Rc<RefCell<Option<Timer>>> = Rc::default();
    let own = Rc::clone(&slot);
    let calls = Rc::new(Cell::new(0));
    let count = Rc::clone(&calls);
    let timer = manager
        .every(Duration::ZERO, move |_| {
            count.set(count.get() + 1);
            let timer = own.borrow_mut().take().expect("called once");
            assert!(timer.is_active());
            timer.cancel();
            // The closure is still running: what it holds is alive.
            assert_eq!(held.0.count("freed"), 0);
        })
        .expect("a timer");
    slot.replace(Some(timer));
    settle(&mut manager);
    assert_eq!(calls.get(), 1);
    freed(1, "cancelled inside its own call");

    let held = noted();
    manager.every(FAR, move |_| _ = &held).expect("a timer").detach();
    freed(0, "detached");
    let held = noted();
    let timer = manager.once(FAR, move |_| drop(held)).expect("a timer");
    drop(manager);
    freed(2, "dropped with the manager");
    assert!(!timer.is_active());
    drop(timer);
    freed(0, "dropped after the manager");
}

#[test]
fn a_timer_dropped_inside_another_s_call_does_not_fire() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let victim: Rc<RefCell<Option<Timer>>> = Rc::default();
    let (doomed, log) = (Rc::clone(&victim), journal.clone());
    // Both are due in the same turn, the killer first.
    let killer = manager
        .once(Duration::ZERO, move |registry| {
            drop(doomed.borrow_mut().take());
            log.note("killer");
            // In the slot that became free, with a key of its own.
            let late = log.clone();
            registry.once(Duration::ZERO, move |_| late.note("newcomer")).expect("a timer").detach();
        })
        .expect("a timer");
    let log = journal.clone();
    victim.replace(Some(manager.once(Duration::ZERO, move |_| log.note("victim")).expect("a timer")));
    poll_until(&mut manager, "the newcomer", |_| journal.has("newcomer"));
    settle(&mut manager);
    assert_eq!(journal.take(), ["killer", "newcomer"]);
    drop(killer);
}

#[test]
fn a_timer_may_own_another_and_even_itself() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let inner = manager.every(FAR, |_| {}).expect("a timer");
    let noted = Noted(journal.clone(), "freed");
    let outer = manager.every(FAR, move |_| _ = (&inner, &noted)).expect("a timer");
    drop(outer);
    assert_eq!(journal.take(), ["freed"]);
    assert_eq!(manager.timeout(), None, "both are gone");
    // One that owns itself is a cycle; the manager's end breaks it.
    let slot: Rc<RefCell<Option<Timer>>> = Rc::default();
    let own = Rc::clone(&slot);
    let noted = Noted(journal.clone(), "freed");
    let timer = manager.every(Duration::ZERO, move |_| _ = (&own, &noted)).expect("a timer");
    slot.replace(Some(timer));
    drop(slot);
    settle(&mut manager);
    drop(manager);
    assert_eq!(journal.take(), ["freed"]);
}

#[test]
fn a_timer_that_missed_its_ticks_skips_them() {
    let mut manager = Manager::new().expect("a manager");
    let ticks = Rc::new(Cell::new(0u32));
    let count = Rc::clone(&ticks);
    let timer =
        manager.every(Duration::from_millis(1), move |_| count.set(count.get() + 1)).expect("a timer");
    // Another timer, on another loop, lets far more than one period go by.
    let mut other = Manager::new().expect("a manager");
    let waited = Rc::new(Cell::new(false));
    let set = Rc::clone(&waited);
    let pause = other.once(Duration::from_millis(30), move |_| set.set(true)).expect("a timer");
    poll_until(&mut other, "30 ms", |_| waited.get());
    drop(pause);
    manager.poll(Duration::ZERO).expect("to poll");
    assert_eq!(ticks.get(), 1, "one tick for all that were missed");
    drop(timer);
}

#[test]
fn nothing_of_a_timer_outlives_a_million_of_them() {
    let count = scaled(1_000_000);
    let mut manager = Manager::new().expect("a manager");
    let fired = Rc::new(Cell::new(0usize));
    let keep = manager.once(FAR, |_| {}).expect("a timer");
    for number in 0..count {
        let seen = Rc::clone(&fired);
        let due = if number % 100 == 0 { Duration::ZERO } else { FAR };
        let timer = manager.once(due, move |_| seen.set(seen.get() + 1)).expect("a timer");
        if number % 100 == 0 {
            timer.detach();
        } else {
            timer.cancel();
        }
    }
    poll_until(&mut manager, "those that were kept", |_| fired.get() == count.div_ceil(100));
    assert_eq!(Rc::strong_count(&fired), 1, "all closures are freed");
    assert!(keep.is_active());
    assert!(manager.timeout().is_some_and(|timeout| timeout > PATIENCE));
}

#[test]
fn invariant_12_no_timer_is_set_while_the_manager_is_dropped() {
    let mut manager = Manager::new().expect("a manager");
    let refused = Rc::new(Cell::new(0));
    let count = Rc::clone(&refused);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &mongoose::Connection<'_>, event: mongoose::Event<'_>| {
            if let mongoose::Event::Close = event {
                let timer = connection.registry().once(Duration::ZERO, |_| {});
                count.set(count.get() + u32::from(matches!(timer, Err(Error::ShuttingDown))));
            }
            Ok(())
        })
        .expect("to listen");
    let _peers = crate::harness::connect_many(&mut manager, listener.local_addr(), 2);
    drop(manager);
    assert_eq!(refused.get(), 2);
}
