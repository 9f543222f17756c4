//! What real clients make of it, and connections that go on.

use std::fs;

use mongoose_tests::Client;

use crate::ask;
use crate::curl::{curl, curl_text, is_there};
use crate::folder::{Folder, SECRET, pattern};

#[test]
fn curl_resumes_and_takes_parts() {
    if !is_there("curl_resumes_and_takes_parts") {
        return;
    }
    let folder = Folder::new();
    let content = pattern(1_000_000);
    folder.file("large.bin", &content);
    let server = folder.serve();
    let url = format!("http://{}/large.bin", server.address);
    let partial = folder.outside("partial.bin");
    fs::write(&partial, &content[..123_456]).expect("to write");
    curl(&["-C", "-", "-o", partial.to_str().expect("a path of text"), &url], b"");
    assert!(fs::read(&partial).expect("to read") == content);
    for (range, expected) in [
        ("0-99", &content[..100]),
        ("999990-", &content[999_990..]),
        ("-10", &content[999_990..]),
        ("500000-700000", &content[500_000..=700_000]),
    ] {
        assert!(curl(&["--range", range, &url], b"") == expected, "{range}");
    }
    let arguments = ["--range", "1000000-", "-o", "/dev/null", "-w", "%{http_code} %{header_json}", &url];
    let answer = curl_text(&arguments);
    assert!(answer.starts_with("416") && answer.contains("bytes */1000000"), "{answer}");
}

#[test]
fn curl_asks_whether_a_file_changed() {
    if !is_there("curl_asks_whether_a_file_changed") {
        return;
    }
    let folder = Folder::new();
    folder.file("a.txt", "content");
    let server = folder.serve();
    let url = format!("http://{}/a.txt", server.address);
    let status =
        |date: &str| curl_text(&["-z", date, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", &url]);
    assert_eq!(status("Sat, 01 Jan 2000 00:00:00 GMT"), "200 7");
    assert_eq!(status("Thu, 01 Jan 2099 00:00:00 GMT"), "304 0");
    // A local file's own time, as curl sets it.
    let copy = folder.outside("copy.txt");
    let copy = copy.to_str().expect("a path of text");
    curl(&["-R", "-o", copy, &url], b"");
    assert_eq!(status(copy), "304 0");
    // By tag.
    let tags = folder.outside("tags.txt");
    let tags = tags.to_str().expect("a path of text");
    assert_eq!(curl_text(&["--etag-save", tags, &url]), "content");
    assert_eq!(curl_text(&["--etag-compare", tags, "-w", "%{http_code}", &url]), "304");
}

#[test]
fn curl_unpacks_the_twin() {
    if !is_there("curl_unpacks_the_twin") {
        return;
    }
    let folder = Folder::new();
    folder.file("a.txt", "plain").file("a.txt.gz", stored_gzip(b"from the twin"));
    let server = folder.serve();
    let url = format!("http://{}/a.txt", server.address);
    assert_eq!(curl_text(&["--compressed", &url]), "from the twin");
    assert_eq!(curl_text(&[&url]), "plain");
}

#[test]
fn hazard_38_curl_does_not_get_out_of_the_root() {
    if !is_there("hazard_38_curl_does_not_get_out_of_the_root") {
        return;
    }
    let folder = Folder::new();
    folder.file("dir/index.html", "index").link("out", "../secret.txt");
    let server = folder.serve();
    for path in ["/../secret.txt", "/dir/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/out"]
    {
        let answer =
            curl_text(&["--path-as-is", "-w", " %{http_code}", &format!("http://{}{path}", server.address)]);
        assert!(answer.ends_with(" 404") && !answer.contains(SECRET), "{path}: {answer}");
    }
    let url = format!("http://{}//dir", server.address);
    let arguments = ["-L", "--path-as-is", "-w", " %{num_redirects} %{num_connects} %{url_effective}", &url];
    let answer = curl_text(&arguments);
    // It takes one of the slashes out, but stays at the same host.
    assert_eq!(answer, format!("index 1 1 http://{}/dir/", server.address));
}

/// A gzip file that holds its content as it is (RFC 1952, RFC 1951 section 3.2.4).
fn stored_gzip(content: &[u8]) -> Vec<u8> {
    let crc = !content.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    let length = u16::try_from(content.len()).expect("one block");
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(content);
    file.extend(crc.to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

#[test]
fn the_connection_goes_on_after_every_status() {
    let folder = Folder::new();
    folder
        .file("a.txt", "0123456789")
        .file("large.bin", pattern(500_000))
        .file("dir/x", "x")
        .link("out", "/etc");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (method, target, header, status) in [
        ("GET", "/a.txt", ("X", "x"), 200),
        ("HEAD", "/a.txt", ("X", "x"), 200),
        ("GET", "/large.bin", ("X", "x"), 200),
        ("HEAD", "/large.bin", ("X", "x"), 200),
        ("GET", "/a.txt", ("Range", "bytes=1-2"), 206),
        ("GET", "/large.bin", ("Range", "bytes=1-400000"), 206),
        ("GET", "/dir", ("X", "x"), 301),
        ("GET", "/a.txt", ("If-None-Match", "*"), 304),
        ("HEAD", "/a.txt", ("If-None-Match", "*"), 304),
        ("GET", "/%zz", ("X", "x"), 400),
        ("GET", "/dir/", ("X", "x"), 403),
        ("GET", "/out/passwd", ("X", "x"), 404),
        ("HEAD", "/nothing", ("X", "x"), 404),
        ("DELETE", "/a.txt", ("X", "x"), 405),
        ("GET", "/a.txt", ("If-Match", "\"x\""), 412),
        ("GET", "/a.txt", ("Range", "bytes=10-"), 416),
        ("GET", "/a.txt", ("X", "x"), 200),
    ] {
        let response = ask(&mut client, method, target, &[header]);
        assert_eq!(response.status, status, "{method} {target} {header:?}");
        assert_eq!(response.header("Connection"), None, "{method} {target} {header:?}");
    }
    assert_eq!(server.ask(|registry| registry.stats().accepted), 1);
}
