//! `--root` and `--list`, asked by curl.

use std::fs;

use mongoose_tests::scaled;

use crate::curl::{curl, curl_text, is_there};
use crate::program::HttpServer;
use crate::scratch::{Scratch, pattern};

fn status(url: &str) -> String {
    curl_text(&["--output", "/dev/null", "--write-out", "%{http_code}", url])
}

#[test]
fn paths_without_a_route_are_the_folder() {
    if !is_there("files by curl") {
        return;
    }
    let site = Scratch::new();
    site.file("a b.txt", "a file\n");
    site.file("hello", "hidden by the route\n");
    site.file(".secret", "not there\n");
    fs::create_dir(site.join("below")).expect("to make a folder");
    site.file("below/index.html", "<p>below");
    let server = HttpServer::start_one_with(&["--root", site.path()]);
    assert_eq!(curl_text(&[&server.url("/a%20b.txt")]), "a file\n");
    assert_eq!(curl_text(&[&server.url("/hello")]), "hello\n");
    assert_eq!(curl_text(&[&server.url("/below/")]), "<p>below");
    assert_eq!(curl_text(&["--location", &server.url("/below")]), "<p>below");
    assert!(curl_text(&[&server.url("/")]).contains("<h1>mongoose "), "there is no index.html");
    for (path, expected) in [("/.secret", "404"), ("/nowhere", "404"), ("/%00", "400")] {
        assert_eq!(status(&server.url(path)), expected, "{path}");
    }
    let outside = ["--path-as-is", "--output", "/dev/null", "--write-out", "%{http_code}"];
    let url = server.url("/below/../../main.rs");
    assert_eq!(curl_text(&[&outside[..], &[&*url]].concat()), "404");

    site.file("index.html", "<p>the front page");
    assert_eq!(curl_text(&[&server.url("/")]), "<p>the front page");
}

#[test]
fn folders_are_listed_when_asked_for() {
    if !is_there("listings by curl") {
        return;
    }
    let site = Scratch::new();
    site.file("a&b.txt", "1234567");
    let silent = HttpServer::start_one_with(&["--root", site.path()]);
    fs::create_dir(site.join("below")).expect("to make a folder");
    assert_eq!(status(&silent.url("/below/")), "403");
    let server = HttpServer::start_one_with(&["--list", "--root", site.path()]);
    let page = curl_text(&[&server.url("/")]);
    assert!(page.contains("a&amp;b.txt") && page.contains(">7<") && page.contains("./below/"), "{page}");
    assert_eq!(curl_text(&[&server.url("/a&b.txt")]), "1234567");
    assert_eq!(status(&server.url("/below/")), "200");
}

#[test]
fn parts_heads_and_broken_off_downloads_of_a_file() {
    if !is_there("parts of files by curl") {
        return;
    }
    let site = Scratch::new();
    let length = scaled(3_000_000).max(10_000);
    let content = pattern(length);
    site.file("large.bin", &content);
    let server = HttpServer::start_one_with(&["--root", site.path()]);
    let url = server.url("/large.bin");

    assert!(curl(&[&url], b"") == content);
    assert!(curl(&["--range", "100-199", &url], b"") == content[100..200]);
    assert!(curl(&["--range", "-100", &url], b"") == content[length - 100..]);
    let head = curl_text(&["--head", &url]);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {length}\r\n")), "{head}");
    assert!(head.contains("Accept-Ranges: bytes\r\n"), "{head}");

    let copy = Scratch::new();
    let copy = copy.file("copy.bin", &content[..length / 3]);
    let facts = ["--continue-at", "-", "--output", &copy, "--write-out", "%{http_code} %{size_download}"];
    assert_eq!(curl_text(&[&facts[..], &[&url]].concat()), format!("206 {}", length - length / 3));
    assert!(fs::read(&copy).expect("to read") == content);
}
