//! A manager on a thread of its own.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use mongoose::{Error, Handle, Limits, Listener, Manager, Registry, http};

use crate::{Client, PATIENCE};

/// Runs until it is dropped; a panic of its thread is one of the test.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Reaches it.
    pub handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a manager, which `set_up` has listen on a port of the system's choice.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(set_up: impl FnOnce(&Manager) -> Result<Listener, Error> + Send + 'static) -> Self {
        let (started, ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut manager = Manager::new().expect("a manager");
            let listener = set_up(&manager).expect("to listen");
            started.send((listener.local_addr(), manager.handle())).expect("the test to wait");
            manager.run().expect("to run");
        });
        let (address, handle) = ready.recv().expect("the server to start");
        Self { address, handle, thread: Some(thread) }
    }

    /// Serves HTTP with a handler made on the server's thread.
    pub fn http<H: http::Handler>(make: impl FnOnce() -> H + Send + 'static) -> Self {
        Self::start(move |manager| manager.http("http://127.0.0.1:0", make()))
    }

    /// Serves HTTP within limits of choice.
    pub fn http_within<H: http::Handler>(limits: Limits, make: impl FnOnce() -> H + Send + 'static) -> Self {
        Self::start(move |manager| manager.listener("http://127.0.0.1:0").limits(limits).http(make()))
    }

    /// Runs a closure on the server's thread and waits for its answer.
    ///
    /// # Panics
    /// When the server is gone.
    pub fn ask<T: Send + 'static>(&self, ask: impl FnOnce(&Registry) -> T + Send + 'static) -> T {
        let (answer, answered) = mpsc::channel();
        let ask = move |registry: &Registry| {
            // Nobody waits any more when the test has failed meanwhile.
            let _ = answer.send(ask(registry));
        };
        self.handle.post(ask).expect("a server that is there");
        answered.recv_timeout(PATIENCE).expect("a server that answers")
    }

    /// Sends pieces so that the server reads each by itself. Meanwhile no other client sends.
    pub fn feed<'p>(&self, client: &mut Client, pieces: impl IntoIterator<Item = &'p [u8]>) {
        let mut total = self.ask(|registry| registry.stats().received);
        for piece in pieces {
            client.send(piece);
            total += piece.len() as u64;
            self.wait_until("the server to read a piece", move |registry| registry.stats().received >= total);
        }
    }

    /// Waits until a condition holds on the server's thread.
    ///
    /// # Panics
    /// When it does not hold in time.
    pub fn wait_until(&self, what: &str, condition: impl Fn(&Registry) -> bool + Copy + Send + 'static) {
        let end = Instant::now() + PATIENCE;
        while !self.ask(condition) {
            assert!(Instant::now() < end, "waited in vain for: {what}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
