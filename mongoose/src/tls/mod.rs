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

mod current;
mod negotiated;
mod pem;
mod rustls;

pub use self::rustls::{ClientConfig, ClientConfigBuilder, Dangerous, ServerConfig, ServerConfigBuilder};
pub(crate) use self::rustls::{Session, Target};
pub use negotiated::{Certificate, Negotiated, Version};
