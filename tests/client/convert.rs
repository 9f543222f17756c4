//! Requests and responses as others' types: JSON by serde, and the `http` crate's.

use std::collections::BTreeMap;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{StatusCode, Version};
use mongoose::http::{Response, ResponseBuf, get, request, request_from};
use mongoose::{Error, Payload};
use mongoose_tests::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::scene::{Answer, Scene, ok};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Note<'n> {
    text: &'n str,
    number: u64,
}

/// Answers the request's head and body as it came.
fn mirror() -> Server {
    Server::http(|| {
        |request: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| {
            let content_type = request.header("Content-Type").map(|value| value.as_bytes().to_vec());
            reply
                .header("Content-Type", content_type.unwrap_or_default())
                .header("X-Head", request.head().len().to_string())
                .header("X-Twice", "1")
                .header("X-Twice", b"\xe4")
                .body([request.head(), request.body()].concat())
        }
    })
}

/// What came behind the head of a request.
fn split(response: &ResponseBuf) -> (String, &[u8]) {
    let head =
        response.header("X-Head").and_then(|length| length.to_str().ok()?.parse().ok()).expect("a length");
    let (head, body) = response.body().split_at(head);
    (String::from_utf8(head.to_vec()).expect("a head of text"), body)
}

#[test]
fn a_value_is_sent_as_json_and_says_so_once() {
    let server = mirror();
    let url = format!("http://{}/", server.address);
    let note = Note { text: "\u{20ac} \"\0", number: u64::MAX };

    let response = request("POST", &url).json(&note).send().expect("an answer");
    let (head, body) = split(&response);
    assert_eq!(head.matches("Content-Type: application/json\r\n").count(), 1, "{head}");
    assert_eq!(
        serde_json::from_slice::<Value>(body).expect("JSON"),
        json!({"text": note.text, "number": u64::MAX})
    );
    // A header of choice, before or behind.
    for builder in [
        request("PUT", &url).header("content-type", "application/note+json").json(&note),
        request("PUT", &url).json(&note).header("content-type", "application/note+json"),
    ] {
        let response = builder.send().expect("an answer");
        assert_eq!(response.header("Content-Type").expect("one"), "application/note+json");
        assert_eq!(split(&response).0.to_ascii_lowercase().matches("content-type").count(), 1);
    }
    // The last body counts, and brings its own type.
    let response = request("PUT", &url).json(&note).body("text").send().expect("an answer");
    assert!(!split(&response).0.contains("Content-Type") && split(&response).1 == b"text");

    let unnamed = BTreeMap::from([((1, 2), "a key that is no text")]);
    assert!(matches!(request("POST", &url).json(&unnamed).send(), Err(Error::Handler(_))));
}

#[test]
fn a_response_is_read_as_json_whatever_it_says_it_is() {
    let server = Server::http(|| {
        |request: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| match request.path() {
            "/note" => reply.text(r#"{"text":"short","number":7}"#),
            _ => reply.json_text("[1,2"),
        }
    });
    let url = format!("http://{}/note", server.address);
    let response = get(&url).expect("an answer");
    let note: Note<'_> = response.json().expect("JSON");
    assert_eq!(note, Note { text: "short", number: 7 });
    assert!(response.body().as_ptr_range().contains(&note.text.as_ptr()), "a view of the body");
    assert!(matches!(response.json::<Vec<u8>>(), Err(Error::Json(_))));
    let cut = get(&format!("http://{}/cut", server.address)).expect("an answer");
    assert!(matches!(cut.json::<Vec<u8>>(), Err(Error::Json(_))));

    // On the loop it borrows from the receive buffer.
    let mut scene = Scene::new();
    let answer = Answer::default();
    let keep = answer.handler();
    let client = scene.client.clone();
    let url = scene.url("/");
    client
        .get(&url)
        .send(move |result: Result<Response<'_>, Error>| {
            if let Ok(response) = &result {
                let note: Note<'_> = response.json().expect("JSON");
                assert!(response.body().as_ptr_range().contains(&note.text.as_ptr()), "a view");
            }
            keep(result);
        })
        .expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(ok(r#"{"text":"a","number":1}"#));
    assert!(scene.outcome(&answer).is_ok());
}

#[test]
fn a_request_of_the_http_crate_is_sent_as_it_is_but_for_its_framing() {
    let server = mirror();
    let request = || http::Request::post(format!("http://{}/a%20b?c=d", server.address));
    let response = request_from(
        request()
            .version(Version::HTTP_2)
            .header("X-One", "1")
            .header("X-One", "2")
            .header(CONTENT_LENGTH, "4")
            .header(TRANSFER_ENCODING, "chunked")
            .header(CONNECTION, "te, Close")
            .header(EXPECT, "100-Continue")
            .header("Host", "another.example")
            .body("body")
            .expect("a request"),
    );
    let response = response.send().expect("an answer");
    let (head, body) = split(&response);
    assert!(head.starts_with("POST /a%20b?c=d HTTP/1.1\r\nHost: another.example\r\n"), "{head}");
    for line in ["x-one: 1", "x-one: 2", "Content-Length: 4", "Connection: close", "Expect: 100-continue"] {
        assert_eq!(head.matches(&format!("{line}\r\n")).count(), 1, "{line}: {head}");
    }
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding") && body == b"body", "{head}");

    // Nothing to send is no body.
    let nothing = http::Request::get(format!("http://{}/", server.address)).body("").expect("a request");
    let response = request_from(nothing).send().expect("an answer");
    assert!(!split(&response).0.contains("Content-Length"), "{}", split(&response).0);

    for length in ["5", "x"] {
        let wrong = request().header(CONTENT_LENGTH, length).body("body").expect("a request");
        assert!(matches!(request_from(wrong).send(), Err(Error::Body(_))), "{length}");
    }
    let nowhere = http::Request::get("/path").body("").expect("a request");
    assert!(matches!(request_from(nowhere).send(), Err(Error::Url { .. })));
    let star = http::Uri::builder().scheme("http").authority("127.0.0.1").path_and_query("*").build();
    if let Ok(star) = star {
        let asked = http::Request::options(star).body("").expect("a request");
        assert!(matches!(request_from(asked).send(), Err(Error::Url { .. })));
    }
    let unknown = request().header(EXPECT, "much").body("").expect("a request");
    assert!(matches!(request_from(unknown).send(), Err(Error::Header { .. })));
}

#[test]
fn a_response_becomes_one_of_the_http_crate() {
    let server = mirror();
    let url = format!("http://{}/", server.address);
    let response = get(&url).expect("an answer");
    let at = response.body().as_ptr();
    let length = response.body().len();
    let converted = http::Response::<Vec<u8>>::try_from(response).expect("a response");
    assert_eq!((converted.status(), converted.body().len()), (StatusCode::OK, length));
    assert_eq!(converted.body().as_ptr(), at, "no copy");
    let twice: Vec<_> = converted.headers().get_all("x-twice").iter().map(|value| value.as_bytes()).collect();
    assert_eq!(twice, [&b"1"[..], b"\xe4"]);

    let mut scene = Scene::new();
    let answer = Answer::default();
    let keep = answer.handler();
    let url = scene.url("/");
    scene
        .client
        .request_from(http::Request::get(url).body(Payload::from_static(b"")).expect("a request"))
        .send(move |result: Result<Response<'_>, Error>| {
            if let Ok(response) = &result {
                let viewed: http::Response<&[u8]> = response.to_http().expect("a response");
                assert_eq!((viewed.status().as_u16(), viewed.version()), (418, Version::HTTP_10));
                assert_eq!(viewed.body().as_ptr(), response.body().as_ptr(), "a view");
                let copied = http::Response::<Vec<u8>>::try_from(*response).expect("a response");
                assert_eq!((copied.headers(), &copied.body()[..]), (viewed.headers(), *viewed.body()));
            }
            keep(result);
        })
        .expect("to begin");
    let mut peer = scene.accept();
    scene.head(&mut peer);
    peer.send(b"HTTP/1.0 418 short and stout\r\nContent-Length: 3\r\nA: b\r\na: c\r\n\r\ntea");
    assert!(scene.outcome(&answer).is_ok());
}
