//! What wrk cannot do: an exact number of requests, and connections that are held.
//!
//! `peer-load requests PORT CONNECTIONS REQUESTS PATH [HEADER]...` sends GET over keep-alive connections, one request at a
//! time on each, and prints `requests N seconds S`.
//!
//! `peer-load hold PORT CONNECTIONS SECONDS` opens connections that each get one reply and stay, for at most that long,
//! and prints `held N seconds S`. A line `close` on its input closes them, the oldest first, and prints
//! `closed N seconds S`; a line `ask` has each get one more reply, and prints `asked N seconds S`; the end of its input
//! resets them. `hold-tls` is the same over TLS, whoever the server is.
//!
//! `peer-load upload PORT BYTES SECONDS` posts bodies of that size for that long, one at least, and prints
//! `uploads N seconds S`.
//!
//! `peer-load events PORT SUBSCRIBERS SECONDS` subscribes to server-sent events, has them published for that long, and
//! prints `events N seconds S`: how many arrived.
//!
//! `peer-load echo PORT CONNECTIONS SECONDS BYTES` sends WebSocket messages of that size, one at a time on each, and
//! `peer-load broadcast PORT MEMBERS SECONDS` publishes to all members of a room; both print `messages N seconds S`: how
//! many arrived.
//!
//! `peer-load datagrams PORT SOCKETS SECONDS BYTES` sends datagrams of that size, 16 at a time from each socket, and prints
//! `datagrams N seconds S`: how many came back.
//!
//! For `cargo xtask soak`: `peer-load drip PORT CONNECTIONS` has connections that send a byte of their head a second, until
//! its input ends; then it prints `dripped N late N`: how many there were, and how many of them got their 408.
//! `peer-load churn PORT CONNECTIONS` opens and ends connections in every way, and prints `ended N answered N`.
//! `peer-load websocket-soak PORT SECONDS SEED` does what WebSocket clients may and may not do, and prints
//! `messages N news N pings N deaths N`. All fail at the first reply or message that is not the right one.

mod churn;
mod datagrams;
mod drip;
mod events;
mod hold;
mod reply;
mod secure;
mod socket;
mod upload;
mod websocket;
mod websocket_soak;

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use reply::Replies;
use socket::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> Result<usize, Box<dyn Error>> {
        let text = arguments.get(index).ok_or("an argument is missing: see the top of main.rs")?;
        Ok(text.parse().map_err(|error| format!("{text}: {error}"))?)
    };
    let port = u16::try_from(number(1)?)?;
    let seconds = || Ok::<_, Box<dyn Error>>(Duration::from_secs(number(3)? as u64));
    match arguments[0].as_str() {
        "requests" => {
            let (path, headers) = arguments.get(4..).and_then(<[_]>::split_first).ok_or("no path")?;
            send(port, number(2)?, number(3)?, &request(port, path, headers))
        }
        "hold" => hold::run(port, number(2)?, seconds()?, &request(port, "/hello", &[]), Ok),
        "drip" => drip::run(port, number(2)?),
        "churn" => churn::run(port, number(2)?, &request(port, "/hello", &[])),
        "websocket-soak" => {
            websocket_soak::run(port, Duration::from_secs(number(2)? as u64), number(3)? as u64)
        }
        "hold-tls" => {
            let config = secure::config()?;
            hold::run(port, number(2)?, seconds()?, &request(port, "/hello", &[]), |client| {
                secure::Client::new(client, &config)
            })
        }
        "upload" => upload::run(port, number(2)?, seconds()?),
        "datagrams" => datagrams::run(port, number(2)?, number(4)?, seconds()?),
        "echo" => websocket::echo(port, number(2)?, number(4)?, seconds()?),
        "broadcast" => websocket::broadcast(port, number(2)?, seconds()?),
        "events" => events::run(port, number(2)?, seconds()?),
        other => Err(format!("{other} is not a mode").into()),
    }
}

/// The request, as wrk writes it.
fn request(port: u16, path: &str, headers: &[String]) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n").into_bytes()
}

fn send(port: u16, connections: usize, requests: usize, request: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut clients = Vec::new();
    for index in 0..connections.min(requests) {
        clients.push(Client::connect(port, index)?);
    }
    let begun = Instant::now();
    let (mut replies, mut left) = (Replies::new(), requests);
    while left > 0 {
        let round = left.min(clients.len());
        for client in &mut clients[..round] {
            client.stream.write_all(request)?;
        }
        for client in &mut clients[..round] {
            replies.read(&mut client.stream)?;
        }
        left -= round;
    }
    println!("requests {requests} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}
