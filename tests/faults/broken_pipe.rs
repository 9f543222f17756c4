//! A process in which SIGPIPE has its default action, as where C's `main` begins it: whoever writes to a connection that
//! is gone would be ended by the system. Not everything that writes can ask to be spared (`writev`, `sendfile` and pipes
//! cannot), so the first manager has the process ignore the signal.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use mongoose::http::{Files, Piece, Reply, Request};
use mongoose::{Connection, Error, Event, Manager, Registry};
use mongoose_tests::{Client, Server, in_own_process, poll_until};

use crate::scratch::Scratch;

/// Gives SIGPIPE its default action, and begins.
fn with_default_action(name: &str, body: impl FnOnce()) {
    in_own_process(
        name,
        |_| {},
        || {
            // SAFETY: a signal's action is set, and no handler of ours is involved. The process is this test's alone.
            let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            assert_ne!(before, libc::SIG_ERR);
            body();
        },
    );
}

/// More than the buffers of a socket's two ends hold together.
const LARGE: usize = 16 << 20;

/// Waits until a connection has more to send than the system takes.
fn wait_until_stuck(server: &Server) {
    server.wait_until("output to wait", |registry: &Registry| {
        let queued = |id| registry.connection(id).map_or(0, |connection| connection.queued());
        registry.connections().into_iter().map(queued).sum::<usize>() > 0
    });
}

#[test]
fn clients_that_go_while_they_are_written_to() {
    with_default_action("broken_pipe::clients_that_go_while_they_are_written_to", || {
        let folder = Scratch::new();
        folder.file("large.bin", vec![7; LARGE]);
        let files = Files::new(folder.path()).expect("a folder");
        let server = Server::http(move || {
            move |request: Request<'_>, reply: Reply<'_>| match request.path() {
                // A head and a body that is kept: `writev`.
                "/body" => reply.body(vec![7; LARGE]),
                "/stream" => reply.stream(|| Ok(Piece::Data(vec![7; 100_000].into()))),
                "/late" => {
                    let late = reply.defer();
                    std::thread::spawn(move || late.reply().body(vec![7; LARGE]));
                    Ok(())
                }
                "/hello" => reply.text("hello"),
                _ => files.serve(&request, reply),
            }
        });
        for round in 0..10 {
            for path in ["/body", "/stream", "/late", "/large.bin"] {
                let mut client = Client::connect(server.address);
                client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
                wait_until_stuck(&server);
                // With bytes unread both are a reset. In between it reads some, so that there is more to write.
                if round % 2 == 0 {
                    client.exactly(1 << 20);
                }
                if round % 3 == 0 {
                    drop(client)
                } else {
                    client.reset()
                }
                assert_eq!(Client::connect(server.address).get("/hello").text(), "hello");
                server.wait_until("the client to be gone", |registry| registry.stats().connections == 1);
            }
        }
    });
}

/// Sends for as long as it is told to.
fn flood(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    if let Event::Write = event {
        connection.send(vec![7; 1 << 20])?;
    }
    Ok(())
}

#[test]
fn a_pipe_that_nobody_reads_any_more() {
    with_default_action("broken_pipe::a_pipe_that_nobody_reads_any_more", || {
        let mut manager = Manager::new().expect("a manager");
        for read_first in [false, true] {
            let (mut reader, writer) = std::io::pipe().expect("a pipe");
            let id = manager.wrap_fd(OwnedFd::from(writer), flood).expect("to wrap");
            manager.connection(id).expect("it is there").send(vec![7; 1 << 20]).expect("room");
            manager.poll(Duration::ZERO).expect("to poll");
            if read_first {
                reader.read_exact(&mut [0; 10_000]).expect("there is more");
            }
            drop(reader);
            poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
        }
    });
}

#[cfg(feature = "tls-rustls")]
#[test]
fn clients_that_go_while_they_are_written_to_over_tls() {
    use std::process::{Command, Stdio};

    if !crate::curl::is_there("clients_that_go_while_they_are_written_to_over_tls") {
        return;
    }
    with_default_action("broken_pipe::clients_that_go_while_they_are_written_to_over_tls", || {
        let certificate = crate::certificate::make();
        let config = mongoose::tls::ServerConfig::from_files(certificate.chain(), certificate.key());
        let config = config.expect("a certificate");
        let server = Server::start(move |manager| {
            let serve = |_: Request<'_>, reply: Reply<'_>| reply.body(vec![7; LARGE]);
            manager.listener("https://127.0.0.1:0").tls(config).http(serve)
        });
        let url = format!("https://localhost:{}/", server.address.port());
        for _ in 0..5 {
            let mut curl = Command::new("curl");
            curl.args([
                "--silent",
                "--noproxy",
                "*",
                "--cacert",
                &certificate.chain(),
                "--output",
                "-",
                &url,
            ]);
            let mut child = curl.stdout(Stdio::piped()).spawn().expect("to start curl");
            // It reads no more than its own output takes.
            wait_until_stuck(&server);
            child.kill().expect("to kill");
            child.wait().expect("an end");
            server.wait_until("the client to be gone", |registry| registry.stats().connections == 1);
        }
    });
}
