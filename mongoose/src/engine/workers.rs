//! Several event loops, a thread each, that share ports and nothing else.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::{fmt, panic};

use super::manager::GRACE;
use super::transport::Socket;
use super::{Handle, Manager, Registry, listener};
use crate::Error;
use crate::net::Endpoint;

/// A number of event loops on threads of their own. Each has a listener of its own on the same ports
/// (`SO_REUSEPORT`), among which the system spreads connections: nothing is shared, nothing is locked.
///
/// ```
/// use mongoose::{Workers, http};
///
/// let workers = Workers::builder(2).start(|worker, registry| {
///     let greeting = format!("hello from worker {worker}");
///     registry.http("http://127.0.0.1:0", move |_: http::Request<'_>, reply: http::Reply<'_>| {
///         reply.text(&greeting)
///     })?;
///     Ok(())
/// })?;
/// workers.stop();
/// workers.join()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
pub struct Workers {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<Result<(), Error>>>,
}

/// Makes the listeners and handlers of one worker, on its thread.
type SetUp = dyn Fn(usize, &Registry) -> Result<(), Error> + Send + Sync;

/// Told of a worker's panic.
type OnPanic = dyn Fn(usize, &str) + Send + Sync;

/// Workers to be: [`Workers::builder`] makes one.
#[must_use = "nothing runs before `start`"]
pub struct WorkersBuilder {
    count: usize,
    restart: bool,
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    tokio: bool,
    on_panic: Box<OnPanic>,
}

/// What the threads share while they start and stop.
struct Pool {
    set_up: Box<SetUp>,
    restart: bool,
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    tokio: bool,
    on_panic: Box<OnPanic>,
    ports: Arc<SharedPorts>,
    /// Of the loops that run now, by worker.
    handles: Mutex<Vec<Option<Handle>>>,
    stopping: AtomicBool,
}

impl Workers {
    /// Plans a number of workers: one a core, usually. 0 is taken for the number of cores.
    pub fn builder(count: usize) -> WorkersBuilder {
        let count = if count > 0 { count } else { thread::available_parallelism().map_or(1, usize::from) };
        let on_panic =
            Box::new(|worker: usize, message: &str| eprintln!("worker {worker} panicked: {message}"));
        WorkersBuilder {
            count,
            restart: false,
            #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
            tokio: false,
            on_panic,
        }
    }

    /// Has every worker stop listening, finish what is in flight (for 10 seconds at most) and end.
    pub fn stop(&self) {
        self.pool.stop();
    }

    /// Stops all from anywhere: see [`stop`](Self::stop).
    pub fn stopper(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let pool = Arc::clone(&self.pool);
        move || pool.stop()
    }

    /// The handles of the loops that run now, by worker. A worker that is started again has another one.
    pub fn handles(&self) -> Vec<Handle> {
        self.pool.lock_handles().iter().flatten().cloned().collect()
    }

    /// Waits until all have ended.
    ///
    /// # Errors
    /// The first worker's that ended with one: [`Error::Worker`] after a panic.
    pub fn join(mut self) -> Result<(), Error> {
        self.wait()
    }

    /// Waits for SIGINT or SIGTERM, or until the workers have ended, then [stops](Self::stop) and joins them.
    ///
    /// # Errors
    /// As [`join`](Self::join), and [`Error::Signal`] when signals cannot be caught.
    pub fn run_until_signal(mut self) -> Result<(), Error> {
        let mut manager = Manager::new()?;
        let handle = manager.handle();
        let threads = std::mem::take(&mut self.threads);
        let waiter = thread::spawn(move || {
            let result = join_all(threads);
            handle.stop();
            result
        });
        let waited = manager.run_until_signal();
        self.stop();
        let result = waiter.join().unwrap_or_else(|payload| Err(worker_panic(0, &*payload)));
        waited.and(result)
    }

    fn wait(&mut self) -> Result<(), Error> {
        join_all(std::mem::take(&mut self.threads))
    }
}

impl Drop for Workers {
    /// Stops all and waits for them; an error is lost, so use [`join`](Workers::join).
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.stop();
            let _ = self.wait();
        }
    }
}

impl WorkersBuilder {
    /// Starts a worker again after a panic, with a new event loop; its connections are lost. Default: the worker ends.
    pub fn restart(mut self, restart: bool) -> Self {
        self.restart = restart;
        self
    }

    /// Gives each worker a tokio runtime of its own, of one thread, and runs it within that (feature `tokio`; where there
    /// is epoll): what handlers and services of `tower` do may spawn tasks and use tokio's timers and
    /// sockets, and so may `set_up`.
    ///
    /// ```
    /// use mongoose::{Workers, http};
    ///
    /// let workers = Workers::builder(2).tokio().start(|_, registry| {
    ///     registry.http("http://127.0.0.1:0", |_: http::Request<'_>, reply: http::Reply<'_>| {
    ///         let deferred = reply.defer();
    ///         tokio::spawn(async move {
    ///             tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    ///             deferred.reply().text("hello")
    ///         });
    ///         Ok(())
    ///     })?;
    ///     Ok(())
    /// })?;
    /// workers.stop();
    /// workers.join()?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// A worker whose runtime cannot be made ends with [`Error::Thread`].
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub fn tokio(mut self) -> Self {
        self.tokio = true;
        self
    }

    /// Is told of each panic: the worker's number and what the panic said. Default: a line on standard error.
    pub fn on_panic(mut self, tell: impl Fn(usize, &str) + Send + Sync + 'static) -> Self {
        self.on_panic = Box::new(tell);
        self
    }

    /// Starts the workers. `set_up` gets each one's number and registry, on its thread, to make listeners and handlers:
    /// a URL with port 0 is the same port in all of them.
    ///
    /// # Errors
    /// The first of `set_up`; the workers that ran already are stopped. [`Error::Thread`] when a thread cannot be made.
    pub fn start(
        self,
        set_up: impl Fn(usize, &Registry) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Workers, Error> {
        let pool = Arc::new(Pool {
            set_up: Box::new(set_up),
            restart: self.restart,
            #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
            tokio: self.tokio,
            on_panic: self.on_panic,
            ports: Arc::default(),
            handles: Mutex::new(vec![None; self.count]),
            stopping: AtomicBool::new(false),
        });
        let mut workers = Workers { pool, threads: Vec::with_capacity(self.count) };
        for worker in 0..self.count {
            // One after another: the first finds the ports that the others share.
            let (started, starts) = mpsc::channel();
            let pool = Arc::clone(&workers.pool);
            let thread = thread::Builder::new()
                .name(format!("mongoose-worker-{worker}"))
                .spawn(move || pool.work(worker, &started))
                .map_err(Error::Thread)?;
            workers.threads.push(thread);
            if starts.recv().is_err() {
                // It ended before it ran; its thread has the reason.
                workers.stop();
                return workers.wait().and(Err(Error::Gone)).map(|()| workers);
            }
        }
        Ok(workers)
    }
}

impl Pool {
    /// A worker's thread: one event loop, or another after each panic of one that ran.
    fn work(&self, worker: usize, started: &mpsc::Sender<()>) -> Result<(), Error> {
        loop {
            let ran = Cell::new(false);
            let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| self.run(worker, started, &ran)));
            self.lock_handles()[worker] = None;
            let payload = match ended {
                Ok(result) => return result,
                Err(payload) => payload,
            };
            let message = message_of(&*payload);
            (self.on_panic)(worker, &message);
            if !self.restart || !ran.get() || self.stopping.load(Ordering::Acquire) {
                return Err(Error::Worker { worker, message });
            }
        }
    }

    fn run(&self, worker: usize, started: &mpsc::Sender<()>, ran: &Cell<bool>) -> Result<(), Error> {
        let begin = || {
            let manager = Manager::new()?;
            let _ = manager.registry.core.ports.set(Arc::clone(&self.ports));
            (self.set_up)(worker, &manager)?;
            self.lock_handles()[worker] = Some(manager.handle());
            ran.set(true);
            // Nobody listens the second time.
            let _ = started.send(());
            Ok(manager)
        };
        // A stop that came before the handle was there.
        let stopped = || self.stopping.load(Ordering::Acquire);
        #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
        if self.tokio {
            return crate::tokio::run_worker(begin, stopped, GRACE);
        }
        let mut manager: Manager = begin()?;
        if !stopped() {
            manager.run()?;
        }
        manager.shutdown(GRACE)
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.lock_handles().iter().flatten().for_each(Handle::stop);
    }

    fn lock_handles(&self) -> MutexGuard<'_, Vec<Option<Handle>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join_all(threads: Vec<JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
    let results: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
    // A thread itself panics when `on_panic` does.
    results.into_iter().enumerate().try_for_each(|(worker, result)| {
        result.unwrap_or_else(|payload| Err(worker_panic(worker, &*payload)))
    })
}

fn worker_panic(worker: usize, payload: &(dyn std::any::Any + Send)) -> Error {
    Error::Worker { worker, message: message_of(payload) }
}

fn message_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text").to_owned()
}

/// The ports that the system chose for URLs with port 0: the same for all workers.
#[derive(Debug, Default)]
pub(super) struct SharedPorts {
    chosen: Mutex<HashMap<String, u16>>,
}

impl SharedPorts {
    pub(super) fn bind(
        &self,
        url: &str,
        endpoint: &Endpoint,
        bind: impl FnMut(SocketAddr) -> io::Result<Socket>,
    ) -> io::Result<Socket> {
        if endpoint.port() != 0 {
            return listener::bind_at(endpoint, endpoint.port(), bind);
        }
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        let port = chosen.get(url).copied().unwrap_or(0);
        let socket = listener::bind_at(endpoint, port, bind)?;
        chosen.insert(url.to_owned(), socket.local_addr().map_or(0, |address| address.port()));
        Ok(socket)
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WorkersBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkersBuilder")
            .field("count", &self.count)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}
