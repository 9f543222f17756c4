//! TLS: what a listener shows to its peers, and whom a client believes.
//!
//! A configuration is made once, from PEM files or texts, and shared by listeners, connections and threads;
//! [another](ServerConfig::replace) can take its place while it is in use. A URL that asks for TLS needs one, and one on a
//! plain URL is an error: nothing is ever said in plaintext by mistake.
//!
//! ```no_run
//! use mongoose::{Manager, http, tls};
//!
//! let mut manager = Manager::new()?;
//! let config = tls::ServerConfig::from_files("chain.pem", "key.pem")?;
//! manager.listener("https://0.0.0.0:443").tls(config).http(
//!     |_: http::Request<'_>, reply: http::Reply<'_>| reply.text("hello"),
//! )?;
//! manager.run_until_signal()?;
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! A client believes the authorities that its configuration names, and the server has to be the host of the URL:
//!
//! ```no_run
//! use mongoose::{Connection, Event, Manager, http, tls};
//!
//! let mut manager = Manager::new()?;
//! let config = tls::ClientConfig::system_roots().build()?;
//! manager.connector("tls://example.com:8883").tls(config.clone()).tcp(
//!     |connection: &Connection<'_>, event: Event<'_>| match event {
//!         Event::Connect => connection.send("hello"),
//!         _ => Ok(()),
//!     },
//! )?;
//! let client = http::Client::new(&manager).with_tls(config);
//! # Ok::<(), mongoose::Error>(())
//! ```
//!
//! The protocol is [rustls](https://docs.rs/rustls)'s, TLS 1.2 and 1.3, the cryptography
//! [graviola](https://docs.rs/graviola)'s, whose licence goes with Mongoose's: keys may be RSA (2,048 bits and more),
//! P-256, P-384 and, in TLS 1.3 alone, Ed25519. It needs an x86-64 processor with AVX2, ADX and AES, or an aarch64 one
//! with AES; making a configuration elsewhere is an error, unless the program has installed another provider for rustls
//! (`rustls::crypto::CryptoProvider::install_default`), which is then used everywhere. Certificates are valid by the
//! system's clock.
//!
//! # A connection's life
//!
//! Handlers see a connection once its handshake is done: [`Event::Accept`](crate::Event::Accept) or
//! [`Event::Connect`](crate::Event::Connect) comes then, and [`Connection::tls`](crate::Connection::tls) says what was
//! agreed on. One that fails, or takes longer than [`Limits::handshake_time`](crate::Limits::handshake_time), is an
//! [`Event::Error`](crate::Event::Error) with the reason or the peer's alert and an
//! [`Event::Close`](crate::Event::Close), with neither before; the peer gets the alert. In TLS 1.3 a client is done before
//! the server has looked at its certificate: if that is refused, the alert comes after `Connect`.
//!
//! The end is told from a cut. [`drain`](crate::Connection::drain) sends all that waits, then TLS's `close_notify`;
//! [`close`](crate::Connection::close) sends neither. A raw handler gets
//! [`Error::Truncated`](crate::Error::Truncated) when the peer's bytes end without a `close_notify`; in HTTP that is an
//! error only in the middle of a message, and of a body that ends with the connection.
//!
//! # The feature `tls-builtin`
//!
//! Without `tls-rustls`, the feature `tls-builtin` serves with Mongoose's own cryptography and links nothing else. It is
//! for small programs: it adds 250 KB to one, where rustls adds 3 MB. A handshake takes six times rustls's CPU time (some
//! 1 ms), and so does a megabyte (3 ms); and it can less. [`backend`] tells which of the two a program has.
//!
//! - **TLS 1.3** alone, with X25519 and TLS_CHACHA20_POLY1305_SHA256, or TLS_AES_128_GCM_SHA256 for clients without the
//!   first. No resumption, no early data, no ALPN, one certificate a listener, no certificates of clients.
//! - **Clients that verify nobody** alone, behind [`ClientConfig::dangerous`]: they cannot tell a server from whoever
//!   stands on the way to it. C's client can, and is wrong about it.
//! - **P-256 keys** alone. Any other is refused with its kind when the configuration is made. In C, RSA keys are taken,
//!   and no handshake ever succeeds.
//! - **Its cryptography is C's, and plain**: AES by look-up tables, whose timing tells of the key to whoever shares the
//!   processor's cache. ChaCha20, which does not, is chosen wherever a client has it. It was never audited that we know of.
//! - **What a peer sends is parsed in safe Rust**, as everywhere in this crate: C's own records, handshake and
//!   certificates (`mg_tls_init` and what it calls) are not used, so no byte of a peer's can make C read or write where it
//!   should not. C's code takes another host's certificate when an IP address in it matches, goes on unverified when its
//!   authority's file cannot be read, answers every client with that client's own random, compares no Finished, encodes 1
//!   signature in 256 in a way that strict clients refuse, stops at padded records and new keys, and reads past a
//!   ClientHello whose lengths do not add up. None of that is so here.

#[cfg(not(feature = "tls-rustls"))]
mod builtin;
mod current;
mod negotiated;
#[cfg(feature = "tls-rustls")]
mod pem;
#[cfg(feature = "tls-rustls")]
mod rustls;
mod session;

#[cfg(not(feature = "tls-rustls"))]
use self::builtin as chosen;
#[cfg(feature = "tls-rustls")]
use self::rustls as chosen;

pub(crate) use self::chosen::Target;
pub use self::chosen::{ClientConfig, ClientConfigBuilder, Dangerous, ServerConfig};
#[cfg(feature = "tls-rustls")]
pub use self::rustls::ServerConfigBuilder;
pub(crate) use self::session::Session;
pub use negotiated::{Certificate, Negotiated, Version};

/// Which TLS this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// [rustls](https://docs.rs/rustls): the feature `tls-rustls`.
    Rustls,
    /// [Mongoose's own cryptography](self#the-feature-tls-builtin): the feature `tls-builtin` without `tls-rustls`.
    Builtin,
}

/// Which TLS the program was built with. With both features it is rustls.
///
/// ```
/// println!("TLS by {:?}", mongoose::tls::backend());
/// ```
pub const fn backend() -> Backend {
    if cfg!(feature = "tls-rustls") { Backend::Rustls } else { Backend::Builtin }
}
