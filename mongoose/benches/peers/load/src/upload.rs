//! Large bodies, one behind the other on one connection.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::reply::{Replies, unexpected};
use crate::socket::Client;

/// Bytes in a write.
const PIECE: usize = 256 << 10;

pub fn run(port: u16, bytes: usize, limit: Duration) -> Result<(), Box<dyn Error>> {
    let head = format!("POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {bytes}\r\n\r\n");
    let piece = vec![b'x'; PIECE];
    let mut client = Client::connect(port, 0)?;
    let mut replies = Replies::new();
    let begun = Instant::now();
    let mut uploads = 0;
    while uploads == 0 || begun.elapsed() < limit {
        client.stream.write_all(head.as_bytes())?;
        let mut left = bytes;
        while left > 0 {
            let count = left.min(PIECE);
            client.stream.write_all(&piece[..count])?;
            left -= count;
        }
        // The server says how much it got.
        let reply = replies.read(&mut client.stream)?;
        if !reply.ends_with(format!("\r\n\r\n{bytes}").as_bytes()) {
            return Err(unexpected(&String::from_utf8_lossy(reply)).into());
        }
        uploads += 1;
    }
    println!("uploads {uploads} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}
