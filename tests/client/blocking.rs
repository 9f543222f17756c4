//! Requests without a loop.

use std::time::Duration;

use mongoose::http::{self, Reply, Request};
use mongoose::{Error, Limits};
use mongoose_tests::Server;

fn server() -> Server {
    Server::http(|| {
        let mut unanswered = Vec::new();
        move |request: Request<'_>, reply: Reply<'_>| match request.path() {
            "/echo" => {
                let method = request.method().to_owned();
                reply.header("X-Method", method).body(request.body())
            }
            "/elsewhere" => reply.redirect("/echo"),
            "/large" => reply.body(vec![0; 4 << 20]),
            "/never" => {
                unanswered.push(reply.defer());
                Ok(())
            }
            _ => reply.status(404).text("no such page\n"),
        }
    })
}

#[test]
fn every_method_has_its_function() {
    let server = server();
    let url = format!("http://{}/echo", server.address);
    for (response, method, body) in [
        (http::get(&url), "GET", ""),
        (http::head(&url), "HEAD", ""),
        (http::post(&url, "text"), "POST", "text"),
        (http::put(&url, vec![b'x'; 3]), "PUT", "xxx"),
        (http::delete(&url), "DELETE", ""),
        (http::request("PATCH", &url).header("X-A", "b").reader(&b"read"[..]).send(), "PATCH", "read"),
    ] {
        let response = response.expect("an answer");
        assert_eq!(response.header("x-method").expect("there"), method);
        assert_eq!((response.status(), response.body_str(), response.url()), (200, Ok(body), &*url));
        assert!(response.is_success());
    }
    assert_eq!(server.ask(|registry| registry.stats().accepted), 6);
    server.wait_until("all of them to close", |registry| registry.stats().connections == 1);
}

#[test]
fn a_status_is_no_error() {
    let server = server();
    let response = http::get(&format!("http://{}/nowhere", server.address)).expect("an answer");
    assert_eq!(
        (response.status(), response.reason(), response.body()),
        (404, "Not Found", &b"no such page\n"[..])
    );
    assert!(!response.is_success());
    let response = http::get(&format!("http://{}/elsewhere", server.address)).expect("an answer");
    assert_eq!((response.status(), response.url()), (200, &*format!("http://{}/echo", server.address)));
}

#[test]
fn whatever_goes_wrong_is_an_error() {
    let server = server();
    let base = format!("http://{}", server.address);
    assert!(matches!(http::get(&format!("{base}/large")), Err(Error::Response { .. })));
    let mut limits = Limits::default();
    limits.body = 4 << 20;
    let large = http::request("GET", &format!("{base}/large")).limits(limits).send().expect("an answer");
    assert_eq!(large.into_body().len(), 4 << 20);
    let never = http::request("GET", &format!("{base}/never")).timeout(Duration::from_millis(50)).send();
    assert!(matches!(never, Err(Error::Deadline { .. })), "{never:?}");
    assert!(matches!(http::request("G T", &base).send(), Err(Error::Method(_))));
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    assert!(matches!(http::get(&format!("http://{free}/")), Err(Error::Connect { .. })));
}

#[test]
fn a_handler_may_block_its_own_loop() {
    let origin = server();
    let place = origin.address;
    let asking = Server::http(move || {
        move |_: Request<'_>, reply: Reply<'_>| {
            let response = http::post(&format!("http://{place}/echo"), "asked")?;
            reply.body(response.into_body())
        }
    });
    let response = http::get(&format!("http://{}/", asking.address)).expect("an answer");
    assert_eq!(response.body(), b"asked");
}
