//! A peer beside a manager, on one thread: bytes in pieces to it, and what it answers.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mongoose::{Listener, ListenerBuilder, Manager};

/// Turns without anything happening after which nothing will.
const QUIET_TURNS: usize = 2;

/// No exchange takes as many.
const TURNS_MAX: usize = 20_000;

/// A server on a Unix socket.
pub struct Site {
    pub manager: Manager,
    listener: Listener,
    path: PathBuf,
}

impl Site {
    pub fn new(begin: impl FnOnce(ListenerBuilder<'_>) -> Result<Listener, mongoose::Error>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mongoose-fuzz-{}-{number}", std::process::id()));
        let socket = UnixListener::bind(&path).expect("to bind");
        let manager = Manager::new().expect("a manager");
        let listener = begin(manager.listener_on(socket)).expect("to listen");
        Self { manager, listener, path }
    }

    /// Sends pieces, each once the one before was dealt with, then ends; answers all that came back. The connection is
    /// over then, and nothing of it left.
    pub fn exchange(&mut self, pieces: &[&[u8]]) -> Vec<u8> {
        let mut peer = Peer::new(UnixStream::connect(&self.path).expect("to connect"));
        for piece in pieces {
            peer.feed(&mut self.manager, piece);
        }
        peer.end(&mut self.manager);
        settle(&mut self.manager, || false);
        assert_eq!(self.manager.connections(), [self.listener.id()], "nothing is left of it");
        peer.heard
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // A folder for what does not last.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A stream that can be ended in one direction.
pub trait Stream: Read + Write {
    fn prepare(&self) -> std::io::Result<()>;
    fn end(&self) -> std::io::Result<()>;
}

impl Stream for UnixStream {
    fn prepare(&self) -> std::io::Result<()> {
        self.set_nonblocking(true)
    }

    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Stream for std::net::TcpStream {
    fn prepare(&self) -> std::io::Result<()> {
        self.set_nodelay(true)?;
        self.set_nonblocking(true)
    }

    fn end(&self) -> std::io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// The other side of a connection.
pub struct Peer<S> {
    stream: S,
    pub heard: Vec<u8>,
    /// Nothing more comes from there.
    pub ended: bool,
    /// Nobody takes what is sent there.
    deaf: bool,
}

impl<S: Stream> Peer<S> {
    pub fn new(stream: S) -> Self {
        stream.prepare().expect("to prepare a socket");
        Self { stream, heard: Vec::new(), ended: false, deaf: false }
    }

    /// Sends bytes, and lets the manager deal with them.
    pub fn feed(&mut self, manager: &mut Manager, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.deaf {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.deaf = true,
            }
            settle(manager, || self.listen());
        }
    }

    /// Ends its direction, and waits for the other's end.
    pub fn end(&mut self, manager: &mut Manager) {
        // It fails where the other side is gone.
        let _ = self.stream.end();
        settle(manager, || self.listen());
        for _ in 0..100 {
            if self.ended {
                return;
            }
            manager.poll(Duration::from_millis(50)).expect("to poll");
            self.listen();
        }
        panic!("the connection did not end, {} bytes heard", self.heard.len());
    }

    /// Takes what has come. Whether anything has.
    pub fn listen(&mut self) -> bool {
        let before = (self.heard.len(), self.ended);
        let mut room = [0; 16 << 10];
        while !self.ended {
            match self.stream.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(count) => self.heard.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        (self.heard.len(), self.ended) != before
    }
}

/// Polls for as long as that changes something, without waiting.
pub fn settle(manager: &mut Manager, mut listen: impl FnMut() -> bool) {
    let mut quiet = 0;
    let mut before = manager.stats();
    for _ in 0..TURNS_MAX {
        manager.poll(Duration::ZERO).expect("to poll");
        let mut now = manager.stats();
        now.polls = before.polls;
        quiet = if listen() || now != before { 0 } else { quiet + 1 };
        if quiet == QUIET_TURNS {
            return;
        }
        before = now;
    }
    panic!("it does not come to rest");
}
