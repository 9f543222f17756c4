//! What can go wrong, on what, and when.

use std::io;

/// Every error of this crate.
///
/// It says what failed and on what; [`source`](std::error::Error::source) is the system's own error where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL that cannot be used as it is.
    #[error("{url:?} is not a URL to use here: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A rule of an [access list](crate::AccessList) that cannot be read.
    #[error("{rule:?} is not a rule of an access list: {reason}")]
    AccessList {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system refused to listen, or to make a socket.
    #[error("cannot listen on {url}: {source}")]
    Listen {
        /// Where.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// The host's name has no address, or none was found in time.
    #[error("cannot look up the host of {url}: {source}")]
    Resolve {
        /// The URL that names it; of a lookup by itself, the host.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// No address of the host took the connection.
    #[error("cannot connect to {url}: {source}")]
    Connect {
        /// Where.
        url: String,
        /// Why the last address did not, or that there was [no time left](io::ErrorKind::TimedOut).
        source: io::Error,
    },
    /// A time server's answer did not come, or is [not to be believed](crate::Registry::sntp).
    #[error("cannot get the time from {url}: {reason}")]
    Sntp {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// A datagram could not be sent; its socket lives on.
    #[error("cannot send a datagram{}: {source}", to.map(|to| format!(" to {to}")).unwrap_or_default())]
    Datagram {
        /// To whom. `None` for a connected socket.
        to: Option<std::net::SocketAddr>,
        /// Why not.
        source: io::Error,
    },
    /// A connection broke; or, but for `read`, `write` and `watch`, only this failed.
    #[error("cannot {phase} on a connection: {source}")]
    Io {
        /// What was being done: `read`, `write`, `watch`, `receive`, `set an option` or `take over a descriptor`.
        phase: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The loop's own descriptors failed.
    #[error("the event loop cannot wait: {0}")]
    Selector(#[source] io::Error),
    /// Signals cannot be caught.
    #[error("cannot catch signals: {0}")]
    Signal(#[source] io::Error),
    /// A worker panicked, and was not to be started again.
    #[error("worker {worker} panicked: {message}")]
    Worker {
        /// Its number, from 0.
        worker: usize,
        /// What the panic said.
        message: String,
    },
    /// A worker's thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// The connection is closed, closing, or cannot be used for this.
    #[error("the connection is closed")]
    Closed,
    /// The manager is being dropped: nothing can be created.
    #[error("the manager is shutting down")]
    ShuttingDown,
    /// The manager was dropped.
    #[error("the manager is gone")]
    Gone,
    /// Too much waits to be sent already.
    #[error("{limit} bytes wait to be sent: no more are taken")]
    OutputFull {
        /// [`Limits::output`](crate::Limits::output).
        limit: usize,
    },
    /// A file or a text that TLS was to be configured with.
    #[cfg(feature = "_tls")]
    #[error("cannot configure TLS with {what}: {reason}")]
    TlsConfig {
        /// The file, and which item in it where it has several.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS failed on a connection, which closes; the peer gets the alert.
    #[cfg(feature = "_tls")]
    #[error("TLS failed in the {phase}: {reason}")]
    Tls {
        /// When: in the `handshake`, or in the `traffic` behind it.
        phase: &'static str,
        /// Why, or the alert that the peer sent.
        reason: String,
    },
    /// The system is out of memory.
    #[error("out of memory")]
    OutOfMemory,
    /// A header that would break the message it is part of.
    #[error("header {name:?} cannot be sent: {reason}")]
    Header {
        /// The header's name, as far as it is text.
        name: String,
        /// What is wrong with name or value.
        reason: &'static str,
    },
    /// A status that cannot be sent here.
    #[error("status {0} cannot be a reply's")]
    Status(u16),
    /// A percent-encoded text that is malformed, or not UTF-8 where it has to be.
    #[error("not a percent-encoded text: {0}")]
    Decode(&'static str),
    /// A text that is not base64, or not as an encoder makes it.
    #[error("not base64")]
    Base64,
    /// A request's body is of another type than was asked for, or does not say of which.
    #[error("the body is not {expected}")]
    MediaType {
        /// The type that was asked for.
        expected: &'static str,
    },
    /// A multipart form that is malformed.
    #[error("not a multipart form: {0}")]
    Multipart(&'static str),
    /// A form that has more of something than allowed.
    #[error("a form has more than {limit} {what}")]
    FormLimit {
        /// Of what: `parts`, or `bytes in a part's headers`.
        what: &'static str,
        /// How much of it is allowed.
        limit: usize,
    },
    /// A body that is not JSON, or not of the type asked for.
    #[cfg(feature = "serde")]
    #[error("not the JSON that it has to be: {0}")]
    Json(#[source] serde_json::Error),
    /// A text that is not JSON, or of which a path makes no sense.
    #[error("not JSON at byte {at}: {reason}")]
    JsonText {
        /// Where, counted from 0.
        at: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// What is no path into JSON.
    #[error("{path:?} is no path into JSON: {reason}")]
    JsonPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What is not JSON-RPC, or cannot be.
    #[cfg(feature = "json-rpc")]
    #[error("not JSON-RPC 2.0: {reason}")]
    JsonRpc {
        /// What is wrong.
        reason: &'static str,
    },
    /// A call that the peer answered with an error.
    #[cfg(feature = "json-rpc")]
    #[error("the call failed: {0}")]
    Call(#[source] crate::jsonrpc::ErrorObject),
    /// A request that does not fit the `http` crate's types.
    #[cfg(feature = "http")]
    #[error("not a request of the http crate: {0}")]
    Convert(#[source] ::http::Error),
    /// A route that cannot be added.
    #[cfg(feature = "router")]
    #[error("cannot route {method} {path}: {reason}")]
    Route {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A part of a path that is not of the type asked for.
    #[cfg(feature = "router")]
    #[error("{name} in the path is not what it has to be")]
    PathParameter {
        /// Its name in the route.
        name: String,
    },
    /// A request that was turned away by the gate; the peer was answered.
    #[error("request refused with {status}: {reason}")]
    Refused {
        /// The status the peer got.
        status: u16,
        /// What was wrong with the request.
        reason: &'static str,
    },
    /// The peer ended its direction in the middle of a message.
    #[error("the peer closed in the middle of a message")]
    Truncated,
    /// A response that cannot be taken; the connection is closed.
    #[error("the response cannot be taken: {reason}")]
    Response {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A server did not agree to speak WebSocket; the connection is closed.
    #[error("the server does not open a WebSocket: {reason}")]
    Handshake {
        /// The status of its response, where it has one.
        status: Option<u16>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The peer broke the WebSocket protocol; the connection is closed with this code.
    #[error("the WebSocket is closed with {code}: {reason}")]
    WebSocket {
        /// The code that the peer was told.
        code: u16,
        /// What is wrong.
        reason: &'static str,
    },
    /// What cannot be sent as a WebSocket frame, or not now.
    #[error("this cannot be sent on a WebSocket: {0}")]
    Frame(&'static str),
    /// What cannot be an MQTT packet, and was not sent.
    #[error("not an MQTT packet: {what}")]
    Packet {
        /// What is wrong with it.
        what: &'static str,
    },
    /// An MQTT peer broke the protocol. It is told the reason where its version has words for it, and the connection closes.
    #[error("the peer broke MQTT: {what}: {reason}")]
    Mqtt {
        /// What the peer is told.
        reason: crate::mqtt::Reason,
        /// What it did.
        what: &'static str,
    },
    /// An MQTT server does not let us in.
    #[error("the MQTT server refused the connection: {reason}")]
    ConnectRefused {
        /// Why.
        reason: crate::mqtt::Reason,
    },
    /// An MQTT server ended the connection.
    #[error("the MQTT server ended the connection: {reason}")]
    Disconnected {
        /// Why.
        reason: crate::mqtt::Reason,
    },
    /// An MQTT server does not take a message or a subscription.
    #[error("the MQTT server does not take the {what}: {reason}")]
    Declined {
        /// Which: `message`, `subscription` or `end of a subscription`.
        what: &'static str,
        /// Why.
        reason: crate::mqtt::Reason,
    },
    /// A redirect that cannot be followed.
    #[error("cannot follow the redirect to {url:?}: {reason}")]
    Redirect {
        /// Where it leads, as far as that is text.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// What cannot be a request's method here.
    #[error("{0:?} is not a method to send")]
    Method(String),
    /// Something took longer than [`Limits`](crate::Limits) allow.
    #[error("the deadline passed: {phase}")]
    Deadline {
        /// What was not done in time: `handshake`, `read the head`, `read the body`, `reply`, `write`, `pong`,
        /// `close`, `finish`, `send CONNECT`, `answer CONNECT`, `answer a ping` or `keep alive`.
        phase: &'static str,
    },
    /// A body that cannot be sent to its end. The peer sees that it is truncated.
    #[error("a body cannot be sent: {0}")]
    Body(&'static str),
    /// A file or a folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Its path; for a file that a URL names and that changed while it was read, the URL's.
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What [`fail`](crate::Connection::fail) or C's `mg_error` reported.
    #[error("{0}")]
    Reported(String),
    /// An error of a handler's own.
    #[error(transparent)]
    Handler(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps an error of a handler's own, for `?` in it.
    ///
    /// ```
    /// let error = "x".parse::<u8>().map_err(mongoose::Error::handler).unwrap_err();
    /// assert_eq!(error.to_string(), "invalid digit found in string");
    /// ```
    pub fn handler(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Handler(error.into())
    }

    /// The same once more, to keep: what is only lent is gone after the event. What cannot be copied is said in words.
    pub(crate) fn own(&self) -> Self {
        let copy = |source: &io::Error| match source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(source.kind(), source.to_string()),
        };
        match self {
            Self::Resolve { url, source } => Self::Resolve { url: url.clone(), source: copy(source) },
            Self::Connect { url, source } => Self::Connect { url: url.clone(), source: copy(source) },
            Self::Io { phase, source } => Self::Io { phase, source: copy(source) },
            Self::Deadline { phase } => Self::Deadline { phase },
            Self::OutOfMemory => Self::OutOfMemory,
            Self::Truncated => Self::Truncated,
            Self::Closed => Self::Closed,
            Self::Gone => Self::Gone,
            Self::ShuttingDown => Self::ShuttingDown,
            Self::Body(reason) => Self::Body(reason),
            Self::Response { reason } => Self::Response { reason },
            Self::Redirect { url, reason } => Self::Redirect { url: url.clone(), reason },
            Self::Url { url, reason } => Self::Url { url: url.clone(), reason },
            Self::Handshake { status, reason } => Self::Handshake { status: *status, reason },
            Self::WebSocket { code, reason } => Self::WebSocket { code: *code, reason },
            Self::Mqtt { reason, what } => Self::Mqtt { reason: *reason, what },
            Self::ConnectRefused { reason } => Self::ConnectRefused { reason: *reason },
            Self::Declined { what, reason } => Self::Declined { what, reason: *reason },
            Self::Disconnected { reason } => Self::Disconnected { reason: *reason },
            #[cfg(feature = "_tls")]
            Self::Tls { phase, reason } => Self::Tls { phase, reason: reason.clone() },
            other => Self::Reported(other.to_string()),
        }
    }

    /// What a peer gets for a request that a handler gave up on with this.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Refused { status: status @ 400..=599, .. } => *status,
            Self::Decode(_) | Self::Base64 | Self::JsonText { .. } | Self::Multipart(_) => 400,
            Self::FormLimit { .. } => 413,
            Self::MediaType { .. } => 415,
            #[cfg(feature = "serde")]
            Self::Json(_) => 400,
            #[cfg(feature = "http")]
            Self::Convert(_) => 400,
            #[cfg(feature = "router")]
            Self::PathParameter { .. } => 404,
            _ => 500,
        }
    }
}
