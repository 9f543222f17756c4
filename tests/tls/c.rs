//! Mongoose's own TLS as C has it, beside ours: each test shows C's wrong answer, then the right one.

use std::ffi::{c_int, c_void};
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use mongoose_sys::*;
use mongoose_tests::PATIENCE;

use crate::certificates;
use crate::peer::Peer;

/// A server on C's own event loop, over C's own TLS. It answers every request with "C".
struct C {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl C {
    fn start(kind: &str) -> Self {
        let chain = certificates::read(&format!("{kind}.pem"));
        let key = certificates::read(&format!("{kind}.key"));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (port, ports) = mpsc::channel();
        let thread = thread::spawn(move || {
            let view = |text: &str| mg_str { buf: text.as_ptr().cast_mut().cast(), len: text.len() };
            let mut options = mg_tls_opts { cert: view(&chain), key: view(&key), ..Default::default() };
            let mut manager = Box::new(MaybeUninit::<mg_mgr>::zeroed());
            let url = c"http://127.0.0.1:0";
            // SAFETY: the manager stays in its box, on this thread; options and texts outlive it; `serve` takes a pointer to
            // options. Nobody else logs, so the level may be set.
            unsafe {
                mg_log_set(MG_LL_NONE as c_int);
                mg_mgr_init(manager.as_mut_ptr());
                let data = (&raw mut options).cast();
                let listener = mg_http_listen(manager.as_mut_ptr(), url.as_ptr(), Some(serve), data);
                assert!(!listener.is_null(), "no listener on the loopback");
                port.send(u16::from_be((*listener).loc.port)).expect("somebody who waits");
                while !stopped.load(Ordering::Relaxed) {
                    mg_mgr_poll(manager.as_mut_ptr(), 1);
                }
                mg_mgr_free(manager.as_mut_ptr());
            }
        });
        let port = ports.recv_timeout(PATIENCE).expect("C to listen");
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), stop, thread: Some(thread) }
    }
}

impl Drop for C {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().expect("one end").join();
        assert!(ended.is_ok() || thread::panicking(), "C's thread panicked");
    }
}

unsafe extern "C" fn serve(connection: *mut mg_connection, event: c_int, _: *mut c_void) {
    // SAFETY: the connection is alive in its handler, and its data are the options that the server was made with.
    unsafe {
        match event as u32 {
            MG_EV_ACCEPT => mg_tls_init(connection, (*connection).fn_data.cast()),
            MG_EV_HTTP_MSG => mg_http_reply(connection, 200, c"".as_ptr(), c"C".as_ptr()),
            _ => {}
        }
    }
}

/// Sends bytes and nothing more, and answers all that comes back.
fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).expect("to connect");
    socket.set_read_timeout(Some(PATIENCE)).expect("to set a time-out");
    socket.write_all(bytes).expect("to send");
    socket.shutdown(Shutdown::Write).expect("to shut down");
    let mut answer = Vec::new();
    // A reset is an answer too.
    let _ = socket.read_to_end(&mut answer);
    answer
}

/// A ClientHello, as a record.
fn hello() -> Vec<u8> {
    Peer::new(C::start("p256").address).records()
}

/// Where the random of a hello is in its record.
const RANDOM: std::ops::Range<usize> = 11..43;

/// Whether openssl finishes a handshake.
fn openssl_succeeds(address: SocketAddr, options: &[&str]) -> bool {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &address.to_string()]).args(options);
    client.stdin(std::process::Stdio::null()).output().expect("openssl").status.success()
}

/// Ours, which answers with "ours".
fn ours() -> mongoose_tests::Server {
    crate::https(|| |_: mongoose::http::Request<'_>, reply: mongoose::http::Reply<'_>| reply.text("ours"))
}

#[test]
fn c_serves_too() {
    let c = C::start("p256");
    assert_eq!(Peer::connect(c.address).get("/").body, b"C", "what follows is not for want of a server");
}

#[test]
fn hazard_25_c_takes_an_rsa_key_and_no_handshake_succeeds() {
    let c = C::start("rsa");
    assert!(!openssl_succeeds(c.address, &[]));
    // Ours: `configuration::hazard_25_each_kind_of_key_is_taken`, and what it says of the others.
}

#[test]
fn hazard_46_a_servers_random_is_its_own() {
    let (c, ours, hello) = (C::start("p256"), ours(), hello());
    let random_of = |address| exchange(address, &hello)[RANDOM].to_vec();
    assert_eq!(random_of(c.address), hello[RANDOM], "C sends the client's back");
    let one = random_of(ours.address);
    assert!(one != hello[RANDOM] && one != random_of(ours.address));
}

/// C's odds of a bad one are 1 in 256.
#[test]
fn hazard_50_c_encodes_some_signatures_wrongly() {
    const MANY: usize = 6_000;
    let c = C::start("p256");
    let failed = (0..MANY).any(|_| {
        let mut peer = Peer::new(c.address);
        peer.shake_hands().is_err()
    });
    assert!(failed, "{MANY} handshakes with C succeeded");
    // Ours: `programs::hazard_50_many_handshakes_all_succeed`, and how signatures are encoded in `tls::builtin::server`.
}

#[test]
fn hazard_60_an_offer_is_read_before_it_is_answered() {
    let (c, ours) = (C::start("p256"), ours());
    let mut others = hello();
    // Behind the random and a session of 32 bytes: TLS_AES_256_GCM_SHA384 alone, however often.
    let length = usize::from(u16::from_be_bytes([others[76], others[77]]));
    for suite in others[78..78 + length].chunks_mut(2) {
        suite.copy_from_slice(&[0x13, 0x02]);
    }
    let suite = |answer: &[u8]| answer[76..78].to_vec();
    assert_eq!(suite(&exchange(c.address, &others)), [0x13, 0x03], "C answers with what was not offered");
    assert_eq!(exchange(ours.address, &others), b"\x15\x03\x03\0\x02\x02\x28", "handshake_failure");

    // Without the session that only looks like TLS 1.2: C sends one back.
    assert!(!openssl_succeeds(c.address, &["-no_middlebox"]));
    assert!(openssl_succeeds(ours.address, &["-no_middlebox"]));
}

#[test]
fn hazard_60_a_hello_may_come_in_several_records() {
    let (c, ours, hello) = (C::start("p256"), ours(), hello());
    // Of a byte each: where C looks for the session's length, there is part of a record's header.
    let pieces: Vec<u8> = hello[5..].iter().flat_map(|&byte| [22, 3, 1, 0, 1, byte]).collect();
    assert_eq!(exchange(c.address, &pieces), b"", "C knows no such thing");
    assert_eq!(exchange(ours.address, &pieces)[..2], [22, 3], "a ServerHello");
}

#[test]
fn hazard_62_new_keys_are_gone_over_to() {
    let ask = |address| {
        let mut peer = Peer::connect(address);
        peer.tls.refresh_traffic_keys().expect("TLS 1.3");
        peer.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        String::from_utf8_lossy(&peer.end().0).into_owned()
    };
    assert_eq!(ask(C::start("p256").address), "", "C opens nothing any more");
    assert!(ask(ours().address).ends_with("ours"));
}
