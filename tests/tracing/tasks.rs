//! Tasks of tokio, whose requests are made on another thread.

use mongoose::http::{self, Reply, Request};
use mongoose::tokio::HttpClient;
use mongoose_tests::Server;
use tracing::{Instrument, Level};

use crate::record::{Book, listen};
use crate::spans::closed;

#[test]
fn a_task_has_its_requests_within_its_span() {
    let book = Book::default();
    let dispatch = book.install(Level::INFO);
    let server = Server::http(move || {
        listen(&dispatch);
        |_: Request<'_>, reply: Reply<'_>| reply.text("here")
    });
    let url = format!("http://{}/", server.address);
    let client = server.ask(|registry| HttpClient::new(registry, http::Client::new(registry)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let request = client.get(&url).send().instrument(tracing::info_span!("task"));
    runtime.block_on(request).expect("an answer");
    closed(&server, &book, "request", 2);
    let ours = book.named("request").into_iter().find(|span| span.field("otel.kind") == "client");
    assert_eq!(book.parent(&ours.expect("one of ours")).expect("a parent").name, "task");
    closed(&server, &book, "task", 1);
}
