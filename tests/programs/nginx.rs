//! nginx as the proxy in front, with connections to us that it keeps.

use std::io::Read;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use mongoose_tests::{Client, PATIENCE, scaled};

use crate::curl::{curl, curl_text, is_there};
use crate::peers::find;
use crate::program::HttpServer;
use crate::scratch::{Scratch, pattern};

/// nginx in the foreground, between its clients and a server of ours.
struct Proxy {
    child: Child,
    port: u16,
    folder: Scratch,
}

impl Proxy {
    fn start(program: &std::path::Path, server: &HttpServer) -> Self {
        let folder = Scratch::new();
        // It cannot be told to choose a port, so another process may be faster: then another one is tried.
        for _ in 0..10 {
            let port = free_port();
            let at = folder.path();
            let configuration = format!(
                "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;\n\
                 events {{ worker_connections 512; }}\n\
                 http {{\n\
                   access_log off; client_max_body_size 0; client_body_temp_path {at}/body;\n\
                   proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/1; uwsgi_temp_path {at}/2;\n\
                   scgi_temp_path {at}/3;\n\
                   upstream ours {{ server {ours}; keepalive 4; }}\n\
                   server {{\n\
                     listen 127.0.0.1:{port};\n\
                     location / {{\n\
                       proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
                     }}\n\
                     location /unbuffered/ {{\n\
                       proxy_pass http://ours/; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
                       proxy_buffering off; proxy_request_buffering off;\n\
                     }}\n\
                     location /old/ {{ proxy_pass http://ours/; proxy_http_version 1.0; }}\n\
                   }}\n\
                 }}\n",
                ours = server.addresses[0]
            );
            let file = folder.file("nginx.conf", configuration);
            let mut command = Command::new(program);
            command.args(["-p", at, "-e", &folder.join("error.log"), "-c", &file]);
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("to start nginx");
            let end = Instant::now() + PATIENCE;
            loop {
                assert!(Instant::now() < end, "nginx does not listen");
                if child.try_wait().expect("a child").is_some() {
                    let mut why = String::new();
                    child.stderr.take().expect("piped").read_to_string(&mut why).expect("text");
                    assert!(why.contains("Address already in use"), "{why}");
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { child, port, folder };
                }
                thread::yield_now();
            }
        }
        panic!("no port is free");
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What nginx finds wrong with us.
    fn complaints(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("error.log")).expect("a log");
        // A body that went to a file is no fault.
        log.lines().filter(|line| !line.contains("[warn]") && !line.contains("[notice]")).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Both fail when it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn field(json: &str, name: &str) -> u64 {
    let (_, after) = json.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} in {json}"));
    after.split([',', '}']).next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn nginx_keeps_its_connections_to_us() {
    let Some(nginx) = find("nginx", "nginx in front") else { return };
    let server = HttpServer::start_one();
    let proxy = Proxy::start(&nginx, &server);
    let mut client = Client::connect(([127, 0, 0, 1], proxy.port).into());
    let before = client.get("/stats").text().to_owned();
    let rounds = scaled(100).max(5);
    for _ in 0..rounds {
        assert_eq!(client.get("/hello").text(), "hello\n");
        assert_eq!(client.get("/chunked").text(), "line 1\nline 2\nline 3\nline 4\nline 5\n");
        assert_eq!(client.get("/nowhere").status, 404);
        client.send("HEAD /chunked HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(client.response_to_head().status, 200);
    }
    assert_eq!(client.get("/defer").text(), "deferred\n");
    assert_eq!(client.get("/old/hello").text(), "hello\n");
    assert_eq!(client.get("/old/chunked").text(), "line 1\nline 2\nline 3\nline 4\nline 5\n");
    let after = client.get("/stats").text().to_owned();
    assert_eq!(field(&after, "requests"), field(&before, "requests") + 4 * rounds as u64 + 4);
    // The two of HTTP/1.0 have connections of their own; all the others share one.
    assert_eq!(field(&after, "accepted"), field(&before, "accepted") + 2);
    assert_eq!(proxy.complaints(), "");
}

#[test]
fn large_bodies_go_through_nginx_both_ways() {
    let Some(nginx) = find("nginx", "nginx in front") else { return };
    if !is_there("nginx in front") {
        return;
    }
    let site = Scratch::new();
    let content = pattern(scaled(10 << 20));
    let file = site.file("large.bin", &content);
    let server = HttpServer::start_one_with(&["--root", site.path()]);
    let proxy = Proxy::start(&nginx, &server);
    let directly = curl(&["--upload-file", &file, &server.url("/upload")], b"");
    let lines = scaled(1_000_000);
    for way in ["", "/unbuffered", "/old"] {
        let url = |path: &str| proxy.url(&format!("{way}{path}"));
        assert!(curl(&[&url("/large.bin")], b"") == content, "{way}");
        assert!(curl(&["--range", "5-1004", &url("/large.bin")], b"") == content[5..1005], "{way}");
        assert_eq!(curl(&["--upload-file", &file, &url("/upload")], b""), directly, "{way}");
        // HTTP/1.0 cannot say what nginx does not know yet; it gathers the body first.
        assert_eq!(curl(&["--upload-file", "-", &url("/upload")], &content), directly, "{way}, chunked");
        let streamed = curl_text(&[&url(&format!("/stream?lines={lines}"))]);
        assert_eq!(streamed.lines().count(), lines, "{way}");
        assert!(streamed.ends_with(&format!("line {lines}\n")), "{way}");
    }
    assert_eq!(proxy.complaints(), "");
}
