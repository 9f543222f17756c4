//! Lookups by a name server of choice, on the loop.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::not_found;
use crate::engine::{Answer, Connection, Dialer, Protocol, Step};
use crate::gate::dns::{Answer as Said, Kind, NO_NAME, Name, Question};
use crate::net::Endpoint;
use crate::{ConnectionId, Error, ffi};

/// After how long a question is asked again, or given up where addresses of the other kind are there: some servers never
/// answer one of the two.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Begins a lookup. Dropping what this answers gives it up.
pub(super) fn look_up(
    dialer: Dialer,
    server: SocketAddr,
    within: Duration,
    host: &str,
    answer: Answer,
) -> Option<Rc<Lookup>> {
    let Some(name) = Name::new(host) else {
        answer.give(Err(not_found("it is not the name of a host")));
        return None;
    };
    let mut labels = host.strip_suffix('.').unwrap_or(host).rsplit('.');
    if labels.next().is_some_and(|last| last.eq_ignore_ascii_case("localhost")) {
        let here = [IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from(Ipv4Addr::LOCALHOST)];
        answer.give(Ok(here.map(|ip| SocketAddr::new(ip, 0)).to_vec()));
        return None;
    }
    let lookup = Rc::new(Lookup {
        dialer,
        server: Endpoint::of(server),
        // For something to come of it in time.
        step: within / 2,
        first: RefCell::default(),
        answer: Cell::new(Some(answer)),
        connections: RefCell::default(),
    });
    for kind in [Kind::Aaaa, Kind::A] {
        let id = u16::from_ne_bytes(ffi::random());
        Asking::begin(&lookup, Question { id, name: name.clone(), kind }, false);
    }
    Some(lookup)
}

/// A host whose addresses are asked for, of both kinds. Dropped, it is given up.
pub(super) struct Lookup {
    dialer: Dialer,
    server: Endpoint,
    /// How long one thing may take.
    step: Duration,
    /// What became of the question that was settled first.
    first: RefCell<Option<io::Result<Vec<IpAddr>>>>,
    answer: Cell<Option<Answer>>,
    /// To be closed when it is over.
    connections: RefCell<Vec<ConnectionId>>,
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.connections.take().into_iter().for_each(|id| self.dialer.close(id));
    }
}

impl Lookup {
    /// Takes what became of a question. The second one's is the end: all that was found, else what went wrong.
    fn settle(&self, found: io::Result<Vec<IpAddr>>) {
        let Some(first) = self.first.take() else { return *self.first.borrow_mut() = Some(found) };
        let (mut addresses, mut failures) = (Vec::new(), Vec::new());
        for found in [first, found] {
            match found {
                Ok(found) => addresses.extend(found.into_iter().map(|ip| SocketAddr::new(ip, 0))),
                Err(error) => failures.push(error),
            }
        }
        addresses.sort_by_key(SocketAddr::is_ipv4);
        // That a server failed says more than that a name is not there.
        failures.sort_by_key(|error| error.kind() == io::ErrorKind::NotFound);
        let failure = failures.into_iter().next().filter(|_| addresses.is_empty());
        if let Some(answer) = self.answer.take() {
            answer.give(failure.map_or(Ok(addresses), Err));
        }
    }
}

/// A question by datagrams, until it is answered; or by a stream, where each message is behind its length.
struct Asking {
    lookup: Weak<Lookup>,
    /// `None`: it is settled, or asked elsewhere.
    question: Option<Question>,
    by_stream: bool,
}

impl Asking {
    fn begin(lookup: &Rc<Lookup>, question: Question, by_stream: bool) {
        let (dialer, server, within) = (&lookup.dialer, &lookup.server, lookup.step);
        let asking = Box::new(Self { lookup: Rc::downgrade(lookup), question: Some(question), by_stream });
        let begun = if by_stream {
            dialer.connect("", server, None, Rc::default(), within, asking)
        } else {
            dialer.connect_datagrams("", server, within, asking)
        };
        match begun {
            Ok(id) => lookup.connections.borrow_mut().push(id),
            Err(error) => lookup.settle(Err(io::Error::other(error))),
        }
    }

    fn ask(&mut self, connection: &Connection<'_>) {
        let Some((question, lookup)) = self.question.as_ref().zip(self.lookup.upgrade()) else { return };
        let message = question.encode();
        if self.by_stream {
            connection.append((message.len() as u16).to_be_bytes().to_vec().into());
            connection.append(message.into());
            connection.set_deadline(Some(lookup.step));
        } else if let Err(error) = connection.send_datagram(&message, None) {
            // Of this one or of one before, to which the system says that nobody is there.
            self.failed(connection, &error);
        } else {
            connection.set_deadline(Some(lookup.step.min(ASK_AGAIN)));
        }
    }

    fn settle(&mut self, connection: &Connection<'_>, found: io::Result<Vec<IpAddr>>) {
        connection.close();
        if let Some((lookup, _)) = self.lookup.upgrade().zip(self.question.take()) {
            lookup.settle(found);
        }
    }

    /// Takes what the server said.
    fn hear(&mut self, connection: &Connection<'_>, message: &[u8]) {
        let Some(question) = &self.question else { return };
        let found = match question.judge(message) {
            Some(Said::Addresses(addresses)) => Ok(addresses),
            Some(Said::Failed(NO_NAME)) => Err(not_found("the name does not exist")),
            Some(Said::Failed(code)) => Err(io::Error::other(format!("the name server failed: code {code}"))),
            _ if self.by_stream => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "not an answer to the question"))
            }
            Some(Said::Truncated) => {
                if let Some((lookup, question)) = self.lookup.upgrade().zip(self.question.take()) {
                    Self::begin(&lookup, question, true);
                }
                return connection.close();
            }
            None => return,
        };
        self.settle(connection, found);
    }
}

impl Protocol for Asking {
    fn opened(&mut self, connection: &Connection<'_>) {
        self.ask(connection);
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        if let Some((length, message)) = connection.received().split_first_chunk()
            && let Some(message) = message.get(..usize::from(u16::from_be_bytes(*length)))
        {
            self.hear(connection, message);
        }
        Step::Wait
    }

    fn datagram(&mut self, connection: &Connection<'_>, bytes: &[u8], _from: SocketAddr) {
        self.hear(connection, bytes);
    }

    fn expired(&mut self, connection: &Connection<'_>) {
        let is_found =
            |lookup: Rc<Lookup>| matches!(&*lookup.first.borrow(), Some(Ok(found)) if !found.is_empty());
        if self.by_stream || self.lookup.upgrade().is_some_and(is_found) {
            self.settle(connection, Err(io::ErrorKind::TimedOut.into()));
        } else {
            self.ask(connection);
        }
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        let cause = match error {
            Error::Connect { source, .. } | Error::Io { source, .. } | Error::Datagram { source, .. } => {
                source.raw_os_error().map_or_else(|| source.kind().into(), io::Error::from_raw_os_error)
            }
            other => io::Error::other(other.to_string()),
        };
        self.settle(connection, Err(cause));
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.settle(connection, Err(io::ErrorKind::UnexpectedEof.into()));
    }
}
