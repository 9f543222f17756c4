//! WebSocket: echoes, and one message for many.

use std::error::Error;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::reply::unexpected;
use crate::request;
use crate::socket::Client;

const HEADERS: [&str; 4] = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What is published, in bytes.
const NEWS: usize = 1024;

/// What epoll reports at a time.
const BATCH: usize = 256;

/// How long members have to be in the room: not all servers know them when they have answered.
const SETTLING: Duration = Duration::from_millis(300);

pub fn open(port: u16, index: usize, path: &str) -> io::Result<Client> {
    let mut client = Client::connect(port, index)?;
    client.stream.write_all(&request(port, path, &HEADERS.map(str::to_owned)))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let text = String::from_utf8_lossy(&head);
    match text.starts_with("HTTP/1.1 101 ") && text.contains(ACCEPT) {
        true => Ok(client),
        false => Err(unexpected(&text)),
    }
}

/// A binary message in one frame, as a client or a server sends it.
fn frame(payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    frame_of(0x82, payload, key)
}

/// A frame with this first byte: FIN and what kind it is.
pub fn frame_of(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(bit | len as u8),
        len @ 126..65_536 => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    let key = key.inspect(|key| bytes.extend(key)).unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// Each connection sends a message and waits until it is back, all of them side by side.
pub fn echo(port: u16, connections: usize, bytes: usize, limit: Duration) -> Result<(), Box<dyn Error>> {
    let payload: Vec<u8> = (0..bytes).map(|n| n as u8).collect();
    let sent = frame(&payload, Some([0x37, 0xfa, 0x21, 0x3d]));
    let expected = frame(&payload, None);
    let mut clients = Vec::new();
    for index in 0..connections {
        clients.push(open(port, index, "/echo")?);
    }
    let mut got = vec![0; expected.len()];
    let begun = Instant::now();
    let mut messages = 0;
    while messages == 0 || begun.elapsed() < limit {
        for client in &mut clients {
            client.stream.write_all(&sent)?;
        }
        for client in &mut clients {
            client.stream.read_exact(&mut got)?;
            if messages == 0 && got != expected {
                return Err(unexpected("another message").into());
            }
        }
        messages += connections;
    }
    println!("messages {messages} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}

/// All members of a room have to have got a message before the next is published.
pub fn broadcast(port: u16, members: usize, limit: Duration) -> Result<(), Box<dyn Error>> {
    let payload = [b'n'; NEWS];
    let (news, expected) = (frame(&payload, Some([1, 2, 3, 4])), frame(&payload, None));
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut room = Vec::with_capacity(members);
    for index in 0..members {
        let client = open(port, index, "/room")?;
        let data = EventData::new_u64(index as u64);
        epoll::add(&epoll, client.stream.as_fd(), data, EventFlags::IN)?;
        room.push((client, 0));
    }
    let mut publisher = open(port, members, "/publish")?;
    std::thread::sleep(SETTLING);
    let mut bytes = [0; 2 * NEWS];
    let begun = Instant::now();
    let mut messages = 0;
    while messages == 0 || begun.elapsed() < limit {
        publisher.stream.write_all(&news)?;
        let mut waiting = members;
        while waiting > 0 {
            let mut ready = [MaybeUninit::uninit(); BATCH];
            let (ready, _) = epoll::wait(&epoll, &mut ready, None)?;
            for event in ready {
                let (client, got) = &mut room[event.data.u64() as usize];
                let count = client.stream.read(&mut bytes)?;
                if count == 0 || !expected[*got..].starts_with(&bytes[..count]) {
                    return Err(unexpected("another message").into());
                }
                *got = (*got + count) % expected.len();
                waiting -= usize::from(*got == 0);
            }
        }
        messages += members;
    }
    println!("messages {messages} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}
