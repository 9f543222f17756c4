//! Certificates with their keys, and which of them is shown.

use std::cell::RefCell;
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Error;
use crate::tls::pem::Pem;

/// Puts a chain and its key together.
pub(super) fn certify(chain: &Pem, key: &Pem, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let certificates = chain.certificates()?;
    let private = key.private_key()?;
    let private = provider
        .key_provider
        .load_private_key(private)
        .map_err(|error| key.error(format!("its private key: {error}")))?;
    let certified = CertifiedKey::new(certificates, private);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(key.error("its private key is not that of the first certificate"))
        }
        Err(error) => Err(chain.error(error.to_string())),
    }
}

thread_local! {
    static ASKED_FOR: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// The name that the ClientHello asks for which rustls has just read on this thread, once: it tells nobody else.
pub(super) fn asked_for() -> Option<Box<str>> {
    ASKED_FOR.take()
}

/// A server's certificates. The first is for whoever asks for none of the names.
#[derive(Debug)]
pub(super) struct Certificates(pub(super) Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        ASKED_FOR.set(hello.server_name().map(Box::from));
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let usable = |one: &&Arc<CertifiedKey>| one.key.choose_scheme(hello.signature_schemes()).is_some();
        let asked_for = |one: &&Arc<CertifiedKey>| name.as_ref().is_some_and(|name| is_for(one, name));
        let all = || self.0.iter();
        let best = all().filter(usable).find(asked_for).or_else(|| all().find(usable));
        best.or_else(|| all().next()).map(Arc::clone)
    }
}

fn is_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.end_entity_cert().ok().and_then(|first| ParsedCertificate::try_from(first).ok());
    parsed.is_some_and(|parsed| verify_server_name(&parsed, name).is_ok())
}
