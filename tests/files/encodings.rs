//! Compressed twins, and what files are.

use mongoose_tests::Client;

use crate::ask;
use crate::folder::{Folder, pattern};

#[test]
fn the_compressed_twin_is_sent_to_who_prefers_it() {
    let folder = Folder::new();
    folder
        .file("app.js", "plain")
        .file("app.js.gz", "zipped")
        .file("index.html", "home")
        .file("index.html.gz", "z-home");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (accept, gzip) in [
        ("gzip", true),
        ("gzip, deflate, br", true),
        ("br;q=1, gzip;q=0.1", true),
        ("*", true),
        ("identity;q=0.5, gzip;q=0.5", true),
        ("", false),
        ("br", false),
        ("gzip;q=0", false),
        ("*;q=0", false),
        ("gzip;q=0.5, identity", false),
        ("gzip;q=nonsense", false),
    ] {
        for (target, plain, zipped, kind) in
            [("/app.js", "plain", "zipped", "text/javascript"), ("/", "home", "z-home", "text/html")]
        {
            let response = ask(&mut client, "GET", target, &[("Accept-Encoding", accept)]);
            let expected = if gzip { (zipped, Some("gzip")) } else { (plain, None) };
            assert_eq!((response.text(), response.header("Content-Encoding")), expected, "{accept}");
            assert!(response.header("Content-Type").is_some_and(|value| value.starts_with(kind)), "{accept}");
            assert_eq!(response.header("Vary"), Some("Accept-Encoding"), "{accept}");
        }
    }
    let response = client.get("/app.js");
    assert_eq!((response.text(), response.header("Content-Encoding")), ("plain", None), "nobody asked");
}

#[test]
fn the_two_have_tags_of_their_own_and_ranges_of_what_is_sent() {
    let folder = Folder::new();
    let (plain, zipped) = (pattern(200_000), vec![7; 200_000]);
    folder.file("a.bin", &plain).file("a.bin.gz", &zipped);
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let gzip = ("Accept-Encoding", "gzip");
    let tag = |response: mongoose_tests::Response| response.header("ETag").expect("a tag").to_owned();
    let (plain_tag, zipped_tag) =
        (tag(client.get("/a.bin")), tag(ask(&mut client, "GET", "/a.bin", &[gzip])));
    assert_ne!(plain_tag, zipped_tag);
    for (headers, status) in [
        (vec![("If-None-Match", plain_tag.as_str())], 304),
        (vec![("If-None-Match", &zipped_tag)], 200),
        (vec![("If-None-Match", &zipped_tag), gzip], 304),
        (vec![("If-None-Match", &plain_tag), gzip], 200),
        (vec![("Range", "bytes=0-9"), ("If-Range", &plain_tag), gzip], 200),
    ] {
        assert_eq!(ask(&mut client, "GET", "/a.bin", &headers).status, status, "{headers:?}");
    }
    let response = ask(&mut client, "GET", "/a.bin", &[("Range", "bytes=5-9"), gzip]);
    assert_eq!((response.status, response.header("Content-Encoding")), (206, Some("gzip")));
    assert!(response.body == zipped[5..10]);
}

#[test]
fn a_twin_alone_serves_who_takes_it() {
    let folder = Folder::new();
    folder.file("only.css.gz", "zipped").file("sub/index.html.gz", "z-index");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    let response = ask(&mut client, "GET", "/only.css", &[("Accept-Encoding", "gzip")]);
    assert_eq!((response.status, response.text()), (200, "zipped"));
    assert_eq!(response.header("Content-Type"), Some("text/css; charset=utf-8"));
    assert_eq!(ask(&mut client, "GET", "/sub/", &[("Accept-Encoding", "gzip")]).text(), "z-index");
    assert_eq!(client.get("/only.css").status, 404);
    // By its own name it is what it is.
    let response = ask(&mut client, "GET", "/only.css.gz", &[("Accept-Encoding", "gzip")]);
    assert_eq!(
        (response.header("Content-Type"), response.header("Content-Encoding")),
        (Some("application/gzip"), None)
    );
    assert_eq!(response.header("Vary"), None);
}

#[test]
fn twins_are_left_alone_when_they_are_turned_off() {
    let folder = Folder::new();
    folder.file("a.txt", "plain").file("a.txt.gz", "zipped");
    let server = folder.serve_with(|files| files.gzip(false));
    let response = ask(&mut Client::connect(server.address), "GET", "/a.txt", &[("Accept-Encoding", "gzip")]);
    assert_eq!((response.text(), response.header("Vary")), ("plain", None));
}

#[test]
fn a_twin_that_is_a_folder_or_a_link_out_of_the_root_is_none() {
    let folder = Folder::new();
    folder
        .file("a.txt", "plain")
        .file("a.txt.gz/x", "x")
        .file("b.txt", "plain")
        .link("b.txt.gz", "../secret.txt");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in ["/a.txt", "/b.txt"] {
        let response = ask(&mut client, "GET", target, &[("Accept-Encoding", "gzip")]);
        assert_eq!((response.text(), response.header("Content-Encoding")), ("plain", None), "{target}");
    }
}
