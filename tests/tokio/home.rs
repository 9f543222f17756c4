//! A loop on a thread of its own, driven within a runtime, and what the tests' tasks run on.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use mongoose::http::Client;
use mongoose::tokio::HttpClient;
use mongoose::{Handle, Limits, Manager};
use mongoose_tests::PATIENCE;
use tokio::runtime::{Builder, Runtime};

/// A runtime of two threads.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Waits for something in time.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

/// A manager that nobody but tasks uses. It runs until it is dropped.
pub struct Home {
    pub handle: Handle,
    pub client: HttpClient,
    thread: Option<JoinHandle<()>>,
}

impl Home {
    pub fn new() -> Self {
        Self::within(Limits::default())
    }

    /// With limits of choice for the client.
    pub fn within(limits: Limits) -> Self {
        let (started, ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            let mut manager = Manager::new().expect("a manager");
            let client = HttpClient::new(&manager, Client::within(&manager, limits));
            started.send((manager.handle(), client)).expect("the test to wait");
            runtime.block_on(mongoose::tokio::run(&mut manager)).expect("to run");
        });
        let (handle, client) = ready.recv().expect("a manager");
        Self { handle, client, thread: Some(thread) }
    }

    /// Bytes that the loop has received, and the connections it has.
    pub async fn stats(&self) -> mongoose::Stats {
        let (tell, told) = tokio::sync::oneshot::channel();
        let ask = move |registry: &mongoose::Registry| {
            // Nobody waits any more when the test has failed meanwhile.
            let _ = tell.send(registry.stats());
        };
        self.handle.post(ask).expect("a manager");
        soon(told).await.expect("a manager")
    }

    /// Waits until the loop has as many connections.
    pub async fn until_connections(&self, count: u64) {
        soon(async {
            while self.stats().await.connections != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// A socket that listens, and the URL of its scheme that leads there.
pub fn listen(scheme: &str) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("{scheme}://{}/", listener.local_addr().expect("bound"));
    (listener, url)
}

/// The next connection, and a peer of raw bytes at its other end.
pub fn accept(listener: &TcpListener) -> mongoose_tests::Client {
    let (stream, _): (TcpStream, _) = listener.accept().expect("a connection");
    stream.into()
}
