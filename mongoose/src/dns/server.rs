//! Lookups by a name server of choice, on the loop.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::not_found;
use crate::engine::{Answer, Connection, Dialer, Protocol, Step};
use crate::gate::dns::{self, Kind, Name, Question};
use crate::net::Endpoint;
use crate::{ConnectionId, Error, ffi};

/// After how long a question is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Begins a lookup. Dropping what this answers gives it up.
pub(super) fn look_up(
    dialer: Dialer,
    server: SocketAddr,
    within: Duration,
    host: &str,
    answer: Answer,
) -> Box<dyn Any> {
    let Some(name) = Name::new(host) else {
        answer.give(Err(not_found("it is not the name of a host")));
        return Box::new(());
    };
    if is_this_host(host) {
        let here = [IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from(Ipv4Addr::LOCALHOST)];
        answer.give(Ok(here.map(|ip| SocketAddr::new(ip, 0)).to_vec()));
        return Box::new(());
    }
    let question = |kind| Question { id: u16::from_ne_bytes(ffi::random()), name: name.clone(), kind };
    let lookup = Rc::new(Lookup {
        dialer,
        server: Endpoint::of(server),
        until: Instant::now().checked_add(within),
        questions: [question(Kind::Aaaa), question(Kind::A)],
        found: RefCell::default(),
        by_stream: Default::default(),
        answer: Cell::new(Some(answer)),
        connections: RefCell::default(),
    });
    let datagrams = Box::new(Datagrams(Rc::clone(&lookup)));
    let url = lookup.url("udp");
    lookup.add(lookup.dialer.connect_datagrams(&url, &lookup.server, within, datagrams));
    Box::new(Hold(lookup))
}

fn is_this_host(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

/// A host whose addresses are asked for, of both kinds.
struct Lookup {
    dialer: Dialer,
    server: Endpoint,
    until: Option<Instant>,
    questions: [Question; 2],
    found: RefCell<[Option<io::Result<Vec<IpAddr>>>; 2]>,
    /// Which of them was truncated, and is asked for by a stream since.
    by_stream: [Cell<bool>; 2],
    answer: Cell<Option<Answer>>,
    /// To be closed when it is over.
    connections: RefCell<Vec<ConnectionId>>,
}

/// Gives up a lookup when it is dropped.
struct Hold(Rc<Lookup>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Lookup {
    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}:{}", self.server.host(), self.server.port())
    }

    fn add(&self, begun: Result<ConnectionId, Error>) {
        match begun {
            Ok(id) => self.connections.borrow_mut().push(id),
            Err(error) => self.give(Err(io::Error::other(error))),
        }
    }

    fn is_open(&self, index: usize) -> bool {
        self.found.borrow()[index].is_none()
    }

    fn time_left(&self) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        self.until.map_or(Duration::MAX, left)
    }

    /// Takes what the server said to a question.
    fn take(self: &Rc<Self>, index: usize, answer: dns::Answer) {
        let found = match answer {
            dns::Answer::Addresses(addresses) => Ok(addresses),
            dns::Answer::NoName => Err(not_found("the name does not exist")),
            dns::Answer::Failed(code) => {
                Err(io::Error::other(format!("the name server failed: code {code}")))
            }
            dns::Answer::Truncated => return self.ask_by_stream(index),
        };
        self.settle(index, found);
    }

    fn settle(&self, index: usize, found: io::Result<Vec<IpAddr>>) {
        self.found.borrow_mut()[index].get_or_insert(found);
        if !self.is_open(0) && !self.is_open(1) {
            self.conclude();
        }
    }

    /// All that was found of either kind, else what went wrong.
    fn conclude(&self) {
        let (mut addresses, mut failure) = (Vec::new(), None);
        for found in self.found.take().into_iter().flatten() {
            match found {
                Ok(found) => addresses.extend(found.into_iter().map(|ip| SocketAddr::new(ip, 0))),
                // That a server failed says more than that a name is not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => failure = failure.or(Some(error)),
                Err(error) => failure = Some(error),
            }
        }
        self.give(match failure {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(addresses),
        });
    }

    fn give(&self, result: io::Result<Vec<SocketAddr>>) {
        if let Some(answer) = self.answer.take() {
            answer.give(result);
        }
        self.end();
    }

    fn end(&self) {
        self.answer.take();
        self.connections.take().into_iter().for_each(|id| self.dialer.close(id));
    }

    /// Its answer is too long for a datagram.
    fn ask_by_stream(self: &Rc<Self>, index: usize) {
        self.by_stream[index].set(true);
        let stream = Box::new(Stream { lookup: Rc::clone(self), index });
        let url = self.url("tcp");
        self.add(self.dialer.connect(&url, &self.server, None, Rc::default(), self.time_left(), stream));
    }
}

/// Both questions by datagrams, until each is answered.
struct Datagrams(Rc<Lookup>);

impl Datagrams {
    fn ask(&self, connection: &Connection<'_>) {
        let left = self.0.time_left();
        if left.is_zero() {
            (0..2).for_each(|index| self.0.settle(index, Err(io::ErrorKind::TimedOut.into())));
            return;
        }
        for (index, question) in self.0.questions.iter().enumerate() {
            if self.0.is_open(index)
                && !self.0.by_stream[index].get()
                && let Err(error) = connection.send_datagram(&question.encode(), None)
            {
                // Of this one or of one before, to which the system says that nobody is there.
                return self.0.give(Err(cause(&error)));
            }
        }
        connection.set_deadline(Some(ASK_AGAIN.min(left)));
    }
}

impl Protocol for Datagrams {
    fn opened(&mut self, connection: &Connection<'_>) {
        self.ask(connection);
    }

    fn receive(&mut self, _connection: &Connection<'_>) -> Step {
        Step::Wait
    }

    fn datagram(&mut self, _connection: &Connection<'_>, bytes: &[u8], _from: SocketAddr) {
        for (index, question) in self.0.questions.iter().enumerate() {
            if self.0.is_open(index)
                && !self.0.by_stream[index].get()
                && let Some(answer) = question.judge(bytes)
            {
                self.0.take(index, answer);
                return;
            }
        }
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        self.ask(connection);
    }

    fn failed(&mut self, _connection: &Connection<'_>, error: &Error) {
        self.0.give(Err(cause(error)));
    }

    fn shutdown(&mut self, connection: &Connection<'_>) {
        connection.close();
    }

    fn closed(&mut self, _connection: &Connection<'_>) {
        self.0.end();
    }
}

/// One question by a stream, where each message is behind its length.
struct Stream {
    lookup: Rc<Lookup>,
    index: usize,
}

impl Stream {
    fn fail(&self, error: io::Error) {
        self.lookup.settle(self.index, Err(error));
    }
}

impl Protocol for Stream {
    fn opened(&mut self, connection: &Connection<'_>) {
        let question = self.lookup.questions[self.index].encode();
        let mut message = (question.len() as u16).to_be_bytes().to_vec();
        message.extend(question);
        connection.append(message.into());
        connection.set_deadline(Some(self.lookup.time_left()));
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        let Some((length, message)) = connection.received().split_first_chunk() else { return Step::Wait };
        let Some(message) = message.get(..usize::from(u16::from_be_bytes(*length))) else {
            return Step::Wait;
        };
        match self.lookup.questions[self.index].judge(message) {
            Some(dns::Answer::Truncated) | None => {
                self.fail(io::Error::new(io::ErrorKind::InvalidData, "not an answer to the question"));
            }
            Some(answer) => self.lookup.take(self.index, answer),
        }
        connection.close();
        Step::Wait
    }

    fn expired(&mut self, _connection: &Connection<'_>) {
        self.fail(io::ErrorKind::TimedOut.into());
    }

    fn failed(&mut self, _connection: &Connection<'_>, error: &Error) {
        self.fail(cause(error));
    }

    fn closed(&mut self, _connection: &Connection<'_>) {
        self.fail(io::ErrorKind::UnexpectedEof.into());
    }
}

/// What the system said.
fn cause(error: &Error) -> io::Error {
    match error {
        Error::Connect { source, .. } | Error::Io { source, .. } | Error::Datagram { source, .. } => {
            source.raw_os_error().map_or_else(|| source.kind().into(), io::Error::from_raw_os_error)
        }
        other => io::Error::other(other.to_string()),
    }
}
