//! What is no file, or may not be read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use mongoose_tests::{Client, Server};

use crate::folder::{Folder, SECRET};

#[test]
fn hazard_38_fifos_sockets_and_devices_are_missing_and_block_nobody() {
    let folder = Folder::new();
    folder.file("a.txt", "a");
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.root().join("fifo"), 0o600.into()).expect("to make a FIFO");
    let _socket = UnixListener::bind(folder.root().join("socket")).expect("to bind");
    folder.link("tty", "/dev/tty").link("zero", "/dev/zero").link("fifo-link", "fifo");
    let root = folder.root();
    let files = folder.files();
    let server = Server::http(move || {
        use mongoose::http::{Reply, Request};
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/by-name/zero" => reply.file(&request, "/dev/zero"),
            "/by-name/fifo" => reply.file(&request, root.join("fifo")),
            _ => files.serve(&request, reply),
        }
    });
    let mut client = Client::connect(server.address);
    for target in
        ["/fifo", "/fifo/", "/fifo-link", "/socket", "/tty", "/zero", "/by-name/zero", "/by-name/fifo"]
    {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (404, "not found\n"), "{target}");
        assert_eq!(client.get("/a.txt").text(), "a", "nobody waits");
    }
}

#[test]
fn hazard_38_a_folder_as_a_file_does_not_hang() {
    let folder = Folder::new();
    folder.file("dir.txt/x", "x").file("dir.gz/x", "x");
    fs::create_dir_all(folder.root().join("outer/index.html")).expect("to make a folder");
    let server = folder.serve();
    let mut client = Client::connect(server.address);
    for (target, status) in
        [("/dir.txt", 301), ("/dir.txt/", 403), ("/dir", 404), ("/outer/", 403), ("/outer/index.html", 301)]
    {
        assert_eq!(client.get(target).status, status, "{target}");
    }
}

/// Gives up root's right to read everything, on this thread alone.
#[cfg(target_os = "linux")]
fn as_nobody() {
    const NOBODY: libc::uid_t = 65_534;
    // SAFETY: it changes what this thread may do with files, and nothing else.
    unsafe { libc::syscall(libc::SYS_setfsuid, NOBODY) };
}

#[cfg(target_os = "linux")]
#[test]
fn hazard_38_what_may_not_be_read_is_403_and_a_folder_to_go_through_need_not_be_readable() {
    let folder = Folder::new();
    folder
        .file("private.txt", SECRET)
        .file("closed/x.txt", SECRET)
        .file("through/x.txt", "x")
        .file("a.txt", "a");
    folder.file("twin.txt", "plain").file("twin.txt.gz", SECRET);
    let set = |name: &str, mode| {
        fs::set_permissions(folder.root().join(name), Permissions::from_mode(mode))
            .expect("to set permissions");
    };
    set("private.txt", 0o000);
    set("closed", 0o000);
    set("through", 0o311);
    set("twin.txt.gz", 0o000);
    let files = folder.files().listing(true);
    let server = Server::http(move || {
        as_nobody();
        files
    });
    let mut client = Client::connect(server.address);
    for (target, status, body) in [
        ("/private.txt", 403, "forbidden\n"),
        ("/closed/x.txt", 403, "forbidden\n"),
        ("/closed/", 403, "forbidden\n"),
        ("/through/x.txt", 200, "x"),
        ("/through/", 403, "forbidden\n"),
        ("/a.txt", 200, "a"),
    ] {
        let response = client.get(target);
        assert_eq!((response.status, response.text()), (status, body), "{target}");
    }
    let response = crate::ask(&mut client, "GET", "/twin.txt", &[("Accept-Encoding", "gzip")]);
    assert_eq!(response.text(), "plain");
    // So that it can be removed.
    set("closed", 0o755);
}
