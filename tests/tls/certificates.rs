//! An authority and the certificates it signed, made by the openssl program once a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::LazyLock;

use mongoose::tls;

/// The kinds of keys that are served with.
pub const KINDS: [&str; 4] = ["p256", "p384", "rsa", "ed25519"];

/// Where they lie. What is left over lies in cargo's folder.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}", process::id()));
    fs::create_dir_all(&folder).expect("to make a folder");
    let authority =
        ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
    request(&folder, "ca", "p256", "/CN=Test authority", &authority);
    for kind in KINDS {
        let (ca, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        let signed = [
            "-CA",
            ca.to_str().expect("text"),
            "-CAkey",
            key.to_str().expect("text"),
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ];
        request(&folder, kind, kind, "/CN=localhost", &signed);
    }
    folder
});

/// Has a key and a certificate made.
fn request(folder: &Path, name: &str, kind: &str, subject: &str, more: &[&str]) {
    let algorithm: &[&str] = match kind {
        "p256" => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "p384" => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "rsa" => &["-newkey", "rsa:2048"],
        other => &["-newkey", other],
    };
    let output = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "30", "-subj", subject])
        .args(algorithm)
        .args(more)
        .arg("-keyout")
        .arg(folder.join(format!("{name}.key")))
        .arg("-out")
        .arg(folder.join(format!("{name}.pem")))
        .output()
        .expect("openssl, which these tests need");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The path of one of the files.
pub fn path(name: &str) -> String {
    FOLDER.join(name).to_str().expect("a path of text").to_owned()
}

/// What is in one of the files.
pub fn read(name: &str) -> String {
    fs::read_to_string(FOLDER.join(name)).expect("to read")
}

/// What a server of one kind shows.
pub fn server(kind: &str) -> tls::ServerConfig {
    tls::ServerConfig::from_files(path(&format!("{kind}.pem")), path(&format!("{kind}.key")))
        .expect("a certificate and its key")
}
