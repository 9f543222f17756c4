//! What a client asks for in its opening handshake, and on what terms a server agrees.

use super::accept::websocket_accept;
use super::connection::Shared;
use super::link::Link;
use super::{Handler, Limits};
use crate::gate::ws::{NoHandshake, Role, check_request, is_token};
use crate::http::{Reply, Request};
use crate::{Connection, Error};

/// A request that opens a WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The `Sec-WebSocket-Accept` that follows from its key.
    pub(crate) accept: String,
    /// In the order of the client's preference.
    protocols: Vec<String>,
    origin: Option<Vec<u8>>,
    host: String,
}

impl Opening {
    /// Checks a request (RFC 6455 section 4.2.1).
    pub(crate) fn of(request: &Request<'_>) -> Result<Self, NoHandshake> {
        let minor = u8::from(request.protocol() != "HTTP/1.0");
        let headers = request.headers().iter().map(|(name, value)| (name, value.as_bytes()));
        let offer = check_request(request.method(), minor, headers)?;
        Ok(Self {
            accept: websocket_accept(offer.key),
            protocols: offer.protocols.into_iter().map(str::to_owned).collect(),
            origin: request.header("Origin").map(|origin| origin.as_bytes().to_vec()),
            host: request.host().to_owned(),
        })
    }
}

/// What is special about a WebSocket to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) pieces: bool,
    /// Best first.
    protocols: Vec<String>,
    origins: Origins,
}

/// Pages of whom may connect.
#[derive(Clone, Debug, Default)]
enum Origins {
    #[default]
    Same,
    Any,
    Listed(Vec<String>),
}

impl Terms {
    pub(crate) fn set_protocols<S: Into<String>>(&mut self, protocols: impl IntoIterator<Item = S>) {
        self.protocols = protocols.into_iter().map(Into::into).collect();
    }

    pub(crate) fn set_origins<S: Into<String>>(&mut self, origins: impl IntoIterator<Item = S>) {
        self.origins = Origins::Listed(origins.into_iter().map(Into::into).collect());
    }

    pub(crate) fn set_any_origin(&mut self) {
        self.origins = Origins::Any;
    }

    /// Whether they can be said at all.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.protocols.iter().all(|protocol| is_token(protocol)) {
            return Ok(());
        }
        let name = "Sec-WebSocket-Protocol".to_owned();
        Err(Error::Header { name, reason: "a subprotocol is no token" })
    }

    /// Agrees to a request, on a subprotocol where there is one that both speak.
    pub(crate) fn agree(&self, opening: &Opening) -> Result<Option<String>, NoHandshake> {
        if !self.origins.admit(opening) {
            return Err(NoHandshake { status: 403, reason: "pages of another origin may not connect here" });
        }
        Ok(self.protocols.iter().find(|&ours| opening.protocols.contains(ours)).cloned())
    }

    /// Answers 101, by a reply that has the headers of the handshake, and has a handler take over.
    pub(crate) fn begin(
        self,
        reply: Reply<'_>,
        connection: &Connection<'_>,
        protocol: Option<String>,
        handler: impl Handler,
    ) -> Result<(), Error> {
        let shared = Shared::new(Role::Server, self.limits, protocol.map(Into::into));
        reply.switch("websocket", Link::boxed(handler, &shared, self.pieces))?;
        connection.set_shared(shared);
        connection.set_websocket();
        Ok(())
    }
}

impl Origins {
    fn admit(&self, opening: &Opening) -> bool {
        let Some(origin) = &opening.origin else { return true };
        match self {
            Self::Any => true,
            Self::Listed(list) => list.iter().any(|listed| listed.as_bytes() == &**origin),
            Self::Same => {
                let authority = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"));
                authority.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(&opening.host))
            }
        }
    }
}
