//! Certificates and keys in PEM. What cannot be taken is an error that names it (hazard 2).

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;

use crate::Error;

/// A PEM text, and where it is from.
#[derive(Debug)]
pub(super) struct Pem {
    what: String,
    text: Vec<u8>,
}

impl Pem {
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        let read = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source });
        Ok(Self { what: path.display().to_string(), text: read? })
    }

    pub(super) fn text(what: &str, text: &[u8]) -> Self {
        Self { what: what.to_owned(), text: text.to_vec() }
    }

    /// All certificates, each of which has to be one. Other items are passed over.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let mut all = Vec::new();
        for (index, item) in CertificateDer::pem_slice_iter(&self.text).enumerate() {
            let bad = |reason: String| self.error(format!("certificate {}: {reason}", index + 1));
            let certificate = item.map_err(|error| bad(syntax(&error)))?;
            ParsedCertificate::try_from(&certificate).map_err(|error| bad(error.to_string()))?;
            all.push(certificate);
        }
        if all.is_empty() { Err(self.error("no certificate in it")) } else { Ok(all) }
    }

    /// The private key: the first, where there are several.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        PrivateKeyDer::from_pem_slice(&self.text).map_err(|error| match error {
            pem::Error::NoItemsFound if self.has_encrypted_key() => self.error("its key is encrypted"),
            pem::Error::NoItemsFound => self.error("no private key in it"),
            other => self.error(format!("its private key: {}", syntax(&other))),
        })
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        Error::TlsConfig { what: self.what.clone(), reason: reason.into() }
    }

    fn has_encrypted_key(&self) -> bool {
        const MARK: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
        self.text.windows(MARK.len()).any(|window| window == MARK)
    }
}

/// How an item of several is named: the first of them as if it were the only one.
pub(super) fn numbered(what: &str, index: usize) -> String {
    if index == 0 { what.to_owned() } else { format!("{what} {}", index + 1) }
}

/// A protocol's name for ALPN has from 1 to 255 bytes.
pub(super) fn check_alpn(protocols: &[Vec<u8>]) -> Result<(), Error> {
    match protocols.iter().find(|protocol| !(1..=255).contains(&protocol.len())) {
        None => Ok(()),
        Some(protocol) => Err(Error::TlsConfig {
            what: format!("the protocol {:?}", String::from_utf8_lossy(protocol)),
            reason: "a protocol's name has from 1 to 255 bytes".to_owned(),
        }),
    }
}

/// What is wrong with a PEM text, in words.
fn syntax(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it has no END line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "its BEGIN line is malformed".to_owned(),
        pem::Error::Base64Decode(_) => "it is not base64".to_owned(),
        other => other.to_string(),
    }
}
