//! The client's side of a test suite such as Autobahn's.

use std::rc::Rc;

use mongoose::{ConnectionId, Error, Registry, ws};

use crate::{Dialer, Outcome};

/// Where the suite is, and how far we are in it.
struct Suite {
    dialer: Dialer,
    url: String,
    agent: String,
    count: u32,
    outcome: Outcome,
}

/// One connection's part in it.
enum Part {
    /// The first message is the number of cases.
    Count,
    Case(u32),
    /// Nothing comes.
    Report,
}

/// Asks how many cases there are, and plays all of them.
pub fn start(
    registry: &Registry,
    dialer: Dialer,
    url: &str,
    agent: &str,
    outcome: &Outcome,
) -> Result<ConnectionId, Error> {
    let url = url.trim_end_matches('/').to_owned();
    let suite = Suite { dialer, url, agent: agent.to_owned(), count: 0, outcome: Rc::clone(outcome) };
    Part::Count.open(registry, suite)
}

impl Part {
    fn open(self, registry: &Registry, suite: Suite) -> Result<ConnectionId, Error> {
        let Suite { url, agent, .. } = &suite;
        let url = match &self {
            Self::Count => format!("{url}/getCaseCount"),
            Self::Case(case) => format!("{url}/runCase?case={case}&agent={agent}"),
            Self::Report => format!("{url}/updateReports?agent={agent}"),
        };
        let connect = suite.dialer.connect(registry, &url);
        connect.open(Player { part: self, suite: Some(suite), refused: None })
    }
}

struct Player {
    part: Part,
    /// Goes on to the next.
    suite: Option<Suite>,
    /// Why there is no connection.
    refused: Option<String>,
}

impl Player {
    /// On to the next part, whatever this one came to: to judge it is the suite's.
    fn next(&mut self, registry: &Registry) {
        let Some(suite) = self.suite.take() else { return };
        let outcome = Rc::clone(&suite.outcome);
        let next = match self.part {
            _ if self.refused.is_some() => None,
            Part::Count if suite.count == 0 => {
                self.refused = Some("the suite does not say how many cases it has".to_owned());
                None
            }
            Part::Count => Some(Part::Case(1)),
            Part::Case(case) if case < suite.count => Some(Part::Case(case + 1)),
            Part::Case(_) => Some(Part::Report),
            Part::Report => None,
        };
        let done = match (self.refused.take(), next) {
            (Some(refused), _) => Some(Err(Error::handler(refused))),
            (None, Some(next)) => next.open(registry, suite).err().map(Err),
            (None, None) => Some(Ok(())),
        };
        if done.is_some() {
            *outcome.borrow_mut() = done;
        }
    }
}

impl ws::Handler for Player {
    fn event(&mut self, peer: &ws::Connection<'_>, event: ws::Event<'_>) -> Result<(), Error> {
        match (&self.part, event) {
            (Part::Count, ws::Event::Message(ws::Message::Text(text))) => {
                if let Some(suite) = &mut self.suite {
                    suite.count = text.parse().map_err(Error::handler)?;
                    println!("{} cases", suite.count);
                }
            }
            (Part::Case(_), ws::Event::Message(message)) => return peer.send(message),
            (
                _,
                ws::Event::Error(
                    error @ (Error::Connect { .. } | Error::Handshake { .. } | Error::Resolve { .. }),
                ),
            ) => {
                self.refused = Some(error.to_string());
            }
            (_, ws::Event::Close(_)) => self.next(peer.registry()),
            _ => {}
        }
        Ok(())
    }
}
