//! Mongoose's own TLS as C has it, beside ours: each test shows C's wrong answer, then the right one.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_int, c_void};
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
use mongoose_tests::raw::Loop;

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

/// What a client of C's is told: `None` once the handshake is done, or its error.
type Told = Option<Option<String>>;

/// What C's handlers of one client share.
struct Asking {
    options: mg_tls_opts,
    told: RefCell<Told>,
}

/// Whether a client of C's believes a server to be a host, by an authority.
fn c_believes(address: SocketAddr, host: &str, authority: &str) -> Result<(), String> {
    let view = |text: &str| mg_str { buf: text.as_ptr().cast_mut().cast(), len: text.len() };
    // C copies a name as if a NUL came behind it (hazard 15).
    let name = CString::new(host).expect("no NUL");
    let options = mg_tls_opts {
        name: mg_str { buf: name.as_ptr().cast_mut(), len: host.len() },
        ca: view(authority),
        ..Default::default()
    };
    let asking = Asking { options, told: RefCell::default() };
    let url = CString::new(format!("tcp://{address}")).expect("no NUL");
    let mut looping = Loop::new();
    let shared = (&raw const asking).cast_mut().cast();
    // SAFETY: the manager is alive; texts and what is shared outlive it. C's clock was set by our server, before.
    let begun = unsafe { mg_connect(looping.as_mut_ptr(), url.as_ptr(), Some(ask), shared) };
    assert!(!begun.is_null(), "C does not begin");
    looping.poll_until("end of the handshake", || asking.told.borrow().is_some());
    drop(looping);
    asking.told.take().flatten().map_or(Ok(()), Err)
}

unsafe extern "C" fn ask(connection: *mut mg_connection, event: c_int, data: *mut c_void) {
    // SAFETY: the connection is alive in its handler, and its data outlive it; the data of an error are a text.
    unsafe {
        let asking = (*connection).fn_data.cast::<Asking>();
        let told = match event as u32 {
            MG_EV_CONNECT => return mg_tls_init(connection, &raw const (*asking).options),
            MG_EV_TLS_HS => None,
            MG_EV_ERROR => Some(CStr::from_ptr(data.cast()).to_string_lossy().into_owned()),
            _ => return,
        };
        (*asking).told.borrow_mut().get_or_insert(told);
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

/// Ours, which proves to be what a certificate says.
fn ours_as(name: &str) -> mongoose_tests::Server {
    let config = certificates::server(name);
    mongoose_tests::Server::start(move |manager| {
        manager
            .listener("tls://127.0.0.1:0")
            .tls(config)
            .tcp(|_: &mongoose::Connection<'_>, _: mongoose::Event<'_>| Ok(()))
    })
}

#[test]
fn c_verifies_too() {
    let authority = certificates::read("ca.pem");
    let believes = |name| c_believes(ours_as(name).address, "localhost", &authority);
    assert_eq!(believes("p256"), Ok(()), "what follows is not for want of a client");
    assert_eq!(believes("elsewhere"), Err("failed to verify hostname".to_owned()));
    assert_eq!(believes("stranger"), Err("failed to verify CA".to_owned()));
}

#[test]
fn hazard_1_c_takes_an_address_a_mailbox_and_any_use_for_the_host() {
    let authority = certificates::read("ca.pem");
    let believes = |name| c_believes(ours_as(name).address, "localhost", &authority);
    assert_eq!(believes("address-only"), Ok(()), "for the address alone that it is connected to");
    assert_eq!(believes("mail-only"), Ok(()), "for localhost as a mailbox");
    assert_eq!(believes("for-clients"), Ok(()), "for use by clients alone");
    // Ours: `clients::hazard_1_a_certificate_for_another_host_is_refused`, over rustls. `tls-builtin` verifies nobody, and has
    // no client but behind `dangerous`.
}

#[test]
fn hazard_2_c_goes_on_unverified_where_the_authority_cannot_be_read() {
    let authority = certificates::read("ca.pem");
    let broken = authority.replacen("\nM", "\n!", 1);
    assert_ne!(broken, authority);
    let server = ours_as("stranger");
    assert!(c_believes(server.address, "localhost", &authority).is_err());
    assert_eq!(c_believes(server.address, "localhost", &broken), Ok(()));
    // Ours reads no such thing: as a server's chain here, as a client's roots over rustls, in `clients`.
    let key = certificates::read("p256.key");
    let error = mongoose::tls::ServerConfig::from_pem(&broken, &key).expect_err("it is broken");
    assert!(error.to_string().contains("base64"), "{error}");
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
