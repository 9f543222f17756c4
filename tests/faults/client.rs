//! Our HTTP client, and a connection that breaks at each of its bytes: no request is made twice that must not be (RFC 9110
//! section 9.2.2), no half of a response is taken for a whole one, and each request has one outcome.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mongoose::http::{Client, Reply, Request, RequestBuilder, Response, ResponseBuf};
use mongoose::{Error, ListenerBuilder, Manager};
use mongoose_tests::{Server, in_own_process, poll_until};

use crate::broken::{at_bytes, wait_until_over};
use crate::descriptors;
use crate::proxy::{Fault, Proxy};

/// A server that says which requests it was asked.
fn site(tell: Sender<String>) -> impl FnMut(Request<'_>, Reply<'_>) -> Result<(), Error> {
    move |request: Request<'_>, reply: Reply<'_>| {
        let asked = format!("{} {}", request.method(), request.path());
        let _ = tell.send(asked.clone());
        reply.text(format!("{asked} has {} bytes", request.body().len()))
    }
}

/// Sends a request and waits for its one outcome.
fn outcome(manager: &mut Manager, request: RequestBuilder<Client>) -> Result<ResponseBuf, Error> {
    let slot = Rc::new(RefCell::new(None));
    let fill = Rc::clone(&slot);
    let handler = move |result: Result<Response<'_>, Error>| {
        let before = fill.borrow_mut().replace(result.map(|response| response.to_buf()));
        assert!(before.is_none(), "told twice");
    };
    request.send(handler)?;
    poll_until(manager, "the outcome of a request", |_| slot.borrow().is_some());
    slot.take().expect("just seen")
}

/// One client's requests over one connection, unless that breaks.
fn exchange(
    manager: &mut Manager,
    client: &Client,
    url: &str,
    asked: &Receiver<String>,
    about: Option<Fault>,
) {
    let mut results = Vec::new();
    for (method, path) in
        [("GET", "/1"), ("POST", "/2"), ("PUT", "/3"), ("POST", "/4"), ("GET", "/5"), ("GET", "/6")]
    {
        let request = client.request(method, &format!("{url}{path}"));
        let request = if method == "GET" { request } else { request.body("a body") };
        results.push((method, path, outcome(manager, request)));
    }
    // Another like the last: the one connection that breaks has done so by now.
    if results.last().is_some_and(|(.., last)| last.is_err()) {
        let next = outcome(manager, client.get(&format!("{url}/next"))).expect("an answer");
        assert_eq!(next.body(), b"GET /next has 0 bytes");
    }
    let asked: Vec<_> = asked.try_iter().collect();
    let mut failures = 0;
    for (method, path, result) in results {
        let count = asked.iter().filter(|one| **one == format!("{method} {path}")).count();
        assert!(
            count <= if method == "POST" { 1 } else { 2 },
            "{about:?}: {method} {path} came {count} times"
        );
        match result {
            Ok(response) => {
                let length = if method == "GET" { 0 } else { 6 };
                let expected = format!("{method} {path} has {length} bytes");
                assert_eq!(response.body(), expected.as_bytes(), "{about:?}");
                assert!(count >= 1, "{about:?}");
            }
            Err(
                Error::Truncated
                | Error::Io { .. }
                | Error::Closed
                | Error::Connect { .. }
                | Error::Tls { .. },
            ) => {
                failures += 1;
            }
            Err(other) => panic!("{about:?}: {other}"),
        }
    }
    // What is idempotent is asked again, so that one break costs one request at most.
    assert!(failures <= usize::from(about.is_some()), "{about:?}: {failures} requests failed");
}

/// Breaks a client's connection to a server behind each `step`th byte.
fn break_at(
    name: &str,
    step: usize,
    scheme: &str,
    listen: impl for<'u> FnOnce(ListenerBuilder<'u>) -> ListenerBuilder<'u> + Send + 'static,
    connect: impl Fn(&Manager) -> Client,
) {
    in_own_process(
        name,
        |_| {},
        || {
            let (tell, asked) = channel();
            let place = format!("{scheme}://127.0.0.1:0");
            let server = Server::start(move |manager| listen(manager.listener(&place)).http(site(tell)));
            let proxy = Proxy::start(server.address);
            let url = format!("{scheme}://{}", proxy.address);
            let mut manager = Manager::new().expect("a manager");
            let mut before = None;
            at_bytes(&proxy, step, |fault| {
                let client = connect(&manager);
                exchange(&mut manager, &client, &url, &asked, fault);
                for id in manager.connections() {
                    manager.connection(id).expect("there").close();
                }
                poll_until(&mut manager, "all to be closed", |manager| manager.stats().connections == 0);
                assert_eq!(client.idle_connections(), 0);
                wait_until_over(&proxy, &server);
                // After the first, which has all there whatever is opened once.
                let open = *before.get_or_insert_with(descriptors::open);
                descriptors::wait_until_back(open);
            });
        },
    );
}

#[test]
fn requests_over_a_connection_that_breaks() {
    let name = "client::requests_over_a_connection_that_breaks";
    break_at(name, 1, "http", |builder| builder, |manager| Client::new(manager));
}

#[cfg(feature = "tls-rustls")]
#[test]
fn requests_over_tls_that_breaks() {
    use mongoose::tls;

    let name = "client::requests_over_tls_that_breaks";
    let certificate = crate::certificate::make();
    let server =
        tls::ServerConfig::from_files(certificate.chain(), certificate.key()).expect("a certificate");
    let client = tls::ClientConfig::roots_file(certificate.chain()).build().expect("a root");
    // A handshake has thousands of bytes, most of them alike.
    break_at(
        name,
        13,
        "https",
        |builder| builder.tls(server),
        |manager| Client::new(manager).with_tls(client.clone()),
    );
}
