//! What the pieces of the hot path cost: `cargo bench -p mongoose --features bench`.
//!
//! The feature lets the pieces inside be seen, the gate and what writes a reply's head. Without it they show in what they
//! are part of: a batch of pipelined requests is one receive and one send, and so little but gate, handler and reply.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
#[cfg(feature = "bench")]
use mongoose::http::pieces;
use mongoose::http::{Handler, Reply, Request};
use mongoose::{Error, Manager};

const SHORT: &str = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n";

const BROWSER: &str = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Connection: keep-alive\r\nCookie: session=5f0c2b9ad1e84f7c8a31d09b4e; theme=dark\r\n\
    Upgrade-Insecure-Requests: 1\r\n\r\n";

/// Requests in one write.
const BATCH: usize = 64;

/// No reply for so long: all have come.
const PAUSE: Duration = Duration::from_millis(20);

/// Look-ups in one request.
const LOOK_UPS: usize = 10_000;

fn main() {
    divan::main();
}

/// A server and its one client, on this thread.
struct Pair {
    manager: Manager,
    client: TcpStream,
    request: Vec<u8>,
    /// The size of the replies to one write.
    reply: usize,
}

impl Pair {
    fn new(handler: impl Handler, request: &str, batch: usize) -> Self {
        let manager = Manager::new().expect("the system has descriptors");
        let listener = manager.http("http://127.0.0.1:0", handler).expect("a free port");
        let client = TcpStream::connect(listener.local_addr()).expect("it listens");
        client.set_nonblocking(true).expect("a socket can be");
        let mut pair = Self { manager, client, request: request.repeat(batch).into_bytes(), reply: 0 };
        pair.client.write_all(&pair.request).expect("room for a batch");
        loop {
            pair.manager.poll(PAUSE).expect("the selector works");
            match pair.read() {
                0 if pair.reply > 0 => return pair,
                more => pair.reply += more,
            }
        }
    }

    fn read(&mut self) -> usize {
        let mut bytes = [0; 65536];
        self.client.read(&mut bytes).unwrap_or(0)
    }

    /// One write, and all replies to it.
    fn exchange(&mut self) {
        self.client.write_all(&self.request).expect("room for a batch");
        let mut left = self.reply;
        while left > 0 {
            self.manager.poll(None).expect("the selector works");
            left -= self.read();
        }
    }
}

fn hello(_: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.text("Hello, World!")
}

/// A request by itself: two system calls, and the client's.
#[divan::bench]
fn one_request(bencher: Bencher<'_, '_>) {
    let mut pair = Pair::new(hello, SHORT, 1);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| pair.exchange());
}

/// Gate, handler and reply.
#[divan::bench(args = ["short", "browser"])]
fn pipelined_requests(bencher: Bencher<'_, '_>, head: &str) {
    let head = if head == "short" { SHORT } else { BROWSER };
    let mut pair = Pair::new(hello, head, BATCH);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| pair.exchange());
}

/// The last of eight headers, by name.
#[divan::bench]
fn header_look_up(bencher: Bencher<'_, '_>) {
    let handler = |request: Request<'_>, reply: Reply<'_>| {
        for _ in 0..LOOK_UPS {
            black_box(request.header(black_box("upgrade-insecure-requests")));
        }
        reply.text("Hello, World!")
    };
    let mut pair = Pair::new(handler, BROWSER, 1);
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| pair.exchange());
}

/// A connection by its id.
#[divan::bench]
fn connection_look_up(bencher: Bencher<'_, '_>) {
    let handler = |request: Request<'_>, reply: Reply<'_>| {
        let (registry, id) = (request.connection().registry(), request.connection().id());
        for _ in 0..LOOK_UPS {
            black_box(registry.connection(black_box(id)).is_ok());
        }
        reply.text("Hello, World!")
    };
    let mut pair = Pair::new(handler, SHORT, 1);
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| pair.exchange());
}

/// The gate alone, on a head that comes whole.
#[cfg(feature = "bench")]
#[divan::bench(args = ["short", "browser"])]
fn head_parse(bencher: Bencher<'_, '_>, head: &str) {
    let head = if head == "short" { SHORT } else { BROWSER };
    let limits = mongoose::Limits::default();
    assert_eq!(pieces::parse_head(head.as_bytes(), &limits), Some(head.len()));
    bencher.bench_local(|| pieces::parse_head(black_box(head.as_bytes()), &limits));
}

/// What the gate does besides is the difference to this.
#[divan::bench(args = ["short", "browser"])]
fn head_parse_by_httparse_alone(bencher: Bencher<'_, '_>, head: &str) {
    let head = if head == "short" { SHORT } else { BROWSER };
    bencher.bench_local(|| {
        let mut headers = [const { std::mem::MaybeUninit::uninit() }; 128];
        let mut request = httparse::Request::new(&mut []);
        request.parse_with_uninit_headers(black_box(head.as_bytes()), &mut headers).is_ok()
    });
}

/// A body of 64 KB in chunks of a size.
#[cfg(feature = "bench")]
#[divan::bench(args = [16, 1024, 65536])]
fn chunked_body(bencher: Bencher<'_, '_>, size: usize) {
    let chunk = format!("{size:x}\r\n{}\r\n", "x".repeat(size));
    let body = chunk.repeat((64 << 10) / size) + "0\r\n\r\n";
    assert_eq!(pieces::decode_chunked(&mut body.clone().into_bytes()), 64 << 10);
    bencher
        .counter(divan::counter::BytesCount::new(64usize << 10))
        .with_inputs(|| body.clone().into_bytes())
        .bench_local_refs(|body| pieces::decode_chunked(body));
}

/// The head of a small reply.
#[cfg(feature = "bench")]
#[divan::bench]
fn reply_head(bencher: Bencher<'_, '_>) {
    let mut writer = pieces::HeadWriter::new();
    let mut out = Vec::with_capacity(256);
    bencher.bench_local(|| {
        out.clear();
        writer.write(black_box(&mut out));
    });
}

thread_local!(static ARRIVED: Cell<usize> = const { Cell::new(0) });

/// A closure to the loop, from its own thread.
#[divan::bench]
fn post(bencher: Bencher<'_, '_>) {
    let mut manager = Manager::new().expect("the system has descriptors");
    let handle = manager.handle();
    bencher.counter(ItemsCount::new(LOOK_UPS)).bench_local(|| {
        let end = ARRIVED.get() + LOOK_UPS;
        for _ in 0..LOOK_UPS {
            handle.post(|_| ARRIVED.set(ARRIVED.get() + 1)).expect("the manager is there");
        }
        while ARRIVED.get() < end {
            manager.poll(None).expect("the selector works");
        }
    });
}
