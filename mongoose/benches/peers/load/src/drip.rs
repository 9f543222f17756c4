//! Clients whose head never ends: a byte of it a second, until the server has had enough and says so.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::reply::unexpected;
use crate::socket::Client;

/// Between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

const HEAD: &[u8] = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";

struct Slow {
    client: Client,
    sent: usize,
    got: Vec<u8>,
}

pub fn run(port: u16, connections: usize) -> Result<(), Box<dyn Error>> {
    let ended = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&ended);
    thread::spawn(move || {
        // Whatever ends it.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        mark.store(true, Ordering::Relaxed);
    });
    let mut slow = Vec::with_capacity(connections);
    for index in 0..connections {
        slow.push(Slow::open(port, index)?);
    }
    println!("open {connections}");
    let (mut opened, mut late) = (connections, 0);
    while !ended.load(Ordering::Relaxed) {
        for (index, slow) in slow.iter_mut().enumerate() {
            if slow.step()? {
                late += 1;
                opened += 1;
                *slow = Slow::open(port, index)?;
            }
        }
        thread::sleep(PAUSE);
    }
    println!("dripped {opened} late {late}");
    Ok(())
}

impl Slow {
    fn open(port: u16, index: usize) -> io::Result<Self> {
        let client = Client::connect(port, index)?;
        client.stream.set_nonblocking(true)?;
        Ok(Self { client, sent: 0, got: Vec::new() })
    }

    /// Sends a byte, unless the server has answered: then whether that is over.
    fn step(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 1024];
        loop {
            match self.client.stream.read(&mut bytes) {
                Ok(0) if self.got.starts_with(b"HTTP/1.1 408 ") => return Ok(true),
                Ok(0) => return Err(unexpected(&String::from_utf8_lossy(&self.got))),
                Ok(count) => self.got.extend(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if self.got.is_empty() {
            let byte = HEAD.get(self.sent).copied().unwrap_or(b'x');
            self.client.stream.write_all(&[byte])?;
            self.sent += 1;
        }
        Ok(false)
    }
}
