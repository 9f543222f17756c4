//! Requests of tasks.

use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use mongoose::http::{self, Reply, Request};
use mongoose::tokio::HttpClient;
use mongoose::{Error, Limits, Manager};
use mongoose_tests::{PATIENCE, Server, scaled, steadily};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::home::{Home, accept, listen, runtime, soon};

/// Larger than what two sockets and a bounded queue hold together.
const MUCH: usize = 64 << 20;

/// Long enough for whoever is not held back to show that.
const PAUSE: Duration = Duration::from_millis(300);

fn echo() -> Server {
    Server::http(|| |request: Request<'_>, reply: Reply<'_>| reply.body(request.body()))
}

/// Reads a request, headers and all that follows them at once, and answers how it was asked.
fn take_request(peer: &mut mongoose_tests::Client) -> String {
    let first = peer.line();
    while !peer.line().is_empty() {}
    first
}

#[test]
fn tasks_on_many_threads_each_get_their_own_answers() {
    let server = echo();
    let url = format!("http://{}/", server.address);
    let home = Home::new();
    runtime().block_on(soon(async {
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            let (client, url) = (home.client.clone(), url.clone());
            tasks.spawn(async move {
                for round in 0..scaled(200) {
                    let body = format!("{task} {round}");
                    let request = client.post(&url).header("X-Task", "yes").body(body.clone());
                    let response = request.send().await.expect("an answer");
                    assert_eq!((response.status(), response.body_str()), (200, Ok(&*body)));
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.expect("no panic");
        }
        assert!(home.stats().await.connections <= 8, "connections are kept and used again");
    }));
}

#[test]
fn a_manager_without_a_runtime_serves_tasks_too() {
    let server = echo();
    let url = format!("http://{}/", server.address);
    let client = server.ask(|registry| HttpClient::new(registry, http::Client::new(registry)));
    runtime().block_on(soon(async {
        let response = client.post(&url).body("x").send().await.expect("an answer");
        assert_eq!(response.body(), b"x");
        let request = ::http::Request::post(&url).body(bytes::Bytes::from_static(b"{\"a\":1}"));
        let response = client.request_from(request.expect("a request")).send().await.expect("an answer");
        assert_eq!(response.json::<serde_json::Value>().expect("JSON")["a"], 1);
    }));
}

#[test]
fn what_goes_wrong_is_told_by_its_error() {
    let (listener, url) = listen("http");
    let mut limits = Limits::default();
    limits.body = 1000;
    let home = Home::within(limits);
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"what?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ftp://elsewhere/\r\n\r\n",
        b"",
    ];
    let peer = thread::spawn(move || {
        for answer in answers {
            let mut peer = accept(&listener);
            take_request(&mut peer);
            peer.send(answer).end();
            peer.to_end();
        }
        accept(&listener).to_end();
        drop(listener);
    });
    runtime().block_on(soon(async {
        let get = || home.client.get(&url);
        assert!(matches!(get().send().await, Err(Error::Truncated)));
        assert!(matches!(get().send().await, Err(Error::Response { .. })));
        assert!(matches!(get().send().await, Err(Error::Response { .. })));
        assert!(matches!(get().receive().await, Err(Error::Redirect { .. })));
        assert!(matches!(get().receive().await, Err(Error::Truncated)));
        let late = get().timeout(Duration::from_millis(50)).receive().await;
        assert!(matches!(late, Err(Error::Deadline { phase: "finish" })), "{late:?}");
        peer.join().expect("no panic");
        assert!(matches!(get().send().await, Err(Error::Connect { .. })));
        for wrong in ["nonsense", "https://127.0.0.1/", "http://127.0.0.1:99999/"] {
            assert!(matches!(home.client.get(wrong).send().await, Err(Error::Url { .. })), "{wrong}");
            assert!(matches!(home.client.get(wrong).receive().await, Err(Error::Url { .. })), "{wrong}");
        }
        let broken = get().header("Broken", "\r\n").send().await;
        assert!(matches!(broken, Err(Error::Header { .. })));
    }));
}

#[test]
fn a_body_that_drips_comes_in_pieces_and_its_end_is_told() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let count = scaled(200);
    let peer = thread::spawn(move || {
        for whole in [true, false] {
            let mut peer = accept(&listener);
            take_request(&mut peer);
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: drip\r\n\r\n");
            (0..count).for_each(|_| _ = peer.send("1\r\nx\r\n"));
            if whole {
                peer.send("0\r\n\r\n");
            }
            peer.end();
            peer.to_end();
        }
    });
    runtime().block_on(soon(async {
        for whole in [true, false] {
            let mut response = home.client.get(&url).receive().await.expect("a head");
            assert_eq!(response.head().status(), 200);
            let kind = response.head().header("X-Kind").expect("a header");
            assert_eq!(kind.as_bytes(), b"drip");
            let mut total = 0;
            let end = loop {
                match response.next().await {
                    Ok(Some(piece)) => total += piece.len(),
                    end => break end,
                }
            };
            assert_eq!(total, count);
            assert!(matches!(&end, Ok(None)) == whole, "{end:?}");
            assert!(matches!(&end, Err(Error::Truncated)) != whole, "{end:?}");
            assert!(matches!(response.next().await, Ok(None)), "an error is told once");
        }
    }));
    peer.join().expect("no panic");
}

/// Writes zeros until that is much or nobody takes any for a while; answers how many.
fn write_much(peer: &mut mongoose_tests::Client) -> usize {
    peer.stream().set_write_timeout(Some(PAUSE)).expect("to set an option");
    let (zeros, mut total) = ([0; 64 << 10], 0);
    while total < MUCH {
        match steadily(|| peer.stream().write(&zeros[..zeros.len().min(MUCH - total)])) {
            Ok(count) => total += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => panic!("cannot write: {error}"),
        }
    }
    peer.stream().set_write_timeout(Some(PATIENCE)).expect("to set an option");
    total
}

#[test]
fn a_task_that_does_not_read_holds_the_server_back() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let (blocked, held) = tokio::sync::oneshot::channel();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        take_request(&mut peer);
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n"));
        let written = write_much(&mut peer);
        blocked.send(written).expect("the test to wait");
        let zeros = vec![0; 1 << 20];
        for at in (written..MUCH).step_by(zeros.len()) {
            peer.send(&zeros[..zeros.len().min(MUCH - at)]);
        }
        peer.end().to_end();
    });
    runtime().block_on(soon(async {
        let mut response = home.client.get(&url).receive().await.expect("a head");
        let written = held.await.expect("the peer to be blocked");
        assert!(written < MUCH / 2, "{written} bytes were taken that nobody read");
        let received = home.stats().await.received;
        assert!(received < 1 << 20, "{received} bytes are in the program");
        let mut total = 0;
        while let Some(piece) = response.next().await.expect("the rest") {
            total += piece.len();
        }
        assert_eq!(total, MUCH);
    }));
    peer.join().expect("no panic");
}

#[test]
fn a_server_that_does_not_read_holds_the_task_back() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        take_request(&mut peer);
        may_go_on.recv_timeout(PATIENCE).expect("the task to be held");
        let mut total = 0;
        while let Some(chunk) = peer.chunk() {
            total += chunk.len();
        }
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        total
    });
    runtime().block_on(soon(async {
        let (sender, body) = http::channel(home.client.handle().clone(), 64 << 10);
        let answer = tokio::spawn(home.client.post(&url).stream(body).send());
        let mut sent = 0;
        // In time: the peer reads nothing until it is told to.
        while timeout(PAUSE, sender.send_async(vec![0; 16 << 10])).await.is_ok() {
            sent += 16 << 10;
            assert!(sent < MUCH, "nobody reads, and all is taken");
        }
        go_on.send(()).expect("the peer to wait");
        for _ in 0..scaled(1000) {
            sender.send_async(vec![0; 16 << 10]).await.expect("room, sooner or later");
            sent += 16 << 10;
        }
        sender.finish();
        let response = answer.await.expect("no panic").expect("an answer");
        assert_eq!(response.body(), b"done");
        assert_eq!(peer.join().expect("no panic"), sent, "what was given up was not sent");
    }));
}

#[test]
fn an_upload_to_a_peer_that_breaks_off_ends() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let peer = thread::spawn(move || {
        let mut peer = accept(&listener);
        take_request(&mut peer);
        peer.reset();
    });
    runtime().block_on(soon(async {
        let (sender, body) = http::channel(home.client.handle().clone(), 64 << 10);
        let answer = tokio::spawn(home.client.post(&url).stream(body).send());
        let mut sent = Ok(());
        while sent.is_ok() {
            sent = sender.send_async(vec![0; 16 << 10]).await;
        }
        assert!(matches!(sent, Err(Error::Closed)), "{sent:?}");
        assert!(matches!(answer.await.expect("no panic"), Err(Error::Truncated | Error::Io { .. })));
    }));
    peer.join().expect("no panic");
}

#[test]
fn a_request_that_is_dropped_at_any_stage_is_given_up() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let (tell, stages) = std::sync::mpsc::channel::<&str>();
    let (seen, told) = std::sync::mpsc::channel::<()>();
    let peer = thread::spawn(move || {
        while let Ok(stage) = stages.recv_timeout(PATIENCE) {
            if stage == "end" {
                break;
            }
            let mut peer = accept(&listener);
            take_request(&mut peer);
            if stage != "request" {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            }
            if stage == "body" {
                peer.send([0; 100]);
            }
            seen.send(()).expect("the test to wait");
            // Until it is closed on us.
            peer.to_end();
        }
    });
    let runtime = runtime();
    runtime.block_on(soon(async {
        // Never polled: nothing happens.
        drop(home.client.get(&url).send());
        // Polled once, and given up before or while it connects.
        let polled = timeout(Duration::ZERO, home.client.get("http://127.0.0.1:1/").send()).await;
        drop(polled);
        home.until_connections(0).await;

        for stage in ["request", "head", "body"] {
            tell.send(stage).expect("the peer to wait");
            let task = tokio::spawn(home.client.get(&url).send());
            tokio::task::block_in_place(|| told.recv_timeout(PATIENCE)).expect("the request to come");
            task.abort();
            assert!(task.await.expect_err("given up").is_cancelled());
            home.until_connections(0).await;
        }
        for stage in ["head", "body"] {
            tell.send(stage).expect("the peer to wait");
            let mut response = home.client.get(&url).receive().await.expect("a head");
            if stage == "body" {
                response.next().await.expect("no error").expect("a piece");
            }
            tokio::task::block_in_place(|| told.recv_timeout(PATIENCE)).expect("the request to come");
            drop(response);
            home.until_connections(0).await;
        }
        tell.send("end").expect("the peer to wait");
    }));
    peer.join().expect("no panic");
}

#[test]
fn requests_that_are_given_up_harm_no_others() {
    let server = echo();
    let url = format!("http://{}/", server.address);
    let home = Home::new();
    runtime().block_on(soon(async {
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let (client, url) = (home.client.clone(), url.clone());
            tasks.spawn(async move {
                for round in 0..scaled(300) {
                    let body = format!("{task} {round}");
                    let send = client.post(&url).body(body.clone()).send();
                    if round % 3 == 0 {
                        let time = Duration::from_micros((round % 7) as u64 * 50);
                        drop(timeout(time, send).await);
                    } else {
                        let response = send.await.expect("an answer");
                        assert_eq!(response.body_str(), Ok(&*body));
                    }
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.expect("no panic");
        }
    }));
}

#[test]
fn a_manager_that_goes_first_leaves_no_task_waiting() {
    let (listener, url) = listen("http");
    let home = Home::new();
    let client = home.client.clone();
    let runtime = runtime();
    runtime.block_on(soon(async {
        let waiting = tokio::spawn(client.get(&url).send());
        let mut peer = accept(&listener);
        take_request(&mut peer);
        let reading = tokio::spawn(client.get(&url).receive());
        let mut other = accept(&listener);
        take_request(&mut other);
        other.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        let mut response = reading.await.expect("no panic").expect("a head");
        assert_eq!(response.next().await.expect("no error").as_deref(), Some(&b"half"[..]));
        drop(home);
        let gone = |error: &Error| {
            matches!(error, Error::Gone | Error::Closed | Error::ShuttingDown | Error::Truncated)
        };
        let error = waiting.await.expect("no panic").expect_err("no answer");
        assert!(gone(&error), "{error:?}");
        let error = response.next().await.expect_err("no rest");
        assert!(gone(&error), "{error:?}");
        assert!(matches!(client.get(&url).send().await, Err(Error::Gone)));
        assert!(matches!(client.get(&url).receive().await, Err(Error::Gone)));
        assert_eq!((peer.to_end(), other.to_end()), (vec![], vec![]));
    }));
}

#[test]
fn a_runtime_that_goes_first_gives_its_requests_up() {
    let (listener, url): (TcpListener, String) = listen("http");
    let home = Home::new();
    let other = runtime();
    other.spawn(home.client.get(&url).send());
    let mut peer = accept(&listener);
    take_request(&mut peer);
    drop(other);
    assert_eq!(peer.to_end(), b"", "closed");
    runtime().block_on(home.until_connections(0));
}

#[test]
fn everything_may_live_on_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(soon(async {
        let mut manager = Manager::new().expect("a manager");
        let server = manager
            .http("http://127.0.0.1:0", |_: Request<'_>, reply: Reply<'_>| reply.text("x".repeat(1 << 20)))
            .expect("to listen");
        let url = format!("http://{}/", server.local_addr());
        let client = HttpClient::new(&manager, http::Client::new(&manager));
        let handle = manager.handle();
        let task = tokio::spawn(async move {
            for _ in 0..scaled(20) {
                let mut response = client.get(&url).receive().await.expect("a head");
                let mut total = 0;
                while let Some(piece) = response.next().await.expect("the rest") {
                    total += piece.len();
                }
                assert_eq!(total, 1 << 20);
            }
            handle.stop();
        });
        mongoose::tokio::run(&mut manager).await.expect("to run");
        task.await.expect("no panic");
    }));
}
