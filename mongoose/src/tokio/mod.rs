//! A manager within a tokio runtime (feature `tokio`; where there is epoll).
//!
//! [`run`] drives it by its descriptor and its next deadline: no thread, and no turn without something to do. What
//! handlers do runs within the runtime, so that they may spawn tasks, and the futures of `tower` services may use timers,
//! sockets and drivers of databases.
//!
//! Several of them, a thread and a runtime each, are [`Workers`](crate::Workers):
//! [`WorkersBuilder::tokio`](crate::WorkersBuilder::tokio).
//!
//! A manager lives on one thread, so the future is not `Send`: it is for `block_on`, of whatever runtime, or a `LocalSet`.
//! The runtime needs I/O and time to be enabled.
//!
//! Tasks, on that thread and on others, reach the loop by an [`HttpClient`], a [`WebSocket`] or an [`MqttClient`]. What they wait for is bounded: a task that
//! takes nothing holds its peer back. Dropping a future gives up what it stood for.
//!
//! ```
//! use mongoose::{Manager, http};
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(mongoose::Error::handler)?;
//! runtime.block_on(async {
//!     let mut manager = Manager::new()?;
//!     manager.http("http://127.0.0.1:0", |_: http::Request<'_>, reply: http::Reply<'_>| {
//!         let deferred = reply.defer();
//!         tokio::spawn(async move {
//!             tokio::time::sleep(std::time::Duration::from_millis(10)).await;
//!             deferred.reply().text("hello")
//!         });
//!         Ok(())
//!     })?;
//!     # let handle = manager.handle();
//!     # tokio::spawn(async move { handle.stop() });
//!     mongoose::tokio::run(&mut manager).await
//! })?;
//! # Ok::<(), mongoose::Error>(())
//! ```

pub(crate) mod inbox;
mod mqtt;
mod websocket;

use std::future::{Future, pending, poll_fn};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use ::tokio::runtime::Builder;
use ::tokio::task::yield_now;
use ::tokio::time::{Instant, Sleep, sleep_until};

use crate::ffi::watch_readable;
pub use crate::http::client::{HttpClient, StreamedResponse};
use crate::{Error, Manager};
pub use mqtt::{MqttClient, MqttMessages};
pub use websocket::{WebSocket, WebSocketHandler, WebSocketSender};

/// Polls a manager until [`Handle::stop`](crate::Handle::stop), as [`Manager::run`] does. Dropping the future leaves the
/// manager where it is: it may be run again.
///
/// # Errors
/// As [`Manager::poll`]; [`Error::Selector`] when the runtime cannot watch the descriptor.
///
/// # Panics
/// As [`Manager::poll`]; and outside of a runtime with I/O and time.
pub async fn run(manager: &mut Manager) -> Result<(), Error> {
    Driver::new(manager)?.run_until(pending::<()>()).await
}

/// Polls a manager until a future is ready or [`Handle::stop`](crate::Handle::stop), then shuts it down as
/// [`Manager::shutdown`] does.
///
/// ```no_run
/// # async fn serve(mut manager: mongoose::Manager) -> Result<(), mongoose::Error> {
/// // With the feature `signal` of tokio.
/// # mod signal { pub async fn ctrl_c() {} }
/// mongoose::tokio::run_until(&mut manager, signal::ctrl_c(), std::time::Duration::from_secs(10)).await
/// # }
/// ```
///
/// # Errors
/// # Panics
/// As [`run`].
pub async fn run_until<F: Future>(manager: &mut Manager, end: F, grace: Duration) -> Result<(), Error> {
    let mut driver = Driver::new(manager)?;
    driver.run_until(end).await?;
    driver.shut_down(grace).await
}

/// Runs a worker's manager on a runtime of its own until it is stopped, then shuts it down.
pub(crate) fn run_worker(
    begin: impl FnOnce() -> Result<Manager, Error>,
    stopped: impl Fn() -> bool,
    grace: Duration,
) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    // Also while handlers are made, and while they are dropped with the manager.
    let _entered = runtime.enter();
    let mut manager = begin()?;
    let stopped = poll_fn(|_| if stopped() { Poll::Ready(()) } else { Poll::Pending });
    runtime.block_on(run_until(&mut manager, stopped, grace))
}

/// A manager and what the runtime watches for it.
struct Driver<'m> {
    manager: &'m mut Manager,
    descriptor: AsyncFd<OwnedFd>,
    /// Rings when the manager's next deadline is due, or before.
    timer: Timer,
}

impl<'m> Driver<'m> {
    fn new(manager: &'m mut Manager) -> Result<Self, Error> {
        let descriptor = manager.as_fd().try_clone_to_owned().map_err(Error::Selector)?;
        let descriptor = watch_readable(descriptor).map_err(Error::Selector)?;
        Ok(Self { manager, descriptor, timer: Timer::Never })
    }

    async fn run_until<F: Future>(&mut self, end: F) -> Result<(), Error> {
        let mut end = pin!(end);
        while !self.manager.take_stop() {
            if self.turn(|context| end.as_mut().poll(context).is_ready()).await? {
                break;
            }
        }
        Ok(())
    }

    async fn shut_down(&mut self, grace: Duration) -> Result<(), Error> {
        // `None`: for ever.
        let mut end = Instant::now().checked_add(grace).map(|end| Box::pin(sleep_until(end)));
        self.manager.begin_shutdown();
        while self.manager.stats().connections > 0 {
            let is_over = |context: &mut Context<'_>| {
                end.as_mut().is_some_and(|end| end.as_mut().poll(context).is_ready())
            };
            if self.turn(is_over).await? {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the manager has something to do, and has it do that. Whether it is over instead.
    async fn turn(&mut self, mut is_over: impl FnMut(&mut Context<'_>) -> bool) -> Result<bool, Error> {
        self.set_timer();
        let Self { manager, descriptor, timer } = self;
        let woken = poll_fn(|context| {
            if is_over(context) {
                return Poll::Ready(Ok(Woken::Over));
            }
            if let Poll::Ready(ready) = descriptor.poll_read_ready(context) {
                return Poll::Ready(ready.map(Woken::Ready).map_err(Error::Selector));
            }
            match timer {
                Timer::Now => Poll::Ready(Ok(Woken::Due)),
                Timer::At(sleep) => sleep.as_mut().poll(context).map(|()| Ok(Woken::Due)),
                Timer::Never => Poll::Pending,
            }
        });
        let ready = match woken.await? {
            Woken::Over => return Ok(true),
            Woken::Ready(guard) => Some(guard),
            Woken::Due => None,
        };
        manager.poll(Duration::ZERO)?;
        if manager.was_busy() {
            // It may be ready still, without a further event. Other tasks have their turn first.
            yield_now().await;
        } else if let Some(mut ready) = ready {
            // It was empty after the event that it was ready by: what has come since is another.
            ready.clear_ready();
        }
        Ok(false)
    }

    /// Has the timer ring when the manager's next deadline is due. One that rings before is left alone: deadlines move
    /// with each request.
    fn set_timer(&mut self) {
        let due = match self.manager.timeout() {
            Some(Duration::ZERO) => {
                self.timer = Timer::Now;
                return;
            }
            due => due.and_then(|due| Instant::now().checked_add(due)),
        };
        match (&mut self.timer, due) {
            (Timer::At(sleep), Some(due)) if sleep.is_elapsed() || sleep.deadline() > due => {
                sleep.as_mut().reset(due);
            }
            (Timer::At(_), Some(_)) | (Timer::Never, None) => {}
            (_, Some(due)) => self.timer = Timer::At(Box::pin(sleep_until(due))),
            (_, None) => self.timer = Timer::Never,
        }
    }
}

/// When the manager has to be polled though nothing happens.
enum Timer {
    Now,
    At(Pin<Box<Sleep>>),
    Never,
}

/// What ended a wait.
enum Woken<'d> {
    Over,
    Ready(AsyncFdReadyGuard<'d, OwnedFd>),
    Due,
}
