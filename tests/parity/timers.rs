//! R11: timers free themselves exactly once, whoever ends first.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use mongoose::{Manager, Registry, Timer};
use mongoose_tests::{poll_until, scaled};

const SOON: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(100_000);

/// Counts its drops.
struct Guard(Rc<Cell<usize>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

type Counter = Rc<Cell<usize>>;

/// Counters of drops and of calls, and the closure that they count.
fn counted() -> (Counter, Counter, impl FnMut(&Registry) + 'static) {
    let (dropped, called) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (guard, count) = (Guard(Rc::clone(&dropped)), Rc::clone(&called));
    let call = move |_: &Registry| {
        let _held = &guard;
        count.set(count.get() + 1);
    };
    (dropped, called, call)
}

#[test]
fn r11_a_timer_that_fired_is_freed_once_and_inactive() {
    let mut manager = Manager::new().expect("a manager");
    let (dropped, called, call) = counted();
    let timer = manager.once(SOON, call).expect("a timer");
    assert!(timer.is_active());
    poll_until(&mut manager, "the timer", |_| called.get() == 1);
    assert_eq!(dropped.get(), 1, "freed when it has fired");
    assert!(!timer.is_active());
    drop(timer);
    drop(manager);
    assert_eq!((called.get(), dropped.get()), (1, 1));
}

#[test]
fn r11_a_timer_cancelled_before_it_fires_is_freed_once() {
    let manager = Manager::new().expect("a manager");
    for cancel in [Timer::cancel as fn(Timer), drop] {
        let (dropped, called, call) = counted();
        cancel(manager.every(NEVER, call).expect("a timer"));
        assert_eq!((called.get(), dropped.get()), (0, 1));
    }
}

#[test]
fn r11_a_timer_that_cancels_itself_is_freed_once_and_not_called_again() {
    let mut manager = Manager::new().expect("a manager");
    let own: Rc<RefCell<Option<Timer>>> = Rc::default();
    let (dropped, called, mut call) = counted();
    let (itself, check) = (Rc::clone(&own), Rc::clone(&dropped));
    let timer = manager.every(SOON, move |registry| {
        if let Some(timer) = itself.take() {
            timer.cancel();
        }
        assert_eq!(check.get(), 0, "not freed while it runs");
        call(registry);
    });
    *own.borrow_mut() = Some(timer.expect("a timer"));
    poll_until(&mut manager, "the timer to be freed", |_| dropped.get() == 1);
    assert_eq!(called.get(), 1);
    drop(manager);
    assert_eq!((called.get(), dropped.get()), (1, 1));
}

#[test]
fn r11_a_timer_cancelled_by_another_that_is_due_with_it_is_freed_once_and_not_called() {
    let mut manager = Manager::new().expect("a manager");
    let (dropped, called, call) = counted();
    let other: Rc<RefCell<Option<Timer>>> = Rc::default();
    let cancels = Rc::clone(&other);
    let first = manager.once(Duration::ZERO, move |_| drop(cancels.take())).expect("a timer");
    *other.borrow_mut() = Some(manager.once(Duration::ZERO, call).expect("a timer"));
    poll_until(&mut manager, "the first", |_| !first.is_active());
    manager.poll(Duration::ZERO).expect("to poll");
    assert_eq!((called.get(), dropped.get()), (0, 1));
}

#[test]
fn a_timer_may_begin_with_the_next_turn() {
    let mut manager = Manager::new().expect("a manager");
    let (_, once, call) = counted();
    let rare = manager.now_and_every(NEVER, call).expect("a timer");
    assert_eq!(once.get(), 0, "not before the turn");
    manager.poll(NEVER).expect("to poll");
    assert_eq!(once.get(), 1);
    assert!(rare.is_active());
    let (_, often, call) = counted();
    manager.now_and_every(SOON, call).expect("a timer").detach();
    poll_until(&mut manager, "three ticks", |_| often.get() >= 3);
    assert_eq!(once.get(), 1);
}

#[test]
fn r11_a_detached_timer_goes_on_until_its_manager_ends() {
    let mut manager = Manager::new().expect("a manager");
    let (dropped, called, call) = counted();
    manager.every(SOON, call).expect("a timer").detach();
    poll_until(&mut manager, "three ticks", |_| called.get() >= 3);
    assert_eq!(dropped.get(), 0);
    drop(manager);
    assert_eq!(dropped.get(), 1);
}

#[test]
fn r11_a_timer_that_outlives_its_manager_was_freed_with_it() {
    let manager = Manager::new().expect("a manager");
    let (dropped, called, call) = counted();
    let timer = manager.every(SOON, call).expect("a timer");
    drop(manager);
    assert_eq!((called.get(), dropped.get()), (0, 1));
    assert!(!timer.is_active());
    timer.cancel();
    assert_eq!(dropped.get(), 1);
}

#[test]
fn r11_what_is_posted_while_a_timer_is_freed_with_its_manager_is_freed_too() {
    struct Posts(mongoose::Handle, Arc<AtomicUsize>);
    impl Drop for Posts {
        fn drop(&mut self) {
            let guard = Arc::clone(&self.1);
            // Queued or refused, it never runs.
            let _ = self.0.post(move |_| unreachable!("{guard:?}"));
        }
    }
    let manager = Manager::new().expect("a manager");
    let held = Arc::new(AtomicUsize::new(0));
    let posts = Posts(manager.handle(), Arc::clone(&held));
    let kept = manager.every(NEVER, move |_| assert!(Arc::strong_count(&posts.1) > 0)).expect("a timer");
    kept.detach();
    drop(manager);
    assert_eq!(Arc::strong_count(&held), 1, "nothing holds it any more");
}

#[test]
fn r11_timers_fire_in_the_order_they_are_due() {
    let mut manager = Manager::new().expect("a manager");
    let order: Rc<RefCell<Vec<u64>>> = Rc::default();
    for milliseconds in [5, 3, 4, 1, 2] {
        let note = Rc::clone(&order);
        let delay = Duration::from_millis(milliseconds);
        manager.once(delay, move |_| note.borrow_mut().push(milliseconds)).expect("a timer").detach();
    }
    poll_until(&mut manager, "all five", |_| order.borrow().len() == 5);
    assert_eq!(*order.borrow(), [1, 2, 3, 4, 5]);
}

#[test]
fn r11_10_000_timers_set_and_cancelled_in_callbacks_leave_nothing() {
    let mut manager = Manager::new().expect("a manager");
    let (dropped, count) = (Rc::new(Cell::new(0)), scaled(10_000));
    let made = Rc::new(Cell::new(0));
    let (guards, number) = (Rc::clone(&dropped), Rc::clone(&made));
    let driver = manager.every(Duration::from_micros(100), move |registry| {
        for _ in 0..100.min(count - number.get()) {
            number.set(number.get() + 1);
            let guard = Guard(Rc::clone(&guards));
            let timer = registry.once(SOON, move |_| drop(guard)).expect("a timer");
            if number.get() % 2 == 0 { timer.detach() } else { timer.cancel() }
        }
    });
    let driver = driver.expect("a timer");
    poll_until(&mut manager, "all timers", |_| dropped.get() == count);
    drop(driver);
    assert_eq!(manager.timeout(), None, "nothing is due any more");
}
