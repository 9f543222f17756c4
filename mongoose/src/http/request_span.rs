//! What a request's handler runs within, for the `tracing` crate; nothing without the feature.

#[cfg(feature = "tracing")]
use tracing::field::Empty;

#[cfg(feature = "tracing")]
use crate::State;
use crate::engine::Connection;
use crate::gate::http::Head;

/// The methods that OpenTelemetry's conventions know: names of spans are not to be the peer's choice.
#[cfg(feature = "tracing")]
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Of a request to us, from the end of its head to that of the reply; of one that we make, until its receiver is told of
/// the end.
#[derive(Clone, Debug)]
pub(super) struct RequestSpan {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl RequestSpan {
    /// Of no request.
    pub(super) fn none() -> Self {
        Self { span: tracing::Span::none() }
    }

    /// Of the connection's request of this number. Runs the subscriber's code, as all of these do.
    pub(super) fn begin(connection: &Connection<'_>, head: &Head<'_, '_>, sequence: u64) -> Self {
        let known = METHODS.contains(&head.method);
        let span = tracing::info_span!(
            target: "mongoose",
            "request",
            otel.kind = "server",
            otel.name = if known { head.method } else { "HTTP" },
            otel.status_code = Empty,
            connection.id = %connection.id(),
            request.id = %format_args!("{}.{sequence}", connection.id()),
            http.request.method = if known { head.method } else { "_OTHER" },
            http.request.method_original = (!known).then_some(head.method),
            http.response.status_code = Empty,
            http.route = Empty,
            network.protocol.version = if head.minor == 0 { "1.0" } else { "1.1" },
            url.path = head.target.path,
            url.query = (!head.target.query.is_empty()).then_some(head.target.query),
            url.scheme = if connection.state().contains(State::TLS) { "https" } else { "http" },
        );
        Self { span }
    }

    /// Of a request that is made here, redirects and retries included: a part of what the program does now.
    pub(super) fn outgoing(method: &str, url: &str) -> Self {
        let known = METHODS.contains(&method);
        let span = tracing::info_span!(
            target: "mongoose",
            "request",
            otel.kind = "client",
            otel.name = if known { method } else { "HTTP" },
            otel.status_code = Empty,
            http.request.method = if known { method } else { "_OTHER" },
            http.request.method_original = (!known).then_some(method),
            http.response.status_code = Empty,
            url.full = url,
        );
        Self { span }
    }

    /// Where the program is now: for a request that is made elsewhere on its behalf.
    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub(super) fn current() -> Self {
        Self { span: tracing::Span::current() }
    }

    /// Runs what is the request's within it.
    #[inline]
    pub(super) fn in_scope<R>(&self, code: impl FnOnce() -> R) -> R {
        self.span.in_scope(code)
    }

    /// Notes what was answered.
    pub(super) fn status(&self, status: u16) {
        self.span.record("http.response.status_code", status);
        if status >= 500 {
            self.failed();
        }
    }

    /// Notes by which route it goes. It is that of the request whose handler runs, unless that has entered another span.
    #[cfg(feature = "router")]
    pub(super) fn route(route: &str) {
        tracing::Span::current().record("http.route", route);
    }

    /// Notes that it came to nothing.
    pub(super) fn failed(&self) {
        self.span.record("otel.status_code", "ERROR");
    }

    /// What is to be dropped by itself: that runs the subscriber's code.
    pub(super) fn take(&mut self) -> Option<Box<dyn std::any::Any>> {
        let span = std::mem::replace(self, Self::none()).span;
        if span.is_none() { None } else { Some(Box::new(span)) }
    }
}

#[cfg(not(feature = "tracing"))]
impl RequestSpan {
    #[inline(always)]
    pub(super) fn none() -> Self {
        Self {}
    }

    #[inline(always)]
    pub(super) fn begin(_connection: &Connection<'_>, _head: &Head<'_, '_>, _sequence: u64) -> Self {
        Self {}
    }

    #[cfg(all(feature = "tokio", target_os = "linux", not(mongoose_portable)))]
    pub(super) fn current() -> Self {
        Self {}
    }

    #[inline(always)]
    pub(super) fn outgoing(_method: &str, _url: &str) -> Self {
        Self {}
    }

    #[inline(always)]
    pub(super) fn in_scope<R>(&self, code: impl FnOnce() -> R) -> R {
        code()
    }

    #[cfg(feature = "router")]
    #[inline(always)]
    pub(super) fn route(_route: &str) {}

    #[inline(always)]
    pub(super) fn status(&self, _status: u16) {}

    #[inline(always)]
    pub(super) fn failed(&self) {}

    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Box<dyn std::any::Any>> {
        None
    }
}
