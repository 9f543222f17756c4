//! What cannot be served with is an error at once, and says why: hazards 2, 5 and 25.

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, Manager, tls};

use crate::certificates::{self, SERVED};

fn refuse(_: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.status(500).text("")
}

/// Why a chain and a key are refused.
fn reason(chain: &str, key: &str) -> String {
    match tls::ServerConfig::from_pem(chain, key) {
        Err(Error::TlsConfig { what, reason }) => format!("{what}: {reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hazard_25_each_kind_of_key_is_taken() {
    for kind in SERVED {
        certificates::server(kind);
    }
}

#[test]
fn a_key_in_the_older_forms_is_taken() {
    for (kind, command) in [("rsa", "rsa"), ("p256", "ec")] {
        let traditional = std::process::Command::new("openssl")
            .args([command, "-in", &certificates::path(&format!("{kind}.key"))])
            .args(if command == "rsa" { &["-traditional"][..] } else { &[] })
            .output()
            .expect("openssl");
        let key = String::from_utf8(traditional.stdout).expect("text");
        assert!(key.contains(" RSA PRIVATE KEY") || key.contains(" EC PRIVATE KEY"), "{key}");
        let chain = certificates::read(&format!("{kind}.pem"));
        if !SERVED.contains(&kind) {
            continue;
        }
        tls::ServerConfig::from_pem(chain, key).expect("an older form");
    }
}

#[test]
fn hazard_2_what_is_wrong_with_a_chain_or_a_key_is_named() {
    let (chain, key) = (certificates::read("p256.pem"), certificates::read("p256.key"));
    let ca = certificates::read("ca.pem");
    let no_base64 = chain.replacen("MII", "M!I", 1);
    let no_der = chain.replacen("MII", "AII", 1);
    let no_end = chain.replace("-----END CERTIFICATE-----", "");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let strange = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (chain, key, expected) in [
        ("", &*key, "the certificate chain: no certificate in it"),
        (&*key, &*key, "the certificate chain: no certificate in it"),
        ("text", &*key, "the certificate chain: no certificate in it"),
        (&*no_base64, &*key, "the certificate chain: certificate 1: it is not base64"),
        (&*no_end, &*key, "the certificate chain: certificate 1: it has no END line"),
        (&*format!("{ca}{no_base64}"), &*key, "the certificate chain: certificate 2: it is not base64"),
        (&*chain, "", "the private key: no private key in it"),
        (&*chain, &*chain, "the private key: no private key in it"),
        (&*chain, encrypted, "the private key: its key is encrypted"),
        (&*chain, &*key.replacen("MI", "M!", 1), "the private key: its private key: it is not base64"),
        (&*ca, &*key, "the private key: its private key is not that of the first certificate"),
    ] {
        assert_eq!(reason(chain, key), expected);
    }
    assert!(reason(&no_der, &key).starts_with("the certificate chain: certificate 1: "));
    assert!(reason(&chain, strange).starts_with("the private key: its private key: "));
    let other = if cfg!(feature = "tls-rustls") { "not that of the first certificate" } else { "it is RSA" };
    assert!(reason(&chain, &certificates::read("rsa.key")).contains(other));
}

#[test]
fn a_file_that_is_not_there_or_wrong_is_named() {
    let (missing, there) = (certificates::path("missing.pem"), certificates::path("p256.pem"));
    let error = tls::ServerConfig::from_files(&missing, &there).expect_err("no such file");
    assert!(matches!(&error, Error::File { path, .. } if path.ends_with("missing.pem")), "{error}");
    let error = tls::ServerConfig::from_files(&there, &there).expect_err("no key in it");
    assert_eq!(error.to_string(), format!("cannot configure TLS with {there}: no private key in it"));
}

#[test]
fn hazard_5_a_url_and_a_configuration_come_together_or_not_at_all() {
    let manager = Manager::new().expect("a manager");
    let config = certificates::server("p256");
    let raw = |_: &Connection<'_>, _: Event<'_>| Ok(());
    let errors = [
        manager.http("https://127.0.0.1:0", refuse).err(),
        manager.tcp("tls://127.0.0.1:0", raw).err(),
        manager.listener("http://127.0.0.1:0").tls(config.clone()).http(refuse).err(),
        manager.listener("tcp://127.0.0.1:0").tls(config.clone()).tcp(raw).err(),
        manager.listener("tls://127.0.0.1:0").tls(config.clone()).http(refuse).err(),
        manager.listener("https://127.0.0.1:0").tls(config.clone()).tcp(raw).err(),
    ];
    for error in errors {
        assert!(matches!(error, Some(Error::Url { .. })), "{error:?}");
    }
    assert_eq!(manager.connections().len(), 0, "nothing listens");
    manager.listener("https://127.0.0.1:0").tls(config.clone()).http(refuse).expect("both");
    manager.listener("TLS://127.0.0.1:0").tls(config).tcp(raw).expect("both");
}

#[test]
fn a_socket_that_listens_already_may_speak_it() {
    let server = mongoose_tests::Server::start(|manager| {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        manager.listener_on(socket).tls(certificates::server("p256")).http(crate::echo)
    });
    assert_eq!(crate::peer::Peer::connect(server.address).get("/").status, 200);
}
