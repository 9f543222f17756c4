//! A client's socket over TLS. It believes any server: what is measured is on this machine.

use std::io::{self, Write};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, Stream};

use crate::hold::Held;
use crate::reply::Replies;
use crate::socket;

pub struct Client {
    socket: socket::Client,
    tls: ClientConnection,
}

impl Client {
    pub fn new(socket: socket::Client, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Self { socket, tls })
    }
}

impl Held for Client {
    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        let mut stream = Stream::new(&mut self.tls, &mut self.socket.stream);
        stream.write_all(request)?;
        stream.flush()
    }

    fn read(&mut self, replies: &mut Replies) -> io::Result<()> {
        replies.read(&mut Stream::new(&mut self.tls, &mut self.socket.stream)).map(drop)
    }

    fn close(self) -> io::Result<()> {
        self.socket.close()
    }
}

/// Nothing is resumed: each connection shakes hands in full.
pub fn config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls_graviola::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls_graviola::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
