//! Authorities and the certificates they signed, right ones and wrong ones, made by the openssl program once a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::LazyLock;

use mongoose::tls;

/// The kinds of keys that are served with.
pub const KINDS: [&str; 4] = ["p256", "p384", "rsa", "ed25519"];

/// What openssl needs to sign for a time of choice.
const SIGNING: &str = "[ca]\ndefault_ca = ours\n[ours]\nunique_subject = no\nrand_serial = yes\n\
    database = index.txt\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n";

/// Those of them that can be.
pub const SERVED: &[&str] = if cfg!(feature = "tls-rustls") { &KINDS } else { &["p256"] };

/// Where they lie. What is left over lies in cargo's folder.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}", process::id()));
    fs::create_dir_all(&folder).expect("to make a folder");
    let maker = Maker(folder);
    maker.authority("ca", None);
    maker.authority("other-ca", None);
    maker.authority("middle", Some("ca"));
    for kind in KINDS {
        maker.sign("ca", kind, kind, "DNS:localhost,IP:127.0.0.1,IP:::1", "");
    }
    maker.sign("middle", "below-middle", "p256", "DNS:localhost", "");
    maker.join("below-middle-whole", &["below-middle", "middle"]);
    maker.sign("ca", "alpha", "p256", "DNS:alpha.test", "");
    maker.sign("ca", "beta", "p256", "DNS:*.beta.test", "");
    // Each of these is wrong in one way.
    maker.sign("ca", "elsewhere", "p256", "DNS:elsewhere.test", "");
    maker.sign("ca", "address-only", "p256", "IP:127.0.0.1,IP:::1", "");
    maker.sign("ca", "mail-only", "p256", "email:localhost,URI:localhost", "");
    maker.sign("ca", "for-clients", "p256", "DNS:localhost", "clientAuth");
    maker.sign("other-ca", "stranger", "p256", "DNS:localhost", "");
    maker.request(
        "self-signed",
        "p256",
        "/CN=localhost",
        &with(&["basicConstraints=critical,CA:FALSE", "subjectAltName=DNS:localhost"]),
    );
    maker.sign_for("expired", "20200101000000Z", "20210101000000Z");
    maker.sign_for("early", "20990101000000Z", "20991231000000Z");
    // Of clients.
    maker.sign("ca", "client", "p256", "DNS:client.test", "clientAuth");
    maker.sign("ca", "client-rsa", "rsa", "DNS:client.test", "clientAuth");
    maker.sign("ca", "for-servers", "p256", "DNS:client.test", "serverAuth");
    maker.sign("other-ca", "client-stranger", "p256", "DNS:client.test", "clientAuth");
    maker.0
});

/// The arguments that add extensions.
fn with<'e>(extensions: &[&'e str]) -> Vec<&'e str> {
    extensions.iter().flat_map(|extension| ["-addext", *extension]).collect()
}

/// Has things made in a folder.
struct Maker(PathBuf);

impl Maker {
    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.0).output();
        let output = output.expect("openssl, which these tests need");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Has a key and a certificate made.
    fn request(&self, name: &str, kind: &str, subject: &str, more: &[&str]) {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        let arguments =
            ["req", "-x509", "-nodes", "-days", "30", "-subj", subject, "-keyout", &key, "-out", &pem];
        self.openssl(&[&arguments, algorithm(kind), more].concat());
    }

    fn authority(&self, name: &str, above: Option<&str>) {
        let mut more = with(&["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"]);
        let files = above.map(|above| (format!("{above}.pem"), format!("{above}.key")));
        if let Some((ca, key)) = &files {
            more.extend(["-CA", ca, "-CAkey", key]);
        }
        self.request(name, "p256", &format!("/CN=Test authority {name}"), &more);
    }

    /// Has an authority sign a certificate for names, and for a use unless that is empty.
    fn sign(&self, authority: &str, name: &str, kind: &str, names: &str, usage: &str) {
        let (ca, key) = (format!("{authority}.pem"), format!("{authority}.key"));
        let (names, usage) = (format!("subjectAltName={names}"), format!("extendedKeyUsage={usage}"));
        let mut more = with(&["basicConstraints=critical,CA:FALSE", &names]);
        if !usage.ends_with('=') {
            more.extend(["-addext", &usage]);
        }
        more.extend(["-CA", &ca, "-CAkey", &key]);
        self.request(name, kind, &format!("/CN={name}"), &more);
    }

    /// Has a certificate signed that is valid from one time to another.
    fn sign_for(&self, name: &str, from: &str, to: &str) {
        let file = |ending: &str| format!("{name}.{ending}");
        let write = |file: &str, text: &str| fs::write(self.0.join(file), text).expect("to write");
        write("signing.cnf", SIGNING);
        write("index.txt", "");
        write(
            &file("ext"),
            "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
        );
        let (key, request, pem) = (file("key"), file("csr"), file("pem"));
        let asking = ["req", "-new", "-nodes", "-subj", "/CN=localhost", "-keyout", &key, "-out", &request];
        self.openssl(&[&asking, algorithm("p256")].concat());
        self.openssl(&[
            "ca",
            "-batch",
            "-notext",
            "-config",
            "signing.cnf",
            "-cert",
            "ca.pem",
            "-keyfile",
            "ca.key",
            "-in",
            &request,
            "-out",
            &pem,
            "-startdate",
            from,
            "-enddate",
            to,
            "-extfile",
            &file("ext"),
        ]);
    }

    /// Puts certificates into one file.
    fn join(&self, name: &str, parts: &[&str]) {
        let read = |part: &&str| fs::read_to_string(self.0.join(format!("{part}.pem"))).expect("to read");
        let whole: String = parts.iter().map(read).collect();
        fs::write(self.0.join(format!("{name}.pem")), whole).expect("to write");
    }
}

fn algorithm(kind: &str) -> &'static [&'static str] {
    match kind {
        "p256" => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "p384" => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "rsa" => &["-newkey", "rsa:2048"],
        "ed25519" => &["-newkey", "ed25519"],
        other => panic!("what is {other}?"),
    }
}

/// The path of one of the files.
pub fn path(name: &str) -> String {
    FOLDER.join(name).to_str().expect("a path of text").to_owned()
}

/// What is in one of the files.
pub fn read(name: &str) -> String {
    fs::read_to_string(FOLDER.join(name)).expect("to read")
}

/// The paths of a certificate and its key.
pub fn pair(name: &str) -> [String; 2] {
    [path(&format!("{name}.pem")), path(&format!("{name}.key"))]
}

/// What a server shows.
pub fn server(name: &str) -> tls::ServerConfig {
    let [chain, key] = pair(name);
    tls::ServerConfig::from_files(chain, key).expect("a certificate and its key")
}

/// A client that believes the authority that signed nearly all of them.
#[cfg(feature = "tls-rustls")]
pub fn client() -> tls::ClientConfig {
    tls::ClientConfig::roots_file(path("ca.pem")).build().expect("a configuration")
}
