//! Both ends of a connection in one thread: what happens is then a matter of order, not of timing.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_int;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mongoose::{Connection, Event, Manager, sys};
use mongoose_tests::{PATIENCE, poll_until};
use rustix::process::{Resource, getrlimit, setrlimit};

/// A GET of a target, on a connection that stays.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
}

/// A peer whose reads poll the manager meanwhile.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
    ended: bool,
}

impl Peer {
    pub fn connect(address: SocketAddr) -> Self {
        Self::adopt(TcpStream::connect(address).expect("to connect"))
    }

    pub fn adopt(stream: TcpStream) -> Self {
        stream.set_nonblocking(true).expect("to set an option");
        stream.set_nodelay(true).expect("to set an option");
        Self { stream, received: Vec::new(), ended: false }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends what the socket's buffer takes at once: a few KB.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).expect("to send");
        self
    }

    /// Sends any number of bytes, polling meanwhile.
    pub fn send_all(&mut self, manager: &mut Manager, bytes: &[u8]) {
        let mut sent = 0;
        poll_until(manager, "the peer to send", |_| {
            match self.stream.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            sent == bytes.len()
        });
    }

    pub fn end(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("to shut down");
    }

    /// Closes with a reset instead of an end.
    pub fn reset(self) {
        let at_once = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(&self.stream, at_once).expect("to set an option");
    }

    /// Polls until `text` came, and answers all up to and with it.
    pub fn expect(&mut self, manager: &mut Manager, text: &str) -> String {
        let mut end = None;
        poll_until(manager, text, |_| {
            self.take();
            end = find(&self.received, text.as_bytes());
            end.is_some() || self.ended
        });
        let all = String::from_utf8_lossy(&self.received);
        let end = end.unwrap_or_else(|| panic!("ended without {text:?}: {all:?}"));
        String::from_utf8(self.received.drain(..end).collect()).expect("text")
    }

    /// Polls until `count` bytes came.
    pub fn exactly(&mut self, manager: &mut Manager, count: usize) -> Vec<u8> {
        poll_until(manager, "the peer to receive", |_| {
            self.take();
            self.received.len() >= count || self.ended
        });
        assert!(self.received.len() >= count, "ended after {} of {count} bytes", self.received.len());
        self.received.drain(..count).collect()
    }

    /// Polls until the connection is over, by an end or a reset, and answers what came before.
    pub fn until_end(&mut self, manager: &mut Manager) -> Vec<u8> {
        poll_until(manager, "the connection to end", |_| {
            self.take();
            self.ended
        });
        std::mem::take(&mut self.received)
    }

    /// What has arrived by now and was not answered yet.
    pub fn arrived(&mut self) -> &[u8] {
        self.take();
        &self.received
    }

    /// Whether the server has ended the connection by now.
    pub fn has_ended(&mut self) -> bool {
        self.take();
        self.ended
    }

    fn take(&mut self) {
        let mut bytes = [0; 65536];
        while !self.ended {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.ended = true,
                Ok(count) => self.received.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.ended = true,
                Err(error) => panic!("cannot read: {error}"),
            }
        }
    }
}

/// Where `text` ends in `bytes`.
fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text).map(|at| at + text.len())
}

/// How many connections a test may have open at once: both ends are in this process, and other tests run beside it.
pub fn room() -> usize {
    const FOR_OTHERS: usize = 7000;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // As far as it may be; a second test does it again.
    setrlimit(Resource::Nofile, limit).expect("to raise the limit");
    let descriptors = limit.current.map_or(usize::MAX, |limit| limit as usize);
    (descriptors.saturating_sub(FOR_OTHERS) / 2).max(descriptors / 20)
}

/// Connects many peers, polling in between: the backlog is not endless.
pub fn connect_many(manager: &mut Manager, address: SocketAddr, count: usize) -> Vec<Peer> {
    let before = manager.stats().accepted;
    let mut peers = Vec::with_capacity(count);
    while peers.len() < count {
        peers.push(Peer::connect(address));
        if peers.len() % 100 == 0 || peers.len() == count {
            let accepted = before + peers.len() as u64;
            poll_until(manager, "all to be accepted", |manager| manager.stats().accepted == accepted);
        }
    }
    peers
}

/// Fires an event of the user's own at a connection, as C code does.
pub fn fire(connection: &Connection<'_>, number: u32) {
    let code = (sys::MG_EV_USER + number) as c_int;
    // SAFETY: the connection is alive as long as it is borrowed; an event of the user's own may have no data.
    unsafe { sys::mg_call(connection.as_raw(), code, null_mut()) }
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct Journal(Rc<RefCell<Vec<String>>>);

impl Journal {
    pub fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.borrow().iter().filter(|line| *line == what).count()
    }

    pub fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.0.borrow().iter().any(|line| test(line))
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub fn has(&self, what: &str) -> bool {
        self.count(what) > 0
    }
}

/// Notes in a journal that it was dropped.
#[derive(Debug)]
pub struct Noted(pub Journal, pub &'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// What the tests' panics carry: a panic that comes out of `poll` is known by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blast(pub u32);

/// Panics with a payload of the test's own.
pub fn blast(number: u32) -> ! {
    std::panic::panic_any(Blast(number))
}

/// Panics when it is dropped.
#[derive(Debug)]
pub struct Mine(pub u32);

impl Drop for Mine {
    fn drop(&mut self) {
        blast(self.0);
    }
}

/// Runs code that may panic with a [`Blast`].
pub fn blast_of<R>(code: impl FnOnce() -> R) -> Result<R, u32> {
    catch_unwind(AssertUnwindSafe(code)).map_err(number_of)
}

fn number_of(payload: Box<dyn Any + Send>) -> u32 {
    match payload.downcast::<Blast>() {
        Ok(blast) => blast.0,
        Err(other) => std::panic::resume_unwind(other),
    }
}

/// Polls until a panic comes out of it.
pub fn next_blast(manager: &mut Manager) -> u32 {
    next_blast_while(manager, || {})
}

/// Polls until a panic comes out of it, and does something before each poll.
pub fn next_blast_while(manager: &mut Manager, mut between: impl FnMut()) -> u32 {
    let end = Instant::now() + PATIENCE;
    loop {
        between();
        assert!(Instant::now() < end, "no panic came out of poll");
        if let Err(number) = blast_of(|| manager.poll(Duration::from_millis(20)).expect("to poll")) {
            return number;
        }
    }
}

/// Ends a wait that nothing else ends, as long as it lives: a loop that sleeps for ever is a failure, not a hang.
#[derive(Debug)]
pub struct Watchdog {
    _alive: mpsc::Sender<()>,
}

impl Watchdog {
    pub fn new(manager: &Manager) -> Self {
        let (alive, gone) = mpsc::channel::<()>();
        let handle = manager.handle();
        std::thread::spawn(move || {
            while gone.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                handle.stop();
            }
        });
        Self { _alive: alive }
    }
}

/// Polls until nothing is left to do at once; panics that come out of it fail the test.
pub fn settle(manager: &mut Manager) {
    for _ in 0..20 {
        manager.poll(Duration::ZERO).expect("to poll");
    }
}

/// Shows that the manager serves a new listener, a new connection and a timer.
pub fn assert_usable(manager: &mut Manager) {
    let listener = manager
        .tcp("tcp://127.0.0.1:0", |connection: &Connection<'_>, event: Event<'_>| {
            if let Event::Read = event {
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peer = Peer::connect(listener.local_addr());
    peer.send("still there?").expect(manager, "still there?");
    let fired = Rc::new(RefCell::new(false));
    let seen = Rc::clone(&fired);
    let timer = manager.once(Duration::ZERO, move |_| *seen.borrow_mut() = true).expect("a timer");
    poll_until(manager, "a timer", |_| *fired.borrow());
    drop(timer);
    listener.close();
    drop(peer);
    settle(manager);
}
