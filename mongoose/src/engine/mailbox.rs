//! A queue from any thread to one, and when that one has to be woken.

use std::collections::VecDeque;
use std::sync::PoisonError;
#[cfg(not(all(loom, test)))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

// Under the model checker each step of these is one that other threads may come between.
#[cfg(all(loom, test))]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

/// What many threads put in and one takes out. The reader is woken for the first message since it last looked: it takes
/// all of them.
pub(super) struct Mailbox<T> {
    queue: Mutex<Queue<T>>,
    /// Something was queued since the reader last looked.
    pending: AtomicBool,
}

struct Queue<T> {
    messages: VecDeque<T>,
    open: bool,
}

impl<T> Mailbox<T> {
    pub(super) fn new() -> Self {
        Self {
            queue: Mutex::new(Queue { messages: VecDeque::new(), open: true }),
            pending: AtomicBool::new(false),
        }
    }

    /// Queues a message, and has the reader woken if nobody has yet. One that comes too late is given back.
    pub(super) fn push(&self, message: T, wake: impl FnOnce()) -> Result<(), T> {
        {
            let mut queue = self.lock();
            if !queue.open {
                return Err(message);
            }
            queue.messages.push_back(message);
        }
        // Behind the message: a reader who sees the mark sees the message too.
        if !self.pending.swap(true, Ordering::AcqRel) {
            wake();
        }
        Ok(())
    }

    /// Moves what is queued behind `messages`.
    pub(super) fn take(&self, messages: &mut VecDeque<T>) {
        // Before the messages: whoever queues one after they are taken finds no mark, and wakes.
        if self.pending.swap(false, Ordering::AcqRel) {
            let mut queue = self.lock();
            if messages.is_empty() {
                std::mem::swap(messages, &mut queue.messages);
            } else {
                messages.append(&mut queue.messages);
            }
        }
    }

    /// Takes no more; answers what was queued, for the caller to drop with no lock held.
    pub(super) fn close(&self) -> VecDeque<T> {
        let mut queue = self.lock();
        queue.open = false;
        std::mem::take(&mut queue.messages)
    }

    /// How much waits to be taken.
    pub(super) fn len(&self) -> usize {
        self.lock().messages.len()
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every order in which the threads may run with three preemptions, and all that the memory model lets them see:
/// `cargo xtask sanitize loom`.
#[cfg(all(loom, test))]
mod model {
    use loom::sync::{Arc, Condvar};
    use loom::thread;

    use super::*;

    /// As the notifier in a selector: it ends the wait that runs, or the next one, and is reset by that.
    struct Bell {
        rung: Mutex<bool>,
        ringing: Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.rung.lock().expect("no panic") = true;
            self.ringing.notify_one();
        }

        fn wait(&self) {
            let mut rung = self.rung.lock().expect("no panic");
            while !*rung {
                rung = self.ringing.wait(rung).expect("no panic");
            }
            *rung = false;
        }
    }

    type Shared = Arc<(Mailbox<(usize, usize)>, Bell)>;

    fn check(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        // Faults of such queues need two or three; without a bound it takes hours.
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    /// A thread that puts in `count` messages, and answers how many were taken.
    fn writer(shared: &Shared, name: usize, count: usize) -> thread::JoinHandle<usize> {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let push = |number: &usize| shared.0.push((name, *number), || shared.1.ring()).is_ok();
            (0..count).filter(push).count()
        })
    }

    fn shared() -> Shared {
        let bell = Bell { rung: Mutex::new(false), ringing: Condvar::new() };
        Arc::new((Mailbox::new(), bell))
    }

    /// A lost wake-up leaves the reader waiting for ever, which loom reports as a deadlock.
    #[test]
    fn hazard_11_no_message_waits_for_a_reader_that_sleeps() {
        check(|| {
            let shared = shared();
            let writers = [writer(&shared, 0, 2), writer(&shared, 1, 1)];
            let mut taken = VecDeque::new();
            while taken.len() < 3 {
                shared.1.wait();
                shared.0.take(&mut taken);
            }
            let of =
                |name: usize| taken.iter().filter(move |message| message.0 == name).map(|message| message.1);
            assert!(of(0).eq([0, 1]) && of(1).eq([0]), "each once and in order: {taken:?}");
            for writer in writers {
                writer.join().expect("no panic");
            }
            assert_eq!(shared.0.len(), 0);
        });
    }

    #[test]
    fn what_comes_while_it_is_closed_is_kept_or_given_back() {
        check(|| {
            let shared = shared();
            let writers = [writer(&shared, 0, 2), writer(&shared, 1, 1)];
            let mut taken = VecDeque::new();
            shared.0.take(&mut taken);
            taken.extend(shared.0.close());
            let accepted: usize = writers.into_iter().map(|writer| writer.join().expect("no panic")).sum();
            assert_eq!(taken.len(), accepted);
            assert_eq!(shared.0.len(), 0, "nothing is put in behind the end");
        });
    }

    /// As `Manager`'s drop does beside a thread that holds the last handle: whoever is last frees, and nobody frees twice.
    #[test]
    fn what_is_in_flight_at_the_end_is_dropped_once() {
        check(|| {
            let mailbox = Arc::new(Mailbox::<Arc<()>>::new());
            let counted = Arc::new(());
            let posting = {
                let (mailbox, message) = (Arc::clone(&mailbox), Arc::clone(&counted));
                thread::spawn(move || drop(mailbox.push(message, || {})))
            };
            drop(mailbox.close());
            posting.join().expect("no panic");
            drop(mailbox);
            assert_eq!(Arc::strong_count(&counted), 1);
        });
    }
}
