//! Replies of each kind, as the client gets them.

use std::thread;

use mongoose::http::{Reply, Request};
use mongoose::{Connection, Error, Event, http};
use mongoose_tests::{Client, Response, Server};

type Answer = fn(Reply<'_>) -> Result<(), Error>;

/// What a client gets to see of an answer.
fn response(answer: Answer) -> Response {
    let server = Server::http(move || move |_: Request<'_>, reply: Reply<'_>| answer(reply));
    Client::connect(server.address).get("/")
}

#[test]
fn status_headers_and_bytes() {
    let response = response(|reply| {
        reply
            .status(201)
            .header("X-A", "1")
            .header("x-a", "2")
            .header("Content-Type", "image/x")
            .body(&[0, 255, 1])
    });
    assert!(response.head.starts_with("HTTP/1.1 201 Created\r\n"), "{}", response.head);
    assert!(response.head.contains("\r\nX-A: 1\r\nx-a: 2\r\n"), "in order: {}", response.head);
    assert_eq!(response.header("Content-Type"), Some("image/x"));
    assert_eq!(response.header("Content-Length"), Some("3"));
    assert_eq!(response.body, [0, 255, 1]);
}

#[test]
fn text_and_json_name_their_type() {
    let text = response(|reply| reply.text("\u{fc}"));
    assert_eq!(text.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!((text.header("Content-Length"), text.text()), (Some("2"), "\u{fc}"));
    let json = response(|reply| reply.json_text("{\"a\":1}"));
    assert_eq!((json.header("Content-Type"), json.text()), (Some("application/json"), "{\"a\":1}"));
    let other = response(|reply| reply.header("content-type", "text/html").text("<p>"));
    assert_eq!(other.header("Content-Type"), Some("text/html"));
    assert_eq!(other.head.to_ascii_lowercase().matches("content-type").count(), 1);
    assert_eq!(response(|reply| reply.body("bytes")).header("Content-Type"), None);
}

#[test]
fn every_reply_has_a_date_and_only_one() {
    let date = response(|reply| reply.text("x"));
    let date = date.header("Date").expect("a date");
    assert!(date.len() == 29 && date.ends_with(" GMT") && &date[3..5] == ", ", "{date}");
    let own = response(|reply| reply.header("Date", "Sun, 06 Nov 1994 08:49:37 GMT").text("x"));
    assert_eq!(own.header("Date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(own.head.matches("Date:").count(), 1);
    let late = response(|reply| {
        let deferred = reply.defer();
        thread::spawn(move || deferred.reply().text("x"));
        Ok(())
    });
    assert!(late.header("Date").is_some_and(|date| date.ends_with(" GMT")));
    assert!(response(|_| Ok(())).header("Date").is_some(), "the 500 of nobody's too");
}

#[test]
fn redirects() {
    let found = response(|reply| reply.redirect("/elsewhere?a=b"));
    assert_eq!((found.status, found.header("Location")), (302, Some("/elsewhere?a=b")));
    assert_eq!(found.header("Content-Length"), Some("0"));
    let moved = response(|reply| reply.status(308).redirect("https://other.example/"));
    assert_eq!((moved.status, moved.header("Location")), (308, Some("https://other.example/")));
    assert_eq!(response(|reply| reply.redirect("/a\r\nX: y")).status, 500, "no header gets in that way");
}

#[test]
fn replies_without_a_body_say_so_or_have_no_length() {
    let empty = response(|reply| reply.status(404).empty());
    assert_eq!((empty.status, empty.header("Content-Length")), (404, Some("0")));
    for status in [204, 304] {
        let server = Server::http(move || {
            move |_: Request<'_>, reply: Reply<'_>| reply.status(status).text("none of this is sent")
        });
        let mut client = Client::connect(server.address);
        let first = client.get("/");
        assert_eq!((first.status, first.header("Content-Length")), (status, None));
        assert_eq!(client.get("/").status, status, "the next reply begins right behind the head");
    }
}

#[test]
fn a_large_body_arrives_whole_owned_shared_or_borrowed() {
    let answers: [Answer; 3] = [
        |reply| reply.body(vec![b'x'; 5_000_000]),
        |reply| reply.body(std::sync::Arc::<[u8]>::from(vec![b'x'; 5_000_000])),
        |reply| {
            let lent = vec![b'x'; 5_000_000];
            reply.body(&lent)
        },
    ];
    for answer in answers {
        let response = response(answer);
        assert_eq!(response.body.len(), 5_000_000);
        assert!(response.body.iter().all(|&byte| byte == b'x'));
    }
}

#[test]
fn a_reply_deferred_to_another_thread_is_that_thread_s() {
    let response = response(|reply| {
        let deferred = reply.defer();
        thread::spawn(move || {
            let reply = deferred.reply().status(202).header("X-Thread", "another");
            reply.json_text(vec![b'1'; 100_000]).expect("a manager that is there");
        });
        Ok(())
    });
    assert_eq!((response.status, response.header("X-Thread")), (202, Some("another")));
    assert_eq!(response.body.len(), 100_000);
}

#[test]
fn a_reply_that_nobody_gives_is_500() {
    let unanswered: [Answer; 6] = [
        |_| Ok(()),
        |reply| {
            drop(reply);
            Ok(())
        },
        |reply| {
            std::mem::forget(reply.status(200));
            Ok(())
        },
        |reply| {
            drop(reply.defer());
            Ok(())
        },
        |reply| {
            let deferred = reply.defer();
            thread::spawn(move || drop(deferred.reply().status(200)));
            Ok(())
        },
        |_| Err(Error::handler("an error of the handler's own")),
    ];
    for answer in unanswered {
        let server = Server::http(move || {
            move |request: Request<'_>, reply: Reply<'_>| {
                if request.path() == "/good" { reply.text("good") } else { answer(reply) }
            }
        });
        let mut client = Client::connect(server.address);
        assert_eq!(client.get("/").status, 500);
        assert_eq!(client.get("/good").text(), "good", "the connection goes on");
    }
}

#[test]
fn a_reply_that_cannot_be_sent_as_it_is_is_500_and_an_error() {
    let wrong: [(Answer, &str); 5] = [
        (|reply| reply.status(99).text("x"), "status 99"),
        (|reply| reply.status(101).text("x"), "status 101"),
        (|reply| reply.status(1000).text("x"), "status 1000"),
        (|reply| reply.header("A", "b\r\nC: d").text("x"), "\"A\""),
        (|reply| reply.header("Content-Length", "7").text("x"), "Content-Length"),
    ];
    for (answer, named) in wrong {
        let server = Server::http(move || {
            move |_: Request<'_>, reply: Reply<'_>| {
                let error = answer(reply).expect_err("refused");
                assert!(error.to_string().contains(named), "{error}");
                Err(error)
            }
        });
        let response = Client::connect(server.address).get("/");
        assert_eq!((response.status, response.text()), (500, "Internal Server Error\n"));
        assert!(!response.head.contains("C: d"));
    }
}

#[test]
fn a_handler_s_error_comes_back_to_it_as_an_event() {
    struct Fails {
        told: std::sync::mpsc::Sender<String>,
    }
    impl http::Handler for Fails {
        fn request(&mut self, _: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
            reply.text("sent all the same")?;
            Err(Error::handler("after the reply"))
        }
        fn event(&mut self, _: &Connection<'_>, event: Event<'_>) {
            if let Event::Error(error) = event {
                self.told.send(error.to_string()).expect("a test that waits");
            }
        }
    }
    let (told, errors) = std::sync::mpsc::channel();
    let server = Server::http(move || Fails { told });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/").text(), "sent all the same");
    assert_eq!(errors.recv_timeout(mongoose_tests::PATIENCE).expect("an error"), "after the reply");
    assert_eq!(client.get("/").status, 200, "it was answered, so the connection goes on");
}

#[test]
fn a_connection_that_is_upgraded_goes_on_as_raw_bytes() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            reply.header("X-A", "b").upgrade("echo", |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Read = event {
                    connection.send(connection.received())?;
                    connection.consume(usize::MAX);
                }
                Ok(())
            })
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nright behind");
    let response = client.response();
    assert_eq!((response.status, response.header("Upgrade")), (101, Some("echo")));
    assert_eq!((response.header("Connection"), response.header("X-A")), (Some("Upgrade"), Some("b")));
    assert_eq!(client.exactly(12), b"right behind");
    assert_eq!(client.send("and later").exactly(9), b"and later");
    assert!(client.end().to_end().is_empty());
}

#[test]
fn http_1_0_knows_no_upgrade() {
    let server = Server::http(|| {
        |_: Request<'_>, reply: Reply<'_>| {
            reply.upgrade("echo", |_: &Connection<'_>, _: Event<'_>| -> Result<(), Error> { unreachable!() })
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(client.response().status, 500, "the handler's error, and no 101");
}
