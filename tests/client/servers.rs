//! Servers of others: nginx and Python's `http.server`.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use mongoose::http::{self, Client};
use mongoose::{Error, Limits, Manager};
use mongoose_tests::{PATIENCE, poll_until, scaled};

use crate::scene::Answer;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("mongoose-client-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("to make a folder");
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).expect("to write a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that serves.
struct Program {
    child: Child,
    address: SocketAddr,
    _folder: Folder,
}

impl Program {
    /// Starts it and waits until it listens. It ends with the value.
    fn start(command: &mut Command, address: SocketAddr, folder: Folder) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("to start");
        let mut program = Self { child, address, _folder: folder };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < end, "it does not listen");
            assert!(program.child.try_wait().expect("a child").is_none(), "it ended");
            std::thread::yield_now();
        }
        program
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a program can be run. Says so where it cannot; in CI that is a failure.
fn is_there(program: &str, test: &str) -> bool {
    if Command::new(program).arg("-V").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "{program} is missing, and in CI {test} has to run");
    eprintln!("{test}: not run, {program} is missing");
    false
}

/// A port that was free just now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

const TEXT: &[u8] = b"a page of text that is worth compressing, compressing, compressing\n";

fn large() -> Vec<u8> {
    (0..scaled(20 << 20).max(1 << 20)).map(|n| (n % 251) as u8).collect()
}

fn nginx(test: &str) -> Option<Program> {
    if !is_there("nginx", test) {
        return None;
    }
    let folder = Folder::new(test);
    folder.write("page.txt", TEXT);
    folder.write("large", &large());
    let address = free_address();
    let at = folder.0.display();
    let configuration = format!(
        "daemon off; master_process off; error_log {at}/error.log; pid {at}/pid;\n\
         events {{ }}\n\
         http {{\n\
           access_log off; default_type text/plain; server_tokens off;\n\
           client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
           uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi; keepalive_requests 1000000;\n\
           server {{\n\
             listen {address}; root {at};\n\
             location = /moved {{ return 302 /page.txt; }}\n\
             location = /loop {{ return 302 /loop; }}\n\
             location = /none {{ return 204; }}\n\
             location = /once {{ keepalive_timeout 0; try_files /page.txt =404; }}\n\
             location = /short {{ client_max_body_size 10; proxy_pass http://{address}/page.txt; }}\n\
             location = /large-chunked {{ gzip on; gzip_min_length 1; gzip_types *; alias {at}/large; }}\n\
           }}\n\
         }}\n"
    );
    folder.write("nginx.conf", configuration.as_bytes());
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&folder.0).arg("-c").arg(folder.0.join("nginx.conf"));
    command.arg("-e").arg(folder.0.join("error.log")).stderr(Stdio::null());
    Some(Program::start(&mut command, address, folder))
}

fn roomy() -> Limits {
    let mut limits = Limits::default();
    limits.body = 1 << 30;
    limits
}

#[test]
fn nginx_serves_us() {
    let Some(nginx) = nginx("nginx_serves_us") else { return };
    let page = http::get(&nginx.url("/page.txt")).expect("an answer");
    assert_eq!((page.status(), page.body()), (200, TEXT));
    assert_eq!(page.header("Content-Length").expect("there"), &*TEXT.len().to_string());

    let head = http::head(&nginx.url("/page.txt")).expect("an answer");
    assert_eq!((head.status(), head.body()), (200, &b""[..]));
    assert_eq!(head.header("Content-Length"), page.header("Content-Length"));

    let tag = page.header("ETag").expect("there").as_bytes().to_vec();
    let same = http::request("GET", &nginx.url("/page.txt")).header("If-None-Match", &tag).send();
    assert_eq!(same.expect("an answer").status(), 304);
    let part =
        http::request("GET", &nginx.url("/page.txt")).header("Range", "bytes=2-5").send().expect("an answer");
    assert_eq!((part.status(), part.body()), (206, &TEXT[2..6]));

    let moved = http::get(&nginx.url("/moved")).expect("an answer");
    assert_eq!((moved.url(), moved.body()), (&*nginx.url("/page.txt"), TEXT));
    assert!(matches!(http::get(&nginx.url("/loop")), Err(Error::Redirect { .. })));
    assert_eq!(http::get(&nginx.url("/none")).expect("an answer").status(), 204);
    assert_eq!(http::get(&nginx.url("/missing")).expect("an answer").status(), 404);
    assert_eq!(http::put(&nginx.url("/page.txt"), "x").expect("an answer").status(), 405);

    let body = large();
    let whole = http::request("GET", &nginx.url("/large")).limits(roomy()).send().expect("an answer");
    assert!(whole.body() == body);
}

#[test]
fn nginx_keeps_our_connection_and_refuses_what_is_too_large() {
    let Some(nginx) = nginx("nginx_keeps_our_connection_and_refuses_what_is_too_large") else { return };
    let mut manager = Manager::new().expect("a manager");
    let client = Client::within(&manager, roomy());
    let mut ask = |request: http::RequestBuilder<Client>| {
        let answer = Answer::default();
        request.send(answer.handler()).expect("to begin");
        poll_until(&mut manager, "the answer", |_| answer.is_there());
        let connections = manager.stats().connections;
        (answer.take().expect("there").expect("an answer"), connections)
    };
    for path in ["/page.txt", "/none", "/missing", "/large", "/moved"].iter().cycle().take(scaled(100)) {
        let (_, connections) = ask(client.get(&nginx.url(path)));
        assert_eq!(connections, 1, "{path}");
    }
    let (_, connections) = ask(client.request("HEAD", &nginx.url("/large")));
    assert_eq!(connections, 1);
    let (once, _) = ask(client.get(&nginx.url("/once")));
    assert_eq!(once.body(), TEXT);
    assert_eq!(client.idle_connections(), 0, "it said that it closes");

    // Compressed on the fly, so chunked; we did not ask for it to be, and get it as it is.
    let compressed = client.get(&nginx.url("/large-chunked")).header("Accept-Encoding", "gzip");
    let (compressed, _) = ask(compressed);
    assert_eq!(compressed.header("Transfer-Encoding").expect("there"), "chunked");
    assert_eq!(compressed.body()[..2], [0x1f, 0x8b]);
    let (decoded, _) = ask(client.get(&nginx.url("/large-chunked")).gzip());
    assert_eq!(decoded.header("Content-Encoding").expect("there"), "gzip");
    assert!(decoded.body() == large());

    let (short, _) = ask(client.post(&nginx.url("/short")).body("short"));
    assert_eq!(short.status(), 405, "a file takes no POST, but its length was no obstacle");
    let (refused, _) = ask(client.post(&nginx.url("/short")).body(vec![0; 1 << 20]).redirects(0));
    assert_eq!(refused.status(), 413);
    let (refused, _) = ask(client.post(&nginx.url("/short")).body(vec![0; 1 << 20]).expect_continue());
    assert_eq!(refused.status(), 413);
}

#[test]
fn pythons_server_serves_us() {
    if !is_there("python3", "pythons_server_serves_us") {
        return;
    }
    let folder = Folder::new("python");
    folder.write("page.txt", TEXT);
    folder.write("large", &large());
    fs::create_dir(folder.0.join("sub")).expect("to make a folder");
    let address = free_address();
    let mut command = Command::new("python3");
    command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(Path::new(&folder.0));
    command.arg(address.port().to_string()).stderr(Stdio::null());
    let python = Program::start(&mut command, address, folder);
    // HTTP/1.0: each connection carries one request.
    let mut manager = Manager::new().expect("a manager");
    let client = Client::within(&manager, roomy());
    for (method, path, status, body) in [
        ("GET", "/page.txt", 200, TEXT.to_vec()),
        ("HEAD", "/page.txt", 200, Vec::new()),
        ("GET", "/large", 200, large()),
        ("HEAD", "/missing", 404, Vec::new()),
        ("HEAD", "/sub", 200, Vec::new()),
    ] {
        let answer = Answer::default();
        client.request(method, &python.url(path)).send(answer.handler()).expect("to begin");
        poll_until(&mut manager, "the answer", |_| answer.is_there());
        let response = answer.take().expect("there").expect("an answer");
        assert_eq!(response.status(), status, "{method} {path}");
        assert!(response.body() == body, "{method} {path}");
        assert_eq!(client.idle_connections(), 0);
    }
    assert_eq!(http::post(&python.url("/page.txt"), "x").expect("an answer").status(), 501);
}
