//! Forms as curl sends them, where it is installed.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, process};

use mongoose::http::{Reply, Request};
use mongoose_tests::{Random, Server, scaled};

use crate::form_server::{Field, FormServer};

/// Whether curl can be run. Says so where it cannot; in CI that is a failure.
pub fn is_there(test: &str) -> bool {
    if Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "curl is missing, and in CI {test} has to run");
    eprintln!("{test}: not run, curl is missing");
    false
}

/// What curl prints for some arguments.
pub fn curl(arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]).args(arguments);
    let output = command.output().expect("to start curl");
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A file that is gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("mongoose-forms-{}-{name}", process::id()));
        fs::write(&path, content).expect("to write a file");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A left-over in the temporary folder harms nobody.
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn curl_sends_several_files() {
    if !is_there("curl_sends_several_files") {
        return;
    }
    let server = FormServer::start();
    let content = Random::new(9).bytes(scaled(3_000_000));
    let (binary, text) = (Scratch::new("binary", &content), Scratch::new("text", b"text\r\n--\r\n"));
    let expected = [
        Field::text("field", "a value; with=much & \"more\""),
        Field::file("one", "na\u{ef}ve \"x\"; name=y \\ z.bin", "application/octet-stream", &content),
        Field::file("two", "two.txt", "text/plain", b"text\r\n--\r\n"),
        Field::file("two", "empty", "image/png", ""),
    ];
    let empty = Scratch::new("empty", b"");
    let url = |path| format!("http://{}/{path}", server.server.address);
    // By percent signs as browsers do it, then by backslashes.
    for escape in [&[][..], &["--form-escape"]] {
        for path in ["whole", "pieces"] {
            let one = format!(
                "one=@\"{}\";filename=\"na\u{ef}ve \\\"x\\\"; name=y \\\\ z.bin\";type=application/octet-stream",
                binary.0.display()
            );
            let two = format!("two=@\"{}\";filename=two.txt;type=text/plain", text.0.display());
            let three = format!("two=@\"{}\";filename=empty;type=image/png", empty.0.display());
            let url = url(path);
            let form = ["--form-string", "field=a value; with=much & \"more\""];
            let files = ["--form", &one, "--form", &two, "--form", &three, &url];
            assert_eq!(curl(&[escape, &form, &files].concat()), "4");
            assert!(server.told().as_deref() == Ok(&expected), "not what was sent");
        }
    }
}

#[test]
fn curl_sends_a_chunked_form() {
    if !is_there("curl_sends_a_chunked_form") {
        return;
    }
    let server = FormServer::start();
    let text = Scratch::new("chunked", &b"0123456789".repeat(10_000));
    for path in ["whole", "pieces"] {
        let url = format!("http://{}/{path}", server.server.address);
        let file = format!("f=@{};filename=f;type=a/b", text.0.display());
        assert_eq!(curl(&["--header", "Transfer-Encoding: chunked", "--form", &file, &url]), "1");
        let expected = [Field::file("f", "f", "a/b", b"0123456789".repeat(10_000))];
        assert!(server.told().as_deref() == Ok(&expected), "not what was sent");
    }
}

#[test]
fn curl_sends_url_encoded_fields() {
    if !is_there("curl_sends_url_encoded_fields") {
        return;
    }
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            let fields: Result<Vec<_>, _> = request.form()?.fields().collect();
            reply.text(format!("{:?}", fields?))
        }
    });
    let url = format!("http://{}/", server.address);
    let long = "\u{fc} &=%+\n".repeat(1000);
    let sent =
        ["--data-urlencode", "a=1 + 1 = 2 & more", "--data-urlencode", &format!("long={long}"), "-d", "b=c"];
    let expected = [("a", "1 + 1 = 2 & more"), ("long", &*long), ("b", "c")];
    assert_eq!(curl(&[&sent[..], &[&*url]].concat()), format!("{expected:?}"));
}
