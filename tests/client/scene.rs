//! A client and a server of raw bytes on one thread: every piece is read by itself, and nothing depends on time.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use mongoose::http::{Client, RequestBuilder, Response, ResponseBuf};
use mongoose::{Error, Limits, Manager};
use mongoose_tests::PATIENCE;

/// What became of a request.
pub type Outcome = Result<ResponseBuf, Error>;

/// Where the handler of a request puts what it was told.
#[derive(Clone, Default)]
pub struct Answer(Rc<RefCell<Option<Outcome>>>);

impl Answer {
    /// The handler. One that is called twice fails the test.
    pub fn handler(&self) -> impl FnOnce(Result<Response<'_>, Error>) + use<> {
        let slot = Rc::clone(&self.0);
        move |result: Result<Response<'_>, Error>| {
            let before = slot.borrow_mut().replace(result.map(|response| response.to_buf()));
            assert!(before.is_none(), "told twice");
        }
    }

    pub fn is_there(&self) -> bool {
        self.0.borrow().is_some()
    }

    pub fn take(&self) -> Option<Outcome> {
        self.0.borrow_mut().take()
    }
}

/// A client's loop, and a socket that listens.
pub struct Scene {
    pub manager: Manager,
    pub client: Client,
    listener: TcpListener,
}

impl Scene {
    pub fn new() -> Self {
        Self::within(Limits::default())
    }

    pub fn within(limits: Limits) -> Self {
        let manager = Manager::new().expect("a manager");
        let client = Client::within(&manager, limits);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("to set an option");
        Self { manager, client, listener }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("bound")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(&self.url(path)))
    }

    pub fn send(&self, request: RequestBuilder<Client>) -> Answer {
        let answer = Answer::default();
        request.send(answer.handler()).expect("to begin");
        answer
    }

    /// Polls until something is there.
    pub fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Manager) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&self.manager) {
                return found;
            }
            assert!(Instant::now() < end, "waited in vain for {what}");
            self.manager.poll(Duration::from_millis(2)).expect("to poll");
        }
    }

    /// Waits for the next connection.
    pub fn accept(&mut self) -> Peer {
        let listener = self.listener.try_clone().expect("a descriptor");
        self.accept_at(&listener)
    }

    /// Waits for the next connection to another socket.
    pub fn accept_at(&mut self, listener: &TcpListener) -> Peer {
        listener.set_nonblocking(true).expect("to set an option");
        let (stream, _) = self.until("a connection", |_| accepted(listener));
        stream.set_nonblocking(true).expect("to set an option");
        stream.set_nodelay(true).expect("to set an option");
        Peer { stream, received: Vec::new() }
    }

    /// Whether another connection waits to be accepted, after what can happen has happened.
    pub fn is_connecting(&mut self) -> bool {
        for _ in 0..3 {
            self.manager.poll(Duration::ZERO).expect("to poll");
        }
        accepted(&self.listener).is_some()
    }

    /// Waits for a request's head, and answers it.
    pub fn head(&mut self, peer: &mut Peer) -> String {
        self.until("the head of a request", |_| {
            peer.fill();
            let end = peer.received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
            let head: Vec<u8> = peer.received.drain(..end).collect();
            Some(String::from_utf8_lossy(&head).into_owned())
        })
    }

    /// Waits for so many bytes of a request.
    pub fn bytes(&mut self, peer: &mut Peer, count: usize) -> Vec<u8> {
        self.until("bytes of a request", |_| {
            peer.fill();
            (peer.received.len() >= count).then(|| peer.received.drain(..count).collect())
        })
    }

    /// Waits until the client has closed the connection.
    pub fn closed(&mut self, peer: &mut Peer) {
        self.until("the client to close", |_| peer.fill().then_some(()));
    }

    /// Sends pieces so that the client reads each by itself; stops once the answer is there.
    pub fn feed<'p>(&mut self, peer: &mut Peer, answer: &Answer, pieces: impl IntoIterator<Item = &'p [u8]>) {
        let mut total = self.manager.stats().received;
        for piece in pieces {
            if answer.is_there() || peer.stream.write_all(piece).is_err() {
                return;
            }
            total += piece.len() as u64;
            self.until("the client to read a piece", |manager| {
                (answer.is_there() || manager.stats().received >= total).then_some(())
            });
        }
    }

    /// Waits for the outcome of a request.
    pub fn outcome(&mut self, answer: &Answer) -> Outcome {
        self.until("the outcome of a request", |_| answer.take())
    }

    /// Has one request answered with these bytes, on a connection that then stays.
    pub fn exchange(&mut self, path: &str, response: &[u8]) -> (Peer, Outcome) {
        let answer = self.get(path);
        let mut peer = self.accept();
        self.head(&mut peer);
        peer.send(response);
        let outcome = self.outcome(&answer);
        (peer, outcome)
    }
}

fn accepted(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept() {
        Ok(accepted) => Some(accepted),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("cannot accept: {error}"),
    }
}

/// The server's end of a connection.
pub struct Peer {
    pub stream: TcpStream,
    /// Read and not yet looked at.
    pub received: Vec<u8>,
}

impl Peer {
    /// Sends bytes that the system has room for.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("to send");
    }

    /// Ends the server's direction.
    pub fn end(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("to shut down");
    }

    /// Reads what is there. Whether the client has closed.
    pub fn fill(&mut self) -> bool {
        let mut bytes = [0; 65536];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(count) => self.received.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
    }
}

/// A response with a body.
pub fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A redirect.
pub fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
