//! Server-sent events: one a second, to all subscribers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mongoose::http::{Reply, Request, ServerEvent, SlowSubscriber, Subscribers};
use mongoose::{Error, Registry};

/// Bytes of events that wait for a subscriber that reads too slowly, before it is dropped. It connects anew and says
/// which event was its last.
const ROOM: usize = 64 << 10;

/// How many missed events somebody who comes back gets.
const MISSED_MAX: u64 = 60;

/// The subscribers of one event loop. Events are numbered by the time since `started`, so that they are the same on
/// all loops.
pub struct Ticker {
    started: Instant,
    /// The last event that was sent; the first is 1.
    last: u64,
    subscribers: Subscribers,
}

impl Ticker {
    /// Begins to tick on a loop.
    pub fn start(registry: &Registry, started: Instant) -> Result<Rc<RefCell<Self>>, Error> {
        let subscribers = Subscribers::new(SlowSubscriber::Drop);
        let last = 1 + started.elapsed().as_secs();
        let ticker = Rc::new(RefCell::new(Self { started, last, subscribers }));
        let ticking = Rc::clone(&ticker);
        registry.every(Duration::from_secs(1), move |_| ticking.borrow_mut().tick())?.detach();
        Ok(ticker)
    }

    fn tick(&mut self) {
        while self.last < 1 + self.started.elapsed().as_secs() {
            self.last += 1;
            let number = self.last.to_string();
            // A number can be sent; who is gone is forgotten.
            let _ = self.subscribers.send(&tick(&number));
        }
    }

    /// Adds a subscriber, who first gets what it missed; a new one gets the last event.
    pub fn subscribe(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let seen = request.header("Last-Event-ID").and_then(|id| id.to_str().ok()?.parse().ok());
        let seen = seen.unwrap_or(self.last - 1).clamp(self.last.saturating_sub(MISSED_MAX), self.last);
        let sender = reply.events(ROOM)?;
        for number in seen + 1..=self.last {
            sender.send(&tick(&number.to_string()))?;
        }
        self.subscribers.add(sender);
        Ok(())
    }
}

fn tick(number: &str) -> ServerEvent<'_> {
    ServerEvent::new(number).event("tick").id(number)
}
