//! HTTP over the loopback, driven by C's own event loop.

mod support;

use std::ffi::{CStr, CString, c_int, c_void};
use std::thread;

use mongoose_sys::*;
use support::{Client, Manager, connect, listen, poll_until, scaled};

#[test]
fn a_server_and_a_client_manager_share_a_thread() {
    let mut client = Client { path: c"/hello?a=1".to_owned(), ..Client::default() };
    let (mut server, mut clients) = (Manager::new(), Manager::new());
    let url = listen(&mut server);
    let client_ptr: *mut Client = &mut client;
    connect(&mut clients, &url, client_ptr);
    // SAFETY: polling is what writes the client, and it is not going on when `done` looks.
    poll_until(&mut [&mut server, &mut clients], || unsafe { (*client_ptr).closed });
    drop((server, clients));
    assert_eq!(client.body.as_deref(), Some(&b"/hello"[..]));
    assert!(!client.error);
}

/// Upstream's promise: managers share nothing, so threads that own one each need no lock.
#[test]
fn r1_eight_threads_poll_a_manager_each() {
    const THREADS: usize = 8;
    let each = scaled(10_000).div_ceil(THREADS);
    let threads: Vec<_> = (0..THREADS).map(|thread| thread::spawn(move || requests(thread, each))).collect();
    for thread in threads {
        thread.join().expect("no thread may panic");
    }
}

/// Makes `count` requests, some at a time, to a server on the same manager.
fn requests(thread: usize, count: usize) {
    const AT_A_TIME: usize = 16;
    let mut answered = 0;
    while answered < count {
        let batch = AT_A_TIME.min(count - answered);
        let mut clients: Vec<Client> = (answered..answered + batch)
            .map(|request| Client {
                path: CString::new(format!("/{thread}/{request}")).expect("no NUL in it"),
                ..Client::default()
            })
            .collect();
        let base = clients.as_mut_ptr();
        let mut manager = Manager::new();
        let url = listen(&mut manager);
        for i in 0..batch {
            connect(&mut manager, &url, base.wrapping_add(i));
        }
        // SAFETY: polling is what writes the clients, and it is not going on when `done` looks.
        poll_until(&mut [&mut manager], || (0..batch).all(|i| unsafe { (*base.add(i)).closed }));
        drop(manager);
        for client in clients {
            assert_eq!(client.body.as_deref(), Some(client.path.as_bytes()));
        }
        answered += batch;
    }
}

#[test]
fn mg_sys_error_takes_its_message_as_text() {
    unsafe extern "C" fn keep(connection: *mut mg_connection, event: c_int, data: *mut c_void) {
        if event as u32 == MG_EV_ERROR {
            // SAFETY: with this event the data is a C string; `fn_data` is the test's `String`.
            unsafe {
                let text = CStr::from_ptr(data.cast()).to_str().expect("ASCII");
                (*(*connection).fn_data.cast::<String>()).push_str(text);
            }
        }
    }

    let mut seen = String::new();
    let mut manager = Manager::new();
    let url = c"tcp://127.0.0.1:0".as_ptr();
    // SAFETY: a valid manager, static strings, and a `String` that outlives the manager.
    unsafe {
        let listener = mg_listen(manager.as_ptr(), url, Some(keep), (&raw mut seen).cast());
        assert!(!listener.is_null());
        mg_sys_error(listener, c"%s%n%d".as_ptr());
        assert_ne!(mg_connection::is_closing_raw(listener), 0);
        mg_mgr_poll(manager.as_ptr(), 0);
        assert!((*manager.as_ptr()).conns.is_null());
    }
    drop(manager);
    assert_eq!(seen, "%s%n%d");
}
