//! Clients, which cannot know whom they speak to.

use std::net::IpAddr;

use crate::Error;
use crate::ffi::prepare;
use crate::tls::current::Current;
use crate::warning::warn;

/// What connections that we make speak TLS by. The built-in TLS cannot verify certificates, so there is none but what
/// [`dangerous`](Self::dangerous) makes: the feature `tls-rustls` is for everything else. Clones are the same
/// configuration.
///
/// In C there is a client that verifies: it takes a certificate with an IP address in it for any host, and goes on
/// unverified when it cannot read its authorities (`mg_tls_init`).
#[derive(Clone, Debug)]
#[doc(alias = "mg_tls_opts")]
#[doc(alias = "mg_tls_init")]
pub struct ClientConfig {
    current: Current<Settings>,
}

/// What a configuration says.
#[derive(Debug)]
struct Settings {
    /// In the place of the URL's host.
    name: Option<Target>,
    /// What is left of it for another host than it was made for, where that is less.
    elsewhere: Option<ClientConfig>,
}

impl ClientConfig {
    fn new(name: Option<Target>, elsewhere: Option<ClientConfig>) -> Self {
        Self { current: Current::new(Settings { name, elsewhere }) }
    }

    /// **Dangerous:** for configurations that do not verify whom they speak to. Anybody on the way can read and change
    /// everything. Each that is built says so on the standard error.
    ///
    /// ```no_run
    /// use mongoose::tls::ClientConfig;
    ///
    /// let config = ClientConfig::dangerous().accept_any_certificate().build()?;
    /// # Ok::<(), mongoose::Error>(())
    /// ```
    pub fn dangerous() -> Dangerous {
        Dangerous(())
    }

    /// Has another configuration take this one's place, for this and all its clones: connections that are begun from now
    /// on are made with it, those that are there live on. From any thread.
    pub fn replace(&self, other: &Self) {
        self.current.set(other.current.get());
    }

    /// Whether the other is a clone of it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.current.is_same(&other.current)
    }

    /// The same for a host that it was not made for: without name of choice.
    pub(crate) fn elsewhere(&self) -> Self {
        self.current.get().elsewhere.clone().unwrap_or_else(|| self.clone())
    }

    /// Whom to speak to at a host. An error is what is wrong with its name.
    pub(crate) fn target(&self, host: &str) -> Result<Target, &'static str> {
        match &self.current.get().name {
            Some(name) => Ok(name.clone()),
            // A zone means something on this machine alone.
            None => Target::parse(host.split('%').next().unwrap_or_default()),
        }
    }
}

/// See [`ClientConfig::dangerous`].
#[derive(Debug)]
pub struct Dangerous(());

impl Dangerous {
    /// **Dangerous:** takes whoever answers for the server, whatever certificate it shows, and whether it has that
    /// certificate's key or not. For tests on the own machine.
    pub fn accept_any_certificate(self) -> ClientConfigBuilder {
        ClientConfigBuilder { name: None }
    }
}

/// A [`ClientConfig`] to be. What is wrong with anything it is given is said by [`build`](Self::build).
#[must_use = "it is no configuration before `build`"]
#[derive(Debug)]
pub struct ClientConfigBuilder {
    name: Option<String>,
}

impl ClientConfigBuilder {
    /// Asks for this name instead of the URL's host: a DNS name or an IP address.
    pub fn server_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`Error::TlsConfig`] for a name that no certificate can have.
    pub fn build(self) -> Result<ClientConfig, Error> {
        let name = match self.name {
            None => None,
            Some(name) => Some(Target::parse(&name).map_err(|reason| Error::TlsConfig {
                what: format!("the server's name {name:?}"),
                reason: reason.to_owned(),
            })?),
        };
        prepare();
        warn("a TLS client takes any certificate of any host: anybody on the way can read and change all");
        let elsewhere = name.is_some().then(|| ClientConfig::new(None, None));
        Ok(ClientConfig::new(name, elsewhere))
    }
}

/// Whom a connection is made to: the name that the server is asked for, where that is one of DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(pub(super) Option<String>);

impl Target {
    fn parse(host: &str) -> Result<Self, &'static str> {
        if host.parse::<IpAddr>().is_ok() {
            return Ok(Self(None));
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err("no certificate can be valid for the host's name");
        }
        Ok(Self(Some(name.to_ascii_lowercase())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_name_is_one_of_dns_and_an_address_none() {
        let name = |host| Target::parse(host).map(|target| target.0);
        assert_eq!(name("LocalHost"), Ok(Some("localhost".to_owned())));
        assert_eq!(name("a-b.c_d.test."), Ok(Some("a-b.c_d.test".to_owned())));
        assert_eq!(name("127.0.0.1"), Ok(None));
        assert_eq!(name("::1"), Ok(None));
        for bad in ["", ".", "a..b", "a b", "a\0b", "é", &"a".repeat(64), &"aa.".repeat(85)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
