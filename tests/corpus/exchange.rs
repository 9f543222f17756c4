//! A server and one client of it in one thread: each piece is read by itself, because the test says when.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;

use mongoose::http::{self, BodyMode, Reply};
use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::poll_until;

/// All that a connection led to, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the handler was told.
    pub told: Vec<Told>,
    /// What the client got.
    pub responses: Vec<Response>,
}

/// What the handler was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Request(Request),
    Refused(u16),
    Truncated,
    Other(String),
}

/// What the handler saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub path: String,
    pub query: String,
    pub host: String,
    pub protocol: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Bytes of the head, as they came.
    pub head_len: usize,
}

/// A response, without its Date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub head: Vec<String>,
    pub body: Vec<u8>,
}

type Journal = Rc<RefCell<Vec<Told>>>;

struct Handler {
    journal: Journal,
    mode: BodyMode,
}

impl http::Handler for Handler {
    fn body_mode(&mut self, _: &http::Request<'_>) -> BodyMode {
        self.mode
    }

    fn request(&mut self, request: http::Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let headers = request.headers();
        let seen = Request {
            method: request.method().to_owned(),
            target: request.target().to_owned(),
            path: request.path().to_owned(),
            query: request.query().to_owned(),
            host: request.host().to_owned(),
            protocol: request.protocol().to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: request.body().to_vec(),
            head_len: request.head().len(),
        };
        let mut upload = Upload { seen, journal: Rc::clone(&self.journal) };
        match self.mode {
            BodyMode::Streamed => reply.receive(upload),
            _ => http::Upload::end(&mut upload, reply),
        }
    }

    fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
        if let Event::Error(error) = event {
            self.journal.borrow_mut().push(match error {
                Error::Refused { status, .. } => Told::Refused(*status),
                Error::Truncated => Told::Truncated,
                other => Told::Other(other.to_string()),
            });
        }
    }
}

/// A request whose body is not whole yet.
struct Upload {
    seen: Request,
    journal: Journal,
}

impl http::Upload for Upload {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.seen.body.extend_from_slice(piece);
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.journal.borrow_mut().push(Told::Request(self.seen.clone()));
        reply.text("seen")
    }
}

/// A server, for one connection after the other.
pub struct Server {
    manager: Manager,
    address: SocketAddr,
    journal: Journal,
}

impl Server {
    pub fn new(mode: BodyMode) -> Self {
        let manager = Manager::new().expect("a manager");
        let journal = Journal::default();
        let handler = Handler { journal: Rc::clone(&journal), mode };
        let address = manager.http("http://127.0.0.1:0", handler).expect("to listen").local_addr();
        Self { manager, address, journal }
    }

    /// Sends pieces for as long as the server takes them, each once the one before was read, then ends and waits for
    /// the server's end.
    pub fn exchange(&mut self, pieces: &[&[u8]]) -> Outcome {
        let accepted = self.manager.stats().accepted;
        let mut client = TcpStream::connect(self.address).expect("to connect");
        client.set_nodelay(true).expect("to set an option");
        client.set_nonblocking(true).expect("to set an option");
        poll_until(&mut self.manager, "the connection", |manager| manager.stats().accepted > accepted);
        let mut answer = Vec::new();
        let start = self.manager.stats().received;
        let mut sent = 0;
        for piece in pieces {
            let mut rest = *piece;
            poll_until(&mut self.manager, "the server to read a piece", |manager| {
                if let Ok(count) = client.write(rest) {
                    rest = &rest[count..];
                    sent += count as u64;
                }
                take(&mut client, &mut answer);
                let all = rest.is_empty() && manager.stats().received == start + sent;
                all || manager.stats().connections == 1
            });
        }
        // The server may have closed already.
        let _ = client.shutdown(Shutdown::Write);
        poll_until(&mut self.manager, "the server's end", |manager| {
            take(&mut client, &mut answer);
            manager.stats().connections == 1
        });
        take(&mut client, &mut answer);
        let told = self.journal.take();
        let responses = responses(&answer, &told);
        Outcome { told, responses }
    }
}

/// Reads what there is.
fn take(client: &mut TcpStream, answer: &mut Vec<u8>) {
    let mut bytes = [0; 65536];
    loop {
        match client.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => answer.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionReset) => {
                return;
            }
            Err(error) => panic!("cannot read: {error}"),
        }
    }
}

/// Takes an answer apart. Whether a client that waits gets 100 Continue depends on what the server has read by then:
/// it is checked, and left out.
fn responses(mut answer: &[u8], told: &[Told]) -> Vec<Response> {
    let mut responses = Vec::new();
    while !answer.is_empty() {
        let shown = answer.escape_ascii();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("half a head: {shown}"));
        let head = std::str::from_utf8(&answer[..end]).expect("a head of text");
        let mut head: Vec<_> = head.split("\r\n").map(str::to_owned).collect();
        answer = &answer[end + 4..];
        let status = head[0].strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {shown}"));
        if status == 100 {
            assert_eq!(head, ["HTTP/1.1 100 Continue"]);
            let expects = |request: &Request| request.headers.iter().any(|(name, _)| name == "Expect");
            let asked = matches!(told.get(responses.len()), Some(Told::Request(request)) if expects(request));
            assert!(asked, "100 Continue to who does not expect it");
            continue;
        }
        let dates = head.len();
        head.retain(|line| !line.starts_with("Date: "));
        assert_eq!(head.len() + 1, dates, "one Date: {shown}");
        let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
        let to_head = match told.get(responses.len()) {
            Some(Told::Request(request)) => request.method == "HEAD",
            // A refused HEAD may or may not be known to be one; nothing comes behind it.
            _ => answer.is_empty(),
        };
        let length: usize = if to_head { 0 } else { length.expect("a length") };
        assert!(answer.len() >= length, "half a body: {shown}");
        responses.push(Response { status, head, body: answer[..length].to_vec() });
        answer = &answer[length..];
    }
    responses
}
