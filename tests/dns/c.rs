//! C's resolver beside ours: hazards 8 and 52. Each test shows whom C believes, then whom ours does.

use std::cell::RefCell;
use std::ffi::{CString, c_int, c_void};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::mpsc;

use mongoose_sys::*;
use mongoose_tests::raw::Loop;
use mongoose_tests::{PATIENCE, steadily};

use crate::peer::{start, start_on};
use crate::server::addresses;

type Found = Rc<RefCell<Vec<Option<IpAddr>>>>;

/// C's loop, and what its resolver has found.
struct C {
    looping: Loop,
    found: Found,
    /// C keeps a pointer to it.
    _server: CString,
}

impl C {
    fn new(server: SocketAddr) -> Self {
        let mut looping = Loop::new();
        let server = CString::new(format!("udp://{server}")).expect("no NUL");
        // SAFETY: the manager is alive, and the server's name outlives it.
        unsafe { (*looping.as_mut_ptr()).dns4.url = server.as_ptr() };
        Self { looping, found: Found::default(), _server: server }
    }

    /// Has `mg_resolve` begin. By datagrams, so that nobody is connected to afterwards.
    fn begin(&mut self, host: &str) {
        let url = CString::new(format!("udp://{host}:9")).expect("no NUL");
        let found = Rc::as_ptr(&self.found).cast_mut().cast();
        // SAFETY: the manager is alive; the list of what is found outlives its connections.
        let begun = unsafe { mg_connect(self.looping.as_mut_ptr(), url.as_ptr(), Some(note), found) };
        assert!(!begun.is_null(), "C does not begin");
    }

    /// What C takes for the host's address.
    fn resolve(&mut self, host: &str) -> Option<IpAddr> {
        let (before, found) = (self.found.borrow().len(), Rc::clone(&self.found));
        self.begin(host);
        self.looping.poll_until("answer", || found.borrow().len() > before);
        found.borrow()[before]
    }

    /// Waits until C asks at a port from now on.
    fn wait_for_server(&mut self, port: u16) {
        // SAFETY: the connection to the name server was made by the first lookup, and lives as long as the manager.
        let server = unsafe { (*self.looping.as_mut_ptr()).dns4.c };
        // SAFETY: as above.
        self.looping.poll_until("redirection", || unsafe { u16::from_be((*server).rem.port) == port });
    }
}

unsafe extern "C" fn note(connection: *mut mg_connection, event: c_int, _: *mut c_void) {
    // SAFETY: the connection is alive in its handler; its data is the list it was made with, which nobody borrows while C
    // runs.
    unsafe {
        let found = match event as u32 {
            MG_EV_RESOLVE => Some(Ipv4Addr::from((*connection).rem.addr.ip4.to_ne_bytes()).into()),
            MG_EV_ERROR => None,
            _ => return,
        };
        let list = (*connection).fn_data.cast::<RefCell<Vec<Option<IpAddr>>>>();
        (*list).borrow_mut().push(found);
        mg_connection::set_is_closing_raw(connection, 1);
    }
}

const EVIL: IpAddr = IpAddr::V4(Ipv4Addr::new(6, 6, 6, 6));

#[test]
fn c_finds_addresses_too() {
    let server = start(|question| vec![question.answer(0, &["10.0.0.1"])]);
    let found = C::new(server).resolve("host.test");
    assert_eq!(found, Some([10, 0, 0, 1].into()), "what follows is not for want of an answer");
    let server = start(|question| vec![question.answer(3, &[])]);
    assert_eq!(C::new(server).resolve("host.test"), None);
}

#[test]
fn hazard_8_c_believes_whoever_answers() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let server = start_on(socket, |socket, question, from| {
        let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        stranger.send_to(&question.answer(0, &["6.6.6.6"]), from).expect("to send");
        socket.send_to(&question.answer(0, &["10.0.0.1"]), from).expect("to send");
    });
    assert_eq!(C::new(server).resolve("host.test"), Some(EVIL));
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
}

#[test]
fn hazard_8_c_takes_an_answer_to_another_question() {
    let server = start(|question| {
        let mut other = question.answer(0, &["6.6.6.6"]);
        // The first letter of the name asked for.
        other[13] ^= 1;
        vec![other, question.answer(0, &["10.0.0.1"])]
    });
    assert_eq!(C::new(server).resolve("host.test"), Some(EVIL));
    assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
}

#[test]
fn hazard_8_one_datagram_redirects_all_that_c_asks_for() {
    let (heard, askers) = mpsc::channel();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let sender = stranger.try_clone().expect("a handle");
    let server = start_on(socket, move |socket, question, from| {
        socket.send_to(&question.answer(0, &["10.0.0.1"]), from).expect("to send");
        // An answer that nobody asked for, behind the one that is waited for.
        sender.send_to(&[0; 12], from).expect("to send");
        let _ = heard.send(());
    });
    let mut c = C::new(server);
    c.resolve("host.test");
    askers.recv_timeout(PATIENCE).expect("a question");
    let port = stranger.local_addr().expect("bound").port();
    c.wait_for_server(port);
    c.begin("secret.test");
    stranger.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut question = [0; 512];
    let (count, _) = steadily(|| stranger.recv_from(&mut question)).expect("C's next question");
    assert!(question[..count].windows(6).any(|part| part == b"secret"));

    for _ in 0..3 {
        assert_eq!(addresses(server, "host.test"), ["10.0.0.1"]);
    }
    stranger.set_nonblocking(true).expect("an option");
    assert!(stranger.recv_from(&mut question).is_err(), "ours asks whom it was told to");
}

#[test]
fn hazard_8_one_id_of_c_s_tells_the_next() {
    const MANY: usize = 16;
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    silent.set_read_timeout(Some(PATIENCE)).expect("an option");
    let mut c = C::new(silent.local_addr().expect("bound"));
    (0..MANY).for_each(|_| c.begin("host.test"));
    let ids: Vec<u16> = (0..MANY)
        .map(|_| {
            let mut question = [0; 512];
            steadily(|| silent.recv_from(&mut question)).expect("a question");
            u16::from_be_bytes([question[0], question[1]])
        })
        .collect();
    let near = |pair: &[u16]| (1..=256).contains(&pair[1].wrapping_sub(pair[0]));
    assert!(ids.windows(2).all(near), "{ids:?}");
    // Ours: `server::hazard_8_ids_and_ports_differ_from_one_lookup_to_the_next`.
}

#[test]
fn hazard_52_c_takes_the_address_of_another_name() {
    let server = start(|question| {
        let mut other = question.answer(0, &["6.6.6.6"]);
        if let Some(pointer) = other.get_mut(question.message.len() + 1) {
            // To the name's last label alone.
            *pointer = 17;
        }
        vec![other, question.answer(0, &["10.0.0.1"])]
    });
    assert_eq!(C::new(server).resolve("host.test"), Some(EVIL));
    // It is an answer of the server's, and has no record of the name.
    assert_eq!(crate::server::failure(server, "host.test").1, "the host has no address");
}
