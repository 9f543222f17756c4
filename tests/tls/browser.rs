//! Chromium and Python, with our servers.

use std::process::Command;

use mongoose::http::{Reply, Request};
use mongoose_tests::Server;

use crate::certificates;
use crate::peers::{find, python_has, run};

/// What Python's ssl and http.client find.
const PYTHON_CLIENT: &str = "
import http.client, ssl, sys
port, ca, chain, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(chain, key)
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    context.minimum_version = context.maximum_version = version
    connection = http.client.HTTPSConnection('localhost', int(port), context=context)
    for body in (b'', b'x' * 1_000_000):
        connection.request('POST', '/', body)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, body), response.status
    print(connection.sock.version())
    connection.close()
";

#[test]
fn python_shows_its_certificate_and_is_answered() {
    if !python_has("ssl", "Python over TLS") {
        return;
    }
    let [chain, key] = certificates::pair("rsa");
    let config = mongoose::tls::ServerConfig::builder()
        .certificate_files(chain, key)
        .client_roots_file(certificates::path("ca.pem"))
        .build()
        .expect("a configuration");
    let server =
        Server::start(move |manager| manager.listener("https://127.0.0.1:0").tls(config).http(crate::echo));
    let [chain, key] = certificates::pair("client");
    let arguments = [&server.address.port().to_string(), &certificates::path("ca.pem"), &chain, &key];
    let said = run("python3", &[&["-c", PYTHON_CLIENT], &arguments.map(String::as_str)[..]].concat());
    assert_eq!(said, "TLSv1.2\nTLSv1.3\n");
}

const PAGE: &str = "<!doctype html><title>test</title><p id=it>waiting</p><script>
fetch('/echo', { method: 'POST', body: 'x'.repeat(300000) })
  .then(response => response.text())
  .then(text => it.textContent = `${location.protocol} ${text.length} all is well`);
</script>";

#[test]
fn chromium_shows_a_page_and_sends_to_it() {
    let others = ["chromium-browser", "google-chrome"].map(find_quietly);
    let Some(program) = others.into_iter().flatten().next().or_else(|| find("chromium", "chromium over TLS"))
    else {
        return;
    };
    let server = crate::https(|| {
        |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/echo" => reply.body(request.body()),
            _ => reply.header("Content-Type", "text/html").body(PAGE),
        }
    });
    let profile = certificates::path("chromium");
    let url = format!("https://localhost:{}/", server.address.port());
    let dom = |more: &[&str]| {
        let mut command = Command::new(&program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]);
        command.args(["--disable-background-networking", "--no-proxy-server", "--virtual-time-budget=10000"]);
        command
            .args(more)
            .args(["--dump-dom", &format!("--user-data-dir={profile}"), &url])
            .env("HOME", &profile);
        String::from_utf8_lossy(&command.output().expect("to start chromium").stdout).into_owned()
    };
    let untrusted = dom(&[]);
    assert!(!untrusted.contains("all is well"), "it does not know our authority");
    let page = dom(&["--ignore-certificate-errors"]);
    assert!(page.contains("https: 300000 all is well"), "{page}");
}

/// It has other names elsewhere.
fn find_quietly(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
