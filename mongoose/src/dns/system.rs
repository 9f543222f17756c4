//! The system's resolver (`getaddrinfo`) on helper threads. It blocks, and nothing can interrupt it: who no longer wants
//! an answer is not waited for, and a bounded number of threads serves all managers of the process.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::engine::Answer;

/// Lookups that are under way at a time. What a slow name server makes hang is that many threads.
const THREADS: usize = 8;

/// Lookups that wait for a thread before those that nobody wants any more are taken out.
const PRUNE_MIN: usize = 64;

static POOL: Pool<Answer> = Pool::new(|host, answer| {
    let addresses = |host| (host, 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
    answer.give(host.and_then(addresses));
});

/// Asks the system, soon. The lookup is given up when what this answers is dropped.
pub(crate) fn look_up(host: &str, answer: Answer) -> Arc<()> {
    POOL.submit(host, answer)
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
        let state = State { queue: VecDeque::new(), threads: 0, prune_at: PRUNE_MIN };
        Self { state: Mutex::new(state), work }
    }

    fn submit(&'static self, host: &str, answer: A) -> Arc<()> {
        let hold = Arc::new(());
        let job = Job { host: host.to_owned(), answer, wanted: Arc::downgrade(&hold) };
        let mut state = self.lock();
        let unwanted = state.prune();
        state.queue.push_back(job);
        if state.threads < THREADS {
            match self.start() {
                Ok(()) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    if let Some(job) = state.queue.pop_back() {
                        drop(state);
                        (self.work)(Err(error), job.answer);
                    }
                    return hold;
                }
                // Those that are there will come to it.
                Err(_) => {}
            }
        }
        drop(state);
        // An answer may do something when it is dropped.
        drop(unwanted);
        hold
    }

    fn start(&'static self) -> io::Result<()> {
        let builder = std::thread::Builder::new().name("mongoose-resolver".to_owned());
        builder.spawn(move || self.run()).map(|_thread| ())
    }

    /// Works for as long as there is something to do. To start a thread costs a fraction of a lookup.
    fn run(&self) {
        let mut state = self.lock();
        while let Some(job) = state.queue.pop_front() {
            drop(state);
            if job.wanted.strong_count() > 0 {
                (self.work)(Ok(&job.host), job.answer);
            }
            state = self.lock();
        }
        state.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> State<A> {
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
        let holds: Vec<_> = (0..3 * THREADS).map(|number| POOL.submit(&number.to_string(), gate())).collect();
        for _ in 0..THREADS {
            beginnings.recv_timeout(PATIENCE).expect("to begin");
        }
        assert!(beginnings.try_recv().is_err(), "more than {THREADS} at a time");
        assert_eq!(POOL.lock().threads, THREADS);
        for _ in 0..2 * THREADS {
            let_go.send(()).expect("somebody waits");
            beginnings.recv_timeout(PATIENCE).expect("another to begin");
        }
        assert_eq!(POOL.lock().threads, THREADS);
        drop(holds);
        (0..THREADS).for_each(|_| let_go.send(()).expect("somebody waits"));
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_looked_up_and_does_not_pile_up() {
        static POOL: Pool<Gate> = Pool::new(pass);
        let (begun, beginnings) = mpsc::channel();
        let (let_go, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let gate = || Gate { begun: begun.clone(), go: Arc::clone(&go) };
        let _held: Vec<_> = (0..THREADS).map(|_| POOL.submit("slow", gate())).collect();
        for _ in 0..THREADS {
            assert_eq!(beginnings.recv_timeout(PATIENCE).expect("to begin"), "slow");
        }
        for _ in 0..10_000 {
            drop(POOL.submit("unwanted", gate()));
            assert!(POOL.lock().queue.len() <= 2 * PRUNE_MIN);
        }
        let _wanted = POOL.submit("wanted", gate());
        let_go.send(()).expect("somebody waits");
        assert_eq!(beginnings.recv_timeout(PATIENCE).expect("to begin"), "wanted");
        (0..THREADS).for_each(|_| let_go.send(()).expect("somebody waits"));
    }
}
