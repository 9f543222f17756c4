//! Requests that one server takes for one message and another for two: the answer is the same however they are split.

use std::io::Write;

use mongoose::Error;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Random, Server, scaled};

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// Status and, of a request that was handled, what the handler saw.
type Answers = Vec<(u16, String)>;

fn describe(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    reply.text(format!("{} {} {}", request.method(), request.path(), request.body().escape_ascii()))
}

/// Sends pieces one by one, for as long as the server takes them, and reads all answers.
fn answers(server: &Server, pieces: &[&[u8]]) -> Answers {
    let mut client = Client::connect(server.address);
    let before = server.ask(|registry| registry.stats().received);
    let mut total = before;
    for piece in pieces {
        if client.stream().write_all(piece).is_err() {
            break;
        }
        total += piece.len() as u64;
        if pieces.len() > 1 {
            server.wait_until("the server to read a piece or to close", move |registry| {
                registry.stats().received >= total || registry.stats().connections == 1
            });
        }
    }
    // The server may have closed already.
    let _ = client.stream().shutdown(std::net::Shutdown::Write);
    let text = String::from_utf8(client.to_end()).expect("text");
    server.wait_until("the connection to end", |registry| registry.stats().connections == 1);
    text.split("HTTP/1.1 ").skip(1).map(answer).collect()
}

fn answer(text: &str) -> (u16, String) {
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    let status = head[..3].parse().expect("a status");
    (status, if status == 200 { body.to_owned() } else { String::new() })
}

/// Requests of which each is followed by one for `/next`, what is to be answered to the first, and whether the second
/// is then answered, too.
fn corpus() -> Vec<(String, u16, &'static str, bool)> {
    let post = |headers: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n{body}");
    let chunked = |body: &str| post("Transfer-Encoding: chunked", body);
    let refused = |request: String| (request, 400, "", false);
    let mut corpus = vec![
        // Two framings at once.
        refused(post("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG")),
        refused(post("Transfer-Encoding: chunked\r\nContent-Length: 4", "1\r\nx\r\n0\r\n\r\n")),
        refused(post("Content-Length: 5\r\nContent-Length: 6", "12345")),
        refused(post("Content-Length: 5\r\ncontent-length: 5", "12345")),
        refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n")),
        refused(post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        // Names and values that some read and some do not.
        refused(post("Transfer-Encoding : chunked", "0\r\n\r\n")),
        refused(post(" Transfer-Encoding: chunked", "0\r\n\r\n")),
        refused(post("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n")),
        refused(post("X: y\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        refused(post("X: y\rTransfer-Encoding: chunked", "0\r\n\r\n")),
        refused(post("X: y\0\r\nContent-Length: 0", "")),
        refused(post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        refused(post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n")),
        refused(post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
        refused(post("Transfer-Encoding:\u{b}chunked", "0\r\n\r\n")),
        refused(post("Transfer-Encoding: chunked;q=1", "0\r\n\r\n")),
        refused(post("Transfer-Encoding:", "0\r\n\r\n")),
        (post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501, "", false),
        (post("Transfer-Encoding: \tCHUNKED\t ", "1\r\nx\r\n0\r\n\r\n"), 200, "POST / x", true),
        (
            post("Transfer_Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
            200,
            "POST / 0\\r\\n\\r\\n",
            true,
        ),
        // Lengths.
        refused(post("Content-Length: +5", "12345")),
        refused(post("Content-Length: -5", "12345")),
        refused(post("Content-Length: 0x5", "12345")),
        refused(post("Content-Length: 5,5", "12345")),
        refused(post("Content-Length: 5 5", "12345")),
        refused(post("Content-Length: 5.0", "12345")),
        refused(post("Content-Length: ", "12345")),
        refused(post("Content-Length: 18446744073709551615", "12345")),
        refused(post("Content-Length: 18446744073709551621", "12345")),
        (post("Content-Length:  0005 ", "12345"), 200, "POST / 12345", true),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /".to_owned(), 200, "GET / GET /", true),
        ("POST / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 200, "POST / ", true),
        (post("Content-Length: 0", "\r\n"), 200, "POST / ", true),
        refused("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        // Chunks.
        (chunked("5\r\nGET /\r\n0\r\n\r\n"), 200, "POST / GET /", true),
        (chunked("5 ;x=\"0\"\r\nGET /\r\n00\r\nContent-Length: 9\r\n\r\n"), 200, "POST / GET /", true),
        refused(chunked("5\nGET /\r\n0\r\n\r\n")),
        refused(chunked("5\r\nGET /\n0\r\n\r\n")),
        refused(chunked("5;x\nGET /\r\n0\r\n\r\n")),
        refused(chunked("5;x\ry\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("5\r\nGET /x\r\n0\r\n\r\n")),
        refused(chunked("0x5\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked(" 5\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("+5\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("-1\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("10000000000000005\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("\r\nGET /\r\n0\r\n\r\n")),
        refused(chunked("0\r\nX : y\r\n\r\n")),
        refused(chunked("0\r\nX: y\n\r\n")),
        (chunked("ffffffffffffffff\r\nGET /\r\n0\r\n\r\n"), 413, "", false),
        // The request line.
        refused("GET / HTTP/1.1 \r\nHost: h\r\n\r\n".to_owned()),
        refused("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        refused("GET / x HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        refused("GET / HTTP/1.1\r\nHost: h\r\nHost: other\r\n\r\n".to_owned()),
        refused("GET http://h@other/ HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        ("GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 200, "GET /x ", true),
        ("GET / HTTP/1.3\r\nHost: h\r\n\r\n".to_owned(), 505, "", false),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505, "", false),
    ];
    let filler: String = (0..127).map(|n| format!("X-{n}: y\r\n")).collect();
    corpus.push((post(&format!("{filler}Content-Length: 5"), "GET /"), 431, "", false));
    corpus
}

#[test]
fn smuggling_requests_are_answered_alike_whole_byte_by_byte_and_at_random_splits() {
    let server = Server::http(|| describe);
    let mut random = Random::new(7230);
    for (request, status, seen, goes_on) in corpus() {
        let mut expected: Answers = vec![(status, seen.to_owned())];
        if goes_on {
            expected.push((200, "GET /next ".to_owned()));
        }
        let bytes = [request.as_bytes(), NEXT.as_bytes()].concat();
        assert_eq!(answers(&server, &[&bytes]), expected, "whole: {request:?}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(answers(&server, &single), expected, "byte by byte: {request:?}");
        for _ in 0..scaled(10) {
            let pieces = random.split(&bytes, 8);
            assert_eq!(answers(&server, &pieces), expected, "in {} pieces: {request:?}", pieces.len());
        }
    }
}
