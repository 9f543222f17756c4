//! The files that servers of files have.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::peers::target;
use super::tools;
use crate::Outcome;

const FILES: [(&str, usize); 2] = [("1k.txt", 1 << 10), ("10m.txt", 10 << 20)];

/// Where they are.
pub fn folder() -> PathBuf {
    target().join("files")
}

/// Writes them, but where they are: tags of files that were just written are weak. And what TLS is spoken with.
pub fn make() -> Outcome {
    fs::create_dir_all(folder())?;
    for (name, size) in FILES {
        let file = folder().join(name);
        if fs::metadata(&file).map_or(true, |metadata| metadata.len() != size as u64) {
            fs::write(file, vec![b'x'; size])?;
        }
    }
    let (certificate, key) = (folder().join("tls.pem"), folder().join("tls.key"));
    if !certificate.exists() {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=localhost", "-newkey", "ec"]);
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "subjectAltName=DNS:localhost"]);
        tools::output(command.arg("-keyout").arg(key).arg("-out").arg(certificate))?;
    }
    Ok(())
}
