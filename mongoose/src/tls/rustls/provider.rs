//! The cryptography under TLS.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::ProducesTickets;

use crate::Error;

/// The one that the program installed for all of rustls, else graviola's, where the processor has what that needs: its
/// first use would panic elsewhere.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, Error> {
    choose(CryptoProvider::get_default(), is_supported())
}

/// What encrypts sessions for clients to keep. `None` where there is no graviola: the provider has no such thing.
pub(super) fn ticketer() -> Result<Option<Arc<dyn ProducesTickets>>, rustls::Error> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if is_supported() {
        return rustls_graviola::Ticketer::new().map(Some);
    }
    Ok(None)
}

fn choose(installed: Option<&Arc<CryptoProvider>>, supported: bool) -> Result<Arc<CryptoProvider>, Error> {
    match installed {
        Some(installed) => Ok(Arc::clone(installed)),
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        None if supported => Ok(Arc::new(rustls_graviola::default_provider())),
        None => Err(Error::TlsConfig {
            what: "this processor".to_owned(),
            reason: "it lacks AES, AVX2 or ADX, and no other provider is installed".to_owned(),
        }),
    }
}

fn is_supported() -> bool {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return graviola::util::is_cpu_supported();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_that_lacks_something_is_an_error_unless_a_provider_is_installed() {
        let error = choose(None, false).expect_err("nothing to encrypt with");
        assert!(
            error.to_string().starts_with("cannot configure TLS with this processor: it lacks "),
            "{error}"
        );
        let installed = Arc::new(rustls_graviola::default_provider());
        let chosen = choose(Some(&installed), false).expect("the program knows better");
        assert!(Arc::ptr_eq(&chosen, &installed));
    }
}
