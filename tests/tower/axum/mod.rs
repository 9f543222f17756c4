//! What axum's users do, on axum's own server and on ours: the same router, the same assertions.

mod forwarding;
mod hyper_upgrade;
mod middleware;
mod routes;
mod sockets;
mod stops;
mod streams;
mod upgrades;
mod workers;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use axum::Router;
use mongoose::Manager;
use mongoose::tower::Serve;
use mongoose_tests::PATIENCE;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Who serves.
#[derive(Clone, Copy, Debug)]
pub enum Host {
    Axum,
    Mongoose,
}

/// A server on a thread of its own.
pub struct Site {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Has a router served by both, one after the other.
pub fn on_both(make: impl Fn() -> Router, check: impl Fn(&mut Site)) {
    for host in [Host::Axum, Host::Mongoose] {
        println!("on {host:?}");
        check(&mut Site::start(host, make()));
    }
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

impl Site {
    pub fn start(host: Host, router: Router) -> Self {
        let (started, ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime().block_on(async move {
                let stopped = async {
                    // Dropped or sent: both say so.
                    let _ = stopped.await;
                };
                match host {
                    Host::Axum => {
                        let listener = TcpListener::bind("127.0.0.1:0").await.expect("to listen");
                        let address = listener.local_addr().expect("an address");
                        started.send(address).expect("the test to wait");
                        axum::serve(listener, router)
                            .with_graceful_shutdown(stopped)
                            .await
                            .expect("to serve");
                    }
                    Host::Mongoose => {
                        let mut manager = Manager::new().expect("a manager");
                        let listener =
                            manager.http("http://127.0.0.1:0", Serve::new(router)).expect("to listen");
                        started.send(listener.local_addr()).expect("the test to wait");
                        mongoose::tokio::run_until(&mut manager, stopped, PATIENCE).await.expect("to serve");
                    }
                }
            });
        });
        let address = ready.recv().expect("the server to start");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Begins to shut down.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
    }

    /// Waits until it has ended.
    pub fn join(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}
