//! What services need of a reply besides what handlers do.

use ::http::HeaderMap;
use ::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};

use super::Reply;
use super::deferred::Terms;
use super::exchange::{Fate, Rest};
use super::feed::Feed;
use super::reply::{To, has_no_body};
use super::reply_head::Transfer;
use super::responder::Responder;
use super::server::tell_to_continue;
use crate::engine::Payload;
use crate::{Connection, Error};

impl<'r> Reply<'r> {
    /// Has the request's body handed over while the reply is made, of a request that
    /// [`Handler::body_mode`](super::Handler::body_mode) has streamed.
    pub(crate) fn feed(&self, feed: Feed) {
        if let To::Now { exchange, .. } = &self.to {
            let terms = exchange.terms.get();
            exchange.terms.set(Terms { keep_alive: exchange.keep_alive_if_read.get(), ..terms });
            exchange.feed.set(Some(feed));
        }
    }

    /// Has the reply made on the loop, in steps.
    pub(crate) fn respond_by(self, responder: Box<dyn Responder>) {
        if let To::Now { exchange, .. } = &self.to {
            exchange.rest.set(Some(Rest::Responder(responder)));
            exchange.fate.set(Fate::Making);
        }
    }

    /// Whether no body can follow: to HEAD, and by the status.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.terms().head_only || has_no_body(self.status)
    }

    /// Sends the head alone of a reply that [has no body](Self::is_bodiless); the length that another method would have
    /// had, where that is known.
    pub(crate) fn bodiless(mut self, length: Option<u64>) -> Result<(), Error> {
        let terms = self.terms();
        self.check()?;
        let transfer = match self.length.or(length) {
            Some(length) if !has_no_body(self.status) => Transfer::Length(length),
            _ => Transfer::Unsaid,
        };
        self.finish(terms, transfer, Payload::from_static(b""), None)
    }

    /// Takes over the headers of a response of status 101, but for those that [`switch`](Reply::switch) writes and those
    /// of a body.
    pub(crate) fn with_upgrade_headers(mut self, headers: &HeaderMap) -> Self {
        for (name, value) in headers {
            if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE].contains(name) {
                self = self.header(name.as_str(), value);
            }
        }
        self
    }

    /// Tells the peer to send the body of its request, before this reply.
    pub(crate) fn tell_to_continue(&self) {
        if let To::Now { connection, .. } = &self.to
            && connection.takes_output()
        {
            tell_to_continue(connection);
        }
    }

    /// Whether the length of the body was announced.
    pub(crate) fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// Whether the connection stays after it, as far as that is known.
    pub(crate) fn keeps_alive(&self) -> bool {
        self.terms().keep_alive
    }

    /// Whose request is answered. `None` for a reply that was deferred.
    pub(crate) fn connection(&self) -> Option<Connection<'r>> {
        match &self.to {
            To::Now { connection, .. } => Some((*connection).clone()),
            To::Later(_) => None,
        }
    }
}
