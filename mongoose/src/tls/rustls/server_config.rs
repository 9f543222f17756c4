//! What a listener shows to its peers, and asks of them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{KeyLogFile, RootCertStore, version};

use super::certified::{Certificates, certify};
use super::provider::{provider, ticketer};
use super::roots;
use crate::Error;
use crate::tls::current::Current;
use crate::tls::pem::{self, Pem};

/// Certificates with their keys, for [listeners](crate::ListenerBuilder::tls). Clones are the same configuration: workers
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
    current: Current<rustls::ServerConfig>,
}

impl ServerConfig {
    /// Takes the certificate chain from one PEM file, the server's own certificate first, and its private key from
    /// another (or the same): PKCS #8, PKCS #1 or SEC 1, not encrypted.
    ///
    /// # Errors
    /// As [`ServerConfigBuilder::build`].
    pub fn from_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder().certificate_files(chain, key).build()
    }

    /// As [`from_files`](Self::from_files), with the texts themselves.
    ///
    /// ```
    /// let error = mongoose::tls::ServerConfig::from_pem(b"", b"").unwrap_err();
    /// assert_eq!(error.to_string(), "cannot configure TLS with the certificate chain: no certificate in it");
    /// ```
    ///
    /// # Errors
    /// As [`ServerConfigBuilder::build`].
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::builder().certificate_pem(chain, key).build()
    }

    /// For everything else: several certificates, certificates of clients, ALPN.
    pub fn builder() -> ServerConfigBuilder {
        ServerConfigBuilder {
            certificates: Vec::new(),
            client_roots: Vec::new(),
            optional: false,
            alpn: Vec::new(),
            key_log: false,
            error: None,
        }
    }

    /// Has another configuration take this one's place, for this and all its clones: connections that come get what it
    /// shows, those that are there live on. For a certificate that was renewed, say; from any thread.
    ///
    /// Sessions that were begun before are not resumed: their clients shake hands anew.
    ///
    /// ```no_run
    /// # use mongoose::tls::ServerConfig;
    /// # let config = ServerConfig::from_files("chain.pem", "key.pem")?;
    /// // What is wrong with the new files is an error, and nothing changes.
    /// config.replace(&ServerConfig::from_files("chain.pem", "key.pem")?);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn replace(&self, other: &Self) {
        self.current.set(other.current.get());
    }

    pub(super) fn current(&self) -> Arc<rustls::ServerConfig> {
        self.current.get()
    }
}

/// A [`ServerConfig`] to be. What is wrong with anything it is given is said by [`build`](Self::build).
///
/// ```no_run
/// let config = mongoose::tls::ServerConfig::builder()
///     .certificate_files("example.com.pem", "example.com.key")
///     .certificate_files("example.org.pem", "example.org.key")
///     .client_roots_file("staff.pem")
///     .alpn(["http/1.1"])
///     .build()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
#[must_use = "it is no configuration before `build`"]
pub struct ServerConfigBuilder {
    certificates: Vec<(Pem, Pem)>,
    client_roots: Vec<Pem>,
    optional: bool,
    alpn: Vec<Vec<u8>>,
    key_log: bool,
    error: Option<Error>,
}

impl ServerConfigBuilder {
    /// Adds a certificate chain and its private key from PEM files, as [`ServerConfig::from_files`].
    ///
    /// Of several, a client is shown the first that is valid for the name it asks for (SNI) and that it can verify; the
    /// first of all where it asks for none, or for one that none is valid for.
    pub fn certificate_files(mut self, chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        match (Pem::file(chain.as_ref()), Pem::file(key.as_ref())) {
            (Ok(chain), Ok(key)) => self.certificates.push((chain, key)),
            (Err(error), _) | (_, Err(error)) => self.fail(error),
        }
        self
    }

    /// Adds a certificate chain and its private key, as [`certificate_files`](Self::certificate_files), from PEM texts.
    pub fn certificate_pem(mut self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let index = self.certificates.len();
        let chain = Pem::text(&pem::numbered("the certificate chain", index), chain.as_ref());
        let key = Pem::text(&pem::numbered("the private key", index), key.as_ref());
        self.certificates.push((chain, key));
        self
    }

    /// Asks clients for a certificate that leads to one of these authorities, and refuses those without
    /// ([unless that is allowed](Self::client_certificate_optional)). Default: they are not asked.
    ///
    /// Handlers find it in [`Connection::tls`](crate::Connection::tls). May be called again, for more authorities.
    #[doc(alias = "mg_tls_opts")]
    pub fn client_roots_file(mut self, path: impl AsRef<Path>) -> Self {
        match Pem::file(path.as_ref()) {
            Ok(pem) => self.client_roots.push(pem),
            Err(error) => self.fail(error),
        }
        self
    }

    /// As [`client_roots_file`](Self::client_roots_file), from a PEM text.
    pub fn client_roots_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.client_roots.push(Pem::text("the clients' authorities", pem.as_ref()));
        self
    }

    /// Lets clients in that show no certificate. One that is wrong is refused nevertheless.
    pub fn client_certificate_optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// What is spoken above TLS, the preferred first (ALPN). A client that offers some protocols, but none of these, is
    /// refused. Default: clients' offers are passed over.
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(|protocol| protocol.as_ref().to_vec()).collect();
        self
    }

    /// Appends the keys of every session to the file that the environment variable `SSLKEYLOGFILE` names, for programs
    /// such as Wireshark: **whoever reads that file reads everything**. Default: the variable is not looked at.
    pub fn key_log(mut self) -> Self {
        self.key_log = true;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read. [`Error::TlsConfig`] names the file, the item and the reason: no
    /// certificate, no key, a malformed one, an unknown kind, a key that is not the certificate's; or that the processor
    /// lacks what the cryptography needs.
    pub fn build(self) -> Result<ServerConfig, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let failed =
            |error: String| Error::TlsConfig { what: "what a server needs".to_owned(), reason: error };
        let general = |error: rustls::Error| failed(error.to_string());
        pem::check_alpn(&self.alpn)?;
        let provider = provider()?;
        let mut certificates = Vec::new();
        for (chain, key) in &self.certificates {
            certificates.push(Arc::new(certify(chain, key, &provider)?));
        }
        if certificates.is_empty() {
            return Err(failed("no certificate was given".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for pem in &self.client_roots {
            roots::add_pem(&mut roots, pem)?;
        }
        let verifier = if roots.is_empty() {
            WebPkiClientVerifier::no_client_auth()
        } else {
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            let builder = if self.optional { builder.allow_unauthenticated() } else { builder };
            builder.build().map_err(|error| failed(error.to_string()))?
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(general)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Certificates(certificates)));
        config.alpn_protocols = self.alpn;
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        // A session is resumed with what its client keeps: nothing is kept here.
        if let Some(ticketer) = ticketer().map_err(general)? {
            config.ticketer = ticketer;
        }
        Ok(ServerConfig { current: Current::new(config) })
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig").finish_non_exhaustive()
    }
}

/// Without what it holds: keys are among that.
impl fmt::Debug for ServerConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfigBuilder")
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}
