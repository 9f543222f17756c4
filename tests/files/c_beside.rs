//! Hazard 38, with C's answers beside ours. HEAD alone is asked: with a body, C would take over the connection's events.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mongoose::http::{Reply, Request};
use mongoose::sys;
use mongoose_tests::{Client, Response, Server};

use crate::ask;
use crate::folder::Folder;

/// A server that leaves all to `mg_http_serve_dir`.
fn serve_by_c(folder: &Folder) -> Server {
    let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    let (root, page404) = (text(&folder.root()), text(&folder.root().join("404.html")));
    Server::http(move || {
        move |request: Request<'_>, _: Reply<'_>| {
            let options = sys::mg_http_serve_opts {
                root_dir: root.as_ptr().cast::<c_char>(),
                page404: page404.as_ptr().cast::<c_char>(),
                ..Default::default()
            };
            // SAFETY: connection and message are alive and the handler's; C reads the options, which outlive the call,
            // and appends to `send`. To HEAD it answers at once, and keeps nothing.
            unsafe {
                sys::mg_http_serve_dir(request.connection().as_raw(), request.as_raw(), &raw const options)
            };
            Ok(())
        }
    })
}

#[test]
fn hazard_38_what_c_answers() {
    let folder = Folder::new();
    folder
        .file("a.txt", "0123456789")
        .file(".hidden", "hidden")
        .file("404.html", "gone")
        .link("out", "../secret.txt");
    let ours = folder.serve_with(|files| files.not_found_page("404.html"));
    let by_c = serve_by_c(&folder);
    let (mut ours, mut by_c) = (Client::connect(ours.address), Client::connect(by_c.address));
    let mut both = |target: &str, headers: &[(&str, &str)]| -> [Response; 2] {
        [&mut ours, &mut by_c].map(|client| ask(client, "HEAD", target, headers))
    };
    for (target, what) in [
        ("/out", "a link out of the root"),
        ("/.hidden", "a dotfile"),
        ("/nothing", "a page for what is missing"),
    ] {
        let [ours, by_c] = both(target, &[]);
        assert_eq!((ours.status, by_c.status), (404, 200), "{what}");
    }
    let [ours_to_nul, c_to_nul] = both("/a.txt%00.html", &[]);
    assert_eq!((ours_to_nul.status, c_to_nul.status), (400, 200), "a name that C cuts");
    assert_eq!(c_to_nul.header("Content-Length"), Some("10"));
    for (range, what) in [("bytes=-3", "the last three"), ("bytes=0-0,5-6", "two ranges")] {
        let [_, by_c] = both("/a.txt", &[("Range", range)]);
        assert_eq!((by_c.status, by_c.header("Content-Range")), (206, Some("bytes 0-9/10")), "{what}");
    }
    let range = |client: &mut Client, range| {
        let response = ask(client, "GET", "/a.txt", &[("Range", range)]);
        (response.status, response.text().to_owned())
    };
    assert_eq!(range(&mut ours, "bytes=-3"), (206, "789".to_owned()));
    assert_eq!(range(&mut ours, "bytes=0-0,5-6"), (200, "0123456789".to_owned()));
}
