//! On valid requests C's parser and ours see the same.

use std::sync::mpsc;

use mongoose::Error;
use mongoose::http::{Reply, Request};
use mongoose_tests::raw::{self, Message};
use mongoose_tests::{Client, PATIENCE, Random, Server, scaled};

/// A server that tells each request in the terms of C.
fn server() -> (Server, mpsc::Receiver<Message>) {
    let (tell, told) = mpsc::channel();
    let server = Server::http(move || {
        move |request: Request<'_>, reply: Reply<'_>| {
            let headers = request.headers();
            let message = Message {
                result: request.head().len() as i32,
                method: request.method().into(),
                uri: request.path().into(),
                query: request.query().into(),
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.into(), value.as_bytes().to_vec()))
                    .collect(),
                body_len: request.body().len(),
            };
            tell.send(message).map_err(Error::handler)?;
            reply.empty()
        }
    });
    (server, told)
}

/// Visible characters that a target may have.
const TARGET: &[u8] = b"abcXYZ019-._~!$&'()*+,;=:@/%20|^{}[]";
/// A token's.
const TOKEN: &[u8] = b"abcXYZ019!#$%&'*+-.^_`|~";
/// A value's, white space inside included.
const VALUE: &[u8] = b"abcXYZ019 \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x80\xff";

fn pick(random: &mut Random, from: &[u8], least: usize, most: usize) -> Vec<u8> {
    let length = least + random.below(most - least + 1);
    (0..length).map(|_| from[random.below(from.len())]).collect()
}

fn valid_request(random: &mut Random) -> Vec<u8> {
    let methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "REPORT", "a-b"];
    let mut request = methods[random.below(methods.len())].as_bytes().to_vec();
    request.extend_from_slice(b" /");
    request.extend(pick(random, TARGET, 0, 60));
    if random.below(2) == 0 {
        request.push(b'?');
        request.extend(pick(random, TARGET, 0, 60));
    }
    request.extend_from_slice(b" HTTP/1.1\r\nHost: h");
    for _ in 0..random.below(20) {
        request.extend_from_slice(b"\r\nX-");
        request.extend(pick(random, TOKEN, 1, 20));
        request.push(b':');
        request.extend(pick(random, b" ", 0, 3));
        request.extend(pick(random, VALUE, 0, 80).trim_ascii());
        request.extend(pick(random, b" ", 0, 3));
    }
    let body = pick(random, VALUE, 0, 200);
    request.extend_from_slice(format!("\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend(body);
    request
}

fn assert_same(request: &[u8], ours: &Message) {
    assert_eq!(*ours, raw::parse(request), "\n{}", request.escape_ascii());
}

#[test]
fn what_c_sees_of_requests_as_programs_send_them_we_see_too() {
    let (server, told) = server();
    let mut client = Client::connect(server.address);
    for request in [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\nContent-Length: 5\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\na=b&c",
        "GET /search?q=%C3%BC+x&hl=de HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive\r\n\
         sec-ch-ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n\
         Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nSec-Fetch-Site: none\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: de-DE,de;q=0.9\r\n\
         Cookie: a=b; session=\"c d\"\r\nIf-None-Match: W/\"5-abc\"\r\n\r\n",
        "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: 127.0.0.1\r\nUser-Agent: ApacheBench/2.3\r\n\r\n",
        "DELETE /a;b=c/%2e%2e/?x=/?y HTTP/1.1\r\nHost: [::1]:80\r\nX-Empty:\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    ] {
        client.send(request).response();
        assert_same(request.as_bytes(), &told.recv_timeout(PATIENCE).expect("the request"));
    }
}

#[test]
fn what_c_sees_of_2_000_random_valid_requests_we_see_too() {
    let (server, told) = server();
    let mut client = Client::connect(server.address);
    let mut random = Random::new(0x6d6f_6e67_6f6f_7365);
    for _ in 0..scaled(2_000) {
        let request = valid_request(&mut random);
        let response = client.send(&request).response();
        assert_eq!(response.status, 200, "{}: {}", response.text(), request.escape_ascii());
        assert_same(&request, &told.recv_timeout(PATIENCE).expect("the request"));
    }
}
