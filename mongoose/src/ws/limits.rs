//! What a peer may make us hold, and for how long.

use std::time::Duration;

/// Bounds of one WebSocket, in bytes and in time. All are on by default; a time of [`Duration::MAX`] is none.
///
/// ```
/// let mut limits = mongoose::ws::Limits::default();
/// limits.message = 64 << 20; // take messages of 64 MiB
/// limits.frame = limits.message;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a frame's payload. Default: 3,145,728. Past it the peer is closed with 1009. Of no account where messages
    /// are taken [in pieces](super::Upgrade::pieces).
    pub frame: usize,
    /// Bytes of a message, all its frames together. Default: 3,145,728. Past it the peer is closed with 1009. Of no
    /// account where messages are taken in pieces.
    pub message: usize,
    /// Bytes that may wait to be sent before sending answers [`OutputFull`](crate::Error::OutputFull). Default:
    /// 16,777,216. A message goes out whatever its size when nothing waits. What comes from the peer is handed over when
    /// there is room for as much behind what waits, and the peer is not read from before: so an echo always has room.
    pub output: usize,
    /// How long a peer may be silent before it is sent a ping; that may come up to twice as late. Default: 30 s.
    pub ping_time: Duration,
    /// How long it may be silent after that. Default: 20 s. Past it the connection is closed. It does not count while
    /// something waits to be sent: then the peer has to read, within
    /// [`Limits::write_time`](crate::Limits::write_time).
    pub pong_time: Duration,
    /// How long the closing handshake may take, and for a client the end of the connection after it. Default: 10 s. Past
    /// it the connection is closed.
    pub close_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 3 << 20,
            message: 3 << 20,
            output: 16 << 20,
            ping_time: Duration::from_secs(30),
            pong_time: Duration::from_secs(20),
            close_time: Duration::from_secs(10),
        }
    }
}
