//! TLS, through programs that speak it and through a peer that sends exactly what it is told to.

#[cfg(feature = "tls-rustls")]
mod agreements;
// rustls passes over as much as it would take itself, which is nothing.
#[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
mod ahead;
#[cfg(feature = "tls-rustls")]
mod browser;
#[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
mod c;
mod certificates;
#[cfg(feature = "tls-rustls")]
mod clients;
mod configuration;
mod dangerous;
#[cfg(feature = "tls-rustls")]
mod examples;
mod hostile;
mod many;
mod peer;
#[cfg(feature = "tls-rustls")]
#[path = "../programs/peers.rs"]
mod peers;
mod programs;
mod replies;
#[cfg(feature = "tls-rustls")]
mod requests;
#[cfg(feature = "tls-rustls")]
mod servers;
mod streams;
mod websockets;
mod wire;

use mongoose::http::{Reply, Request};
use mongoose::{Error, Handler, Limits, tls};
use mongoose_tests::Server;

/// The feature that all of it is over.
const FEATURE: &str = if cfg!(feature = "tls-rustls") { "tls-rustls" } else { "tls-builtin" };

/// Serves HTTP over TLS on a thread, with the P-256 certificate.
fn https<H: mongoose::http::Handler>(make: impl FnOnce() -> H + Send + 'static) -> Server {
    https_within(Limits::default(), make)
}

fn https_within<H: mongoose::http::Handler>(
    limits: Limits,
    make: impl FnOnce() -> H + Send + 'static,
) -> Server {
    let config = certificates::server("p256");
    Server::start(move |manager| {
        manager.listener("https://127.0.0.1:0").limits(limits).tls(config).http(make())
    })
}

/// Takes raw connections over TLS on a thread.
fn raw<H: Handler>(limits: Limits, make: impl FnOnce() -> H + Send + 'static) -> Server {
    let config = certificates::server("p256");
    Server::start(move |manager| manager.listener("tls://127.0.0.1:0").limits(limits).tls(config).tcp(make()))
}

/// Answers with what came.
fn echo(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.body(request.body())
}

/// It is made once and shared.
#[test]
fn a_configuration_is_for_every_thread() {
    static_assertions::assert_impl_all!(tls::ServerConfig: Clone, Send, Sync);
}
