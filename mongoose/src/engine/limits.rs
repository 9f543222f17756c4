//! What a peer may make us hold, and for how long.

use std::time::Duration;

/// Bounds on what peers may make a listener keep, in bytes and in time. All are on by default; a time of
/// [`Duration::MAX`] is none.
///
/// ```
/// let mut limits = mongoose::Limits::default();
/// limits.head = 2 << 20; // let request heads be as large as 2 MiB
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's head, from the method to the empty line. Default: 65,536. Past it the peer gets 414 when
    /// the request line alone is too long, else 431.
    pub head: usize,
    /// Headers in a head. Default, and most that is possible: 128. Past it the peer gets 431.
    pub headers: usize,
    /// Bytes of a request's body, once decoded. Default: 3,145,728. Past it the peer gets 413.
    pub body: usize,
    /// Received bytes that a raw handler may leave unconsumed. Default: 3,145,728. At that point reading stops until
    /// it consumes some.
    pub received: usize,
    /// Bytes that may wait to be sent before [`send`](crate::Connection::send) answers
    /// [`OutputFull`](crate::Error::OutputFull). Default: 16,777,216. HTTP replies go out whole whatever their size;
    /// while more than this waits, no further request of that connection is read.
    pub output: usize,
    /// Connections that the listener has at a time. Default: 65,536. Past it an HTTP peer gets 503, and any is closed.
    pub connections: usize,
    /// How long a request's head may take, from the connection's start or from its first byte. Default: 30 s. Past it
    /// the peer gets 408.
    pub head_time: Duration,
    /// How long a request's body may take, and one second more for each 1,000 bytes that have come. Default: 30 s. Past
    /// it the peer gets 408. It does not run while [reading is paused](crate::Connection::pause).
    pub body_time: Duration,
    /// How long a connection is kept between two requests. Default: 75 s. Past it, it is closed.
    pub idle_time: Duration,
    /// How long a [deferred](crate::http::Reply::defer) reply may take. Default: 60 s. Past it the peer gets 504.
    pub reply_time: Duration,
    /// How long making a connection may take, the lookup of its host and TLS's handshake included. Default: 30 s. Past it the
    /// handler gets
    /// [`Error::Connect`](crate::Error::Connect), or [`Error::Resolve`](crate::Error::Resolve) where no address was
    /// known yet.
    pub connect_time: Duration,
    /// How long TLS's handshake may take, once the connection is there. Default: 10 s. Past it, it is closed.
    pub handshake_time: Duration,
    /// How long output may wait without any of it leaving. Default: 60 s. Past it the connection is closed.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            headers: 128,
            body: 3 << 20,
            received: 3 << 20,
            output: 16 << 20,
            connections: 1 << 16,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            reply_time: Duration::from_secs(60),
            connect_time: Duration::from_secs(30),
            handshake_time: Duration::from_secs(10),
            write_time: Duration::from_secs(60),
        }
    }
}
