//! Connections that we make.

use std::cell::RefCell;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use mongoose::{Connection, Error, Event, Manager};
use mongoose_tests::poll_until;
use rustix::net;

type Log = Rc<RefCell<Vec<String>>>;

/// Notes each event by name; says hello when connected, and closes after the echo.
fn client(log: &Log) -> impl FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> + 'static {
    let log = Rc::clone(log);
    move |connection, event| {
        match event {
            Event::Connect => {
                log.borrow_mut().push("connect".to_owned());
                connection.send("hello")?;
            }
            Event::Read if connection.received() == b"hello" => {
                log.borrow_mut().push("echo".to_owned());
                connection.consume(usize::MAX);
                connection.drain();
            }
            Event::Error(error) => log.borrow_mut().push(format!("error: {error}")),
            Event::Close => log.borrow_mut().push("close".to_owned()),
            _ => {}
        }
        Ok(())
    }
}

fn echo(connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
    if let Event::Read = event {
        connection.send(connection.received())?;
        connection.consume(usize::MAX);
    }
    Ok(())
}

#[test]
fn connects_to_a_listener_by_address_and_by_name() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", echo).expect("to listen");
    let port = listener.local_addr().port();
    for host in ["127.0.0.1", "localhost"] {
        let log = Log::default();
        manager.connect(&format!("tcp://{host}:{port}"), client(&log)).expect("to begin");
        poll_until(&mut manager, "the end", |_| log.borrow().last().is_some_and(|last| last == "close"));
        assert_eq!(*log.borrow(), ["connect", "echo", "close"], "{host}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_an_error_that_names_the_url() {
    // Bound and not listening: nobody else gets the port meanwhile.
    let reserved = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).expect("a socket");
    net::bind(&reserved, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = SocketAddr::try_from(net::getsockname(&reserved).expect("bound")).expect("of IPv4");
    let mut manager = Manager::new().expect("a manager");
    let url = format!("tcp://{address}");
    let seen = Rc::new(RefCell::new(None));
    let (note, named) = (Rc::clone(&seen), url.clone());
    let id = manager
        .connect(&url, move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Error(error) = event {
                let Error::Connect { url, .. } = error else { panic!("{error}") };
                assert_eq!(*url, named);
                let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
                *note.borrow_mut() = source.map(io::Error::kind);
            }
            Ok(())
        })
        .expect("to begin");
    poll_until(&mut manager, "the error", |manager| manager.connection(id).is_err());
    assert_eq!(*seen.borrow(), Some(io::ErrorKind::ConnectionRefused));
    assert_eq!(manager.stats().connections, 0);
}

#[test]
fn a_host_without_an_address_is_an_error_that_names_the_url() {
    let mut manager = Manager::new().expect("a manager");
    // A label past 63 bytes: no resolver has to be asked.
    let url = format!("tcp://{}.invalid:1", "x".repeat(64));
    let log = Log::default();
    manager.connect(&url, client(&log)).expect("to begin");
    poll_until(&mut manager, "the end", |_| log.borrow().last().is_some_and(|last| last == "close"));
    let log = log.borrow();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log[0].starts_with("error: cannot look up the host of ") && log[0].contains(&url), "{}", log[0]);
}

#[test]
fn a_url_that_cannot_be_connected_to_is_an_error_at_once() {
    let manager = Manager::new().expect("a manager");
    for url in
        ["", "localhost:80", "tcp://", "tcp://h", "tcp://h:99999", "http://h", "tls://h:1", "tcp://h:1/path"]
    {
        let error = manager.connect(url, echo).expect_err(url);
        assert!(matches!(&error, Error::Url { url: named, .. } if named == url), "{url}: {error}");
    }
    assert!(manager.connections().is_empty());
}

#[test]
fn a_connection_that_is_closed_while_it_is_made_ends_quietly() {
    let mut manager = Manager::new().expect("a manager");
    let listener = manager.tcp("tcp://127.0.0.1:0", echo).expect("to listen");
    for name in ["127.0.0.1", "localhost"] {
        let log = Log::default();
        let url = format!("tcp://{name}:{}", listener.local_addr().port());
        let id = manager.connect(&url, client(&log)).expect("to begin");
        manager.connection(id).expect("just made").close();
        poll_until(&mut manager, "the end", |manager| manager.connection(id).is_err());
        assert_eq!(*log.borrow(), ["close"]);
    }
}
