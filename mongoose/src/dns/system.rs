//! The system's resolver (`getaddrinfo`) on helper threads. It blocks, and nothing can interrupt it: who no longer wants
//! an answer is not waited for, and a bounded number of threads serves all managers of the process. A thread that hangs in
//! what nobody wants any more takes no other lookup's place.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::engine::Answer;

/// Lookups that are under way at a time, and that somebody wants.
const LOOKUPS: usize = 8;

/// Threads in all. What a slow name server makes hang is that many, where those who asked have given up.
const THREADS: usize = 64;

/// Lookups that wait for a thread before those that nobody wants any more are taken out.
const PRUNE_MIN: usize = 64;

static POOL: Pool<Answer> = Pool::new(|host, answer| {
    let addresses = |host| (host, 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
    answer.give(host.and_then(addresses));
});

/// Asks the system, soon. The lookup is given up when what this answers is dropped.
pub(crate) fn look_up(host: &str, answer: Answer) -> Hold<Answer> {
    POOL.submit(host, answer)
}

/// Wants a lookup for as long as it lives.
pub(crate) struct Hold<A: Send + 'static> {
    pool: &'static Pool<A>,
    wanted: Option<Arc<()>>,
}

impl<A: Send + 'static> Drop for Hold<A> {
    fn drop(&mut self) {
        drop(self.wanted.take());
        // Should it hang, whatever waited for its place has it now.
        let _ = self.pool.start_more(&mut self.pool.lock());
    }
}

/// Threads that come when there is work and go when there is none.
struct Pool<A> {
    state: Mutex<State<A>>,
    /// What may block, or is told why there is no thread to do it on.
    work: fn(io::Result<&str>, A),
}

struct State<A> {
    queue: VecDeque<Job<A>>,
    threads: usize,
    /// The lookups that threads are at. A thread that is at none comes to one.
    under_way: Vec<Weak<()>>,
    /// At how many waiting jobs it is worth to look for those that nobody wants.
    prune_at: usize,
}

struct Job<A> {
    host: String,
    answer: A,
    wanted: Weak<()>,
}

impl<A: Send + 'static> Pool<A> {
    const fn new(work: fn(io::Result<&str>, A)) -> Self {
        let state = State { queue: VecDeque::new(), threads: 0, under_way: Vec::new(), prune_at: PRUNE_MIN };
        Self { state: Mutex::new(state), work }
    }

    fn submit(&'static self, host: &str, answer: A) -> Hold<A> {
        let wanted = Arc::new(());
        let job = Job { host: host.to_owned(), answer, wanted: Arc::downgrade(&wanted) };
        let mut state = self.lock();
        let unwanted = state.prune();
        state.queue.push_back(job);
        if let Err(error) = self.start_more(&mut state)
            // Those that are there will come to it.
            && state.threads == 0
            && let Some(job) = state.queue.pop_back()
        {
            drop(state);
            (self.work)(Err(error), job.answer);
        } else {
            drop(state);
        }
        // An answer may do something when it is dropped.
        drop(unwanted);
        Hold { pool: self, wanted: Some(wanted) }
    }

    /// Starts a thread, where one is of use.
    fn start_more(&'static self, state: &mut State<A>) -> io::Result<()> {
        if state.needs_thread() {
            let builder = std::thread::Builder::new().name("mongoose-resolver".to_owned());
            builder.spawn(move || self.run())?;
            state.threads += 1;
        }
        Ok(())
    }

    /// Works for as long as there is something to do. To start a thread costs a fraction of a lookup.
    fn run(&self) {
        let mut state = self.lock();
        while let Some(Job { host, answer, wanted }) = state.next() {
            drop(state);
            if wanted.strong_count() > 0 {
                (self.work)(Ok(&host), answer);
            } else {
                drop(answer);
            }
            state = self.lock();
            state.under_way.retain(|other| !other.ptr_eq(&wanted));
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> State<A> {
    /// How many lookups are under way that somebody wants.
    fn wanted(&self) -> usize {
        self.under_way.iter().filter(|wanted| wanted.strong_count() > 0).count()
    }

    /// Whether one more thread would have something to do, and may be.
    fn needs_thread(&self) -> bool {
        let coming = self.threads - self.under_way.len();
        coming < self.queue.len() && coming + self.wanted() < LOOKUPS && self.threads < THREADS
    }

    /// What a thread is to do next. Nothing, where enough others are at work: they come to what waits.
    fn next(&mut self) -> Option<Job<A>> {
        if self.wanted() >= LOOKUPS {
            return None;
        }
        let job = self.queue.pop_front()?;
        self.under_way.push(Weak::clone(&job.wanted));
        Some(job)
    }

    /// Takes out the jobs that nobody wants, where there may be many: a constant cost for each job in the long run. They
    /// are answered, for the caller to drop with no lock held.
    fn prune(&mut self) -> Vec<Job<A>> {
        if self.queue.len() < self.prune_at {
            return Vec::new();
        }
        let (wanted, unwanted): (VecDeque<_>, VecDeque<_>) =
            self.queue.drain(..).partition(|job| job.wanted.strong_count() > 0);
        self.queue = wanted;
        self.prune_at = PRUNE_MIN.max(2 * self.queue.len());
        unwanted.into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// What a job of these tests does: says that it has begun, and waits to be let go.
    struct Gate {
        begun: Sender<String>,
        go: Arc<Mutex<Receiver<()>>>,
    }

    fn pass(host: io::Result<&str>, gate: Gate) {
        gate.begun.send(host.expect("a thread").to_owned()).expect("the test listens");
        gate.go.lock().expect("no panic").recv().expect("to be let go");
    }

    #[test]
    fn a_bounded_number_of_lookups_is_under_way_and_the_others_have_their_turn() {
        static POOL: Pool<Gate> = Pool::new(pass);
        let (begun, beginnings) = mpsc::channel();
        let (let_go, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let gate = || Gate { begun: begun.clone(), go: Arc::clone(&go) };
        let holds: Vec<_> = (0..3 * LOOKUPS).map(|number| POOL.submit(&number.to_string(), gate())).collect();
        for _ in 0..LOOKUPS {
            beginnings.recv_timeout(PATIENCE).expect("to begin");
        }
        assert!(beginnings.try_recv().is_err(), "more than {LOOKUPS} at a time");
        assert_eq!(POOL.lock().threads, LOOKUPS);
        for _ in 0..2 * LOOKUPS {
            let_go.send(()).expect("somebody waits");
            beginnings.recv_timeout(PATIENCE).expect("another to begin");
        }
        assert_eq!(POOL.lock().threads, LOOKUPS);
        drop(holds);
        (0..LOOKUPS).for_each(|_| let_go.send(()).expect("somebody waits"));
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_looked_up_and_does_not_pile_up() {
        static POOL: Pool<Gate> = Pool::new(pass);
        let (begun, beginnings) = mpsc::channel();
        let (let_go, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let gate = || Gate { begun: begun.clone(), go: Arc::clone(&go) };
        let _held: Vec<_> = (0..LOOKUPS).map(|_| POOL.submit("slow", gate())).collect();
        for _ in 0..LOOKUPS {
            assert_eq!(beginnings.recv_timeout(PATIENCE).expect("to begin"), "slow");
        }
        for _ in 0..10_000 {
            drop(POOL.submit("unwanted", gate()));
            assert!(POOL.lock().queue.len() <= 2 * PRUNE_MIN);
        }
        let _wanted = POOL.submit("wanted", gate());
        let_go.send(()).expect("somebody waits");
        assert_eq!(beginnings.recv_timeout(PATIENCE).expect("to begin"), "wanted");
        (0..LOOKUPS).for_each(|_| let_go.send(()).expect("somebody waits"));
    }

    #[test]
    fn lookups_that_hang_and_that_nobody_wants_take_nobodys_place() {
        static POOL: Pool<Gate> = Pool::new(pass);
        let (begun, beginnings) = mpsc::channel();
        let (let_go, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let gate = || Gate { begun: begun.clone(), go: Arc::clone(&go) };
        let begins = || beginnings.recv_timeout(PATIENCE).expect("to begin");
        // These wait for those that hang, until nobody wants them.
        let hanging: Vec<_> = (0..LOOKUPS).map(|_| POOL.submit("hanging", gate())).collect();
        (0..LOOKUPS).for_each(|_| assert_eq!(begins(), "hanging"));
        let mut held: Vec<_> = (0..LOOKUPS).map(|_| POOL.submit("wanted", gate())).collect();
        assert!(beginnings.try_recv().is_err(), "more than {LOOKUPS} at a time");
        for (count, hold) in hanging.into_iter().enumerate() {
            assert_eq!(POOL.lock().threads, LOOKUPS + count);
            drop(hold);
            assert_eq!(begins(), "wanted");
        }
        // There is a bound.
        for _ in 2 * LOOKUPS..THREADS {
            held.push(POOL.submit("more", gate()));
            drop(held.swap_remove(0));
            begins();
        }
        assert_eq!(POOL.lock().threads, THREADS);
        held.clear();
        let last = POOL.submit("last", gate());
        assert!(beginnings.try_recv().is_err(), "more than {THREADS} threads");
        assert_eq!(POOL.lock().threads, THREADS);
        let_go.send(()).expect("somebody waits");
        assert_eq!(begins(), "last");
        (0..THREADS).for_each(|_| let_go.send(()).expect("somebody waits"));
        drop(last);
    }
}
