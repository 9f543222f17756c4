//! R3: query variables of any length come back whole, or the request is refused; they are never cut.

use mongoose::Limits;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server, scaled};

/// Answers the length of the variable `v`, and whether it is what was sent: `ab` over and over.
fn measure(request: Request<'_>, reply: Reply<'_>) -> Result<(), mongoose::Error> {
    let value = request.query_value("v")?.expect("a variable");
    let whole = value.bytes().zip(b"ab".iter().cycle()).all(|(byte, expected)| byte == *expected);
    reply.text(format!("{} {whole}", value.len()))
}

fn value(length: usize) -> String {
    "ab".chars().cycle().take(length).collect()
}

#[test]
fn r3_values_of_255_256_257_and_4_096_bytes_come_back_whole() {
    let server = Server::http(|| measure);
    let mut client = Client::connect(server.address);
    for length in [0, 1, 255, 256, 257, 4096, 65_000] {
        let response = client.get(&format!("/?before=1&v={}&after=2", value(length)));
        assert_eq!(response.text(), format!("{length} true"));
        let escaped = value(length.min(20_000)).replace('a', "%61");
        let response = client.get(&format!("/?v={escaped}"));
        assert_eq!(response.text(), format!("{} true", length.min(20_000)));
    }
}

#[test]
fn r3_a_value_of_1_000_000_bytes_comes_back_whole_where_the_limit_lets_it() {
    let mut limits = Limits::default();
    limits.head = 4 << 20;
    let server = Server::http_within(limits, || measure);
    let length = scaled(1_000_000);
    let mut client = Client::connect(server.address);
    assert_eq!(client.get(&format!("/?v={}", value(length))).text(), format!("{length} true"));
    let escaped = value(length).replace('b', "%62");
    assert_eq!(client.get(&format!("/?v={escaped}")).text(), format!("{length} true"));
}

#[test]
fn r3_by_default_a_value_of_1_000_000_bytes_is_414_and_a_header_431() {
    let server = Server::http(|| measure);
    let long = value(1_000_000);
    let response = Client::connect(server.address).get(&format!("/?v={long}"));
    assert_eq!(response.status, 414);
    let request = format!("GET /?v=ab HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n");
    assert_eq!(Client::connect(server.address).send(request).response().status, 431);
    assert_eq!(Client::connect(server.address).get("/?v=ab").text(), "2 true", "others go on");
}

#[test]
fn r3_the_head_limit_is_exact() {
    let mut limits = Limits::default();
    limits.head = 1000;
    let server = Server::http_within(limits, || measure);
    let frame = "GET /?v= HTTP/1.1\r\nHost: test\r\n\r\n".len();
    for (length, status) in [(1000 - frame, 200), (1001 - frame, 431), (2000, 414)] {
        let response = Client::connect(server.address).get(&format!("/?v={}", value(length)));
        assert_eq!(response.status, status, "{length} bytes");
    }
}
