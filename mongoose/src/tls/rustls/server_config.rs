//! What a listener shows to its peers.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, version};

use super::provider::provider;
use crate::Error;
use crate::tls::pem::Pem;

/// A certificate with its key, for [listeners](crate::ListenerBuilder::tls). Clones are the same configuration: workers
/// and listeners share it, and sessions begun with one are resumed by all.
///
/// ```no_run
/// let config = mongoose::tls::ServerConfig::from_files("chain.pem", "key.pem")?;
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// In C the certificate is parsed again for each connection, and what is wrong with it shows in a log (`mg_tls_init`).
#[derive(Clone)]
#[doc(alias = "mg_tls_opts")]
pub struct ServerConfig {
    inner: Arc<rustls::ServerConfig>,
}

impl ServerConfig {
    /// Takes the certificate chain from one PEM file, the server's own certificate first, and its private key from
    /// another (or the same): PKCS #8, PKCS #1 or SEC 1, not encrypted.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read. [`Error::TlsConfig`] names the file, the item and the reason: no
    /// certificate, no key, a malformed one, an unknown kind, a key that is not the certificate's; or that the processor
    /// lacks what the cryptography needs.
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        Self::build(&Pem::file(chain.as_ref())?, &Pem::file(key.as_ref())?)
    }

    /// As [`from_files`](Self::from_files), with the texts themselves.
    ///
    /// ```
    /// let error = mongoose::tls::ServerConfig::from_pem(b"", b"").unwrap_err();
    /// assert_eq!(error.to_string(), "cannot configure TLS with the certificate chain: no certificate in it");
    /// ```
    ///
    /// # Errors
    /// [`Error::TlsConfig`] as there.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::build(
            &Pem::text("the certificate chain", chain.as_ref()),
            &Pem::text("the private key", key.as_ref()),
        )
    }

    fn build(chain: &Pem, key: &Pem) -> Result<Self, Error> {
        let provider = provider()?;
        let certified = certify(chain, key, &provider)?;
        let failed = |error: rustls::Error| chain.error(error.to_string());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        // A session is resumed with what its client keeps: nothing is kept here.
        config.ticketer = rustls_graviola::Ticketer::new().map_err(failed)?;
        Ok(Self { inner: Arc::new(config) })
    }

    pub(super) fn inner(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.inner)
    }
}

/// Puts a chain and its key together.
fn certify(chain: &Pem, key: &Pem, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
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

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig").finish_non_exhaustive()
    }
}
