//! Authorities that a peer's certificate has to lead to.

use rustls::RootCertStore;

use crate::Error;
use crate::tls::pem::Pem;

/// Adds every certificate of a PEM text.
pub(super) fn add_pem(store: &mut RootCertStore, pem: &Pem) -> Result<(), Error> {
    for (index, certificate) in pem.certificates()?.into_iter().enumerate() {
        let bad = |error| pem.error(format!("certificate {}: {error}", index + 1));
        store.add(certificate).map_err(bad)?;
    }
    Ok(())
}

/// Adds those that the system trusts. Of hundreds, some may be of a kind that nobody can use any more.
pub(super) fn add_system(store: &mut RootCertStore) -> Result<(), Error> {
    let found = rustls_native_certs::load_native_certs();
    let failed = |reason: String| Error::TlsConfig { what: "the system's authorities".to_owned(), reason };
    let (added, _unusable) = store.add_parsable_certificates(found.certs);
    match found.errors.first() {
        _ if added > 0 => Ok(()),
        Some(error) => Err(failed(error.to_string())),
        None => Err(failed("none was found".to_owned())),
    }
}
