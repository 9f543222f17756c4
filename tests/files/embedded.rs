//! Files that are part of the program, through the same code.

use include_dir::{Dir, include_dir};
use mongoose::http::Files;
use mongoose_tests::{Client, Server};

use crate::ask;

static SITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/files/site");

fn serve(change: impl FnOnce(Files) -> Files + Send + 'static) -> Server {
    Server::http(move || change(Files::embedded(&SITE)))
}

#[test]
fn embedded_files_are_served_as_those_of_a_folder() {
    let server = serve(|files| files);
    let mut client = Client::connect(server.address);
    for (target, status, body) in [
        ("/", 200, "<p>embedded"),
        ("/index.html", 200, "<p>embedded"),
        ("//sub//x.txt", 200, "x"),
        ("/s%75b/x.txt", 200, "x"),
        ("/sub", 301, ""),
        ("/sub/", 403, "forbidden\n"),
        ("/sub/x.txt/", 404, "not found\n"),
        ("/nothing", 404, "not found\n"),
        ("/.hidden", 404, "not found\n"),
        ("/sub/../index.html", 404, "not found\n"),
        ("/sub%2fx.txt", 404, "not found\n"),
        ("/index.html%00", 400, "a malformed path\n"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (status, body), "{target}");
    }
    assert_eq!(client.get("/sub").header("Location"), Some("./sub/"));
    let response = client.get("/app.js");
    assert_eq!(response.header("Content-Type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(ask(&mut client, "POST", "/app.js", &[]).status, 405);
}

#[test]
fn embedded_files_have_tags_ranges_and_twins() {
    let server = serve(|files| files);
    let mut client = Client::connect(server.address);
    let response = client.get("/index.html");
    let tag = response.header("ETag").expect("a tag").to_owned();
    assert!(tag.starts_with('"') && response.header("Last-Modified").is_none());
    assert_ne!(client.get("/app.js").header("ETag"), Some(&*tag));
    assert_eq!(ask(&mut client, "GET", "/index.html", &[("If-None-Match", &tag)]).status, 304);
    assert_eq!(ask(&mut client, "GET", "/index.html", &[("If-Match", "\"x\"")]).status, 412);
    // There is no date to compare with.
    let date = ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT");
    assert_eq!(ask(&mut client, "GET", "/index.html", &[date]).status, 200);
    let response = ask(&mut client, "GET", "/index.html", &[("Range", "bytes=3-6"), ("If-Range", &tag)]);
    assert_eq!((response.status, response.text()), (206, "embe"));
    assert_eq!(response.header("Content-Range"), Some("bytes 3-6/11"));
    assert_eq!(ask(&mut client, "GET", "/index.html", &[("Range", "bytes=11-")]).status, 416);
    let head = ask(&mut client, "HEAD", "/index.html", &[]);
    assert_eq!((head.status, head.header("Content-Length")), (200, Some("11")));
    let response = ask(&mut client, "GET", "/app.js", &[("Accept-Encoding", "gzip")]);
    assert_eq!((response.text(), response.header("Content-Encoding")), ("zipped", Some("gzip")));
    // The same in another program that has the same files.
    let other = serve(|files| files);
    assert_eq!(Client::connect(other.address).get("/index.html").header("ETag"), Some(&*tag));
}

#[test]
fn embedded_files_have_a_listing_and_a_page_for_what_is_missing() {
    let server = serve(|files| files.listing(true).index(["none"]).not_found_page("404.html"));
    let mut client = Client::connect(server.address);
    let response = client.get("/nothing");
    assert_eq!((response.status, response.text()), (404, "<p>nothing here"));
    let page = client.get("/").text().to_owned();
    for name in ["./sub/", "./404.html", "./app.js", "./app.js.gz", "./index.html"] {
        assert!(page.contains(&format!("href=\"{name}\"")), "{page}");
    }
    assert!(!page.contains("hidden"));
    assert!(client.get("/sub/").text().contains("href=\"../\""));
}
