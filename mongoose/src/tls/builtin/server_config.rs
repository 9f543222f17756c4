//! What a listener shows to its peers.

use std::fmt;
use std::path::Path;

use super::der::{KeyKind, public_key};
use super::hello::{CERTIFICATE, message};
use super::pem::{Pem, not_ours};
use super::reader::vector;
use super::server::Server;
use crate::Error;
use crate::ffi::{P256Key, prepare};
use crate::tls::current::Current;

/// The most that a message can say, and what a client's memory is asked for at once.
const MAX_CHAIN: usize = 64 << 10;

/// A certificate with its key, for [listeners](crate::ListenerBuilder::tls). Clones are the same configuration: workers
/// and listeners share it.
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
    current: Current<Identity>,
}

/// Who a server is.
#[derive(Debug)]
pub(super) struct Identity {
    /// The Certificate message, the same for everybody.
    pub(super) certificate: Vec<u8>,
    pub(super) key: P256Key,
}

impl ServerConfig {
    /// Takes the certificate chain from one PEM file, the server's own certificate first, and its private key from
    /// another (or the same): PKCS #8 or SEC 1, not encrypted, on the curve P-256.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read. [`Error::TlsConfig`] names the file, the item and the reason: no
    /// certificate, no key, a malformed one, another kind than P-256, a key that is not the certificate's.
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
        prepare();
        let certificates = chain.certificates()?;
        let private = key.private_key()?;
        match public_key(&certificates[0]) {
            Some((KeyKind::Other(kind), _)) => {
                return Err(chain.error(format!("the key of certificate 1: {}", not_ours(kind))));
            }
            Some((KeyKind::P256, [4, point @ ..])) if private.public().is_some_and(|ours| ours == point) => {}
            _ => return Err(key.error("its private key is not that of the first certificate")),
        }
        let length: usize = certificates.iter().map(Vec::len).sum();
        if length > MAX_CHAIN {
            return Err(chain.error(format!("its certificates have {length} bytes, of at most {MAX_CHAIN}")));
        }
        let certificate = message(CERTIFICATE, |out| {
            // Nobody asked for it.
            out.push(0);
            vector(out, 3, |out| {
                for certificate in &certificates {
                    vector(out, 3, |out| out.extend(certificate));
                    // Without extensions.
                    out.extend([0, 0]);
                }
            });
        });
        Ok(Self { current: Current::new(Identity { certificate, key: private }) })
    }

    /// Has another configuration take this one's place, for this and all its clones: connections that are accepted from
    /// now on are shown its certificate, those that are there live on. From any thread.
    ///
    /// ```no_run
    /// use mongoose::tls::ServerConfig;
    ///
    /// let config = ServerConfig::from_files("chain.pem", "key.pem")?;
    /// // Once the certificate has been renewed:
    /// config.replace(&ServerConfig::from_files("chain.pem", "key.pem")?);
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn replace(&self, other: &Self) {
        self.current.set(other.current.get());
    }

    /// What begins with a new connection.
    pub(super) fn handshake(&self) -> Server {
        Server::Hello { identity: self.current.get(), retried: None }
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig").finish_non_exhaustive()
    }
}
