//! The cryptography under TLS.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use crate::Error;

/// graviola's, where the processor has what it needs: elsewhere its first use would panic.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, Error> {
    if graviola::util::is_cpu_supported() {
        Ok(Arc::new(rustls_graviola::default_provider()))
    } else {
        Err(Error::TlsConfig {
            what: "this processor".to_owned(),
            reason: "it lacks AES, AVX2 or ADX".to_owned(),
        })
    }
}
