//! The protocol of raw connections: bytes as they come.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Event, Handler};
use crate::Error;
use crate::engine::{Connection, Protocol, State, Step};

/// Hands a connection's events to a handler, which may serve others too.
#[derive(Debug)]
pub(crate) struct Stream<H> {
    handler: Rc<RefCell<H>>,
}

impl<H: Handler> Stream<H> {
    pub(crate) fn boxed(handler: Rc<RefCell<H>>) -> Box<dyn Protocol> {
        Box::new(Self { handler })
    }

    /// An error of the handler's own comes back to it as an event, once.
    fn tell(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        let mut handler = self.handler.borrow_mut();
        if let Err(error) = handler.event(connection, event)
            && !matches!(event, Event::Error(_) | Event::Close)
        {
            connection.close();
            // It has been told; there is nobody else.
            let _ = handler.event(connection, Event::Error(&error));
        }
    }
}

impl<H: Handler> Protocol for Stream<H> {
    fn opened(&mut self, connection: &Connection<'_>) {
        let client = connection.state().contains(State::CLIENT);
        self.tell(connection, if client { Event::Connect } else { Event::Accept });
    }

    fn receive(&mut self, connection: &Connection<'_>) -> Step {
        self.tell(connection, Event::Read);
        Step::Wait
    }

    fn ended(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::End);
        if !connection.is_kept_open() {
            connection.drain();
        }
    }

    fn written(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::Write);
    }

    fn wakeup(&mut self, connection: &Connection<'_>, payload: &[u8]) {
        self.tell(connection, Event::Wakeup(payload));
    }

    fn user(&mut self, connection: &Connection<'_>, number: u32) {
        self.tell(connection, Event::User(number));
    }

    fn failed(&mut self, connection: &Connection<'_>, error: &Error) {
        self.tell(connection, Event::Error(error));
    }

    fn closed(&mut self, connection: &Connection<'_>) {
        self.tell(connection, Event::Close);
    }
}
