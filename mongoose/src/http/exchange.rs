//! One request being answered: what its handler has done about it, for the server to see afterwards.

use std::cell::Cell;

use super::Upload;
use super::deferred::Terms;
#[cfg(feature = "tower")]
use super::feed::Feed;
use super::outgoing::Outgoing;
use super::request_span::RequestSpan;
#[cfg(feature = "tower")]
use super::responder::Responder;

/// What became of a reply. The engine looks after the handler has returned, so forgetting a reply is no way around
/// (invariant 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Sent,
    Deferred,
    Upgraded,
    /// The head is sent, the body follows.
    Streamed,
    /// The request's body is to be handed over first.
    Receiving,
    /// It is made on the loop.
    #[cfg(feature = "tower")]
    Making,
}

/// What goes on after the handler returned.
pub(super) enum Rest {
    Body(Box<Outgoing>),
    Upload(Box<dyn Upload>),
    #[cfg(feature = "tower")]
    Responder(Box<dyn Responder>),
}

/// One request being answered, as the server sees it.
pub(super) struct Exchange {
    pub(super) terms: Cell<Terms>,
    pub(super) fate: Cell<Fate>,
    pub(super) rest: Cell<Option<Rest>>,
    pub(super) span: RequestSpan,
    /// The body was handed over in pieces.
    pub(super) received: bool,
    /// Whether the connection stays where the body is read while the reply is made.
    #[cfg(feature = "tower")]
    pub(super) keep_alive_if_read: Cell<bool>,
    #[cfg(feature = "tower")]
    pub(super) feed: Cell<Option<Feed>>,
}

impl Exchange {
    pub(super) fn new(terms: Terms, span: &RequestSpan) -> Self {
        let fate = Cell::new(Fate::Open);
        Self {
            terms: Cell::new(terms),
            fate,
            rest: Cell::new(None),
            span: span.clone(),
            received: false,
            #[cfg(feature = "tower")]
            keep_alive_if_read: Cell::new(false),
            #[cfg(feature = "tower")]
            feed: Cell::new(None),
        }
    }

    /// The body that is to be sent, where that is streamed.
    pub(super) fn take_body(&self) -> Option<Box<Outgoing>> {
        match self.rest.take() {
            Some(Rest::Body(body)) => Some(body),
            _ => None,
        }
    }

    /// Who makes the reply on the loop.
    #[cfg(feature = "tower")]
    pub(super) fn take_responder(&self) -> Option<Box<dyn Responder>> {
        match self.rest.take() {
            Some(Rest::Responder(responder)) => Some(responder),
            _ => None,
        }
    }

    /// Where the request's body goes while the reply is made.
    #[cfg(feature = "tower")]
    pub(super) fn take_feed(&self) -> Option<Feed> {
        self.feed.take()
    }

    /// Who receives the request's body, where somebody does.
    #[inline]
    pub(super) fn take_upload(&self) -> Option<Box<dyn Upload>> {
        if self.fate.get() != Fate::Receiving {
            return None;
        }
        match self.rest.take() {
            Some(Rest::Upload(upload)) => Some(upload),
            _ => None,
        }
    }
}
