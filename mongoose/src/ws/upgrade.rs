//! The server's side of the opening handshake.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use super::agreement::{Opening, Terms};
use super::tunnel::Tunnel;
use super::{Handler, Limits};
use crate::gate::ws::{NoHandshake, Role};
use crate::http::{Reply, Request};
use crate::mqtt;
use crate::{Connection, Error};

/// Begins to upgrade a request to a WebSocket: see [`Upgrade`].
#[doc(alias = "mg_ws_upgrade")]
pub fn upgrade<'r>(request: Request<'r>, reply: Reply<'r>) -> Upgrade<'r> {
    Upgrade { request, reply, terms: Terms::default() }
}

/// A request that is to become a WebSocket: set what is special about it, then [`accept`](Self::accept) it. To turn it
/// down, answer it by its reply instead, with any status.
///
/// ```
/// # let manager = mongoose::Manager::new()?;
/// use mongoose::{http, ws};
///
/// manager.http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
///     if request.query_value("token")?.as_deref() != Some("secret") {
///         return reply.status(401).text("who are you?\n");
///     }
///     ws::upgrade(request, reply)
///         .protocols(["chat.v2", "chat.v1"])
///         .origins(["https://example.com"])
///         .accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
///             ws::Event::Open => peer.send_text(peer.protocol().unwrap_or("chat.v1")),
///             _ => Ok(()),
///         })
/// })?;
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// The request is checked by RFC 6455 section 4.2.1; C takes any method, version and key (hazard 29).
#[must_use = "without `accept` the peer gets 500"]
pub struct Upgrade<'r> {
    request: Request<'r>,
    reply: Reply<'r>,
    terms: Terms,
}

impl Upgrade<'_> {
    /// The subprotocols that are spoken, best first: the first of them that the client offers too is chosen. When there
    /// is none, the WebSocket has no subprotocol, and a browser that asked for one closes it. Default: none.
    pub fn protocols<S: Into<String>>(mut self, protocols: impl IntoIterator<Item = S>) -> Self {
        self.terms.set_protocols(protocols);
        self
    }

    /// Origins whose pages may connect, such as `https://example.com`; from others a browser's request gets 403. Default:
    /// pages of the host that the request is for. A request without `Origin` is no browser's, and is let in.
    ///
    /// Behind a proxy that changes `Host`, name the origins.
    pub fn origins<S: Into<String>>(mut self, origins: impl IntoIterator<Item = S>) -> Self {
        self.terms.set_origins(origins);
        self
    }

    /// Lets the pages of any site connect, with the cookies that the user has here.
    pub fn any_origin(mut self) -> Self {
        self.terms.set_any_origin();
        self
    }

    /// Adds a header to the reply; one that would break it is an error of [`accept`](Self::accept).
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.reply = self.reply.header(name, value);
        self
    }

    /// Sets the bounds of the WebSocket.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.terms.limits = limits;
        self
    }

    /// Has messages come in pieces, as [`Event::Piece`](super::Event::Piece), at constant memory and whatever their size.
    pub fn pieces(mut self) -> Self {
        self.terms.pieces = true;
        self
    }

    /// Answers 101 and gives the connection to a handler, which gets [`Event::Open`](super::Event::Open) next. It can be
    /// [sent on](crate::Registry::websocket) at once. Frames that came in one piece with the request are taken.
    ///
    /// # Errors
    /// [`Error::Refused`] when the request is no handshake; the peer was answered 400, 405, 426 or, for its origin, 403.
    /// [`Error::Header`] for a header or a subprotocol that cannot be sent, and [`Error::Status`] for a reply that was
    /// deferred: the peer gets 500.
    pub fn accept(self, handler: impl Handler) -> Result<(), Error> {
        let Agreed { connection, reply, terms, protocol } = self.agree(false)?;
        terms.begin(reply, &connection, protocol, handler)
    }

    /// As [`accept`](Self::accept), for MQTT in place of messages: on the port of a server that has pages, too, some of
    /// which may speak it. Of the options, [`origins`](Self::origins) and headers count; of the listener's limits
    /// [`body`](crate::Limits::body), which bounds a packet.
    ///
    /// ```
    /// # let manager = mongoose::Manager::new()?;
    /// use mongoose::mqtt::{Connack, Packet, Peer, ServerEvent};
    /// use mongoose::{http, ws};
    ///
    /// manager.http("http://127.0.0.1:0", |request: http::Request<'_>, reply: http::Reply<'_>| {
    ///     match request.path() {
    ///         "/mqtt" => ws::upgrade(request, reply).mqtt(|peer: &Peer<'_>, event: ServerEvent<'_>| match event {
    ///             ServerEvent::Packet(Packet::Connect(_)) => peer.send(&Packet::Connack(Connack::default())),
    ///             _ => Ok(()),
    ///         }),
    ///         _ => reply.text("hello"),
    ///     }
    /// })?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`accept`](Self::accept). A client that does not offer the subprotocol `mqtt` was answered 400 (MQTT-6.0.0-3).
    #[doc(alias = "mg_mqtt_listen")]
    pub fn mqtt(self, handler: impl mqtt::ServerHandler) -> Result<(), Error> {
        self.carry_mqtt(Rc::new(RefCell::new(handler)))
    }

    /// The same by a handler that serves others, too.
    pub(crate) fn carry_mqtt(self, handler: Rc<RefCell<impl mqtt::ServerHandler>>) -> Result<(), Error> {
        let Agreed { connection, reply, .. } = self.protocols(["mqtt"]).agree(true)?;
        let inner = mqtt::Server::boxed(handler, connection.limits().body);
        reply.switch("websocket", Tunnel::boxed(Role::Server, inner))?;
        connection.set_websocket();
        Ok(())
    }
}

/// A handshake that only has to be answered.
struct Agreed<'r> {
    connection: Connection<'r>,
    reply: Reply<'r>,
    terms: Terms,
    protocol: Option<String>,
}

impl<'r> Upgrade<'r> {
    /// Checks the request; `named`: a subprotocol has to be agreed on.
    fn agree(self, named: bool) -> Result<Agreed<'r>, Error> {
        let Self { request, mut reply, terms } = self;
        terms.check()?;
        let refuse = |reply, NoHandshake { status, reason }| match refuse(reply, status, reason) {
            Ok(()) => Err(Error::Refused { status, reason }),
            Err(error) => Err(error),
        };
        let opening = match Opening::of(&request) {
            Ok(opening) => opening,
            Err(refusal) => return refuse(reply, refusal),
        };
        let protocol = match terms.agree(&opening) {
            Ok(protocol) => protocol,
            Err(refusal) => return refuse(reply, refusal),
        };
        if named && protocol.is_none() {
            let reason = "the subprotocol that is spoken here is not offered";
            return refuse(reply, NoHandshake { status: 400, reason });
        }
        reply = reply.header("Sec-WebSocket-Accept", &opening.accept);
        if let Some(protocol) = &protocol {
            reply = reply.header("Sec-WebSocket-Protocol", protocol);
        }
        Ok(Agreed { connection: request.connection().clone(), reply, terms, protocol })
    }
}

/// Answers what is no handshake.
fn refuse(mut reply: Reply<'_>, status: u16, reason: &'static str) -> Result<(), Error> {
    match status {
        405 => reply = reply.header("Allow", "GET"),
        426 => reply = reply.header("Upgrade", "websocket").header("Sec-WebSocket-Version", "13"),
        _ => {}
    }
    reply.status(status).text(format!("{reason}\n"))
}

impl fmt::Debug for Upgrade<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("request", &self.request).finish_non_exhaustive()
    }
}
