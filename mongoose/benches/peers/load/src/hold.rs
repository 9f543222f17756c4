//! Many connections at a time, each with one request.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};

use crate::reply::Replies;
use crate::socket::Client;

/// Connections that wait for their reply. Below the shortest listen backlog among the servers (128): past that, the
/// kernel drops handshakes and clients wait a second.
const IN_FLIGHT: usize = 100;

/// A connection that is held.
pub trait Held {
    fn ask(&mut self, request: &[u8]) -> io::Result<()>;
    fn read(&mut self, replies: &mut Replies) -> io::Result<()>;
    fn close(self) -> io::Result<()>;
}

impl Held for Client {
    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.stream, request)
    }

    fn read(&mut self, replies: &mut Replies) -> io::Result<()> {
        replies.read(&mut self.stream).map(drop)
    }

    fn close(self) -> io::Result<()> {
        Self::close(self)
    }
}

pub fn run<H: Held>(
    port: u16,
    connections: usize,
    limit: Duration,
    request: &[u8],
    mut wrap: impl FnMut(Client) -> io::Result<H>,
) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let mut held: VecDeque<H> = VecDeque::with_capacity(connections);
    let (mut answered, mut replies) = (0, Replies::new());
    while answered < connections && begun.elapsed() < limit {
        if held.len() < connections && held.len() - answered < IN_FLIGHT {
            let mut client = wrap(Client::connect(port, held.len())?)?;
            client.ask(request)?;
            held.push_back(client);
        } else {
            held[answered].read(&mut replies)?;
            answered += 1;
        }
    }
    println!("held {answered} seconds {:.6}", begun.elapsed().as_secs_f64());
    for line in io::stdin().lock().lines() {
        let begun = Instant::now();
        match line?.as_str() {
            "ask" => {
                for some in held.make_contiguous().chunks_mut(IN_FLIGHT) {
                    some.iter_mut().try_for_each(|client| client.ask(request))?;
                    some.iter_mut().try_for_each(|client| client.read(&mut replies))?;
                }
                println!("asked {} seconds {:.6}", held.len(), begun.elapsed().as_secs_f64());
            }
            "close" => {
                let closed = held.len();
                while let Some(client) = held.pop_front() {
                    client.close()?;
                }
                println!("closed {closed} seconds {:.6}", begun.elapsed().as_secs_f64());
            }
            _ => {}
        }
    }
    Ok(())
}
