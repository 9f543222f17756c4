//! What a connection's events are handled within, for the `tracing` crate; nothing without the feature.

use super::Connection;
use crate::Error;

/// From a connection's first event to its last.
#[derive(Debug, Default)]
pub(super) struct ConnectionSpan {
    /// Made at the first event: what it says is known then, and the subscriber's code may run.
    #[cfg(feature = "tracing")]
    span: Option<tracing::Span>,
}

#[cfg(feature = "tracing")]
impl ConnectionSpan {
    /// Handles an event of the connection within it. Runs the subscriber's code besides.
    pub(super) fn in_scope<R>(&mut self, connection: &Connection<'_>, code: impl FnOnce() -> R) -> R {
        self.span.get_or_insert_with(|| begin(connection)).in_scope(code)
    }

    /// What is to be dropped where the subscriber's code may run.
    pub(super) fn into_user(self) -> Option<tracing::Span> {
        self.span
    }
}

#[cfg(feature = "tracing")]
fn begin(connection: &Connection<'_>) -> tracing::Span {
    // What has no address is a Unix socket, a pipe, a terminal, or was never connected.
    let transport = connection.local_addr().map(|_| if connection.has_datagrams() { "udp" } else { "tcp" });
    tracing::debug_span!(
        target: "mongoose",
        "connection",
        connection.id = %connection.id(),
        network.transport = transport,
        network.local.address = connection.local_addr().map(|local| tracing::field::display(local.ip())),
        network.local.port = connection.local_addr().map(|local| local.port()),
        network.peer.address = connection.remote_addr().map(|peer| tracing::field::display(peer.ip())),
        network.peer.port = connection.remote_addr().map(|peer| peer.port()),
    )
}

/// Tells the subscriber of an error that a handler is told of. Runs its code.
#[cfg(feature = "tracing")]
pub(crate) fn trace_error(error: &Error) {
    match error {
        // The URL may hold credentials.
        Error::Url { reason, .. } | Error::Redirect { reason, .. } => {
            tracing::debug!(target: "mongoose", error = reason, "failed");
        }
        _ => {
            tracing::debug!(target: "mongoose", error = error as &(dyn std::error::Error + 'static), "failed")
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl ConnectionSpan {
    #[inline(always)]
    pub(super) fn in_scope<R>(&mut self, _connection: &Connection<'_>, code: impl FnOnce() -> R) -> R {
        code()
    }

    #[inline(always)]
    pub(super) fn into_user(self) -> Option<std::convert::Infallible> {
        None
    }
}

#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(crate) fn trace_error(_error: &Error) {}
