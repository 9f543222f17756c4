//! Server-sent events (the HTML standard, section 9.2).

use std::fmt;
use std::time::Duration;

use super::BodySender;
use crate::engine::Payload;
use crate::{ConnectionId, Error};

/// One event for an `EventSource`.
///
/// ```
/// use mongoose::http::ServerEvent;
/// let event = ServerEvent::new("two\nlines").event("tick").id("7");
/// assert_eq!(event.encode()?.as_ref(), b"event: tick\nid: 7\ndata: two\ndata: lines\n\n");
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent<'e> {
    data: &'e str,
    event: Option<&'e str>,
    id: Option<&'e str>,
    retry: Option<Duration>,
}

impl<'e> ServerEvent<'e> {
    /// An event with data, of any number of lines.
    pub fn new(data: &'e str) -> Self {
        Self { data, ..Self::default() }
    }

    /// Sets its type. Default: what browsers call `message`.
    pub fn event(mut self, name: &'e str) -> Self {
        self.event = Some(name);
        self
    }

    /// Sets its id: what a browser that connects anew sends as `Last-Event-ID`.
    pub fn id(mut self, id: &'e str) -> Self {
        self.id = Some(id);
        self
    }

    /// Says how long the browser waits before it connects anew, in milliseconds on the wire.
    pub fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// The event as it goes over the wire. Encode once what goes to many: the payload is shared, not copied.
    ///
    /// # Errors
    /// [`Error::Header`] for a type or an id with a line end, or an id with a NUL: they would end or void it.
    pub fn encode(&self) -> Result<Payload<'static>, Error> {
        let mut text = String::with_capacity(self.data.len() + 64);
        for (name, value) in [("event", self.event), ("id", self.id)] {
            let Some(value) = value else { continue };
            if value.contains(['\r', '\n', '\0']) {
                return Err(Error::Header { name: name.to_owned(), reason: "it has a line end or a NUL" });
            }
            field(&mut text, name, value);
        }
        if let Some(delay) = self.retry {
            field(&mut text, "retry", &delay.as_millis().to_string());
        }
        let mut rest = self.data;
        loop {
            // Each of CRLF, LF and CR ends a line of the stream: of the data, they all come out as LF.
            let end = rest.find(['\r', '\n']);
            field(&mut text, "data", &rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { break };
            rest = &rest[end + if rest[end..].starts_with("\r\n") { 2 } else { 1 }..];
        }
        text.push('\n');
        Ok(std::sync::Arc::<[u8]>::from(text.into_bytes()).into())
    }
}

fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

/// Sends events to one subscriber, from any thread: [`Reply::events`](super::Reply::events) gives one.
///
/// Dropping it ends the stream, and the browser connects anew unless it is told otherwise.
pub struct EventSender {
    body: BodySender,
}

impl EventSender {
    pub(super) fn new(body: BodySender) -> Self {
        Self { body }
    }

    /// Sends an event, without waiting.
    ///
    /// # Errors
    /// [`Error::OutputFull`] when the subscriber reads too slowly: this event is skipped for it. Drop the sender to
    /// drop the subscriber. [`Error::Closed`] when it is gone, and what [`ServerEvent::encode`] answers.
    pub fn send(&self, event: &ServerEvent<'_>) -> Result<(), Error> {
        self.send_encoded(event.encode()?)
    }

    /// Sends an event that is encoded already.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_encoded(&self, event: Payload<'static>) -> Result<(), Error> {
        self.body.send(event)
    }

    /// Whether the subscriber is gone.
    pub fn is_closed(&self) -> bool {
        self.body.is_closed()
    }

    /// The connection that it writes to.
    pub fn connection_id(&self) -> ConnectionId {
        self.body.connection_id().expect("a reply is on a connection")
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.body.complete();
    }
}

impl fmt::Debug for EventSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSender").field("connection", &self.connection_id()).finish_non_exhaustive()
    }
}

/// What happens to a subscriber that reads too slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowSubscriber {
    /// It misses the event.
    #[default]
    Skip,
    /// It is dropped; a browser connects anew.
    Drop,
}

/// Subscribers that get the same events.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use std::{cell::RefCell, rc::Rc, time::Duration};
/// use mongoose::http::{Reply, Request, ServerEvent, SlowSubscriber, Subscribers};
///
/// let subscribers = Rc::new(RefCell::new(Subscribers::new(SlowSubscriber::Skip)));
/// let all = Rc::clone(&subscribers);
/// manager.http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
///     subscribers.borrow_mut().add(reply.events(64 << 10)?);
///     Ok(())
/// })?;
/// manager.every(Duration::from_secs(1), move |_| {
///     let _ = all.borrow_mut().send(&ServerEvent::new("tick"));
/// })?.detach();
/// # Ok::<(), mongoose::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Subscribers {
    senders: Vec<EventSender>,
    slow: SlowSubscriber,
}

impl Subscribers {
    /// None yet.
    pub fn new(slow: SlowSubscriber) -> Self {
        Self { senders: Vec::new(), slow }
    }

    /// Adds one.
    pub fn add(&mut self, sender: EventSender) {
        self.senders.push(sender);
    }

    /// Sends an event to all, encoded once, and forgets those that are gone. Answers how many got it.
    ///
    /// # Errors
    /// What [`ServerEvent::encode`] answers.
    pub fn send(&mut self, event: &ServerEvent<'_>) -> Result<usize, Error> {
        let bytes = event.encode()?;
        let mut reached = 0;
        let slow = self.slow;
        self.senders.retain(|sender| match sender.send_encoded(bytes.clone()) {
            Ok(()) => {
                reached += 1;
                true
            }
            Err(Error::OutputFull { .. }) => slow == SlowSubscriber::Skip,
            Err(_) => false,
        });
        Ok(reached)
    }

    /// How many there are, those included that are gone and were sent nothing since.
    pub fn len(&self) -> usize {
        self.senders.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(event: ServerEvent<'_>) -> String {
        String::from_utf8(event.encode().expect("valid").as_ref().to_vec()).expect("text")
    }

    #[test]
    fn writes_each_line_of_the_data_as_one() {
        assert_eq!(encode(ServerEvent::new("")), "data: \n\n");
        assert_eq!(
            encode(ServerEvent::new("a\r\nb\rc\n\nd")),
            "data: a\ndata: b\ndata: c\ndata: \ndata: d\n\n"
        );
        assert_eq!(encode(ServerEvent::new("a\n")), "data: a\ndata: \n\n");
        let all = ServerEvent::new("x").event("e").id("").retry(Duration::from_millis(1500));
        assert_eq!(encode(all), "event: e\nid: \nretry: 1500\ndata: x\n\n");
    }

    #[test]
    fn hazard_43_a_field_cannot_begin_another() {
        for bad in ["a\nb", "a\rdata: x", "a\0"] {
            assert!(matches!(ServerEvent::new("").id(bad).encode(), Err(Error::Header { .. })), "{bad:?}");
        }
        assert!(ServerEvent::new("").event("a\n\nb").encode().is_err());
    }
}
