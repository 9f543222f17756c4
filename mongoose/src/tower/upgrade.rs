//! WebSockets that a service accepts.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ::http::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use ::http::response::Parts;
use ::http::{HeaderValue, Response, StatusCode};

use super::Body;
use crate::gate::ws::NoHandshake;
use crate::http::{Reply, Request};
use crate::ws::{Handler, Limits, Opening, Terms};
use crate::{Connection, ConnectionId, Error, Handle};

/// Makes a WebSocket of a request. It is in the extensions of each that asks for an upgrade, so that a route of a router
/// takes it, behind its layers and with its state:
///
/// ```text
/// async fn room(upgrade: Option<Extension<tower::Upgrade>>, State(rooms): State<Rooms>) -> http::Response<tower::Body> {
///     let Some(Extension(upgrade)) = upgrade else { return tower::Upgrade::required() };
///     upgrade.protocols(["chat"]).accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
///         ws::Event::Message(message) => rooms.tell(peer.id(), message),
///         _ => Ok(()),
///     })
/// }
///
/// let router = Router::new().route("/room", any(room)).layer(authentication).with_state(rooms);
/// ```
///
/// The handler takes over once the response that [`accept`](Self::accept) makes has come through the layers. One of them
/// that answers something else instead, or a service that drops the response, has the handler dropped and no WebSocket.
/// What a layer adds to the response, such as a cookie, is sent with it.
///
/// A request with a body has none of it: what came behind the head would be body and WebSocket at once. Nor has one of
/// HTTP/1.0, which cannot be upgraded.
#[derive(Clone)]
#[must_use = "without `accept` nothing becomes of it"]
pub struct Upgrade {
    slot: Arc<Slot>,
    terms: Terms,
}

/// Takes a connection over, by the reply of status 101 and the protocol that its response names.
type Successor = Box<dyn FnOnce(Reply<'_>, &Connection<'_>, &str) -> Result<(), Error> + Send>;

/// What one request is to become, on its way from the service to the connection.
pub(super) struct Slot {
    opening: Result<Opening, NoHandshake>,
    successor: Mutex<Option<Successor>>,
}

impl Slot {
    pub(super) fn new(request: &Request<'_>) -> Arc<Self> {
        Arc::new(Self { opening: Opening::of(request), successor: Mutex::new(None) })
    }

    /// What goes into the request's extensions.
    pub(super) fn upgrade(self: &Arc<Self>) -> Upgrade {
        Upgrade { slot: Arc::clone(self), terms: Terms::default() }
    }

    fn fill(&self, successor: Successor) {
        let before = self.successor.lock().unwrap_or_else(PoisonError::into_inner).replace(successor);
        // With no lock held: it has the user's code.
        drop(before);
    }

    /// Sends a response of status 101 and has who accepted take over.
    pub(super) fn switch(&self, reply: Reply<'_>, parts: &Parts) -> Result<(), Error> {
        let successor = self.successor.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(successor), Some(connection)) = (successor, reply.connection()) else {
            return Err(Error::Status(101));
        };
        // Without it a layer has made another response of it.
        let protocol = parts.headers.get(UPGRADE).and_then(|protocol| protocol.to_str().ok());
        let protocol = protocol.ok_or(Error::Status(101))?;
        if !reply.keeps_alive() {
            // The loop ends meanwhile.
            return reply.status(503).close().empty();
        }
        successor(reply.with_upgrade_headers(&parts.headers), &connection, protocol)
    }
}

impl Upgrade {
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

    /// Sets the bounds of the WebSocket.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.terms.limits = limits;
        self
    }

    /// Has messages come in pieces, as [`Event::Piece`](crate::ws::Event::Piece), at constant memory and whatever their
    /// size.
    pub fn pieces(mut self) -> Self {
        self.terms.pieces = true;
        self
    }

    /// Makes the response, of status 101: it is to be answered to this request. Then the handler gets
    /// [`Event::Open`](crate::ws::Event::Open). Frames that came in one piece with the request are taken.
    ///
    /// A request that is no handshake gets 400, 405 or 426, one from a page that may not connect 403: the response that
    /// is made then says so. Where the subprotocols cannot be said, the peer gets 500. Of two handlers the last counts.
    pub fn accept(self, handler: impl Handler + Send) -> Response<Body> {
        let Self { slot, terms } = self;
        let agreed = slot.opening.as_ref().map_err(Clone::clone).and_then(|opening| {
            let protocol = terms.agree(opening)?;
            Ok((&opening.accept, protocol))
        });
        let (accept, protocol) = match agreed {
            Ok(agreed) => agreed,
            Err(refusal) => return refuse(&refusal),
        };
        let mut response = switching(accept);
        if let Some(name) = protocol.as_deref().and_then(|name| HeaderValue::from_str(name).ok()) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, name);
        }
        slot.fill(Box::new(move |reply: Reply<'_>, connection: &Connection<'_>, _: &str| {
            terms.check()?;
            terms.begin(reply, connection, protocol, handler)
        }));
        response
    }

    /// Has a handler of raw bytes take over, beginning with those behind the request, once any response of status 101 is
    /// sent to it: for other protocols, and for handshakes that others answer. `begin` makes the handler then, on the
    /// loop; what it has sent by the [`Handle`] goes behind the response.
    pub fn take_over<H: crate::Handler>(
        self,
        begin: impl FnOnce(Handle, ConnectionId) -> H + Send + 'static,
    ) {
        self.slot.fill(Box::new(|reply: Reply<'_>, connection: &Connection<'_>, protocol: &str| {
            reply.upgrade(protocol, begin(connection.handle(), connection.id()))
        }));
    }

    /// The response to a request that should have asked for an upgrade: 426.
    pub fn required() -> Response<Body> {
        refuse(&NoHandshake { status: 426, reason: "only a WebSocket is served here" })
    }
}

fn switching(accept: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(accept).expect("base64 is visible ASCII"));
    response
}

fn refuse(refusal: &NoHandshake) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{}\n", refusal.reason)));
    *response.status_mut() = StatusCode::from_u16(refusal.status).expect("the gate's statuses are some");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match refusal.status {
        405 => {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        426 => {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        _ => {}
    }
    response
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("opening", &self.slot.opening).finish_non_exhaustive()
    }
}
