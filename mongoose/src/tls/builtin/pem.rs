//! Certificates and keys in PEM (RFC 7468). What cannot be taken is an error that names it (hazard 2).

use std::fs;
use std::path::Path;

use super::der::{Der, KeyKind, OCTET_STRING, OPTIONAL_0, public_key};
use crate::Error;
use crate::base64;
use crate::ffi::{P256Key, wipe};

/// A PEM text, and where it is from.
#[derive(Debug)]
pub(super) struct Pem {
    what: String,
    text: Vec<u8>,
}

/// What stands between a BEGIN and an END line.
struct Item<'a> {
    label: &'a str,
    /// `None` without an END line.
    lines: Option<&'a str>,
}

impl Pem {
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        let read = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source });
        Ok(Self { what: path.display().to_string(), text: read? })
    }

    pub(super) fn text(what: &str, text: &[u8]) -> Self {
        Self { what: what.to_owned(), text: text.to_vec() }
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        Error::TlsConfig { what: self.what.clone(), reason: reason.into() }
    }

    /// All certificates, each of which has to be one. Other items are passed over.
    pub(super) fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let mut all = Vec::new();
        for item in self.items()?.iter().filter(|item| item.label == "CERTIFICATE") {
            let bad = |reason: &str| self.error(format!("certificate {}: {reason}", all.len() + 1));
            let certificate = item.decode().map_err(bad)?;
            public_key(&certificate).ok_or_else(|| bad("it is not a certificate"))?;
            all.push(certificate);
        }
        if all.is_empty() { Err(self.error("no certificate in it")) } else { Ok(all) }
    }

    /// The private key: the first, where there are several.
    pub(super) fn private_key(&self) -> Result<P256Key, Error> {
        let bad = |reason: &str| self.error(format!("its private key: {reason}"));
        let items = self.items()?;
        let Some(item) = items.iter().find(|item| item.label.ends_with("PRIVATE KEY")) else {
            return Err(self.error("no private key in it"));
        };
        if item.label.starts_with("ENCRYPTED") || item.lines.is_some_and(|lines| lines.contains("ENCRYPTED"))
        {
            return Err(self.error("its key is encrypted"));
        }
        let mut der = item.decode().map_err(bad)?;
        let parsed = match item.label {
            "PRIVATE KEY" => pkcs8(&der),
            "EC PRIVATE KEY" => sec1(Der(&der), None),
            "RSA PRIVATE KEY" => Some(Err("RSA")),
            _ => Some(Err("of an unknown kind")),
        };
        wipe(&mut der);
        match parsed {
            Some(Ok(number)) => P256Key::new(number).ok_or_else(|| bad("it is not on the curve")),
            Some(Err(kind)) => Err(bad(&not_ours(kind))),
            None => Err(bad("it is malformed")),
        }
    }

    fn items(&self) -> Result<Vec<Item<'_>>, Error> {
        let text = String::from_utf8_lossy(&self.text);
        // What is not ASCII can only stand around the items.
        let std::borrow::Cow::Borrowed(mut text) = text else {
            return Err(self.error("it is not a text"));
        };
        let mut items = Vec::new();
        while let Some((_, rest)) = text.split_once("-----BEGIN ") {
            let (label, rest) = rest
                .split_once("-----")
                .filter(|(label, _)| !label.contains('\n'))
                .ok_or_else(|| self.error("its BEGIN line is malformed"))?;
            let end = format!("-----END {label}-----");
            let (lines, rest) = rest.split_once(&end).map_or((None, ""), |(lines, rest)| (Some(lines), rest));
            items.push(Item { label, lines });
            text = rest;
        }
        Ok(items)
    }
}

impl Item<'_> {
    fn decode(&self) -> Result<Vec<u8>, &'static str> {
        let lines = self.lines.ok_or("it has no END line")?;
        let mut digits: Vec<u8> = lines.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let decoded = base64::decode_strictly(&digits);
        wipe(&mut digits);
        decoded.ok_or("it is not base64")
    }
}

/// What to say of a key that is none of ours (hazard 25: C takes RSA, and then cannot sign).
pub(super) fn not_ours(kind: &str) -> String {
    format!("it is {kind}, and the built-in TLS takes P-256 alone (the feature tls-rustls takes others)")
}

/// Takes a PrivateKeyInfo (RFC 5208). An error says the kind of a key that is none of ours.
fn pkcs8(der: &[u8]) -> Option<Result<[u8; 32], &'static str>> {
    let mut info = Der(der).sequence()?;
    info.integer()?;
    let kind = KeyKind::of(info.sequence()?)?;
    let key = info.take(OCTET_STRING)?;
    match kind {
        KeyKind::Other(kind) => Some(Err(kind)),
        KeyKind::P256 => sec1(Der(key), Some(kind)),
    }
}

/// Takes an ECPrivateKey (RFC 5915), whose curve may be known already.
fn sec1(mut der: Der<'_>, known: Option<KeyKind>) -> Option<Result<[u8; 32], &'static str>> {
    let mut key = der.sequence()?;
    key.integer()?;
    let number = key.take(OCTET_STRING)?;
    let stated = match key.take(OPTIONAL_0) {
        Some(parameters) => Some(KeyKind::of_curve(Der(parameters))?),
        None => None,
    };
    match stated.or(known) {
        Some(KeyKind::Other(kind)) => Some(Err(kind)),
        // Without a name it may be: its certificate tells.
        _ => Some(Ok(number.try_into().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(text: &str) -> Pem {
        Pem::text("x", text.as_bytes())
    }

    fn reason(error: Error) -> String {
        match error {
            Error::TlsConfig { reason, .. } => reason,
            other => panic!("{other}"),
        }
    }

    /// Made by `openssl ecparam -genkey`.
    const SEC1: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n\
        -----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBoAoGCCqGSM49\n\
        AwEHoUQDQgAEb/A7lJJBziQdraevluGoT96fqwuqT5v2jT6aw86f6tTSzVZk3sYdoPd/7ux2rWzR\n\
        xfiv7Um3ctGa52w1uyEqxQ==\n-----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_key_behind_its_parameters_is_found() {
        let key = pem(SEC1).private_key().map_err(reason);
        // The text above is cut by hand: number and curve are what is read of it.
        assert_eq!(key.expect("a key").public(), P256Key::new([1; 32]).expect("a key").public());
    }

    #[test]
    fn what_is_not_there_or_not_whole_is_named() {
        assert_eq!(reason(pem("").private_key().expect_err("none")), "no private key in it");
        assert_eq!(reason(pem("").certificates().expect_err("none")), "no certificate in it");
        let cut = &SEC1[..SEC1.len() - 10];
        assert_eq!(reason(pem(cut).private_key().expect_err("cut")), "its private key: it has no END line");
        let bad = SEC1.replace("MHcC", "M!cC");
        assert_eq!(reason(pem(&bad).private_key().expect_err("bad")), "its private key: it is not base64");
        let certificate = "-----BEGIN CERTIFICATE-----\nMHcC\n-----END CERTIFICATE-----";
        let error = pem(certificate).certificates().expect_err("bad");
        assert_eq!(reason(error), "certificate 1: it is not a certificate");
        let encrypted = SEC1.replace("MHcC", "Proc-Type: 4,ENCRYPTED\n\nMHcC");
        assert_eq!(reason(pem(&encrypted).private_key().expect_err("bad")), "its key is encrypted");
        let bytes = Pem::text("x", b"\xff\xfe");
        assert_eq!(reason(bytes.certificates().expect_err("bytes")), "it is not a text");
    }
}
