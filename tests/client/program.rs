//! The example `http_client` as people run it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;

use mongoose::Limits;
use mongoose::http::{Piece, Reply, Request};
use mongoose_tests::{Server, example, scaled};

static HTTP_CLIENT: LazyLock<String> = LazyLock::new(|| example("http_client", ""));

/// What it does with some arguments, and with `input` on its standard input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(&*HTTP_CLIENT);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("to start");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it to end");
    // It need not read what it was not asked to.
    let _ = writer.join().expect("no panic");
    output
}

/// What it prints where all is well.
fn prints(arguments: &[&str]) -> Vec<u8> {
    let output = run(arguments, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
    output.stdout
}

/// The one line that it says where something is wrong.
fn says(arguments: &[&str], code: i32) -> String {
    let output = run(arguments, b"");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.starts_with("http_client: ") && said.ends_with('\n'), "{said:?}");
    assert_eq!(said.lines().count(), 1, "{said:?}");
    said
}

const TOTAL: usize = 400 << 20;

fn server() -> Server {
    let mut limits = Limits::default();
    limits.body = 1 << 30;
    Server::http_within(limits, || {
        let mut unanswered = Vec::new();
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/hello" => reply.text("hello\n"),
            "/inspect" => reply.text(format!(
                "{} {} {}",
                request.method(),
                request.header("X-A").map(|value| format!("{value:?}")).unwrap_or_default(),
                request.body_str().unwrap_or("?"),
            )),
            "/moved" => reply.redirect("/hello"),
            "/empty" => reply.status(204).empty(),
            "/many" => {
                let mut left = scaled(TOTAL);
                reply.stream(move || {
                    let count = left.min(100_000);
                    left -= count;
                    Ok(if count > 0 { Piece::Data(vec![b'x'; count].into()) } else { Piece::End })
                })
            }
            "/never" => {
                unanswered.push(reply.defer());
                Ok(())
            }
            _ => reply.status(404).text("no such page\n"),
        }
    })
}

#[test]
fn prints_what_it_gets() {
    let server = server();
    let url = |path: &str| format!("http://{}{path}", server.address);
    assert_eq!(prints(&[&url("/hello")]), b"hello\n");
    assert_eq!(prints(&[&url("/hello")[7..]]), b"hello\n", "the scheme goes without saying");
    assert_eq!(prints(&[&url("/empty")]), b"");
    assert_eq!(prints(&["-L", &url("/moved")]), b"hello\n");
    assert_eq!(prints(&["-X", "HEAD", &url("/hello")]), b"");
    let with_head = String::from_utf8(prints(&["-i", &url("/hello")])).expect("text");
    assert!(
        with_head.starts_with("HTTP/1.1 200 OK\r\n") && with_head.ends_with("\r\n\r\nhello\n"),
        "{with_head}"
    );
    assert_eq!(prints(&["-H", "X-A: one two", "-XPUT", &url("/inspect")]), b"PUT \"one two\" ");
    assert_eq!(prints(&["-d", "some text", &url("/inspect")]), b"POST  some text");
    let read = run(&["-d", "@-", "-X", "PUT", &url("/inspect")], b"read");
    assert_eq!((read.status.code(), &*read.stdout), (Some(0), &b"PUT  read"[..]));
    let help = String::from_utf8(prints(&["--help"])).expect("text");
    for option in ["-X", "-H", "-d", "-o", "-i", "-L", "--max-time"] {
        assert!(help.contains(option), "{help}");
    }
}

#[test]
fn says_in_one_line_what_went_wrong() {
    let server = server();
    let url = |path: &str| format!("http://{}{path}", server.address);
    assert!(says(&[&url("/nowhere")], 1).contains("404 Not Found"));
    assert!(says(&[&url("/moved")], 1).contains("302"));
    assert!(says(&["--max-time", "0.05", &url("/never")], 1).contains("deadline"));
    // It speaks none.
    assert!(says(&[&format!("https://{}/hello", server.address)], 1).contains("TLS"));
    assert!(says(&["http://127.0.0.1:99999/"], 1).contains("port"));
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    assert!(says(&[&format!("http://{free}/")], 1).contains("cannot connect"));
    assert!(says(&["-d", "@/no/such/file", &url("/inspect")], 1).contains("/no/such/file"));
    assert!(says(&["-o", "/no/such/folder/file", &url("/hello")], 1).contains("cannot write"));
    for wrong in [
        &[][..],
        &["a", "b"],
        &["--no-such-option", "a"],
        &["-H", "no colon", "a"],
        &["a", "--max-time", "x"],
    ] {
        says(wrong, 2);
    }
    // It is not printed.
    assert!(run(&[&url("/nowhere")], b"").stdout.is_empty());
}

#[test]
fn a_file_is_whole_or_not_there() {
    let server = server();
    let path = |name: &str| -> PathBuf {
        std::env::temp_dir().join(format!("mongoose-http-client-{name}-{}", std::process::id()))
    };
    let (whole, cut) = (path("whole"), path("cut"));
    let text = |path: &PathBuf| path.to_str().expect("text").to_owned();
    assert_eq!(prints(&["-o", &text(&whole), &format!("http://{}/many", server.address)]), b"");
    assert_eq!(fs::metadata(&whole).expect("there").len(), scaled(TOTAL) as u64);
    let uploaded =
        prints(&["-d", &format!("@{}", text(&whole)), &format!("http://{}/hello", server.address)]);
    assert_eq!(uploaded, b"hello\n");
    fs::remove_file(&whole).expect("to remove it");

    let liar = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = liar.local_addr().expect("bound");
    let lying = thread::spawn(move || {
        use std::io::Read;
        for _ in 0..2 {
            let (mut stream, _) = liar.accept().expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                head.extend_from_slice(&byte);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all").expect("to send");
        }
    });
    let said = says(&["-o", &text(&cut), &format!("http://{place}/")], 1);
    assert!(said.contains("in the middle of a message"), "{said}");
    assert!(!cut.exists() && !path("cut.part").exists());
    let output = run(&[&format!("http://{place}/")], b"");
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b"not all"[..]), "what came is printed");
    lying.join().expect("the liar");
    assert_eq!(prints(&["-o", "/dev/null", &format!("http://{}/hello", server.address)]), b"");
}

#[test]
fn downloads_and_uploads_take_little_memory() {
    let server = server();
    let path = std::env::temp_dir().join(format!("mongoose-http-client-memory-{}", std::process::id()));
    let file = path.to_str().expect("text");
    // Half of what is moved.
    let limited = |arguments: &str| {
        let script =
            format!("ulimit -v {}; exec '{}' {arguments}", (TOTAL / 2 + (100 << 20)) >> 10, *HTTP_CLIENT);
        let output = Command::new("sh").arg("-c").arg(script).output().expect("a shell");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    limited(&format!("-o {file} http://{}/many", server.address));
    assert_eq!(fs::metadata(&path).expect("there").len(), scaled(TOTAL) as u64);
    limited(&format!("-d @{file} http://{}/hello", server.address));
    fs::remove_file(&path).expect("to remove it");
}
