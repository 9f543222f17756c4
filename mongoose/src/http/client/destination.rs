//! Where a request goes, and how that is secured.

use super::url::Url;
use crate::Error;
use crate::engine::ClientTls;
use crate::net::Endpoint;
#[cfg(feature = "_tls")]
use crate::tls::ClientConfig;

/// Whom a request believes to be the host of its `https` URL.
#[derive(Clone, Debug, Default)]
pub(super) enum Trust {
    /// Nobody: only `http` will do.
    #[default]
    Nobody,
    /// Whom the system trusts, which is looked up when it is needed.
    #[cfg(feature = "tls-rustls")]
    System,
    #[cfg(feature = "_tls")]
    Config(ClientConfig),
    /// What is left of it for a host that a redirect names, whatever it may be by then.
    #[cfg(feature = "_tls")]
    Elsewhere(ClientConfig),
}

impl Trust {
    /// Whom the system trusts, where there is TLS that asks.
    pub(super) fn system() -> Self {
        #[cfg(feature = "tls-rustls")]
        return Self::System;
        #[cfg(not(feature = "tls-rustls"))]
        return Self::Nobody;
    }

    /// The same for another host than it was given for: a certificate of ours is not for all who redirect us.
    pub(super) fn elsewhere(&self) -> Self {
        match self {
            #[cfg(feature = "_tls")]
            Self::Config(config) => Self::Elsewhere(config.clone()),
            other => other.clone(),
        }
    }

    pub(super) fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }
}

/// Whom the system trusts, once for the whole process.
#[cfg(feature = "tls-rustls")]
pub(crate) fn system_config() -> Result<ClientConfig, Error> {
    static CONFIG: std::sync::OnceLock<ClientConfig> = std::sync::OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    // Not kept where it fails: the next may succeed.
    let config = ClientConfig::system_roots().build()?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

/// What connections are kept by: one to the same endpoint that is secured otherwise will not do.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    endpoint: Endpoint,
    #[cfg(feature = "_tls")]
    secure: Option<ClientConfig>,
}

impl Destination {
    pub(super) fn new(url: &Url, trust: &Trust) -> Result<Self, Error> {
        #[cfg(feature = "_tls")]
        let secure = match trust {
            _ if !url.is_secure() => None,
            Trust::Nobody => return Err(needs_configuration(url)),
            #[cfg(feature = "tls-rustls")]
            Trust::System => Some(system_config()?),
            Trust::Config(config) => Some(config.clone()),
            Trust::Elsewhere(config) => Some(config.elsewhere()),
        };
        #[cfg(not(feature = "_tls"))]
        if url.is_secure() && trust.is_nobody() {
            return Err(needs_configuration(url));
        }
        Ok(Self {
            endpoint: url.endpoint().clone(),
            #[cfg(feature = "_tls")]
            secure,
        })
    }

    /// Whom to speak TLS to there. An error is what is wrong with the host's name.
    pub(super) fn target(&self) -> Result<Option<ClientTls>, &'static str> {
        #[cfg(feature = "_tls")]
        return self.secure.as_ref().map(|config| config.target(self.endpoint.host())).transpose();
        #[cfg(not(feature = "_tls"))]
        return Ok(None);
    }
}

impl PartialEq for Destination {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(feature = "_tls")]
        let same = match (&self.secure, &other.secure) {
            (None, None) => true,
            (Some(one), Some(another)) => one.is_same(another),
            _ => false,
        };
        #[cfg(not(feature = "_tls"))]
        let same = true;
        same && self.endpoint == other.endpoint
    }
}

fn needs_configuration(url: &Url) -> Error {
    Error::Url { url: url.as_str().to_owned(), reason: "TLS needs a configuration" }
}
