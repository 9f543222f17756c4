//! What a peer gets where a handler gives up on a request with an error of this crate.

use mongoose::http::{BodyMode, MultipartParser, Reply, Request, Router, Upload};
use mongoose::{Connection, Error};
use mongoose_tests::{Client, Server};

use crate::form_server::post;

struct Parsing(MultipartParser);

impl Upload for Parsing {
    fn data(&mut self, _: &Connection<'_>, mut piece: &[u8]) -> Result<(), Error> {
        while self.0.next(&mut piece)?.is_some() {}
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.0.finish()?;
        reply.text("whole")
    }
}

fn router() -> Result<Router, Error> {
    Router::new()
        .post("/form", |request, _, reply| {
            reply.text(request.form()?.value("a")?.unwrap_or_default().into_owned())
        })?
        .post("/multipart", |request, _, reply| {
            let parts = request.multipart()?.max_parts(1).collect::<Result<Vec<_>, _>>()?;
            reply.text(parts.len().to_string())
        })?
        .route("POST", "/streamed", BodyMode::Streamed, |request, _, reply| {
            reply.receive(Parsing(request.multipart_parser()?.max_parts(1)))
        })?
        .post("/json", |request, _, reply| reply.text(request.json::<u64>()?.to_string()))?
        .get("/path/{id}", |_, params, reply| reply.text(params.parse::<u64>("id")?.to_string()))?
        .get("/refused", |_, _, _| Err(Error::Refused { status: 451, reason: "the law" }))?
        .get("/no-status", |_, _, _| Err(Error::Refused { status: 200, reason: "no refusal" }))?
        .get("/own", |_, _, _| Err(Error::handler("broken")))
}

#[test]
fn a_request_that_is_not_what_was_asked_for_is_not_an_error_of_the_server() {
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=x";
    const PART: &str = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    let server = Server::http(|| router().expect("a router"));
    let ask = |path: &str, content_type: &str, body: &str| {
        Client::connect(server.address).send(post(path, content_type, body.as_bytes())).response().status
    };
    for (path, content_type, body, status) in [
        ("/form", URLENCODED, "a=1", 200),
        ("/form", URLENCODED, "a=%", 400),
        ("/form", "text/plain", "a=1", 415),
        ("/json", "application/json", "1", 200),
        ("/json", "application/json", "-1", 400),
        ("/json", "text/plain", "1", 415),
    ] {
        assert_eq!(ask(path, content_type, body), status, "{path} {content_type} {body}");
    }
    for path in ["/multipart", "/streamed"] {
        for (content_type, body, status) in [
            (MULTIPART, format!("{PART}--x--"), 200),
            (MULTIPART, PART.to_owned(), 400),
            (MULTIPART, "--x\r\n\r\n".to_owned(), 400),
            (MULTIPART, format!("{PART}{PART}--x--"), 413),
            ("multipart/form-data", format!("{PART}--x--"), 400),
            (URLENCODED, format!("{PART}--x--"), 415),
        ] {
            assert_eq!(ask(path, content_type, &body), status, "{path} {content_type} {body:?}");
        }
    }
    let mut client = Client::connect(server.address);
    let paths = [("/path/7", 200), ("/path/x", 404), ("/refused", 451), ("/no-status", 500), ("/own", 500)];
    for (path, status) in paths {
        assert_eq!(client.get(path).status, status, "{path}");
    }
}

#[test]
fn a_reply_that_was_sent_before_the_error_stays() {
    let server = Server::http(|| {
        |request: Request<'_>, reply: Reply<'_>| {
            reply.text("sent")?;
            request.form().map(|_| ())
        }
    });
    assert_eq!(Client::connect(server.address).get("/").text(), "sent");
}
