//! A connection, as the pool and its own protocol share it.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::destination::Destination;
use super::exchange::Exchange;
use crate::ConnectionId;

/// A connection, as the pool knows it.
pub(super) struct Line {
    destination: Destination,
    id: Cell<Option<ConnectionId>>,
    pub(super) exchange: RefCell<Option<Box<Exchange>>>,
    /// It has carried a request before: the server may close it at any moment.
    pub(super) used: Cell<bool>,
}

impl Line {
    pub(super) fn new(destination: Destination) -> Self {
        Self { destination, id: Cell::new(None), exchange: RefCell::new(None), used: Cell::new(false) }
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// `None` before it is begun.
    pub(super) fn id(&self) -> Option<ConnectionId> {
        self.id.get()
    }

    /// Notes that the connection is being made, for an exchange.
    pub(super) fn begin(&self, id: ConnectionId, exchange: Box<Exchange>) {
        self.id.set(Some(id));
        self.give(exchange);
    }

    /// Has the connection carry an exchange, as soon as it is there and pulled.
    pub(super) fn give(&self, exchange: Box<Exchange>) {
        if let Some(id) = self.id.get() {
            exchange.ride(id);
        }
        *self.exchange.borrow_mut() = Some(exchange);
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("destination", &self.destination)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
