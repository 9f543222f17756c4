//! JSON from and to types.

use std::collections::BTreeMap;

use mongoose::Error;
use mongoose::http::{Reply, Request};
use mongoose_tests::{Client, Server};
use serde::{Deserialize, Serialize};

use crate::form_server::post;

#[derive(Debug, Deserialize, Serialize)]
struct Order<'r> {
    #[serde(borrow)]
    article: &'r str,
    count: u64,
    notes: Vec<String>,
}

fn server() -> Server {
    Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| match request.json::<Order<'_>>() {
            Ok(order) => {
                assert!(
                    request.body().as_ptr_range().contains(&order.article.as_ptr()),
                    "a view of the body"
                );
                reply.json(&order)
            }
            Err(Error::Json(error)) => reply.status(400).text(error.to_string()),
            Err(Error::MediaType { expected }) => reply.status(415).text(expected),
            Err(error) => Err(error),
        }
    })
}

#[test]
fn hazard_41_values_come_and_go_as_they_are() {
    let server = server();
    let mut client = Client::connect(server.address);
    // What C's mg_json_* gets wrong: escapes, integers above 2^53, and what stands behind the end.
    let body =
        r#" {"article":"a € b","count":18446744073709551615,"notes":["\u20ac\/\u0000\"","\ud83e\udd8a"]} "#;
    for content_type in ["application/json", "Application/JSON;charset=utf-8", "application/vnd.order+json"] {
        let response = client.send(post("/", content_type, body.as_bytes())).response();
        assert_eq!(response.header("Content-Type"), Some("application/json"));
        assert_eq!(
            response.text(),
            "{\"article\":\"a € b\",\"count\":18446744073709551615,\"notes\":[\"€/\\u0000\\\"\",\"🦊\"]}"
        );
    }
}

#[test]
fn hazard_41_what_is_not_the_json_asked_for_is_a_typed_error() {
    let server = server();
    let mut client = Client::connect(server.address);
    let good = r#"{"article":"a","count":1,"notes":[]}"#;
    let bad = [
        String::new(),
        format!("{good}x"),
        good.replace('1', "-1"),
        good.replace('1', "\"1\""),
        good.replace("count", "number"),
        good.replace('}', ""),
        "[".repeat(100_000),
    ];
    for body in bad {
        let response = client.send(post("/", "application/json", body.as_bytes())).response();
        assert_eq!(response.status, 400, "{body}");
    }
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let response = client.send(post("/", content_type, good.as_bytes())).response();
        assert_eq!((response.status, response.text()), (415, "application/json"), "{content_type}");
    }
}

#[test]
fn a_value_that_cannot_be_json_is_an_error_and_the_type_may_be_another() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/keys" => reply.json(&BTreeMap::from([(vec![1], 2)])),
            _ => reply.status(400).header("Content-Type", "application/problem+json").json("a problem"),
        }
    });
    let mut client = Client::connect(server.address);
    assert_eq!(client.get("/keys").status, 500);
    let response = client.get("/");
    assert_eq!((response.status, response.text()), (400, "\"a problem\""));
    assert_eq!(response.header("Content-Type"), Some("application/problem+json"));
}
