//! A certificate for this machine, made by the openssl program.

use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// The files of one, in cargo's folder until it is dropped.
pub struct Certificate(PathBuf);

/// Has one made that is its own authority.
pub fn make() -> Certificate {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-tls-{}-{number}", process::id()));
    std::fs::create_dir_all(&folder).expect("to make a folder");
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-keyout", "key.pem", "-out", "chain.pem"]).current_dir(&folder);
    let output = openssl.output().expect("openssl, which these tests need");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Certificate(folder)
}

impl Certificate {
    pub fn chain(&self) -> String {
        self.path("chain.pem")
    }

    pub fn key(&self) -> String {
        self.path("key.pem")
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path of text").to_owned()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // What is left over lies in cargo's folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
