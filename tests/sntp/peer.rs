//! A time server of our own, which answers what it is told to.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

pub const PACKET: usize = 48;

/// From the beginning of NTP's time to that of Unix's, in seconds.
const UNIX_BEGINS: u64 = 2_208_988_800;

/// The system's time, as NTP writes it.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    ((since.as_secs() + UNIX_BEGINS) << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

/// What an honest server answers that is so many seconds ahead.
pub fn honest(question: &[u8], ahead: i64) -> Vec<u8> {
    assert_eq!(question.len(), PACKET);
    assert_eq!(question[0], 0x23, "version 4, mode 3");
    assert!(question[1..40].iter().all(|byte| *byte == 0), "nothing of ours is told");
    let mut answer = vec![0; PACKET];
    answer[0] = 0x24;
    answer[1] = 3;
    answer[24..32].copy_from_slice(&question[40..]);
    let time = now().wrapping_add_signed(ahead << 32).to_be_bytes();
    answer[32..40].copy_from_slice(&time);
    answer[40..48].copy_from_slice(&time);
    answer
}

/// Starts a server that answers one question with some packets.
pub fn start(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> String {
    start_with(move |socket, question, from| {
        for packet in answer(question) {
            socket.send_to(&packet, from).expect("to send");
        }
    })
}

/// Starts a server that does something at one question.
pub fn start_with(answer: impl Fn(&UdpSocket, &[u8], SocketAddr) + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(mongoose_tests::PATIENCE)).expect("an option");
    let url = format!("udp://{}", socket.local_addr().expect("bound"));
    thread::spawn(move || {
        let mut question = [0; 100];
        if let Ok((count, from)) = mongoose_tests::steadily(|| socket.recv_from(&mut question)) {
            answer(&socket, &question[..count], from);
            // Stays, so that the system does not say that nobody is there.
            let _ = mongoose_tests::steadily(|| socket.recv_from(&mut question));
        }
    });
    url
}
