//! C's sockets beside ours: hazards 5, 17, 47 and 55. Each test shows C's wrong answer, then the right one.

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_void};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::thread;

use mongoose::{AccessList, Error, Manager};
use mongoose_sys::*;
use mongoose_tests::PATIENCE;
use mongoose_tests::raw::Loop;

/// What a socket of C's is told: the sender of each datagram, and its own end.
type Told = RefCell<Vec<Option<IpAddr>>>;

/// Has C receive datagrams. Answers its port.
fn receive(looping: &mut Loop, url: &CStr, told: &Told) -> u16 {
    let told = (&raw const *told).cast_mut().cast();
    // SAFETY: the manager is alive, and what is told outlives it (each test drops the loop first).
    unsafe {
        let listener = mg_listen(looping.as_mut_ptr(), url.as_ptr(), Some(note), told);
        assert!(!listener.is_null(), "C does not listen");
        u16::from_be((*listener).loc.port)
    }
}

unsafe extern "C" fn note(connection: *mut mg_connection, event: c_int, _: *mut c_void) {
    // SAFETY: the connection is alive in its handler; its data is the list it was made with, which nobody borrows while C
    // runs.
    unsafe {
        let told = match event as u32 {
            MG_EV_READ => {
                (*connection).recv.len = 0;
                let from = (*connection).rem;
                Some(if from.is_ip6 {
                    Ipv6Addr::from(from.addr.ip).into()
                } else {
                    Ipv4Addr::from(from.addr.ip4.to_ne_bytes()).into()
                })
            }
            MG_EV_CLOSE => None,
            _ => return,
        };
        (*(*connection).fn_data.cast::<Told>()).borrow_mut().push(told);
    }
}

#[test]
fn hazard_17_c_closes_a_socket_for_an_empty_datagram() {
    let told = Told::default();
    let mut looping = Loop::new();
    let port = receive(&mut looping, c"udp://127.0.0.1:0", &told);
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    peer.send_to(b"x", ("127.0.0.1", port)).expect("to send");
    looping.poll_until("datagram", || told.borrow().len() == 1);
    peer.send_to(b"", ("127.0.0.1", port)).expect("to send");
    looping.poll_until("end", || told.borrow().len() == 2);
    assert_eq!(*told.borrow(), [Some(Ipv4Addr::LOCALHOST.into()), None]);
    drop(looping);
    // Ours: `udp::hazard_17_an_empty_datagram_is_a_datagram`.
}

#[test]
fn hazard_55_c_knows_half_of_its_first_sender() {
    let told = Told::default();
    let mut looping = Loop::new();
    let port = receive(&mut looping, c"udp://[::1]:0", &told);
    let peer = UdpSocket::bind("[::1]:0").expect("a free port");
    for count in 1..=2 {
        peer.send_to(b"x", ("::1", port)).expect("to send");
        looping.poll_until("datagram", || told.borrow().len() == count);
    }
    let (half, whole) = (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::LOCALHOST.into());
    assert_eq!(*told.borrow(), [Some(half), Some(whole)]);
    drop(looping);
    // Ours: `udp::hazard_55_senders_of_both_families_are_known_by_their_whole_address`.
}

#[test]
fn hazard_47_c_has_no_access_lists_of_ipv6() {
    let list = "+0.0.0.0/0";
    let verdict = |address: &mut mg_addr| {
        let view = mg_str { buf: list.as_ptr().cast_mut().cast(), len: list.len() };
        // SAFETY: both live during the call, which reads as much of the list as there is.
        unsafe { mg_check_ip_acl(view, address) }
    };
    // SAFETY: a plain C struct for which zeroes are valid.
    let mut address: mg_addr = unsafe { std::mem::zeroed() };
    assert_eq!(verdict(&mut address), 1, "IPv4 is let in");
    address.is_ip6 = true;
    address.addr.ip = Ipv6Addr::LOCALHOST.octets();
    assert_eq!(verdict(&mut address), -1, "C has an error for every address of IPv6");

    let list: AccessList = "+0.0.0.0/0,+::1".parse().expect("a list");
    assert!(list.allows(Ipv4Addr::LOCALHOST.into()) && list.allows(Ipv6Addr::LOCALHOST.into()));
    assert!(!list.allows("2001:db8::1".parse().expect("an address")));
}

unsafe extern "C" fn serve(connection: *mut mg_connection, event: c_int, _: *mut c_void) {
    if event as u32 == MG_EV_HTTP_MSG {
        // SAFETY: the connection is alive in its handler, and the texts are ours.
        unsafe { mg_http_reply(connection, 200, c"".as_ptr(), c"in plaintext".as_ptr()) };
    }
}

#[test]
fn hazard_5_c_serves_https_in_plaintext() {
    let mut looping = Loop::new();
    let url = c"https://127.0.0.1:0";
    // SAFETY: the manager is alive; the handler needs no data.
    let port = unsafe {
        let listener = mg_http_listen(looping.as_mut_ptr(), url.as_ptr(), Some(serve), std::ptr::null_mut());
        assert!(!listener.is_null(), "C does not listen");
        u16::from_be((*listener).loc.port)
    };
    let client = thread::spawn(move || {
        let mut socket = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("to connect");
        socket.set_read_timeout(Some(PATIENCE)).expect("an option");
        socket.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").expect("to send");
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer);
        answer
    });
    looping.poll_until("answer", || client.is_finished());
    let answer = client.join().expect("no panic");
    assert!(answer.ends_with("in plaintext"), "{answer:?}");

    let manager = Manager::new().expect("a manager");
    let refuse = |_: mongoose::http::Request<'_>, _: mongoose::http::Reply<'_>| Ok(());
    assert!(matches!(manager.http("https://127.0.0.1:0", refuse), Err(Error::Url { .. })));
}
