//! HTTPS beside HTTP, where the program is built with TLS.

use mongoose::{Error, ListenerBuilder};

use crate::options::Options;

/// What is shown to peers.
#[cfg(feature = "_tls")]
pub type Certificate = mongoose::tls::ServerConfig;

/// Without TLS there is none.
#[cfg(not(feature = "_tls"))]
#[derive(Clone)]
pub enum Certificate {}

/// Reads the files that the command line names.
pub fn certificate(options: &Options) -> Result<Option<Certificate>, Error> {
    match &options.tls {
        None => Ok(None),
        #[cfg(feature = "tls-rustls")]
        Some((chain, key)) => {
            let config = Certificate::builder().certificate_files(chain, key);
            let config = match &options.client_ca {
                Some(file) => config.client_roots_file(file),
                None => config,
            };
            config.build().map(Some)
        }
        #[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
        Some(_) if options.client_ca.is_some() => {
            Err(Error::handler("--client-ca needs a program that was built with --features tls-rustls"))
        }
        #[cfg(all(feature = "tls-builtin", not(feature = "tls-rustls")))]
        Some((chain, key)) => Certificate::from_files(chain, key).map(Some),
        #[cfg(not(feature = "_tls"))]
        Some(_) => {
            Err(Error::handler("--tls-cert needs a program that was built with TLS: --features tls-rustls"))
        }
    }
}

/// Has a listener show the certificate where its URL asks for TLS.
pub fn secure<'u>(
    builder: ListenerBuilder<'u>,
    url: &str,
    certificate: Option<&Certificate>,
) -> ListenerBuilder<'u> {
    match certificate.filter(|_| is_secure(url)) {
        None => builder,
        #[cfg(feature = "_tls")]
        Some(certificate) => builder.tls(certificate.clone()),
        #[cfg(not(feature = "_tls"))]
        Some(never) => match *never {},
    }
}

/// Where HTTPS is served beside these when none of them is: the first one's host.
pub fn beside(urls: &[String]) -> Option<String> {
    if urls.iter().any(|url| is_secure(url)) {
        return None;
    }
    let (host, port) = urls.first()?.split_once("://")?.1.trim_end_matches('/').rsplit_once(':')?;
    // A port of the system's choice beside one.
    Some(format!("https://{host}:{}", if port == "0" { "0" } else { "8443" }))
}

pub fn is_secure(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}
