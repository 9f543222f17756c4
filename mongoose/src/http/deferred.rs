//! Replies that come later, from any thread.

use std::fmt;

use super::Reply;
use super::outgoing::Outgoing;
use crate::engine::{Payload, Task};
use crate::{ConnectionId, Error, Handle};

/// What a reply has to know about its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Counts the connection's requests.
    pub(super) sequence: u64,
    /// HEAD: no body is sent.
    pub(super) head_only: bool,
    /// 0 or 1, of HTTP/1.x.
    pub(super) minor: u8,
    /// Whether the connection stays open after it.
    pub(super) keep_alive: bool,
}

/// A reply that was made elsewhere, on its way to the server.
#[derive(Debug)]
pub(super) struct LateReply {
    /// Which of the connection's requests it answers.
    pub(super) sequence: u64,
    pub(super) status: u16,
    /// Open at its end: whether the connection stays is known only when it is sent.
    pub(super) head: Vec<u8>,
    pub(super) body: LateBody,
    pub(super) close: bool,
}

#[derive(Debug)]
pub(super) enum LateBody {
    Whole(Payload<'static>),
    Streamed(Outgoing),
}

/// A reply that is due: [`Reply::defer`] gives one, for any thread. Requests behind it on the same connection wait.
///
/// Dropping it without an answer answers 500.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use mongoose::http::{Reply, Request};
///
/// manager.http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| {
///     let deferred = reply.defer();
///     std::thread::spawn(move || deferred.reply().text("done elsewhere"));
///     Ok(())
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[must_use = "dropping it answers 500"]
pub struct Deferred {
    handle: Handle,
    id: ConnectionId,
    terms: Terms,
    answered: bool,
}

impl Deferred {
    pub(super) fn new(handle: Handle, id: ConnectionId, terms: Terms) -> Self {
        Self { handle, id, terms, answered: false }
    }

    /// The connection that waits.
    pub fn connection_id(&self) -> ConnectionId {
        self.id
    }

    /// Makes the reply. Its last call answers [`Error::Gone`] when the manager is gone; whether the connection still
    /// is there shows only on the loop: [`Stats::undelivered`](crate::Stats::undelivered) counts those that are not.
    pub fn reply(self) -> Reply<'static> {
        Reply::later(self)
    }

    pub(super) fn terms(&self) -> Terms {
        self.terms
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(super) fn answer(mut self, late: LateReply) -> Result<(), Error> {
        self.answered = true;
        self.handle.task(Task::Late { id: self.id, late: Box::new(late) })
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if !self.answered {
            let late = super::reply::plain(self.terms, 500);
            // The manager may be gone: then nobody waits.
            let _ = self.handle.task(Task::Late { id: self.id, late: Box::new(late) });
        }
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").field("connection", &self.id).finish_non_exhaustive()
    }
}
