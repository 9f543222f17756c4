//! Server-sent events.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{EventSender, Reply, Request, ServerEvent, SlowSubscriber, Subscribers};
use mongoose::{Error, Registry};
use mongoose_tests::{Client, Server, scaled};

thread_local! {
    /// Of the server that runs on this thread.
    static SUBSCRIBERS: RefCell<Option<Rc<RefCell<Subscribers>>>> = const { RefCell::new(None) };
}

fn subscribers() -> Rc<RefCell<Subscribers>> {
    SUBSCRIBERS.with_borrow(Clone::clone).expect("set when the server began")
}

/// Every request subscribes.
fn server(slow: SlowSubscriber) -> Server {
    Server::http(move || {
        SUBSCRIBERS.set(Some(Rc::new(RefCell::new(Subscribers::new(slow)))));
        |request: Request<'_>, reply: Reply<'_>| {
            if request.path() == "/whole" {
                return reply.text("whole");
            }
            let sender: EventSender = reply.events(10_000)?;
            if let Some(last) = request.header("Last-Event-ID") {
                let last = last.to_str().map_err(Error::handler)?.to_owned();
                sender.send(&ServerEvent::new(&last).event("resumed"))?;
            }
            subscribers().borrow_mut().add(sender);
            Ok(())
        }
    })
}

fn publish(server: &Server, data: &str) -> usize {
    let data = data.to_owned();
    server.ask(move |_: &Registry| subscribers().borrow_mut().send(&ServerEvent::new(&data)).expect("valid"))
}

fn subscribe(server: &Server, header: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.send(format!("GET /events HTTP/1.1\r\nHost: test\r\n{header}\r\n"));
    let mut head = String::new();
    loop {
        let line = client.line();
        if line.is_empty() {
            break;
        }
        head += &(line + "\n");
    }
    assert!(
        head.contains("Content-Type: text/event-stream\n") && head.contains("Cache-Control: no-store\n"),
        "{head}"
    );
    client
}

#[test]
fn all_subscribers_get_all_events_in_order() {
    let server = server(SlowSubscriber::Skip);
    let mut clients: Vec<_> = (0..scaled(200)).map(|_| subscribe(&server, "")).collect();
    for event in 0..20 {
        assert_eq!(publish(&server, &format!("event\n{event}")), clients.len());
    }
    for client in &mut clients {
        let mut text = String::new();
        while !text.ends_with("data: 19\n\n") {
            text += std::str::from_utf8(&client.chunk().expect("no end")).expect("text");
        }
        let expected: String = (0..20).map(|event| format!("data: event\ndata: {event}\n\n")).collect();
        assert_eq!(text, expected);
    }
}

#[test]
fn a_subscriber_that_connects_anew_says_what_it_saw() {
    let server = server(SlowSubscriber::Skip);
    let mut client = subscribe(&server, "Last-Event-ID: 41\r\n");
    assert_eq!(client.chunk().expect("an event"), b"event: resumed\ndata: 41\n\n");
}

#[test]
fn a_subscriber_that_is_gone_is_forgotten() {
    let server = server(SlowSubscriber::Skip);
    let clients: Vec<_> = (0..10).map(|_| subscribe(&server, "")).collect();
    let stays = subscribe(&server, "");
    drop(clients);
    server.wait_until("the others to go", |registry| registry.stats().connections == 2);
    assert_eq!(publish(&server, "x"), 1);
    assert_eq!(server.ask(|_| subscribers().borrow().len()), 1);
    drop(stays);
}

/// Publishes until somebody does not get it, and answers how many did then.
fn publish_until_skipped(server: &Server, count: usize) -> usize {
    let data = "x".repeat(1000);
    for _ in 0..100_000 {
        let reached = publish(server, &data);
        if reached < count {
            return reached;
        }
    }
    panic!("a subscriber that does not read has no bound");
}

#[test]
fn a_slow_subscriber_misses_events_or_is_dropped_by_choice() {
    for (slow, left) in [(SlowSubscriber::Skip, 1), (SlowSubscriber::Drop, 0)] {
        let server = server(slow);
        let mut client = subscribe(&server, "");
        assert_eq!(publish_until_skipped(&server, 1), 0);
        assert_eq!(server.ask(|_| subscribers().borrow().len()), left);
        // What it was sent is still whole.
        let event = format!("data: {}\n\n", "x".repeat(1000));
        let mut seen = 0;
        if slow == SlowSubscriber::Drop {
            while let Some(chunk) = client.chunk() {
                assert_eq!(chunk, event.as_bytes());
                seen += 1;
            }
            assert!(seen > 10);
            assert_eq!(client.get("/whole").text(), "whole", "the stream ended in order");
        } else {
            assert_eq!(client.chunk().expect("an event"), event.as_bytes());
        }
    }
}

#[test]
fn head_of_an_event_stream_ends_at_once() {
    let server = server(SlowSubscriber::Skip);
    let mut client = Client::connect(server.address);
    client.send("HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.response_to_head().status, 200);
    assert_eq!(client.get("/whole").text(), "whole");
    assert_eq!(publish(&server, "x"), 0);
}

#[test]
fn a_shutdown_ends_event_streams() {
    use mongoose::Manager;
    use std::time::Duration;

    let mut manager = Manager::new().expect("a manager");
    let kept: Rc<RefCell<Vec<EventSender>>> = Rc::default();
    let senders = Rc::clone(&kept);
    let address = manager
        .http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
            senders.borrow_mut().push(reply.events(1000)?);
            Ok(())
        })
        .expect("to listen")
        .local_addr();
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(address);
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        String::from_utf8(client.to_end()).expect("text")
    });
    mongoose_tests::poll_until(&mut manager, "a subscriber", |_| !kept.borrow().is_empty());
    kept.borrow()[0].send(&ServerEvent::new("last")).expect("room");
    manager.shutdown(Duration::from_secs(60)).expect("to shut down");
    assert_eq!(manager.stats().connections, 0);
    let text = client.join().expect("the client");
    assert!(text.ends_with("c\r\ndata: last\n\n\r\n0\r\n\r\n"), "{text}");
    assert!(kept.borrow()[0].is_closed());
}

#[test]
fn events_cannot_have_a_length() {
    let (told, errors) = std::sync::mpsc::channel();
    let server = Server::http(move || {
        move |_: Request<'_>, reply: Reply<'_>| {
            let result = reply.length(3).events(1000);
            told.send(result.as_ref().map(drop).map_err(ToString::to_string)).expect("a test that waits");
            result.map(drop)
        }
    });
    assert_eq!(Client::connect(server.address).get("/").status, 500);
    let told = errors.recv_timeout(mongoose_tests::PATIENCE).expect("a result");
    assert!(told.expect_err("an error").contains("events have no length"));
}
