//! Data that a client sends ahead of the handshake, because another server let it (RFC 8446 section 4.2.10).

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_graviola::kx;

use crate::certificates;
use crate::peer::{self, Peer};

/// A server of one connection, which lets its client send ahead the next time.
fn generous() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let chain =
        CertificateDer::from_pem_slice(certificates::read("p256.pem").as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(certificates::read("p256.key").as_bytes()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("a pair");
    config.max_early_data_size = 1 << 14;
    thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a client");
        let tls = ServerConnection::new(Arc::new(config)).expect("a server");
        StreamOwned::new(tls, socket).write_all(b"hello").expect("to send");
    });
    address
}

/// Asks a server of ours for a page, with data sent ahead of it.
fn ask_with_data_ahead(provider: CryptoProvider) {
    let mut config = peer::config_by(provider);
    config.enable_early_data = true;
    let config = Arc::new(config);
    let mut first = Peer::by(&config, generous());
    first.shake_hands().expect("a handshake");
    assert_eq!(first.exactly(5), b"hello");
    let server = crate::https(|| crate::echo);
    let mut second = Peer::by(&config, server.address);
    let mut ahead = second.tls.early_data().expect("a session that allows it");
    for _ in 0..10 {
        ahead.write_all(&[b'x'; 1000]).expect("room");
    }
    second.shake_hands().expect("a handshake");
    assert!(!second.tls.is_early_data_accepted());
    let reply = second.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc").response();
    assert_eq!((reply.status, &reply.body[..]), (200, &b"abc"[..]));
}

#[test]
fn what_a_client_sends_ahead_is_passed_over() {
    ask_with_data_ahead(rustls_graviola::default_provider());
}

#[test]
fn what_a_client_sends_ahead_is_passed_over_though_its_hello_will_not_do() {
    let mut provider = rustls_graviola::default_provider();
    // rustls has a key for the first alone; `tls-builtin` takes no other than the last.
    provider.kx_groups = vec![&kx::P256, &kx::X25519];
    ask_with_data_ahead(provider);
}
