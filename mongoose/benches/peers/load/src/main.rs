//! What wrk cannot do: an exact number of requests, and connections that are held.
//!
//! `peer-load requests PORT CONNECTIONS REQUESTS [HEADER]...` sends GET /hello over keep-alive connections, one request at
//! a time on each, and prints `requests N seconds S`.
//!
//! `peer-load hold PORT CONNECTIONS SECONDS` opens connections that each get one reply and stay, for at most that long,
//! and prints `held N seconds S`. A line `close` on its input closes them, the oldest first, and prints
//! `closed N seconds S`; the end of its input resets them.

mod hold;
mod socket;

use std::error::Error;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use socket::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> Result<usize, Box<dyn Error>> {
        let text = arguments.get(index).ok_or("an argument is missing: see the top of main.rs")?;
        Ok(text.parse().map_err(|error| format!("{text}: {error}"))?)
    };
    let port = u16::try_from(number(1)?)?;
    let headers = arguments.get(4..).unwrap_or_default();
    match arguments[0].as_str() {
        "requests" => send(port, number(2)?, number(3)?, headers),
        "hold" => hold::run(port, number(2)?, Duration::from_secs(number(3)? as u64), &request(port, &[])),
        other => Err(format!("{other} is not a mode").into()),
    }
}

/// The request, as wrk writes it.
fn request(port: u16, headers: &[String]) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("GET /hello HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n").into_bytes()
}

fn send(port: u16, connections: usize, requests: usize, headers: &[String]) -> Result<(), Box<dyn Error>> {
    let request = request(port, headers);
    let mut clients = Vec::new();
    for index in 0..connections.min(requests) {
        clients.push(Client::connect(port, index)?);
    }
    let begun = Instant::now();
    let (mut size, mut left) = (0, requests);
    while left > 0 {
        let round = left.min(clients.len());
        for client in &mut clients[..round] {
            client.stream.write_all(&request)?;
        }
        for client in &mut clients[..round] {
            read_reply(&mut client.stream, &mut size)?;
        }
        left -= round;
    }
    println!("requests {requests} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Reads one reply. All are as long as the first: `size`, 0 before it.
fn read_reply(stream: &mut impl Read, size: &mut usize) -> io::Result<()> {
    let mut reply = [0; 4096];
    let mut got = 0;
    while *size == 0 || got < *size {
        let n = stream.read(&mut reply[got..])?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed or its reply is too long",
            ));
        }
        got += n;
        if *size == 0 {
            *size = measure(&reply[..got])?;
        }
    }
    Ok(())
}

/// The length of a reply, 0 while its head is not all there.
fn measure(reply: &[u8]) -> io::Result<usize> {
    let text = String::from_utf8_lossy(reply);
    let Some(end) = text.find("\r\n\r\n") else { return Ok(0) };
    let wrong =
        || io::Error::new(io::ErrorKind::InvalidData, format!("not the reply that was expected: {text:?}"));
    let head = text[..end].to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).ok_or_else(wrong)?;
    let length: usize = length.trim().parse().map_err(|_| wrong())?;
    if head.starts_with("http/1.1 200") { Ok(end + 4 + length) } else { Err(wrong()) }
}
