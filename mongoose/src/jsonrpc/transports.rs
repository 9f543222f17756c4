//! Calls by HTTP and WebSocket.

use super::Server;
use crate::{Error, http, ws};

impl<C> Server<C> {
    /// Answers a request whose body is a call: POST alone, else 405; `application/json`, else 415, so that no page of another
    /// site can send one unasked; 204 where there is nothing to say, 200 also for errors of a call.
    ///
    /// # Errors
    /// As [`http::Reply::text`]; [`Error::MediaType`] for a body of another type, which a handler passes on.
    pub fn http(&self, request: http::Request<'_>, reply: http::Reply<'_>, context: &C) -> Result<(), Error> {
        if request.method() != "POST" {
            return reply.status(405).header("Allow", "POST").text("a call is a POST");
        }
        request.expect_json()?;
        match self.process(request.body(), context) {
            Some(answer) => reply.json_text(answer),
            None => reply.status(204).empty(),
        }
    }

    /// Answers a message that is a call, by one of text.
    ///
    /// # Errors
    /// As [`ws::Connection::send`].
    pub fn websocket(
        &self,
        peer: &ws::Connection<'_>,
        message: ws::Message<'_>,
        context: &C,
    ) -> Result<(), Error> {
        match self.process(message.as_bytes(), context) {
            Some(answer) => peer.send_text(answer),
            None => Ok(()),
        }
    }
}
