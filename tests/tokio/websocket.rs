//! WebSockets of tasks, at either end.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mongoose::http::{Reply, Request};
use mongoose::tokio::WebSocket;
use mongoose::ws::{self, CloseCode, Message, SharedMessage};
use mongoose::{Error, Handle};
use mongoose_tests::{PATIENCE, Server, Steady, scaled};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message as Theirs, WebSocket as Peer, accept};

use crate::home::{Home, listen, runtime, soon};

/// Larger than what two sockets and two bounded queues hold together.
const MUCH: usize = 64 << 20;
const PIECE: usize = 64 << 10;

/// Long enough for whoever is not held back to show that.
const PAUSE: Duration = Duration::from_millis(300);

type Accepted = Peer<Steady<std::net::TcpStream>>;

/// Has a thread be the server of one connection.
fn serve<T: Send + 'static>(
    listener: TcpListener,
    serve: impl FnOnce(&mut Accepted) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("to set an option");
        serve(&mut accept(Steady(stream)).expect("a handshake"))
    })
}

async fn connect(handle: &Handle, url: &str) -> Result<WebSocket, Error> {
    let url = url.to_owned();
    WebSocket::connect(handle, move |registry| ws::connect(registry, &url)).await
}

/// An echo by a task for each connection, on the runtime that this is called in.
fn echo() -> Server {
    let runtime = tokio::runtime::Handle::current();
    Server::start(move |manager| {
        let handle = manager.handle();
        manager.http("http://127.0.0.1:0", move |request: Request<'_>, reply: Reply<'_>| {
            let (mut socket, handler) = WebSocket::new(&handle);
            runtime.spawn(async move {
                while let Some(message) = socket.recv().await.expect("no error") {
                    socket.send(message).await.expect("a peer that reads");
                }
            });
            ws::upgrade(request, reply).protocols(["echo"]).accept(handler)
        })
    })
}

#[test]
fn tasks_talk_at_both_ends() {
    runtime().block_on(soon(async {
        let (server, home) = (echo(), Home::new());
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let (handle, url) = (home.handle.clone(), format!("ws://{}/", server.address));
            tasks.spawn(async move {
                let opened = WebSocket::connect(&handle, move |registry| {
                    ws::connect(registry, &url).protocols(["other", "echo"])
                });
                let mut socket = opened.await.expect("a server");
                assert_eq!(socket.protocol().as_deref(), Some("echo"));
                for round in 0..scaled(200) {
                    let text = format!("{task} {round} {}", "x".repeat(round % 5 * 40_000));
                    socket.send(SharedMessage::text(text.clone())).await.expect("room");
                    let answer = socket.recv().await.expect("no error").expect("an echo");
                    assert_eq!(answer.view(), Message::Text(&text));
                }
                socket.send(Message::Binary(&[0xff, 0])).await.expect("room");
                socket.send(Message::Binary(b"")).await.expect("room");
                let answer = socket.recv().await.expect("no error").expect("an echo");
                assert_eq!(answer.view(), Message::Binary(&[0xff, 0]));
                let answer = socket.recv().await.expect("no error").expect("an echo");
                assert_eq!(answer.view(), Message::Binary(b""));
                socket.close(CloseCode::NORMAL, "that is all").await.expect("to close");
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.expect("no panic");
        }
        home.until_connections(0).await;
    }));
}

#[test]
fn what_many_tasks_send_all_comes_in_the_order_of_each() {
    let (listener, url) = listen("ws");
    let home = Home::new();
    let (tasks, rounds) = (4, scaled(500));
    let peer = serve(listener, move |peer| {
        let mut next = vec![0; tasks];
        for _ in 0..tasks * rounds {
            let Theirs::Text(text) = peer.read().expect("a message") else { panic!("no text") };
            let (task, round) = text.split_once(' ').expect("two numbers");
            let task: usize = task.parse().expect("a number");
            assert_eq!(round, next[task].to_string());
            next[task] += 1;
        }
        assert!(matches!(peer.read(), Ok(Theirs::Close(Some(frame))) if u16::from(frame.code) == 4000));
        while peer.read().is_ok() {}
    });
    runtime().block_on(soon(async {
        let socket = connect(&home.handle, &url).await.expect("a server");
        let mut senders = JoinSet::new();
        for task in 0..tasks {
            let sender = socket.sender();
            senders.spawn(async move {
                for round in 0..rounds {
                    let text = SharedMessage::text(format!("{task} {round}"));
                    sender.send(text).await.expect("room");
                }
            });
        }
        while let Some(sender) = senders.join_next().await {
            sender.expect("no panic");
        }
        socket.close(CloseCode(4000), "done").await.expect("an answer");
    }));
    peer.join().expect("no panic");
}

#[test]
fn how_it_ends_is_told() {
    let home = Home::new();
    runtime().block_on(soon(async {
        // In order.
        let (listener, url) = listen("ws");
        let peer = serve(listener, |peer| {
            peer.send(Theirs::text("last words")).expect("to send");
            let frame = CloseFrame { code: 4001.into(), reason: "enough".into() };
            peer.close(Some(frame)).expect("to close");
            while peer.read().is_ok() {}
        });
        let mut socket = connect(&home.handle, &url).await.expect("a server");
        let message = socket.recv().await.expect("no error").expect("a message");
        assert_eq!(message.view(), Message::Text("last words"));
        assert!(matches!(socket.recv().await, Ok(None)));
        assert!(matches!(socket.recv().await, Ok(None)));
        assert_eq!(socket.close_frame(), Some((CloseCode(4001), "enough".to_owned())));
        assert!(matches!(socket.send(Message::Text("x")).await, Err(Error::Closed)));
        peer.join().expect("no panic");

        // Without a word.
        let (listener, url) = listen("ws");
        let peer = serve(listener, |_| {});
        let mut socket = connect(&home.handle, &url).await.expect("a server");
        peer.join().expect("no panic");
        let error = socket.recv().await.expect_err("no close frame");
        assert!(matches!(error, Error::Closed | Error::Truncated | Error::Io { .. }), "{error:?}");
        assert_eq!(socket.close_frame(), None);
        home.until_connections(0).await;

        // Against the rules.
        let (listener, url) = listen("ws");
        let peer = serve(listener, |peer| {
            std::io::Write::write_all(peer.get_mut(), &[0x83, 0]).expect("to send");
            while peer.read().is_ok() {}
        });
        let mut socket = connect(&home.handle, &url).await.expect("a server");
        assert!(matches!(socket.recv().await, Err(Error::WebSocket { code: 1002, .. })));
        peer.join().expect("no panic");

        // Before it began.
        let refusal = Server::http(|| |_: Request<'_>, reply: Reply<'_>| reply.status(403).text("no"));
        let refused = connect(&home.handle, &format!("ws://{}/", refusal.address)).await;
        assert!(matches!(refused, Err(Error::Handshake { status: Some(403), .. })), "{refused:?}");
        let (listener, url) = listen("ws");
        drop(listener);
        assert!(matches!(connect(&home.handle, &url).await, Err(Error::Connect { .. })));
        assert!(matches!(connect(&home.handle, "http://127.0.0.1/").await, Err(Error::Url { .. })));
    }));
}

#[test]
fn a_task_that_does_not_receive_holds_the_peer_back() {
    let (listener, url) = listen("ws");
    let home = Home::new();
    let (blocked, held) = tokio::sync::oneshot::channel();
    let peer = serve(listener, move |peer| {
        peer.get_ref().0.set_write_timeout(Some(PAUSE)).expect("to set an option");
        let (mut sent, mut blocked) = (0, Some(blocked));
        while sent < MUCH {
            match peer.write(Theirs::binary(vec![0; PIECE])) {
                Ok(()) => sent += PIECE,
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    // It is queued there, and goes out with the next.
                    sent += PIECE;
                    if let Some(blocked) = blocked.take() {
                        blocked.send(sent).expect("the test to wait");
                        peer.get_ref().0.set_write_timeout(Some(PATIENCE)).expect("to set an option");
                    }
                }
                Err(error) => panic!("cannot send: {error}"),
            }
        }
        assert!(blocked.is_none(), "nothing held it back");
        peer.flush().expect("to send");
        peer.close(None).expect("to close");
        while peer.read().is_ok() {}
    });
    runtime().block_on(soon(async {
        let mut socket = connect(&home.handle, &url).await.expect("a server");
        let sent = held.await.expect("the peer to be blocked");
        assert!(sent < MUCH / 2, "{sent} bytes were taken that nobody received");
        let received = home.stats().await.received;
        assert!(received < 1 << 20, "{received} bytes are in the program");
        let mut total = 0;
        while let Some(message) = socket.recv().await.expect("the rest") {
            total += message.len();
        }
        assert_eq!(total, MUCH);
    }));
    peer.join().expect("no panic");
}

#[test]
fn a_peer_that_does_not_read_holds_the_task_back() {
    let (listener, url) = listen("ws");
    let home = Home::new();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let peer = serve(listener, move |peer| {
        may_go_on.recv_timeout(PATIENCE).expect("the task to be held");
        let mut numbers = Vec::new();
        while let Ok(message) = peer.read() {
            if let Theirs::Binary(bytes) = message {
                assert_eq!(bytes.len(), PIECE);
                numbers.push(u32::from_be_bytes(bytes[..4].try_into().expect("four bytes")));
            }
        }
        numbers
    });
    runtime().block_on(soon(async {
        let socket = connect(&home.handle, &url).await.expect("a server");
        let mut number = 0_u32;
        let message = |number: u32| {
            let mut bytes = vec![0; PIECE];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            SharedMessage::binary(bytes)
        };
        // The last of these is given up: it may be sent or not.
        while timeout(PAUSE, socket.send(message(number))).await.is_ok() {
            number += 1;
            assert!((number as usize) * PIECE < MUCH, "nobody reads, and all is taken");
        }
        let held = number;
        go_on.send(()).expect("the peer to wait");
        for _ in 0..scaled(300) {
            number += 1;
            socket.send(message(number)).await.expect("room, sooner or later");
        }
        socket.close(CloseCode::NORMAL, "").await.expect("an answer");
        let numbers = peer.join().expect("no panic");
        let all: Vec<u32> = (0..=number).collect();
        let without: Vec<u32> = all.iter().copied().filter(|number| *number != held).collect();
        assert!(numbers == all || numbers == without, "{} of {number}", numbers.len());
    }));
}

#[test]
fn a_socket_that_is_dropped_at_any_stage_closes() {
    let home = Home::new();
    runtime().block_on(soon(async {
        // While the server does not answer.
        let (listener, url) = listen("ws");
        let opening = tokio::spawn({
            let handle = home.handle.clone();
            async move { connect(&handle, &url).await }
        });
        let mut peer = crate::home::accept(&listener);
        while !peer.line().is_empty() {}
        opening.abort();
        assert_eq!(peer.to_end(), b"");
        home.until_connections(0).await;

        // Before anything was begun.
        let (listener, url) = listen("ws");
        drop(timeout(Duration::ZERO, connect(&home.handle, &url)).await);
        home.until_connections(0).await;
        drop(listener);

        // Open, and behind what was sent.
        let (listener, url) = listen("ws");
        let peer = serve(listener, |peer| {
            assert!(matches!(peer.read(), Ok(Theirs::Text(text)) if text.as_str() == "x"));
            assert!(matches!(peer.read(), Ok(Theirs::Close(Some(frame))) if u16::from(frame.code) == 1001));
            while peer.read().is_ok() {}
        });
        let socket = connect(&home.handle, &url).await.expect("a server");
        socket.send(Message::Text("x")).await.expect("room");
        drop(socket);
        peer.join().expect("no panic");
        home.until_connections(0).await;
    }));
}

#[test]
fn a_manager_that_goes_first_leaves_no_task_waiting() {
    let (listener, url) = listen("ws");
    let home = Home::new();
    let peer = serve(listener, |peer| while peer.read().is_ok() {});
    runtime().block_on(soon(async {
        let handle = home.handle.clone();
        let mut socket = connect(&handle, &url).await.expect("a server");
        let sender = socket.sender();
        let waiting = tokio::spawn(async move { socket.recv().await });
        drop(home);
        let end = waiting.await.expect("no panic");
        assert!(matches!(end, Err(Error::Closed | Error::Gone)), "{end:?}");
        assert!(matches!(sender.send(Message::Text("x")).await, Err(Error::Gone)));
        assert!(matches!(connect(&handle, &url).await, Err(Error::Gone)));
    }));
    peer.join().expect("no panic");
}
