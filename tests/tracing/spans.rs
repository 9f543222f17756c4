//! What a span is of, what it says, and how long it lasts.

use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use mongoose::http::{self, BodyMode, Params, Reply, Request};
use mongoose::tower::Serve;
use mongoose::{Connection, Error, Event, Limits, Manager, udp, ws};
use mongoose_tests::{Client, PATIENCE, Server, poll_until};
use tower_http::trace::TraceLayer;
use tracing::Level;

use crate::record::Book;

/// Serves with a book that listens.
fn serve<H: http::Handler>(level: Level, make: impl FnOnce() -> H + Send + 'static) -> (Server, Book) {
    let book = Book::default();
    let listening = book.clone();
    let server = Server::http(move || {
        listening.install(level);
        make()
    });
    (server, book)
}

pub fn closed(server: &Server, book: &Book, name: &'static str, count: usize) {
    let end = std::time::Instant::now() + PATIENCE;
    while book.closed(name) < count {
        assert!(std::time::Instant::now() < end, "{name}: {:?}", book.named(name));
        // The loop turns.
        server.ask(|_| ());
    }
    assert_eq!(book.closed(name), count, "{:?}", book.named(name));
}

#[test]
fn requests_are_spans_within_that_of_their_connection() {
    let (server, book) = serve(Level::TRACE, || {
        |request: Request<'_>, reply: Reply<'_>| {
            tracing::info!("{}", request.path());
            match request.path() {
                "/fails" => Err(Error::Body("on purpose")),
                _ => reply.status(201).text("made"),
            }
        }
    });
    let mut client = Client::connect(server.address);
    let own = client.stream().local_addr().expect("bound");
    assert_eq!(client.get("/a/b?c=d&e").status, 201);
    assert_eq!(client.send("BREW /fails HTTP/1.0\r\nHost: test\r\n\r\n").response().status, 500);
    closed(&server, &book, "request", 2);
    drop(client);
    closed(&server, &book, "connection", 1);

    let connections = book.named("connection");
    let connection = &connections[0];
    assert_eq!((connections.len(), &*connection.level, connection.parent), (1, "DEBUG", None));
    assert_eq!(connection.field("network.transport"), "tcp");
    assert_eq!(connection.field("network.peer.address"), "127.0.0.1");
    assert_eq!(connection.field("network.peer.port"), own.port().to_string());
    assert_eq!(connection.field("network.local.port"), server.address.port().to_string());
    let id = connection.field("connection.id");

    let requests = book.named("request");
    for (number, request) in requests.iter().enumerate() {
        assert_eq!(request.level, "INFO");
        assert_eq!(book.parent(request).expect("a parent").name, "connection");
        assert_eq!(request.field("connection.id"), id);
        assert_eq!(request.field("request.id"), format!("{id}.{}", number + 1));
        assert_eq!(request.field("otel.kind"), "server");
        assert_eq!(request.field("url.scheme"), "http");
    }
    let said = |names: [&str; 7]| {
        requests.iter().map(|request| names.map(|name| request.field(name).to_owned())).collect::<Vec<_>>()
    };
    let names = [
        "http.request.method",
        "http.request.method_original",
        "url.path",
        "url.query",
        "network.protocol.version",
        "http.response.status_code",
        "otel.status_code",
    ];
    assert_eq!(
        said(names),
        [
            ["GET", "", "/a/b", "c=d&e", "1.1", "201", ""],
            ["_OTHER", "BREW", "/fails", "", "1.0", "500", "ERROR"],
        ]
    );
    let within = vec!["connection", "request"];
    let events = book.events();
    assert_eq!(events[..2], [(within.clone(), "/a/b".to_owned()), (within.clone(), "/fails".to_owned())]);
    assert_eq!(events[2].0, within);
    assert!(events[2].1.contains("on purpose"), "{events:?}");
}

#[test]
fn whoever_wants_no_connections_gets_requests_that_are_in_nothing() {
    let (server, book) = serve(Level::INFO, || |_: Request<'_>, reply: Reply<'_>| reply.text("here"));
    assert_eq!(Client::connect(server.address).get("/").status, 200);
    closed(&server, &book, "request", 1);
    assert!(book.named("connection").is_empty());
    assert_eq!(book.named("request")[0].parent, None);
}

/// Answers in every way there is.
struct Ways {
    senders: mpsc::Sender<http::BodySender>,
    unanswered: Vec<http::Deferred>,
}

impl http::Handler for Ways {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        tracing::info!("mode");
        BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        match request.path() {
            "/deferred" => {
                let deferred = reply.defer();
                // It outlives the handler where that is cloned.
                let span = tracing::Span::current();
                std::thread::spawn(move || {
                    let _span = span;
                    deferred.reply().status(202).text("later")
                });
                Ok(())
            }
            "/never" => {
                self.unanswered.push(reply.defer());
                Ok(())
            }
            "/streamed" => {
                let sender = reply.status(203).channel(1 << 20)?;
                self.senders.send(sender).map_err(Error::handler)
            }
            "/upload" => reply.receive(Upload),
            "/upgrade" => reply.upgrade("raw", |_: &Connection<'_>, event: Event<'_>| {
                tracing::info!("raw {event:?}");
                Ok(())
            }),
            _ => Ok(()),
        }
    }
}

struct Upload;

impl http::Upload for Upload {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        tracing::info!("{} bytes", piece.len());
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        tracing::info!("end");
        reply.status(204).empty()
    }
}

#[test]
fn a_request_lasts_until_its_reply_is_made_however_that_comes() {
    let book = Book::default();
    let (sender, senders) = mpsc::channel();
    let mut limits = Limits::default();
    limits.reply_time = Duration::from_millis(50);
    let listening = book.clone();
    let server = Server::http_within(limits, move || {
        listening.install(Level::INFO);
        Ways { senders: sender, unanswered: Vec::new() }
    });
    let mut client = Client::connect(server.address);
    let status = |number: usize| book.named("request")[number].field("http.response.status_code").to_owned();

    assert_eq!(client.get("/deferred").status, 202);
    assert_eq!(client.get("/never").status, 504);
    assert_eq!(client.get("/forgotten").status, 500);
    closed(&server, &book, "request", 3);
    assert_eq!([status(0), status(1), status(2)], ["202", "504", "500"]);

    let mut client = Client::connect(server.address);
    client.send("GET /streamed HTTP/1.1\r\nHost: test\r\n\r\n");
    let sender = senders.recv_timeout(PATIENCE).expect("a sender");
    while client.line() != "" {}
    closed(&server, &book, "request", 3);
    assert_eq!(status(3), "203", "known before the body is");
    sender.send("all of it").expect("to send");
    sender.finish();
    assert_eq!(client.chunk().as_deref(), Some(&b"all of it"[..]));
    closed(&server, &book, "request", 4);

    let events = book.events().len();
    client.chunk();
    server.feed(
        &mut client,
        [&b"PUT /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n"[..], b"abc", b"def"],
    );
    assert_eq!(client.response().status, 204);
    closed(&server, &book, "request", 5);
    let told: Vec<_> = book.events().drain(events..).collect();
    let within = |said: &str| (vec!["request"], said.to_owned());
    assert_eq!(told, ["mode", "3 bytes", "3 bytes", "end"].map(within));

    client.send("GET /upgrade HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n");
    assert_eq!(client.response().status, 101);
    closed(&server, &book, "request", 6);
    assert_eq!(status(5), "101");
}

#[test]
fn a_request_that_is_cut_off_ends_with_its_connection() {
    let (server, book) = serve(Level::DEBUG, || {
        let mut unanswered = Vec::new();
        move |_: Request<'_>, reply: Reply<'_>| {
            unanswered.push(reply.defer());
            Ok(())
        }
    });
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_until("the request", |registry| registry.stats().requests == 1);
    client.reset();
    closed(&server, &book, "connection", 1);
    closed(&server, &book, "request", 1);
    assert_eq!(book.named("request")[0].field("http.response.status_code"), "");
    let (names, error) = book.events().pop().expect("an error");
    assert_eq!(names, ["connection"]);
    assert!(error.contains("reset"), "{error}");
}

#[test]
fn a_router_names_its_routes_and_a_trace_layer_is_within() {
    let (server, book) = serve(Level::INFO, || {
        let user = |_: Request<'_>, _: &Params<'_>, reply: Reply<'_>| reply.text("a user");
        http::Router::new().get("/users/{id}", user).expect("a route")
    });
    assert_eq!(Client::connect(server.address).get("/users/7").status, 200);
    closed(&server, &book, "request", 1);
    assert_eq!(book.named("request")[0].field("http.route"), "/users/{id}");

    let (server, book) = serve(Level::DEBUG, || {
        let page = || async {
            tokio::task::yield_now().await;
            tracing::info!("in the page");
            "a page"
        };
        Serve::new(Router::new().route("/", get(page)).layer(TraceLayer::new_for_http()))
    });
    assert_eq!(Client::connect(server.address).get("/").status, 200);
    closed(&server, &book, "connection", 1);
    let requests = book.named("request");
    let layers = requests.iter().filter(|span| span.field("otel.kind").is_empty()).collect::<Vec<_>>();
    assert_eq!((requests.len(), layers.len()), (2, 1), "{requests:?}");
    assert_eq!(book.parent(layers[0]).expect("a parent").field("otel.kind"), "server");
    let said = (vec!["connection", "request", "request"], "in the page".to_owned());
    assert!(book.events().contains(&said), "{:?}", book.events());
}

#[test]
fn our_own_requests_are_a_part_of_what_makes_them() {
    let book = Book::default();
    book.install(Level::DEBUG);
    let mut manager = Manager::new().expect("a manager");
    let behind = manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/elsewhere" => reply.redirect("/here"),
            _ => reply.status(404).text("nothing"),
        })
        .expect("a free port");
    let url = format!("http://user:secret@{}/elsewhere", behind.local_addr());
    let client = http::Client::new(&manager);
    let gateway = client.clone();
    let front = manager
        .http("http://127.0.0.1:0", move |_: Request<'_>, reply: Reply<'_>| {
            let deferred = reply.defer();
            gateway
                .get(&url)
                .send(move |result: Result<http::Response<'_>, Error>| {
                    tracing::info!("told");
                    let status = result.expect("a response").status();
                    deferred.reply().text(status.to_string()).expect("the loop is there");
                })
                .map(drop)
        })
        .expect("a free port");
    let address = front.local_addr();
    let asking = std::thread::spawn(move || Client::connect(address).get("/").text().to_owned());
    poll_until(&mut manager, "the answer", |_| asking.is_finished());
    assert_eq!(asking.join().expect("no panic"), "404");
    poll_until(&mut manager, "all to close", |_| book.closed("request") == 4);
    let requests = book.named("request");
    let ours: Vec<_> = requests.iter().filter(|span| span.field("otel.kind") == "client").collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].field("url.full"), format!("http://{}/elsewhere", behind.local_addr()));
    assert_eq!(ours[0].field("http.response.status_code"), "404");
    assert_eq!(book.parent(ours[0]).expect("a parent").field("request.id"), requests[0].field("request.id"));
    assert!(
        book.events().contains(&(vec!["connection", "request", "request"], "told".to_owned())),
        "{:?}",
        book.events()
    );

    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let refused = format!("http://{}/", nowhere.local_addr().expect("bound"));
    drop(nowhere);
    client.get(&refused).send(|result: Result<http::Response<'_>, Error>| drop(result)).expect("to begin");
    poll_until(&mut manager, "the failure", |_| book.closed("request") == 5);
    assert_eq!(book.named("request")[4].field("otel.status_code"), "ERROR");
    let (names, error) = book.events().pop().expect("an error");
    assert!(names == ["request"] && error.contains("refused"), "{names:?} {error}");
}

#[test]
fn what_is_no_request_is_within_its_connection() {
    let book = Book::default();
    book.install(Level::DEBUG);
    let mut manager = Manager::new().expect("a manager");
    let raw = manager
        .tcp("tcp://127.0.0.1:0", |_: &Connection<'_>, event: Event<'_>| {
            tracing::info!("raw {event:?}");
            Ok(())
        })
        .expect("a free port");
    let datagrams = manager
        .udp("udp://127.0.0.1:0", |_: &udp::Socket<'_>, event: udp::Event<'_>| {
            tracing::info!("udp {event:?}");
            Ok(())
        })
        .expect("a free port");
    let messages = manager
        .http("http://127.0.0.1:0", |request: Request<'_>, reply: Reply<'_>| {
            ws::upgrade(request, reply).accept(|_: &ws::Connection<'_>, event: ws::Event<'_>| {
                if let ws::Event::Message(message) = event {
                    tracing::info!("ws {}", message.as_bytes().len());
                }
                Ok(())
            })
        })
        .expect("a free port");
    let mut client = Client::connect(raw.local_addr());
    client.send("x");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.send_to(b"x", datagrams.local_addr()).expect("to send");
    let mut page = Client::connect(messages.local_addr());
    page.send(
        "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    page.send([0x81, 0x83, 0, 0, 0, 0, b'a', b'b', b'c']);
    let told = |said: &str| {
        let events = book.events();
        events.into_iter().find(|(_, event)| event.starts_with(said)).map(|(names, _)| names)
    };
    for said in ["raw Accept", "raw Read", "udp Datagram", "ws 3"] {
        poll_until(&mut manager, said, |_| told(said).is_some());
        assert_eq!(told(said).expect("it was told"), ["connection"], "{said}");
    }
    let connections = book.named("connection");
    let transports =
        |transport| connections.iter().filter(|span| span.field("network.transport") == transport).count();
    assert_eq!((transports("udp"), transports("tcp")), (1, 2));
}
