//! HTTPS, where the program is built with TLS.

use mongoose::http::Client;

use crate::options::Options;

/// Has a client believe whom the command line says, where it may meet an https URL.
#[cfg(feature = "tls-rustls")]
pub fn secure(client: Client, options: &Options) -> Result<Client, String> {
    use mongoose::tls::ClientConfig;

    if !is_secure(&options.url) && !options.follow {
        return Ok(client);
    }
    let tls = &options.tls;
    let mut config = match &tls.ca {
        Some(file) => ClientConfig::roots_file(file),
        None => ClientConfig::system_roots(),
    };
    if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
        config = config.certificate_files(cert, key);
    }
    if let Some(name) = &tls.name {
        config = config.server_name(name);
    }
    match config.build() {
        Ok(config) => Ok(client.with_tls(config)),
        // It may never be needed.
        Err(_) if !is_secure(&options.url) => Ok(client),
        Err(error) => Err(error.to_string()),
    }
}

/// Without TLS there is nothing to set: such a URL is an error.
#[cfg(not(feature = "tls-rustls"))]
pub fn secure(client: Client, options: &Options) -> Result<Client, String> {
    if is_secure(&options.url) || options.tls.ca.is_some() || options.tls.name.is_some() {
        return Err("https needs a program that was built with --features tls-rustls".to_owned());
    }
    Ok(client)
}

fn is_secure(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}
