//! Many connections at a time, each with one request.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use crate::reply::Replies;
use crate::socket::Client;

/// Connections that wait for their reply. Below the shortest listen backlog among the servers (128): past that, the
/// kernel drops handshakes and clients wait a second.
const IN_FLIGHT: usize = 100;

pub fn run(port: u16, connections: usize, limit: Duration, request: &[u8]) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let mut held: VecDeque<Client> = VecDeque::with_capacity(connections);
    let (mut answered, mut replies) = (0, Replies::new());
    while answered < connections && begun.elapsed() < limit {
        if held.len() < connections && held.len() - answered < IN_FLIGHT {
            let mut client = Client::connect(port, held.len())?;
            client.stream.write_all(request)?;
            held.push_back(client);
        } else {
            replies.read(&mut held[answered].stream)?;
            answered += 1;
        }
    }
    println!("held {answered} seconds {:.6}", begun.elapsed().as_secs_f64());
    for line in io::stdin().lock().lines() {
        if line? == "close" {
            let begun = Instant::now();
            let closed = held.len();
            while let Some(client) = held.pop_front() {
                client.close()?;
            }
            println!("closed {closed} seconds {:.6}", begun.elapsed().as_secs_f64());
        }
    }
    Ok(())
}
