//! Hazard 38: where a path leads, and where it must not.

use std::fs;

use mongoose::http::{Files, Reply, Request};
use mongoose_tests::{Client, Server};

use crate::folder::{Folder, SECRET};

fn site() -> Folder {
    let folder = Folder::new();
    folder
        .file("index.html", "home")
        .file("a.txt", "a")
        .file("dir/index.html", "the folder's")
        .file("dir/b c.txt", "b c")
        .file("dir/deep/er/x.txt", "deep")
        .file("bare/y.txt", "y")
        .file(".hidden", SECRET)
        .file(".git/config", SECRET)
        .file("dir/.htaccess", SECRET)
        .file("back\\slash", SECRET)
        .file("evil.com/index.html", "not evil")
        .file("a:b/index.html", "a colon");
    folder
}

#[test]
fn files_and_indexes_are_found() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, body) in [
        ("/", "home"),
        ("/index.html", "home"),
        ("/a.txt", "a"),
        ("/a.txt?query=%zz", "a"),
        ("/%61%2Etxt", "a"),
        ("http://other/a.txt", "a"),
        ("/dir/", "the folder's"),
        ("/dir/b%20c.txt", "b c"),
        ("/dir/deep/er/x.txt", "deep"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (200, body), "{target}");
        assert_eq!(response.header("Accept-Ranges"), Some("bytes"), "{target}");
        assert!(response.header("Last-Modified").is_some_and(|date| date.ends_with(" GMT")), "{target}");
    }
    let response = client.get("/a.txt");
    assert_eq!(response.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(response.header("Vary"), Some("Accept-Encoding"));
}

#[test]
fn hazard_38_nothing_leads_out_of_the_root_in_any_encoding() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in [
        "/../secret.txt",
        "/..",
        "/../",
        "/dir/../../secret.txt",
        "/dir/../a.txt",
        "/./a.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E/%2e%2e/%2e%2e/etc/passwd",
        "/.%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/dir%2f..%2f..%2fsecret.txt",
        "/dir%2findex.html",
        "/%2fetc/passwd",
        "//etc/passwd",
        "///etc/passwd",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "/dir\\..\\..\\secret.txt",
        "/back\\slash",
        "/back%5cslash",
        "/%252e%252e/secret.txt",
        "/..;/secret.txt",
        "/.../secret.txt",
        "/~root/secret.txt",
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (404, "not found\n"), "{target}");
    }
    assert_eq!(client.get("/a.txt").text(), "a", "the connection goes on");
}

#[test]
fn hazard_38_a_nul_cuts_no_name_and_a_malformed_path_is_400() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in
        ["/a.txt%00", "/a.txt%00.html", "/%00", "/dir/%00/", "/%", "/a%2", "/%zz", "/a.txt%", "/%u0061.txt"]
    {
        let response = client.get(target);
        assert_eq!(response.status, 400, "{target}");
        assert!(!response.text().contains('a') || response.text() == "a malformed path\n", "{target}");
    }
    assert_eq!(client.get("/a.txt").text(), "a", "the connection goes on");
}

#[test]
fn hazard_38_dotfiles_are_missing_unless_asked_for() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in ["/.hidden", "/%2ehidden", "/.git/config", "/.git/", "/.git", "/dir/.htaccess"] {
        assert_eq!(client.get(target).status, 404, "{target}");
    }
    let server = folder.serve_with(|files| files.dotfiles(true));
    let mut client = Client::connect(server.address);
    for target in ["/.hidden", "/%2ehidden", "/.git/config", "/dir/.htaccess"] {
        assert_eq!(client.get(target).text(), SECRET, "{target}");
    }
    for target in ["/..", "/../secret.txt", "/.", "/%2e%2e/secret.txt"] {
        assert_eq!(client.get(target).status, 404, "{target}");
    }
}

#[test]
fn hazard_38_slashes_that_follow_each_other_count_as_one() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, body) in
        [("//", "home"), ("//a.txt", "a"), ("/dir//deep///er/x.txt", "deep"), ("/dir//", "the folder's")]
    {
        assert_eq!(client.get(target).text(), body, "{target}");
    }
}

#[test]
fn hazard_38_a_file_with_a_slash_at_its_end_is_missing() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in ["/a.txt/", "/a.txt//", "/a.txt/index.html", "/a.txt/x", "/dir/index.html/"] {
        assert_eq!(client.get(target).status, 404, "{target}");
    }
}

#[test]
fn hazard_38_a_folder_without_its_slash_is_301_to_the_same_host_alone() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, location) in [
        ("/dir", "./dir/"),
        ("/dir?a=b&c", "./dir/?a=b&c"),
        ("/dir/deep", "./deep/"),
        ("/d%69r", "./d%69r/"),
        // `Location: //evil.com/` would be another host, and `a:b/` another scheme.
        ("//evil.com", "./evil.com/"),
        ("/a:b", "./a:b/"),
        ("http://other/dir", "./dir/"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.header("Location")), (301, Some(location)), "{target}");
        assert_eq!(response.header("Content-Length"), Some("0"));
    }
    assert_eq!(client.get("//evil.com/").text(), "not evil");
    assert_eq!(client.get("/a:b/").text(), "a colon");
}

#[test]
fn a_folder_without_an_index_is_403() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/bare/").status, 403);
    assert_eq!(client.get("/nowhere/").status, 404);
    assert_eq!(client.get("/bare/y.txt").text(), "y");
}

#[test]
fn hazard_38_links_are_followed_as_long_as_they_stay_below_the_root() {
    let folder = site();
    fs::create_dir(folder.outside("other")).expect("to make a folder");
    fs::write(folder.outside("other/secret.txt"), SECRET).expect("to write");
    fs::write(folder.outside("root-but-longer.txt"), SECRET).expect("to write");
    let root = folder.root();
    folder
        .link("inside", "dir/deep/er/x.txt")
        .link("inside-absolute", root.join("a.txt"))
        .link("folder-inside", "dir/deep")
        .link("twice", "folder-inside")
        .link("to-hidden", ".hidden-release")
        .file(".hidden-release", "released")
        .link("dir/up", "../a.txt")
        .link("outside", "../secret.txt")
        .link("outside-absolute", "/etc/passwd")
        .link("folder-outside", "../other")
        .link("dir/out", "../../other")
        .link("root-of-all", "/")
        .link("parent", "..")
        .link("itself", "itself")
        .link("ping", "pong")
        .link("pong", "ping")
        .link("dangling", "nothing")
        .link("out-and-in", "../root/a.txt")
        .link("prefix", "../root-but-longer.txt")
        .link("to-root", ".");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, body) in [
        ("/inside", "deep"),
        ("/inside-absolute", "a"),
        ("/folder-inside/er/x.txt", "deep"),
        ("/twice/er/x.txt", "deep"),
        ("/dir/up", "a"),
        ("/out-and-in", "a"),
        // What is given a visible name is served, as releases that are swapped by a link are.
        ("/to-hidden", "released"),
        ("/to-root/", "home"),
        ("/to-root/to-root/a.txt", "a"),
    ] {
        assert_eq!(client.get(target).text(), body, "{target}");
    }
    for target in [
        "/outside",
        "/outside-absolute",
        "/folder-outside",
        "/folder-outside/",
        "/folder-outside/secret.txt",
        "/dir/out/secret.txt",
        "/root-of-all/etc/passwd",
        "/parent/secret.txt",
        "/parent/root/a.txt/",
        "/itself",
        "/itself/x",
        "/ping",
        "/dangling",
        "/prefix",
        "/inside/",
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (404, "not found\n"), "{target}");
    }
}

#[test]
fn hazard_38_a_link_that_comes_meanwhile_leads_nowhere() {
    let folder = site();
    fs::create_dir(folder.outside("other")).expect("to make a folder");
    fs::write(folder.outside("other/f.txt"), SECRET).expect("to write");
    folder.file("swap/f.txt", "inside").file("swap/g/f.txt", "inside");
    fs::create_dir(folder.outside("other/g")).expect("to make a folder");
    fs::write(folder.outside("other/g/f.txt"), SECRET).expect("to write");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    // One thread swaps a folder for a link out of the root, and back, while another asks for what is in it.
    let (swap, aside) = (folder.root().join("swap"), folder.root().join("aside"));
    let link = folder.root().join("link");
    std::os::unix::fs::symlink(folder.outside("other"), &link).expect("to make a link");
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut seen = [0, 0];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for (from, to) in [(&swap, &aside), (&link, &swap), (&swap, &link), (&aside, &swap)] {
                    fs::rename(from, to).expect("to rename");
                }
            }
        });
        // More, until both were met: neither the one nor the other is certain on a busy machine.
        for round in 0..1_000_000 {
            let response = client.get(if round % 2 == 0 { "/swap/f.txt" } else { "/swap/g/f.txt" });
            match (response.status, response.text()) {
                (200, "inside") => seen[0] += 1,
                (404, "not found\n") => seen[1] += 1,
                other => {
                    done.store(true, std::sync::atomic::Ordering::Relaxed);
                    panic!("{other:?}");
                }
            }
            if round >= mongoose_tests::scaled(5000) && seen.iter().all(|count| *count > 0) {
                break;
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_root_that_is_a_link_is_looked_up_at_each_request() {
    let folder = site();
    for release in ["one", "two"] {
        fs::create_dir(folder.outside(release)).expect("to make a folder");
        fs::write(folder.outside(release).join("v.txt"), release).expect("to write");
    }
    let current = folder.outside("current");
    std::os::unix::fs::symlink("one", &current).expect("to make a link");
    let files = Files::new(&current).expect("a folder");
    let server = Server::http(move || files);
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/v.txt").text(), "one");
    fs::remove_file(&current).expect("to remove");
    std::os::unix::fs::symlink("two", &current).expect("to make a link");
    assert_eq!(client.get("/v.txt").text(), "two");
}

#[test]
fn a_route_serves_a_folder_under_a_prefix() {
    let folder = site();
    let files = folder.files();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/static" => files.serve_as(&request, reply, ""),
            "/docs" | "/docs/" => files.serve_as(&request, reply, "dir"),
            path => match path.strip_prefix("/static/") {
                Some(path) => files.serve_as(&request, reply, path),
                None => reply.status(404).text("no route"),
            },
        }
    });
    let mut client = Client::connect(server.address);
    for (target, status, body) in [
        ("/static/", 200, "home"),
        ("/static/a.txt", 200, "a"),
        ("/static//a.txt", 200, "a"),
        ("/static/dir/", 200, "the folder's"),
        ("/docs/", 200, "the folder's"),
        ("/static/dir/b%20c.txt", 200, "b c"),
        ("/static/../secret.txt", 404, "not found\n"),
        ("/static/%2e%2e/secret.txt", 404, "not found\n"),
        ("/a.txt", 404, "no route"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (status, body), "{target}");
    }
    for (target, location) in [("/static", "./static/"), ("/docs", "./docs/"), ("/static/dir", "./dir/")] {
        assert_eq!(client.get(target).header("Location"), Some(location), "{target}");
    }
}

#[test]
fn very_long_and_very_deep_paths_are_missing() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for target in
        [format!("/{}", "x".repeat(30_000)), "/a".repeat(15_000), format!("/dir{}", "/".repeat(30_000))]
    {
        let response = client.get(&target);
        let expected = if target.ends_with('/') { 200 } else { 404 };
        assert_eq!(response.status, expected, "{} bytes", target.len());
    }
}

#[test]
fn other_methods_get_405_with_allow() {
    let folder = site();
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "PROPFIND"] {
        let target = "/a.txt";
        client.send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc"));
        let response = client.response();
        assert_eq!((response.status, response.header("Allow")), (405, Some("GET, HEAD")), "{method}");
    }
    client.send("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.response().status, 405);
    assert_eq!(client.get("/a.txt").text(), "a", "the connection goes on");
}
