//! What a manager offers while it runs: to the program between polls, to handlers during one.

use std::fmt;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use super::core::Core;
use super::timers::Action;
use super::{Connection, ConnectionId, Handle, Listener, ListenerBuilder, Stats, Timer};
use crate::ffi::Views;
use crate::net::{Handler, udp};
use crate::{Error, http, ws};

/// Everything about a manager but polling it: listen, connect, look up connections, set timers.
///
/// [`Manager`](crate::Manager) derefs to it; a handler gets it from its
/// [`connection`](crate::Connection::registry), a timer or a posted closure as its argument. A `&Registry` is `Copy`
/// and cannot be kept: it is what ties received bytes to the event they came in.
pub struct Registry {
    pub(super) core: Rc<Core>,
    /// Borrowed as long as the registry is: the reason why nothing moves received bytes meanwhile (invariant 3).
    pub(super) views: Views,
}

impl Registry {
    /// Listens at a URL with limits and options of choice.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// let mut limits = mongoose::Limits::default();
    /// limits.body = 1 << 30;
    /// let listener = manager.listener("http://127.0.0.1:0").limits(limits).http(
    ///     |_: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| reply.text("hello"),
    /// )?;
    /// assert_ne!(listener.local_addr().port(), 0);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn listener<'u>(&'u self, url: &'u str) -> ListenerBuilder<'u> {
        ListenerBuilder::at(self, url)
    }

    /// Listens on a socket that listens already: a [`TcpListener`](std::net::TcpListener), a
    /// [`UnixListener`](std::os::unix::net::UnixListener), or a descriptor that another program
    /// [left](crate::inherited_sockets).
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// let socket = std::net::TcpListener::bind("127.0.0.1:0").map_err(mongoose::Error::handler)?;
    /// manager.listener_on(socket).tcp(|_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(()))?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn listener_on(&self, socket: impl Into<OwnedFd>) -> ListenerBuilder<'_> {
        ListenerBuilder::on(self, socket.into())
    }

    /// Serves HTTP at a URL such as `http://127.0.0.1:8000` or `http://[::]:80`, all connections by one handler.
    ///
    /// # Errors
    /// As [`ListenerBuilder::http`].
    #[doc(alias = "mg_http_listen")]
    pub fn http(&self, url: &str, handler: impl http::Handler) -> Result<Listener, Error> {
        self.listener(url).http(handler)
    }

    /// Serves HTTP, each connection by a handler of its own.
    ///
    /// # Errors
    /// As [`ListenerBuilder::http`].
    pub fn http_each<H: http::Handler>(
        &self,
        url: &str,
        make: impl FnMut() -> H + 'static,
    ) -> Result<Listener, Error> {
        self.listener(url).http_each(make)
    }

    /// Accepts raw TCP connections at a URL such as `tcp://127.0.0.1:1234`, all handled by one handler.
    ///
    /// # Errors
    /// As [`ListenerBuilder::tcp`].
    #[doc(alias = "mg_listen")]
    pub fn tcp(&self, url: &str, handler: impl Handler) -> Result<Listener, Error> {
        self.listener(url).tcp(handler)
    }

    /// Accepts raw TCP connections, each handled by a handler of its own.
    ///
    /// # Errors
    /// As [`ListenerBuilder::tcp_each`].
    pub fn tcp_each<H: Handler>(
        &self,
        url: &str,
        make: impl FnMut() -> H + 'static,
    ) -> Result<Listener, Error> {
        self.listener(url).tcp_each(make)
    }

    /// Makes a socket of datagrams at a URL such as `udp://127.0.0.1:1234` or `udp://[::]:0`, which receives from and
    /// sends to anybody. For one that shares its port or has an [access list](ListenerBuilder::allow), see
    /// [`ListenerBuilder::udp`].
    ///
    /// # Errors
    /// As [`ListenerBuilder::udp`].
    #[doc(alias = "mg_listen")]
    pub fn udp(&self, url: &str, handler: impl udp::Handler) -> Result<Listener, Error> {
        self.listener(url).udp(handler)
    }

    /// Finds a socket of datagrams in O(1), to send on it.
    ///
    /// # Errors
    /// [`Error::Closed`] when it is gone, or none of datagrams.
    pub fn udp_socket(&self, id: ConnectionId) -> Result<udp::Socket<'_>, Error> {
        let connection = self.connection(id)?;
        if !connection.has_datagrams() {
            return Err(Error::Closed);
        }
        Ok(udp::Socket::new(connection))
    }

    /// Finds a connection in O(1).
    ///
    /// # Errors
    /// [`Error::Closed`] when it is gone, also when another took its place.
    pub fn connection(&self, id: ConnectionId) -> Result<Connection<'_>, Error> {
        let entry = self.core.find(id).ok_or(Error::Closed)?;
        Ok(Connection::new(self, entry))
    }

    /// Finds a WebSocket in O(1), to send on it.
    ///
    /// # Errors
    /// [`Error::Closed`] when it is gone, or speaks something else.
    pub fn websocket(&self, id: ConnectionId) -> Result<ws::Connection<'_>, Error> {
        ws::Connection::find(self.connection(id)?)
    }

    /// The ids of all connections that are there now, listeners included.
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.core.table.borrow().iter().map(|entry| entry.id).collect()
    }

    /// Calls a closure every `period`, first after one. Ticks that were missed are skipped. A period of zero is once a
    /// turn, and the loop never rests.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// let mut count = 0;
    /// let timer = manager.every(std::time::Duration::from_secs(1), move |_| count += 1)?;
    /// assert!(timer.is_active());
    /// timer.cancel();
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "mg_timer_add")]
    #[doc(alias = "MG_TIMER_REPEAT")]
    pub fn every(&self, period: Duration, call: impl FnMut(&Registry) + 'static) -> Result<Timer, Error> {
        self.timer(period, Some(period), Box::new(call))
    }

    /// Calls a closure at the loop's next turn, and then [every](Self::every) `period`.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "MG_TIMER_RUN_NOW")]
    pub fn now_and_every(
        &self,
        period: Duration,
        call: impl FnMut(&Registry) + 'static,
    ) -> Result<Timer, Error> {
        self.timer(Duration::ZERO, Some(period), Box::new(call))
    }

    /// Calls a closure once, after `delay`.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] while the manager is dropped.
    #[doc(alias = "MG_TIMER_ONCE")]
    pub fn once(&self, delay: Duration, call: impl FnOnce(&Registry) + 'static) -> Result<Timer, Error> {
        let mut call = Some(call);
        let call = move |registry: &Registry| {
            if let Some(call) = call.take() {
                call(registry);
            }
        };
        self.timer(delay, None, Box::new(call))
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        Handle::new(self.core.shared.clone())
    }

    /// What the manager counted.
    pub fn stats(&self) -> Stats {
        self.core.counters.stats(self.core.mgr.nested().dropped())
    }

    /// Counts a request of HTTP.
    pub(crate) fn count_request(&self) {
        self.core.counters.requested();
    }

    /// Counts an error that a protocol tells its handler of by itself.
    pub(crate) fn count_error(&self) {
        self.core.counters.failed();
    }

    /// Counts something that a connection could not take.
    pub(crate) fn count_undelivered(&self) {
        self.core.counters.undelivered();
    }

    fn timer(
        &self,
        delay: Duration,
        period: Option<Duration>,
        call: Box<dyn FnMut(&Registry)>,
    ) -> Result<Timer, Error> {
        self.core.check_open()?;
        let now = std::time::Instant::now();
        // Past what the clock can say, a timer is as good as never.
        let due = now.checked_add(delay).unwrap_or(now + Duration::from_secs(1 << 32));
        let key = self.core.timers.borrow_mut().add(due, period, Action::Call(call));
        Ok(Timer::new(Rc::downgrade(&self.core), key))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
