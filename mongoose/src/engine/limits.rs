//! What a peer may make us hold.

/// Bounds on what one connection may make the manager keep in memory. All are on by default.
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: 64 << 10, headers: 128, body: 3 << 20, received: 3 << 20, output: 16 << 20 }
    }
}
