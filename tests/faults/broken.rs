//! Exchanges over a connection that breaks.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use mongoose_tests::{PATIENCE, Server, steadily};

use crate::proxy::{BOTH_WAYS, Fault, How, Proxy, Way};

/// Sends a request, and answers what comes until `last` does or the connection ends, however it ends.
pub fn converse(address: SocketAddr, request: &[u8], last: Option<&[u8]>) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("to connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    // It may be broken already.
    let _ = stream.write_all(request);
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while last.is_none_or(|last| !received.ends_with(last)) {
        match steadily(|| stream.read(&mut buffer)) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
                break;
            }
        }
    }
    received
}

/// Runs an exchange as often as it has bytes each way, and breaks it once behind each of them by a reset, once by an
/// end. The exchange is run unbroken first, with `None`, which says how many bytes it has.
pub fn at_every_byte(proxy: &Proxy, exchange: impl FnMut(Option<Fault>)) {
    at_bytes(proxy, 1, exchange);
}

/// The same behind each `step`th byte, and behind the last.
pub fn at_bytes(proxy: &Proxy, step: usize, mut exchange: impl FnMut(Option<Fault>)) {
    let before = proxy.passed();
    exchange(None);
    let after = proxy.passed();
    for way in BOTH_WAYS {
        let index = usize::from(way == Way::ToClient);
        let length = after[index] - before[index];
        for how in [How::Reset, How::End] {
            for after in (0..length).step_by(step).chain([length]) {
                let fault = Fault { way, after, how };
                proxy.add(fault);
                exchange(Some(fault));
            }
        }
    }
}

/// Waits until nobody but the listener is left of a server, and nothing of the proxy.
pub fn wait_until_over(proxy: &Proxy, server: &Server) {
    proxy.wait_until_idle();
    server.wait_until("all connections to end", |registry| registry.stats().connections == 1);
}

/// Replies without their time of day.
pub fn undated(mut bytes: Vec<u8>) -> Vec<u8> {
    const DATE: &[u8] = b"\r\nDate: ";
    let starts: Vec<_> = bytes.windows(DATE.len()).enumerate().filter(|(_, found)| *found == DATE).collect();
    for start in starts.into_iter().map(|(start, _)| start + DATE.len()).collect::<Vec<_>>() {
        let end = bytes.len().min(start + 29);
        bytes[start..end].fill(b'x');
    }
    bytes
}

/// What of an answer that broke off after so many bytes has to have come, and does it.
pub fn assert_cut(got: &[u8], whole: &[u8], fault: Fault) {
    assert_eq!(fault.way, Way::ToClient);
    let expected = &whole[..fault.after];
    match fault.how {
        How::End => assert!(got == expected, "{fault:?}: {} of {} bytes", got.len(), expected.len()),
        // What had arrived may be lost to the reset.
        _ => assert!(expected.starts_with(got), "{fault:?}: {:?}", String::from_utf8_lossy(got)),
    }
}
