//! Connections on their way: the addresses of a host, tried side by side (RFC 8305, "happy eyeballs").

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::connector::Call;
use super::core::Core;
use super::lookup::Lookup;
use super::transport::{ClientTls, Socket, Transport};
use super::{ConnectionId, Entry, Interest, Manager};
use crate::Error;
use crate::ffi::{self, Flag};

/// How long an attempt goes on before the next begins beside it: the RFC's Connection Attempt Delay.
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 32;

/// What a selector is asked about an attempt.
const WRITE: Interest = Interest { read: false, write: true };

/// What a connection that is being made needs besides.
#[derive(Debug)]
pub(super) struct Dialing {
    url: String,
    port: u16,
    options: ffi::Connect,
    /// Whom it speaks TLS to, once it is there.
    secure: Option<ClientTls>,
    /// When it has to be there. `None`: whenever.
    until: Option<Instant>,
    /// Given up when this is dropped.
    _lookup: Lookup,
    addresses: VecDeque<SocketAddr>,
    /// All known to the selector by the token of the connection that they are to become.
    attempts: Vec<Attempt>,
    /// Why the last attempt failed that did.
    failure: Option<io::Error>,
}

#[derive(Debug)]
struct Attempt {
    address: SocketAddr,
    stream: TcpStream,
}

impl Dialing {
    pub(super) fn new(call: Call<'_>, until: Option<Instant>, lookup: Lookup) -> Self {
        Self {
            url: call.url.to_owned(),
            port: call.endpoint.port(),
            options: call.options,
            secure: call.secure,
            until,
            _lookup: lookup,
            addresses: VecDeque::new(),
            attempts: Vec::new(),
            failure: None,
        }
    }

    fn set_addresses(&mut self, mut addresses: Vec<SocketAddr>) {
        if let Some(local) = self.options.bind {
            addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
            if addresses.is_empty() {
                self.failure = Some(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    "the host has no address of the local address's family",
                ));
            }
        }
        addresses.iter_mut().for_each(|address| address.set_port(self.port));
        self.addresses = in_turns(addresses);
    }

    /// Begins the next attempt, where there is another address. `false` when none is under way.
    fn begin_next(&mut self, core: &Core, entry: &Entry) -> bool {
        while let Some(address) = self.addresses.pop_front() {
            let begun = ffi::connect(address, &self.options).and_then(|stream| {
                core.selector.add(ffi::source_of(&stream), entry.id.token(), WRITE)?;
                Ok(stream)
            });
            match begun {
                Ok(stream) => {
                    entry.remote.set(Some(address));
                    self.attempts.push(Attempt { address, stream });
                    break;
                }
                Err(error) => self.failure = Some(error),
            }
        }
        let next = Instant::now() + HEAD_START;
        let until = self.until;
        entry.deadline.set(match self.addresses.is_empty() {
            true => until,
            false => Some(until.map_or(next, |until| until.min(next))),
        });
        !self.attempts.is_empty()
    }

    /// Looks for an attempt that has come through. Those that failed are over.
    fn take_winner(&mut self, core: &Core) -> Option<Attempt> {
        let mut index = 0;
        while let Some(attempt) = self.attempts.get(index) {
            match is_connected(&attempt.stream) {
                Ok(true) => return Some(self.attempts.swap_remove(index)),
                Ok(false) => index += 1,
                Err(error) => {
                    self.failure = Some(error);
                    abandon(core, self.attempts.swap_remove(index));
                }
            }
        }
        None
    }

    fn error(&mut self) -> Error {
        let source = self.failure.take().unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
        Error::Connect { url: self.url.clone(), source }
    }

    fn is_overdue(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

/// The families in turns, beginning with that of the first address; each in its own order.
fn in_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (mut ones, mut others): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let mut turns = VecDeque::new();
    while turns.len() < ADDRESSES_MAX && !(ones.is_empty() && others.is_empty()) {
        turns.extend(ones.pop_front());
        turns.extend(others.pop_front());
    }
    turns
}

/// Whether a socket is connected, or still on its way; else why not.
fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Out of the selector, then closed.
fn abandon(core: &Core, attempt: Attempt) {
    // Fails only for a descriptor that the selector does not know, and then there is nothing to take out.
    let _ = core.selector.remove(ffi::source_of(&attempt.stream));
}

impl Core {
    /// Gives up what is under way for a connection to be.
    pub(super) fn abandon_dialing(&self, entry: &Entry) {
        self.abandon_attempts(entry);
        entry.dialing.take();
    }

    fn abandon_attempts(&self, entry: &Entry) {
        let attempts =
            entry.dialing.borrow_mut().as_mut().map(|dialing| std::mem::take(&mut dialing.attempts));
        attempts.unwrap_or_default().into_iter().for_each(|attempt| abandon(self, attempt));
    }
}

impl Manager {
    /// Takes what was found of a connection's host.
    pub(super) fn resolved(&mut self, id: ConnectionId, result: io::Result<Vec<SocketAddr>>) {
        let core = Rc::clone(&self.registry.core);
        let Some(entry) = core.find(id).filter(|entry| !entry.is_over()) else { return };
        match result {
            Ok(addresses) => {
                if let Some(dialing) = entry.dialing.borrow_mut().as_mut() {
                    dialing.set_addresses(addresses);
                }
                entry.conn.set(Flag::Resolving, false);
                if entry.conn.is(Flag::Listening) {
                    self.begin_datagrams(&entry);
                } else {
                    entry.conn.set(Flag::Connecting, true);
                    self.dial_next(&entry);
                }
            }
            Err(source) => self.fail_lookup(&entry, source),
        }
        self.reconcile(&entry);
    }

    /// Begins the next attempt, or fails for good.
    fn dial_next(&mut self, entry: &Rc<Entry>) {
        let failed = entry.dialing.borrow_mut().as_mut().and_then(|dialing| {
            let begun = dialing.begin_next(&self.registry.core, entry);
            (!begun).then(|| dialing.error())
        });
        if let Some(error) = failed {
            self.fail(entry, &error);
        }
    }

    /// Something became of an attempt.
    #[cold]
    pub(super) fn finish_connect(&mut self, entry: &Rc<Entry>) {
        let core = Rc::clone(&self.registry.core);
        let (winner, failed) = match entry.dialing.borrow_mut().as_mut() {
            Some(dialing) => {
                let before = dialing.attempts.len();
                let winner = dialing.take_winner(&core);
                (winner, dialing.attempts.len() < before)
            }
            None => return,
        };
        match winner {
            Some(winner) => {
                core.abandon_attempts(entry);
                *entry.socket.borrow_mut() = Socket::Stream(Transport::Plain(winner.stream));
                entry.registered.set(Some(WRITE));
                entry.remote.set(Some(winner.address));
                self.begin_connection(entry);
            }
            // The next need not wait.
            None if failed => self.dial_next(entry),
            None => {}
        }
    }

    /// Nobody is asked whether they are there: the first address to which there is a way is it.
    fn begin_datagrams(&mut self, entry: &Rc<Entry>) {
        let mut socket = None;
        if let Some(dialing) = entry.dialing.borrow_mut().as_mut() {
            while let Some(address) = dialing.addresses.pop_front() {
                match ffi::connect_datagrams(address, &dialing.options) {
                    Ok(connected) => {
                        socket = Some(Socket::datagrams(connected));
                        entry.remote.set(Some(address));
                        break;
                    }
                    Err(error) => dialing.failure = Some(error),
                }
            }
        }
        match socket {
            Some(socket) => {
                *entry.socket.borrow_mut() = socket;
                self.begin_connection(entry);
            }
            None => self.dial_next(entry),
        }
    }

    fn begin_connection(&mut self, entry: &Rc<Entry>) {
        entry.conn.set(Flag::Connecting, false);
        let dialing = entry.dialing.take();
        entry.deadline.set(None);
        match dialing.and_then(|dialing| dialing.secure.map(|target| (target, dialing.until))) {
            Some((target, until)) => self.begin_tls(entry, &target, until),
            None => {
                self.with_protocol(entry, |protocol, connection| protocol.opened(connection));
            }
        }
    }

    /// It is time for the next attempt, or to give up.
    #[cold]
    pub(super) fn dialing_is_due(&mut self, entry: &Rc<Entry>) {
        let overdue = entry.dialing.borrow().as_ref().is_some_and(|dialing| dialing.is_overdue());
        if !overdue {
            self.dial_next(entry);
        } else if entry.conn.is(Flag::Resolving) {
            self.fail_lookup(entry, io::ErrorKind::TimedOut.into());
        } else {
            let url = self.url_of(entry);
            self.fail(entry, &Error::Connect { url, source: io::ErrorKind::TimedOut.into() });
        }
    }

    fn fail_lookup(&mut self, entry: &Rc<Entry>, source: io::Error) {
        let url = self.url_of(entry);
        self.fail(entry, &Error::Resolve { url, source });
    }

    fn url_of(&self, entry: &Entry) -> String {
        entry.dialing.borrow().as_ref().map(|dialing| dialing.url.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::net::TcpListener;

    use super::*;
    use crate::engine::connector;
    use crate::ffi::Bind;
    use crate::net::{Endpoint, Stream};
    use crate::{Connection, Event};

    /// A socket whose queue is full: the system answers no further connection to it.
    struct Unanswering {
        listener: TcpListener,
        _queued: Vec<TcpStream>,
    }

    impl Unanswering {
        fn new() -> Self {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let listener = ffi::listen(any, Bind { backlog: 0, reuse_port: false }).expect("a free port");
            let address = listener.local_addr().expect("bound");
            let mut queued = Vec::new();
            while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
                queued.push(stream);
                assert!(queued.len() < 100, "the queue has no end");
            }
            Self { listener, _queued: queued }
        }

        fn address(&self) -> SocketAddr {
            self.listener.local_addr().expect("bound")
        }
    }

    /// Long enough for whatever has to happen.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A connection that is to be looked up, and what it is told.
    struct Call {
        manager: Manager,
        id: ConnectionId,
        told: Rc<RefCell<Vec<String>>>,
    }

    impl Call {
        fn within(within: Duration) -> Self {
            Self::with(within, ffi::Connect::default())
        }

        fn with(within: Duration, options: ffi::Connect) -> Self {
            let manager = Manager::new().expect("a manager");
            let told = Rc::new(RefCell::new(Vec::new()));
            let log = Rc::clone(&told);
            let handler = move |connection: &Connection<'_>, event: Event<'_>| {
                let text = match event {
                    Event::Connect => format!("{:?}", connection.remote_addr().expect("connected").port()),
                    Event::Error(Error::Connect { url, source }) => format!("{url} {:?}", source.kind()),
                    Event::Error(Error::Resolve { url, source }) => format!("{url}? {:?}", source.kind()),
                    other => format!("{other:?}"),
                };
                log.borrow_mut().push(text);
                connection.close();
                Ok(())
            };
            let protocol = Stream::boxed(Rc::new(RefCell::new(handler)));
            let core = Rc::clone(&manager.registry.core);
            let endpoint = Endpoint::from_authority("127.0.0.1:1", None).expect("valid");
            let call =
                connector::Call { endpoint: &endpoint, url: "tcp://h:1", within, options, secure: None };
            let id = connector::dial(&core, call, Rc::default(), protocol).expect("to begin");
            // What is looked up is said by the test.
            core.shared.take(&mut VecDeque::new());
            Self { manager, id, told }
        }

        /// What a connection is told whose host has these addresses.
        fn told(mut self, addresses: &[SocketAddr]) -> Vec<String> {
            let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
            let core = Rc::clone(&self.manager.registry.core);
            let entry = core.find(self.id).expect("it is being made");
            // As if the host had several ports, which no host has.
            let addresses = in_turns(addresses.to_vec());
            entry.conn.set(Flag::Resolving, false);
            entry.conn.set(Flag::Connecting, true);
            entry.dialing.borrow_mut().as_mut().expect("it is being made").addresses = addresses;
            self.manager.dial_next(&entry);
            self.manager.reconcile(&entry);
            drop(entry);
            self.poll_to_end();
            assert!(!ports.is_empty());
            self.told.take()
        }

        fn poll_to_end(&mut self) {
            let end = Instant::now() + PATIENCE;
            while self.manager.registry.core.find(self.id).is_some() {
                assert!(Instant::now() < end, "{:?}", self.told.borrow());
                self.manager.poll(Duration::from_millis(20)).expect("to poll");
            }
        }
    }

    /// A port where nobody listens, and nobody else can meanwhile: that of a connection.
    struct Closed {
        _listener: TcpListener,
        holder: TcpStream,
    }

    impl Closed {
        fn new() -> Self {
            let (listener, address) = open();
            Self { _listener: listener, holder: TcpStream::connect(address).expect("to connect") }
        }

        fn address(&self) -> SocketAddr {
            self.holder.local_addr().expect("connected")
        }
    }

    fn open() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        (listener, address)
    }

    #[test]
    fn an_address_that_does_not_answer_holds_up_no_other() {
        let (silent, mute) = (Unanswering::new(), Unanswering::new());
        let (_listener, good) = open();
        let connected = [good.port().to_string(), "Close".to_owned()];
        let (call, closed) = (Call::within(PATIENCE), Closed::new());
        assert_eq!(call.told(&[silent.address(), mute.address(), closed.address(), good]), connected);
    }

    #[test]
    fn an_address_that_refuses_has_the_next_tried_at_once() {
        // Many: a quarter of a second for each would be too long.
        let closed: Vec<_> = (0..31).map(|_| Closed::new()).collect();
        let mut addresses: Vec<_> = closed.iter().map(Closed::address).collect();
        let (_listener, good) = open();
        addresses.push(good);
        let told = Call::within(Duration::from_secs(7)).told(&addresses);
        assert_eq!(told, [good.port().to_string(), "Close".to_owned()]);
    }

    #[test]
    fn the_first_that_answers_has_no_other_tried() {
        let ((_one, first), (other, second)) = (open(), open());
        let told = Call::within(PATIENCE).told(&[first, second]);
        assert_eq!(told, [first.port().to_string(), "Close".to_owned()]);
        other.set_nonblocking(true).expect("an option");
        assert_eq!(other.accept().expect_err("nobody").kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn refused_and_timed_out_are_told_apart() {
        let (mute, first, second) = (Unanswering::new(), Closed::new(), Closed::new());
        let (silent, one, other) = (mute.address(), first.address(), second.address());
        let short = Duration::from_millis(300);
        assert_eq!(Call::within(PATIENCE).told(&[one, other])[0], "tcp://h:1 ConnectionRefused");
        assert_eq!(Call::within(short).told(&[one, silent])[0], "tcp://h:1 TimedOut");
        assert_eq!(Call::within(short).told(&[silent, one])[0], "tcp://h:1 TimedOut");
    }

    #[test]
    fn a_lookup_that_takes_too_long_is_given_up() {
        let mut call = Call::within(Duration::from_millis(20));
        call.poll_to_end();
        assert_eq!(*call.told.borrow(), ["tcp://h:1? TimedOut", "Close"]);
        // What the resolver says then is for nobody.
        call.manager.resolved(call.id, Ok(Vec::new()));
        call.manager.poll(Duration::ZERO).expect("to poll");
    }

    #[test]
    fn addresses_that_a_local_address_cannot_reach_are_left_out() {
        let bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut call = Call::with(PATIENCE, ffi::Connect { bind, ..ffi::Connect::default() });
        call.manager.resolved(call.id, Ok(vec!["[::1]:0".parse().expect("an address")]));
        call.poll_to_end();
        assert_eq!(*call.told.borrow(), ["tcp://h:1 AddrNotAvailable", "Close"]);
    }

    #[test]
    fn the_families_take_turns() {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().expect("an address")).collect()
        };
        let mixed = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let turns = parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(in_turns(mixed), turns);
        let mixed = parse(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(in_turns(mixed.clone()), mixed);
        assert!(in_turns(Vec::new()).is_empty());
        let many = vec![mixed[0]; 1000];
        assert_eq!(in_turns(many).len(), ADDRESSES_MAX);
    }

    #[test]
    fn attempts_that_lost_are_closed() {
        let silent = Unanswering::new();
        let (listener, good) = open();
        let told = Call::within(PATIENCE).told(&[silent.address(), good]);
        assert_eq!(told, [good.port().to_string(), "Close".to_owned()]);
        // The winner was closed by the handler: nothing keeps it open.
        let (mut stream, _) = listener.accept().expect("connected");
        assert_eq!(std::io::Read::read(&mut stream, &mut [0]).expect("its end"), 0);
    }
}
