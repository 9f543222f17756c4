//! Invariants 6 to 10: what the engine does with connections, and what it never has C do.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use mongoose::{Connection, ConnectionId, Error, Event, Listener, Manager, sys};
use mongoose_tests::{poll_until, scaled};

use crate::harness::{Journal, Noted, Peer, connect_many, settle};

/// The functions of C that an adopted connection, or what a peer sends, must never meet; with a `_` at the end, all that begin so.
const NEVER: [&str; 21] = [
    "mg_mgr_poll",
    "mg_resolve",
    "mg_resolve_cancel",
    "mg_http_start_upload",
    "mg_http_start_ota",
    "mg_dash_",
    "mg_listen",
    "mg_http_listen",
    "mg_connect",
    "mg_http_connect",
    "mg_open_listener",
    "mg_wakeup",
    "mg_timer_",
    "mg_http_serve_",
    "mg_http_parse",
    "mg_io_send",
    "mg_io_recv",
    "mg_http_get_var",
    "mg_http_upload",
    "mg_match",
    "mg_hexdump",
];

#[test]
fn invariant_06_hazard_9_and_10_and_45_no_source_file_calls_what_must_never_be_called() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../mongoose/src");
    let mut folders = vec![std::path::PathBuf::from(root)];
    let (mut files, mut closes) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the crate's source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).expect("text");
            // Comments and `doc(alias)` may name them; a call goes through `sys::`.
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            for (line, code) in (1..).zip(code) {
                for name in NEVER {
                    let call =
                        if name.ends_with('_') { format!("sys::{name}") } else { format!("sys::{name}(") };
                    assert!(!code.contains(&call), "{}:{line}: {code}", path.display());
                }
                closes += usize::from(code.contains("sys::mg_close_conn("));
            }
        }
    }
    assert!(files > 40, "{files} files: the search does not see the crate");
    assert_eq!(closes, 1, "mg_close_conn is called in one place, outside of every callback");
}

#[test]
fn invariant_06_c_s_own_lists_sockets_and_handlers_stay_unused() {
    let mut manager = Manager::new().expect("a manager");
    let looks = Rc::new(Cell::new(0));
    let count = Rc::clone(&looks);
    let function = RefCell::new(Vec::new());
    let look = move |connection: &Connection<'_>, _: Event<'_>| {
        let raw = connection.as_raw();
        // SAFETY: the connection is alive as long as it is borrowed, and its manager is longer.
        unsafe {
            let mgr = (*raw).mgr;
            assert!((*mgr).conns.is_null(), "on C's list");
            assert!((*mgr).timers.is_null(), "on C's timers");
            assert!((*mgr).dns4.c.is_null() && (*mgr).dns6.c.is_null(), "C's resolver");
            assert_eq!((*raw).fd as isize, -1, "a descriptor that C could reach");
            assert!((*raw).pfn.is_none(), "a protocol handler of C's");
            function.borrow_mut().push((*raw).fn_.expect("the engine's") as usize);
        }
        assert!(function.borrow().iter().all(|at| *at == function.borrow()[0]));
        count.set(count.get() + 1);
        if !connection.received().is_empty() {
            connection.close();
        }
        Ok(())
    };
    let listener = manager.tcp("tcp://127.0.0.1:0", look).expect("to listen");
    manager
        .connect(
            &format!("tcp://localhost:{}", listener.local_addr().port()),
            |connection: &Connection<'_>, event: Event<'_>| {
                if let Event::Connect = event { connection.send("x") } else { Ok(()) }
            },
        )
        .expect("to begin");
    let timer = manager.every(std::time::Duration::ZERO, |_| {}).expect("a timer");
    poll_until(&mut manager, "accept, read and close", |manager| {
        looks.get() == 3 && manager.stats().connections == 1
    });
    drop(timer);
}

#[test]
fn invariant_07_each_handler_is_released_once_after_its_close() {
    let count = scaled(300).max(10);
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp_each("tcp://127.0.0.1:0", move || {
            let noted = Noted(log.clone(), "dropped");
            move |connection: &Connection<'_>, event: Event<'_>| {
                match event {
                    Event::Accept => noted.0.note("made"),
                    // In several ways at once.
                    Event::Read => {
                        connection.drain();
                        connection.close();
                        connection.fail("and this");
                    }
                    Event::Close => noted.0.note("close"),
                    _ => {}
                }
                Ok(())
            }
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), count);
    for peer in peers.iter_mut().step_by(2) {
        peer.send("x");
    }
    peers.truncate(count / 2);
    // The rest with the manager.
    settle(&mut manager);
    drop(manager);
    for what in ["made", "close", "dropped"] {
        assert_eq!(journal.count(what), count, "{what}");
    }
    let lines = journal.take();
    let mut open = 0i64;
    for line in &lines {
        open += i64::from(line == "close") - i64::from(line == "dropped");
        assert!(open >= 0, "a handler was dropped before its Close");
    }
}

#[test]
fn invariant_07_connections_outlive_their_listener() {
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let keep = Noted(journal.clone(), "shared handler dropped");
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            let _keep = &keep;
            if let Event::Read = event {
                connection.send(connection.received())?;
                connection.consume(usize::MAX);
            }
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), 3);
    listener.close();
    listener.close();
    poll_until(&mut manager, "the listener to go", |manager| manager.stats().connections == 3);
    assert!(TcpStream::connect(listener.local_addr()).is_err(), "it accepts no more");
    assert!(matches!(manager.connection(listener.id()), Err(Error::Closed)));
    for peer in &mut peers {
        peer.send("still here").expect(&mut manager, "still here");
    }
    assert!(log.is_empty(), "the handler lives as long as a connection has it");
    peers.clear();
    poll_until(&mut manager, "the last to go", |_| log.has("shared handler dropped"));
    assert_eq!(log.take().len(), 1);
}

#[test]
fn invariant_08_a_write_from_close_is_refused_and_reaches_no_other_socket() {
    let rounds = scaled(300).max(5);
    // Another thread opens and closes sockets all the time: each takes the lowest free descriptor, which is the one
    // that was just closed.
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let (started, under_way) = mpsc::channel();
    let opener = thread::spawn(move || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        while !stopping.load(Ordering::Relaxed) {
            let mut ours = TcpStream::connect(address).expect("to connect");
            let (mut theirs, _) = listener.accept().expect("to accept");
            ours.set_nonblocking(true).expect("to set an option");
            theirs.set_nonblocking(true).expect("to set an option");
            for stream in [&mut ours, &mut theirs] {
                let strayed = stream.read(&mut [0; 64]);
                assert!(strayed.is_err(), "a stray write reached another thread's socket");
            }
            let _ = started.send(());
        }
    });
    under_way.recv().expect("the first pair");

    let mut manager = Manager::new().expect("a manager");
    let refused = Rc::new(Cell::new(0));
    let count = Rc::clone(&refused);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => connection.close(),
                Event::Close => {
                    assert!(matches!(connection.send("stray"), Err(Error::Closed)));
                    // Large enough to go to the socket at once, were it sent.
                    assert!(matches!(connection.send([b'x'; 100_000].as_slice()), Err(Error::Closed)));
                    // SAFETY: the connection is alive as long as it is borrowed; the bytes are read during the call.
                    unsafe { sys::mg_send(connection.as_raw(), c"stray".as_ptr().cast(), 5) };
                    assert!(connection.remote_addr().is_some() && connection.local_addr().is_some());
                    assert_eq!(
                        connection.local_addr().map(|it| it.ip()),
                        connection.remote_addr().map(|it| it.ip())
                    );
                    count.set(count.get() + 1);
                }
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    for round in 1..=rounds {
        let mut peer = Peer::connect(listener.local_addr());
        assert!(peer.send("x").until_end(&mut manager).is_empty(), "written after it was closed");
        poll_until(&mut manager, "the close", |_| refused.get() == round);
    }
    stop.store(true, Ordering::Relaxed);
    opener.join().expect("no stray write");
}

#[test]
fn invariant_09_hazard_14_a_batch_that_closes_all_of_itself_frees_nothing_before_its_end() {
    let count = scaled(500).max(10);
    let mut manager = Manager::new().expect("a manager");
    let journal = Journal::default();
    let log = journal.clone();
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Read => {
                    log.note("read");
                    let registry = connection.registry();
                    for id in registry.connections() {
                        let other = registry.connection(id)?;
                        other.close();
                        // Closed, and still there until the batch is over.
                        assert!(!other.as_raw().is_null() && registry.connection(id).is_ok());
                    }
                }
                Event::Close => log.note("close"),
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    let mut peers = connect_many(&mut manager, listener.local_addr(), count);
    for peer in &mut peers {
        peer.send("all ready at once");
    }
    poll_until(&mut manager, "all to go", |manager| manager.stats().connections == 0);
    assert_eq!(journal.count("read"), 1, "a connection that was closed is shown nothing more");
    assert_eq!(journal.count("close"), count);
}

#[test]
fn invariant_09_a_listener_closed_by_its_first_connection_accepts_no_second() {
    let mut manager = Manager::new().expect("a manager");
    let slot: Rc<RefCell<Option<Listener>>> = Rc::default();
    let own = Rc::clone(&slot);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |_: &Connection<'_>, event: Event<'_>| {
            if let Event::Accept = event {
                own.borrow().as_ref().expect("set before the first poll").close();
            }
            Ok(())
        })
        .expect("to listen");
    slot.replace(Some(listener.clone()));
    // All of them wait in the backlog, to be accepted in one batch.
    let _peers: Vec<_> = (0..5).map(|_| Peer::connect(listener.local_addr())).collect();
    poll_until(&mut manager, "the first", |manager| manager.stats().accepted > 0);
    settle(&mut manager);
    assert_eq!((manager.stats().accepted, manager.stats().connections), (1, 1));
}

#[test]
fn invariant_09_closing_each_other_from_close_ends() {
    let count = scaled(200).max(30);
    let mut manager = Manager::new().expect("a manager");
    let ids: Rc<RefCell<Vec<ConnectionId>>> = Rc::default();
    let all = Rc::clone(&ids);
    let closed = Rc::new(Cell::new(0));
    let number = Rc::clone(&closed);
    let listener = manager
        .tcp("tcp://127.0.0.1:0", move |connection: &Connection<'_>, event: Event<'_>| {
            match event {
                Event::Accept => all.borrow_mut().push(connection.id()),
                Event::Close => {
                    number.set(number.get() + 1);
                    // The next one, itself and one that is long gone.
                    let at = all.borrow().iter().position(|id| *id == connection.id()).expect("known");
                    connection.close();
                    if let Some(next) = all.borrow().get(at + 1) {
                        connection.registry().connection(*next)?.close();
                    }
                    if at > 20 {
                        let gone = all.borrow()[at - 20];
                        assert!(connection.registry().connection(gone).map_or(true, |it| {
                            it.close();
                            it.state().contains(mongoose::State::CLOSING)
                        }));
                    }
                }
                _ => {}
            }
            Ok(())
        })
        .expect("to listen");
    let _peers = connect_many(&mut manager, listener.local_addr(), count);
    manager.connection(ids.borrow()[0]).expect("alive").close();
    poll_until(&mut manager, "all to go", |_| closed.get() == count);
    settle(&mut manager);
    assert_eq!((closed.get(), manager.stats().connections), (count, 1));
}
