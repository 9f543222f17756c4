//! How clients know whom they speak to.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{KeyLogFile, RootCertStore, version};

use super::any_certificate::AnyCertificate;
use super::certified::certify;
use super::provider::provider;
use super::roots;
use crate::Error;
use crate::tls::current::Current;
use crate::tls::pem::{self, Pem};
use crate::warning::warn;

/// Authorities to trust, for [connections](crate::Connector::tls) and
/// [HTTP requests](crate::http::RequestBuilder::tls) that we make. Clones are the same configuration.
///
/// The server's certificate has to lead to one of them, to be valid now, and to be valid for the host of the URL (or
/// for [another name](ClientConfigBuilder::server_name)): by its subject alternative names, of the very kind that is
/// asked for, and for servers. There is no configuration without authorities but for what
/// [`dangerous`](Self::dangerous) makes.
///
/// ```no_run
/// use mongoose::tls::ClientConfig;
///
/// let everybody = ClientConfig::system_roots().build()?;
/// let ours = ClientConfig::roots_file("ca.pem").certificate_files("me.pem", "me.key").build()?;
/// # Ok::<(), mongoose::Error>(())
/// ```
///
/// In C a certificate with an IP address in it is taken for any host, and one that cannot be read is taken for none to
/// check (`mg_tls_init`).
#[derive(Clone)]
#[doc(alias = "mg_tls_opts")]
#[doc(alias = "mg_tls_init")]
pub struct ClientConfig {
    current: Current<Settings>,
}

/// What a configuration says.
struct Settings {
    inner: Arc<rustls::ClientConfig>,
    /// In the place of the URL's host.
    name: Option<ServerName<'static>>,
    /// What is left of it for another host than it was made for, where that is less.
    elsewhere: Option<ClientConfig>,
}

impl ClientConfig {
    fn new(
        inner: rustls::ClientConfig,
        name: Option<ServerName<'static>>,
        elsewhere: Option<ClientConfig>,
    ) -> Self {
        Self { current: Current::new(Settings { inner: Arc::new(inner), name, elsewhere }) }
    }

    /// Trusts the authorities that the system trusts: on Unix those in the files of OpenSSL, or in `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`; on macOS and Windows those of the system's store. They are read once, now.
    pub fn system_roots() -> ClientConfigBuilder {
        ClientConfigBuilder::new(Trust::Roots(RootCertStore::empty())).system_roots()
    }

    /// Trusts the authorities in a PEM file.
    pub fn roots_file(path: impl AsRef<Path>) -> ClientConfigBuilder {
        ClientConfigBuilder::new(Trust::Roots(RootCertStore::empty())).roots_file(path)
    }

    /// Trusts the authorities in a PEM text.
    pub fn roots_pem(pem: impl AsRef<[u8]>) -> ClientConfigBuilder {
        ClientConfigBuilder::new(Trust::Roots(RootCertStore::empty())).roots_pem(pem)
    }

    /// **Dangerous:** for configurations that do not verify whom they speak to. Anybody on the way can read and change
    /// everything. Each that is built says so on the standard error.
    pub fn dangerous() -> Dangerous {
        Dangerous(())
    }

    /// Has another configuration take this one's place, for this and all its clones: connections that are begun from now
    /// on are made with it, those that are there live on. From any thread.
    pub fn replace(&self, other: &Self) {
        self.current.set(other.current.get());
    }

    /// Whether two are clones of one: connections made with one may be used where the other is asked for.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.current.is_same(&other.current)
    }

    /// The same for a host that it was not made for: without certificate and name of choice.
    pub(crate) fn elsewhere(&self) -> Self {
        self.current.get().elsewhere.clone().unwrap_or_else(|| self.clone())
    }

    /// Whom to speak to at a host. An error is what is wrong with its name.
    pub(crate) fn target(&self, host: &str) -> Result<Target, &'static str> {
        let settings = self.current.get();
        let name = match &settings.name {
            Some(name) => name.clone(),
            // A zone means something on this machine alone.
            None => parse_name(host.split('%').next().unwrap_or_default())?,
        };
        Ok(Target { config: Arc::clone(&settings.inner), name })
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, &'static str> {
    ServerName::try_from(name.to_owned()).map_err(|_| "no certificate can be valid for the host's name")
}

/// Whom a connection is made to, and how that is verified.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
}

impl Target {
    pub(super) fn connection(&self) -> Result<UnbufferedClientConnection, rustls::Error> {
        UnbufferedClientConnection::new(Arc::clone(&self.config), self.name.clone())
    }
}

/// See [`ClientConfig::dangerous`].
#[derive(Debug)]
pub struct Dangerous(());

impl Dangerous {
    /// **Dangerous:** takes any certificate of any host, as long as the server has its key. For tests on the own machine.
    pub fn accept_any_certificate(self) -> ClientConfigBuilder {
        ClientConfigBuilder::new(Trust::Anybody)
    }
}

/// A [`ClientConfig`] to be. What is wrong with anything it is given is said by [`build`](Self::build).
#[must_use = "it is no configuration before `build`"]
pub struct ClientConfigBuilder {
    trust: Trust,
    certificate: Option<(Pem, Pem)>,
    name: Option<String>,
    alpn: Vec<Vec<u8>>,
    key_log: bool,
    error: Option<Error>,
}

/// Who is believed.
enum Trust {
    Roots(RootCertStore),
    Anybody,
}

impl ClientConfigBuilder {
    fn new(trust: Trust) -> Self {
        Self { trust, certificate: None, name: None, alpn: Vec::new(), key_log: false, error: None }
    }

    /// Trusts those that the system trusts, too: see [`ClientConfig::system_roots`].
    pub fn system_roots(self) -> Self {
        self.trusting(roots::add_system)
    }

    /// Trusts those in a PEM file, too. Each certificate in it has to be one.
    pub fn roots_file(self, path: impl AsRef<Path>) -> Self {
        self.trusting(|store| roots::add_pem(store, &Pem::file(path.as_ref())?))
    }

    /// Trusts those in a PEM text, too. Each certificate in it has to be one.
    pub fn roots_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.trusting(|store| roots::add_pem(store, &Pem::text("the authorities", pem.as_ref())))
    }

    /// Shows a certificate to servers that ask for one (mutual TLS): a chain, the own certificate first, and its private
    /// key, from PEM files as [`ServerConfig::from_files`](crate::tls::ServerConfig::from_files) takes them.
    pub fn certificate_files(mut self, chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        match (Pem::file(chain.as_ref()), Pem::file(key.as_ref())) {
            (Ok(chain), Ok(key)) => self.certificate = Some((chain, key)),
            (Err(error), _) | (_, Err(error)) => self.fail(error),
        }
        self
    }

    /// As [`certificate_files`](Self::certificate_files), from PEM texts.
    pub fn certificate_pem(mut self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let chain = Pem::text("the certificate chain", chain.as_ref());
        self.certificate = Some((chain, Pem::text("the private key", key.as_ref())));
        self
    }

    /// Asks for, and verifies, this name instead of the URL's host: a DNS name or an IP address. For a server that is
    /// reached by another name than it has.
    pub fn server_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Offers protocols to speak above TLS, the preferred first (ALPN). Default: none is offered. Which one the server
    /// took, if any, is in [`Connection::tls`](crate::Connection::tls).
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
    /// certificate, a malformed one, a key that is not the certificate's; a name that no certificate can have; or that
    /// the processor lacks what the cryptography needs.
    pub fn build(self) -> Result<ClientConfig, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let failed = |error: rustls::Error| Error::TlsConfig {
            what: "what a client needs".to_owned(),
            reason: error.to_string(),
        };
        pem::check_alpn(&self.alpn)?;
        let name = match self.name {
            None => None,
            Some(name) => Some(parse_name(&name).map_err(|reason| Error::TlsConfig {
                what: format!("the server's name {name:?}"),
                reason: reason.to_owned(),
            })?),
        };
        let provider = provider()?;
        let certificate = match &self.certificate {
            None => None,
            Some((chain, key)) => Some(SingleCertAndKey::from(certify(chain, key, &provider)?)),
        };
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(failed)?;
        let builder = match self.trust {
            Trust::Roots(roots) => builder.with_root_certificates(roots),
            Trust::Anybody => {
                warn("a TLS configuration takes any certificate: nobody knows who is at the other end");
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate::new(&provider)))
            }
        };
        let mut inner = builder.with_no_client_auth();
        inner.alpn_protocols = self.alpn;
        if self.key_log {
            inner.key_log = Arc::new(KeyLogFile::new());
        }
        let elsewhere = (certificate.is_some() || name.is_some()).then(|| {
            let mut inner = inner.clone();
            // Nor with sessions in which the certificate was shown.
            inner.resumption = Resumption::default();
            ClientConfig::new(inner, None, None)
        });
        if let Some(certificate) = certificate {
            inner.client_auth_cert_resolver = Arc::new(certificate);
        }
        Ok(ClientConfig::new(inner, name, elsewhere))
    }

    fn trusting(mut self, add: impl FnOnce(&mut RootCertStore) -> Result<(), Error>) -> Self {
        // Who believes anybody needs no authorities.
        if let Trust::Roots(store) = &mut self.trust
            && let Err(error) = add(store)
        {
            self.fail(error);
        }
        self
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").field("name", &self.current.get().name).finish_non_exhaustive()
    }
}

/// Without what it holds: a key is among that.
impl fmt::Debug for ClientConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfigBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
