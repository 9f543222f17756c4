//! A manager with a client whose events are kept as text.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::mqtt::{Client, ClientBuilder, Event, Session};
use mongoose::{Error, Manager};
use mongoose_tests::poll_until;

/// What a client was told, a line each.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub fn add(&self, line: String) {
        self.0.borrow_mut().push(line);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// How many lines begin with a text.
    pub fn count(&self, text: &str) -> usize {
        self.0.borrow().iter().filter(|line| line.starts_with(text)).count()
    }

    /// Writes an event down.
    pub fn event(&self, event: &Event<'_>) {
        self.add(match event {
            Event::Connected(connack) => format!("connected {}", connack.session_present),
            Event::Message(message) => format!(
                "message {} {} qos{}{}",
                message.topic,
                String::from_utf8_lossy(message.payload),
                message.qos as u8,
                if message.retain { " retained" } else { "" },
            ),
            Event::Published(_, reason) => format!("published {:#x}", reason.0),
            Event::Subscribed(_, answer) => format!("subscribed {:?}", answer.codes),
            Event::Unsubscribed(_, answer) => format!("unsubscribed {:?}", answer.codes),
            Event::Disconnected { error, .. } => format!("disconnected: {error}"),
            Event::Closed => "closed".to_owned(),
            other => format!("{other:?}"),
        });
    }
}

pub struct Scene {
    pub manager: Manager,
    pub log: Log,
}

impl Scene {
    pub fn new() -> Self {
        Self { manager: Manager::new().expect("a manager"), log: Log::default() }
    }

    /// Connects with a handler of choice, after whose look at an event it is written down.
    pub fn client(
        &self,
        builder: ClientBuilder,
        mut handler: impl FnMut(&Session<'_>, &Event<'_>) -> Result<(), Error> + 'static,
    ) -> Client {
        let log = self.log.clone();
        let handler = move |session: &Session<'_>, event: Event<'_>| {
            log.event(&event);
            handler(session, &event)
        };
        builder.connect(&self.manager, handler).expect("to begin")
    }

    /// As [`client`](Self::client), with one that only writes down.
    pub fn plain(&self, builder: ClientBuilder) -> Client {
        self.client(builder, |_: &Session<'_>, _: &Event<'_>| Ok(()))
    }

    /// Polls until so many lines of the log begin with a text.
    pub fn until(&mut self, text: &str, count: usize) {
        let log = self.log.clone();
        let what = format!("{count} of {text:?} in {:?}", self.log.lines());
        poll_until(&mut self.manager, &what, |_| log.count(text) >= count);
    }
}
