//! Subscribers to server-sent events: all have to have got one before the next is asked for.

use std::error::Error;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::reply::{Replies, unexpected};
use crate::request;
use crate::socket::Client;

/// What each event is, as a chunk.
const EVENT: &[u8] = b"60\r\n\
    data: Four score and seven years ago our fathers brought forth on this continent a new nation!\n\n\r\n";

/// What epoll reports at a time.
const BATCH: usize = 256;

struct Subscriber {
    client: Client,
    /// What it has of the event that is being sent.
    got: usize,
}

pub fn run(port: u16, number: usize, limit: Duration) -> Result<(), Box<dyn Error>> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut subscribers = Vec::with_capacity(number);
    for index in 0..number {
        let subscriber = Subscriber::open(port, index)?;
        epoll::add(
            &epoll,
            subscriber.client.stream.as_fd(),
            EventData::new_u64(index as u64),
            EventFlags::IN,
        )?;
        subscribers.push(subscriber);
    }
    let (publish, mut replies) = (request(port, "/publish", &[]), Replies::new());
    let mut publisher = Client::connect(port, number)?;
    let begun = Instant::now();
    let mut events = 0;
    while events == 0 || begun.elapsed() < limit {
        publisher.stream.write_all(&publish)?;
        let mut waiting = number;
        while waiting > 0 {
            let mut ready = [MaybeUninit::uninit(); BATCH];
            let (ready, _) = epoll::wait(&epoll, &mut ready, None)?;
            for event in ready {
                let subscriber = &mut subscribers[event.data.u64() as usize];
                waiting -= usize::from(subscriber.read()?);
            }
        }
        replies.read(&mut publisher.stream)?;
        events += number;
    }
    println!("events {events} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}

impl Subscriber {
    fn open(port: u16, index: usize) -> io::Result<Self> {
        let mut client = Client::connect(port, index)?;
        client.stream.write_all(&request(port, "/events", &[]))?;
        let mut head = [0; 4096];
        let mut got = 0;
        while !head[..got].ends_with(b"\r\n\r\n") {
            match client.stream.read(&mut head[got..])? {
                0 => return Err(unexpected(&String::from_utf8_lossy(&head[..got]))),
                n => got += n,
            }
        }
        let text = String::from_utf8_lossy(&head[..got]).to_ascii_lowercase();
        let parts = [
            "http/1.1 200 ",
            "\r\ncontent-type: text/event-stream\r\n",
            "\r\ntransfer-encoding: chunked\r\n",
        ];
        match parts.iter().all(|part| text.contains(part)) {
            true => Ok(Self { client, got: 0 }),
            false => Err(unexpected(&text)),
        }
    }

    /// Whether the event is all there now.
    fn read(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 256];
        let n = self.client.stream.read(&mut bytes)?;
        if n == 0 || !EVENT[self.got..].starts_with(&bytes[..n]) {
            return Err(unexpected(&String::from_utf8_lossy(&bytes[..n])));
        }
        self.got = (self.got + n) % EVENT.len();
        Ok(self.got == 0)
    }
}
