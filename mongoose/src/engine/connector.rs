//! Connections that we make.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::core::Core;
use super::lookup::{self, Asker, Lookup};
use super::transport::{Socket, Transport};
use super::{ConnectionId, Entry, Limits, Protocol, Registry};
use crate::Error;
use crate::ffi::{self, Flag};
use crate::net::{Endpoint, Scheme};

/// What a connection that is being made needs besides.
#[derive(Debug)]
pub(super) struct Dialing {
    url: String,
    port: u16,
    /// Given up when this is dropped.
    _lookup: Lookup,
    addresses: VecDeque<SocketAddr>,
    /// When it has to be there. `None`: whenever.
    until: Option<Instant>,
}

/// Begins a connection to a URL such as `tcp://host:port`.
pub(super) fn connect(
    core: &Rc<Core>,
    url: &str,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    let limits = Limits::default();
    let within = limits.connect_time;
    dial_endpoint(core, url, Endpoint::parse(url, Scheme::Tcp)?, Rc::new(limits), within, protocol)
}

/// Begins a socket of datagrams that is connected to a URL such as `udp://host:port`.
pub(super) fn connect_datagrams(
    core: &Rc<Core>,
    url: &str,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    let limits = Limits::default();
    let within = limits.connect_time;
    let id = dial_endpoint(core, url, Endpoint::parse(url, Scheme::Udp)?, Rc::new(limits), within, protocol)?;
    if let Some(entry) = core.find(id) {
        // As C has it: a socket of datagrams listens, and is no stream.
        entry.conn.set(Flag::Listening, true);
    }
    Ok(id)
}

/// Begins a connection: its addresses come back as a task. `url` is what errors name.
fn dial_endpoint(
    core: &Rc<Core>,
    url: &str,
    endpoint: Endpoint,
    limits: Rc<Limits>,
    within: Duration,
    protocol: Box<dyn Protocol>,
) -> Result<ConnectionId, Error> {
    core.check_open()?;
    let entry = core.adopt(Socket::None, limits)?;
    *entry.protocol.borrow_mut() = Some(protocol);
    entry.conn.set(Flag::Client, true);
    entry.conn.set(Flag::Resolving, true);
    // Not the turn's time: the loop may not have turned for long.
    let until = Instant::now().checked_add(within);
    let lookup = lookup::begin(core, endpoint.host(), Asker::Connection(entry.id));
    let (url, port) = (url.to_owned(), endpoint.port());
    let dialing = Dialing { url, port, _lookup: lookup, addresses: VecDeque::new(), until };
    *entry.dialing.borrow_mut() = Some(Box::new(dialing));
    entry.deadline.set(until);
    core.watch_deadlines(&entry);
    Ok(entry.id)
}

/// Takes what the resolver found and begins with the first address.
pub(super) fn resolved(entry: &Entry, result: io::Result<Vec<SocketAddr>>) -> Result<(), Error> {
    match result {
        Ok(addresses) => {
            if let Some(dialing) = entry.dialing.borrow_mut().as_mut() {
                dialing.addresses = addresses.into();
                dialing.addresses.iter_mut().for_each(|address| address.set_port(dialing.port));
            }
            dial(entry, io::Error::from(io::ErrorKind::AddrNotAvailable))
        }
        Err(source) => Err(Error::Resolve { url: url_of(entry), source }),
    }
}

/// Tries the next address. When none is left, the error is that of the last one, or `before`.
pub(super) fn dial(entry: &Entry, before: io::Error) -> Result<(), Error> {
    let mut last = before;
    loop {
        let next = entry.dialing.borrow_mut().as_mut().and_then(|dialing| {
            let left = dialing.until.map(|until| until.saturating_duration_since(Instant::now()));
            let tries = u32::try_from(dialing.addresses.len()).unwrap_or(u32::MAX);
            dialing.addresses.pop_front().map(|address| (address, left.map(|left| left / tries)))
        });
        let Some((address, share)) = next else {
            return Err(Error::Connect { url: url_of(entry), source: last });
        };
        let socket = if entry.conn.is(Flag::Listening) {
            // Of datagrams: nobody is asked whether they are there.
            ffi::connect_datagrams(address).map(Socket::datagrams)
        } else {
            ffi::connect(address).map(|stream| Socket::Stream(Transport::Plain(stream)))
        };
        match socket {
            Ok(socket) => {
                entry.remote.set(Some(address));
                // That of the attempt before.
                entry.local.set(None);
                entry.conn.set(Flag::Resolving, false);
                entry.conn.set(Flag::Connecting, true);
                // One that does not answer leaves time for the others.
                entry.deadline.set(share.and_then(|share| Instant::now().checked_add(share)));
                *entry.socket.borrow_mut() = socket;
                return Ok(());
            }
            Err(error) => last = error,
        }
    }
}

/// Whether another address is left to try.
pub(super) fn has_another(entry: &Entry) -> bool {
    entry.dialing.borrow().as_ref().is_some_and(|dialing| !dialing.addresses.is_empty())
}

fn url_of(entry: &Entry) -> String {
    entry.dialing.borrow().as_ref().map(|dialing| dialing.url.clone()).unwrap_or_default()
}

/// Makes connections and reaches them again, for a protocol that keeps some of its own.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    core: Weak<Core>,
}

impl Dialer {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self { core: Rc::downgrade(&registry.core) }
    }

    /// Begins a connection that has to be there within a time. `url` is what errors name.
    pub(crate) fn connect(
        &self,
        url: &str,
        endpoint: &Endpoint,
        limits: Rc<Limits>,
        within: Duration,
        protocol: Box<dyn Protocol>,
    ) -> Result<ConnectionId, Error> {
        let core = self.core.upgrade().ok_or(Error::Gone)?;
        dial_endpoint(&core, url, endpoint.clone(), limits, within, protocol)
    }

    /// Has a connection's protocol [pulled](Protocol::pull) soon. `false` when the connection is at its end.
    pub(crate) fn pull(&self, id: ConnectionId) -> bool {
        let Some(core) = self.core.upgrade() else { return false };
        let Some(entry) = core.find(id) else { return false };
        if entry.is_over() || entry.conn.is(Flag::Draining) || entry.mark.get().eof {
            return false;
        }
        entry.update(|mark| mark.pulling = true);
        core.touch(&entry);
        true
    }

    /// Closes a connection, unless it is gone.
    pub(crate) fn close(&self, id: ConnectionId) {
        if let Some(core) = self.core.upgrade()
            && let Some(entry) = core.find(id)
        {
            entry.conn.set(Flag::Closing, true);
            core.touch(&entry);
        }
    }

    /// Why nothing can be begun, where that is so.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        self.core.upgrade().ok_or(Error::Gone)?.check_open()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::ffi::Bind;
    use crate::net::Stream;
    use crate::{Connection, Event, Manager};

    /// A socket whose queue is full: the system answers no further connection to it.
    fn unanswering() -> (TcpListener, Vec<TcpStream>) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = ffi::listen(any, Bind { backlog: 0, reuse_port: false }).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the queue has no end");
        }
        (listener, queued)
    }

    /// What a connection is told whose host has these addresses.
    fn events(addresses: Vec<SocketAddr>, within: Duration) -> Vec<String> {
        let mut manager = Manager::new().expect("a manager");
        let log = Rc::new(RefCell::new(Vec::new()));
        let events = Rc::clone(&log);
        let handler = move |connection: &Connection<'_>, event: Event<'_>| {
            events.borrow_mut().push(format!("{event:?}"));
            connection.close();
            Ok(())
        };
        let protocol = Stream::boxed(Rc::new(RefCell::new(handler)));
        let core = Rc::clone(&manager.registry.core);
        let endpoint = Endpoint::from_authority("127.0.0.1:1", None).expect("valid");
        let id =
            dial_endpoint(&core, "tcp://h:1", endpoint, Rc::default(), within, protocol).expect("to begin");
        // In the place of what the resolver says.
        core.shared.take(&mut VecDeque::new());
        manager.resolved(id, Ok(addresses));
        for _ in 0..10_000 {
            if log.borrow().last().is_some_and(|last| last == "Close") {
                break;
            }
            manager.poll(Duration::from_millis(20)).expect("to poll");
        }
        log.take()
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_others() {
        let (silent, _queued) = unanswering();
        let silent = silent.local_addr().expect("bound");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let good = listener.local_addr().expect("bound");
        let closed =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let within = Duration::from_millis(300);
        assert_eq!(events(vec![silent, closed, good], within), ["Connect", "Close"]);
        assert_eq!(events(vec![closed, silent], within), ["Error(Deadline { phase: \"connect\" })", "Close"]);
        let refused = events(vec![silent, closed], within);
        assert!(refused[0].contains("ConnectionRefused"), "{refused:?}");
    }

    #[test]
    fn a_lookup_that_takes_too_long_is_given_up() {
        let mut manager = Manager::new().expect("a manager");
        let log = Rc::new(RefCell::new(Vec::new()));
        let events = Rc::clone(&log);
        let handler = move |_: &Connection<'_>, event: Event<'_>| {
            events.borrow_mut().push(format!("{event:?}"));
            Ok(())
        };
        let protocol = Stream::boxed(Rc::new(RefCell::new(handler)));
        let core = Rc::clone(&manager.registry.core);
        let endpoint = Endpoint::from_authority("127.0.0.1:1", None).expect("valid");
        let within = Duration::from_millis(20);
        let id =
            dial_endpoint(&core, "tcp://h:1", endpoint, Rc::default(), within, protocol).expect("to begin");
        core.shared.take(&mut VecDeque::new());
        for _ in 0..10_000 {
            if core.find(id).is_none() {
                break;
            }
            manager.poll(Duration::from_millis(20)).expect("to poll");
        }
        assert_eq!(log.take(), ["Error(Deadline { phase: \"connect\" })", "Close"]);
        // What the resolver says then is for nobody.
        manager.resolved(id, Ok(Vec::new()));
        manager.poll(Duration::ZERO).expect("to poll");
    }
}
