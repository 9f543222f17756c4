//! WebSocket as it comes: messages of every size in one frame or several, pings between them, readers that fall behind,
//! and clients that are gone in the middle of a frame.

use std::error::Error;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::reply::unexpected;
use crate::socket::Client;
use crate::websocket::{frame_of, open};

/// Connections that have their messages sent back.
const ECHOES: usize = 32;

/// Connections that get what is published, and how many of them fall behind.
const MEMBERS: usize = 64;
const SLOW: usize = 8;

/// How much the slow ones fall behind, in messages: all of it is far less than the server lets wait for one.
const BEHIND: u64 = 500;

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

/// Numbers that follow from the seed (xorshift).
pub struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }

    /// As often of one length in bits as of another.
    fn size(&mut self) -> usize {
        let most = 1 << (1 + self.below(17));
        self.below(most)
    }

    fn key(&mut self) -> Option<[u8; 4]> {
        Some((self.below(1 << 32) as u32).to_ne_bytes())
    }
}

#[derive(Default)]
struct Counts {
    messages: u64,
    news: u64,
    pings: u64,
    deaths: u64,
}

pub fn run(port: u16, limit: Duration, seed: u64) -> Result<(), Box<dyn Error>> {
    let echoes = thread::spawn(move || echoes(port, limit, Random(seed | 1)));
    let room = room(port, limit, Random((seed << 1) | 1))?;
    let echoes = echoes.join().map_err(|_| "the echoes panicked")??;
    println!(
        "messages {} news {} pings {} deaths {}",
        echoes.messages,
        room.news,
        echoes.pings + room.pings,
        echoes.deaths + room.deaths
    );
    Ok(())
}

fn echoes(port: u16, limit: Duration, mut random: Random) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut clients = Vec::new();
    for index in 0..ECHOES {
        clients.push(open(port, index, "/echo")?);
    }
    let end = Instant::now() + limit;
    while Instant::now() < end {
        let index = random.below(ECHOES);
        match random.below(40) {
            0 => {
                die(&mut clients[index], &mut random)?;
                clients[index] = open(port, index, "/echo")?;
                counts.deaths += 1;
            }
            1 => {
                close(&mut clients[index], &mut random)?;
                clients[index] = open(port, index, "/echo")?;
            }
            _ => echo(&mut clients[index], &mut random, &mut counts)?,
        }
    }
    clients.iter_mut().try_for_each(|client| close(client, &mut random))?;
    Ok(counts)
}

/// One message there and back, with pings between its fragments.
fn echo(client: &mut Client, random: &mut Random, counts: &mut Counts) -> io::Result<()> {
    let payload: Vec<u8> = (0..random.size()).map(|_| random.below(256) as u8).collect();
    let (mut sent, mut left, mut kind, mut pings) = (Vec::new(), &*payload, BINARY, Vec::new());
    loop {
        let is_last = random.below(3) > 0;
        let (piece, rest) = left.split_at(if is_last { left.len() } else { random.below(left.len() + 1) });
        sent.extend(frame_of(kind | if is_last { FIN } else { 0 }, piece, random.key()));
        (left, kind) = (rest, CONTINUATION);
        if is_last {
            break;
        }
        if random.below(3) == 0 {
            let ping = [random.below(256) as u8];
            sent.extend(frame_of(FIN | PING, &ping, random.key()));
            pings.push(ping);
        }
    }
    // In pieces now and then: the rest comes when the server has read the first.
    let cut = if random.below(4) == 0 { random.below(sent.len()) } else { 0 };
    client.stream.write_all(&sent[..cut])?;
    client.stream.write_all(&sent[cut..])?;
    for ping in &pings {
        expect(client, PONG, ping)?;
    }
    expect(client, BINARY, &payload)?;
    counts.messages += 1;
    counts.pings += pings.len() as u64;
    Ok(())
}

/// Gone in the middle of a frame.
fn die(client: &mut Client, random: &mut Random) -> io::Result<()> {
    let payload = vec![b'd'; 1 + random.size()];
    let frame = frame_of(FIN | BINARY, &payload, random.key());
    let cut = 1 + random.below(frame.len() - 1);
    client.stream.write_all(&frame[..cut])
}

/// The closing handshake.
fn close(client: &mut Client, random: &mut Random) -> io::Result<()> {
    let normal = 1000u16.to_be_bytes();
    client.stream.write_all(&frame_of(FIN | CLOSE, &normal, random.key()))?;
    expect(client, CLOSE, &normal)
}

/// Reads a frame, which has to be this one.
fn expect(client: &mut Client, kind: u8, payload: &[u8]) -> io::Result<()> {
    let expected = frame_of(FIN | kind, payload, None);
    let mut got = vec![0; expected.len()];
    client.stream.read_exact(&mut got)?;
    match got == expected {
        true => Ok(()),
        false => Err(unexpected(&format!("a frame of kind {kind} and {} bytes", payload.len()))),
    }
}

/// Who gets the news, and how many of them it has read.
struct Member {
    client: Client,
    next: u64,
}

/// The number of the message, and some more: the longer, the larger the number's last digit.
fn news(number: u64) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(8 + number as usize % 10 * 300, b'n');
    payload
}

fn room(port: u16, limit: Duration, mut random: Random) -> io::Result<Counts> {
    // Apart from the addresses of the echoes.
    const FIRST: usize = 8000;
    let mut counts = Counts::default();
    let mut published = 0;
    let mut publisher = open(port, FIRST, "/publish")?;
    let mut members = Vec::new();
    for index in 0..MEMBERS {
        members.push(Member::join(port, FIRST + 1 + index, published)?);
    }
    let end = Instant::now() + limit;
    while Instant::now() < end {
        publisher.stream.write_all(&frame_of(FIN | BINARY, &news(published), random.key()))?;
        // Its pong comes behind what everybody is sent.
        publisher.stream.write_all(&frame_of(FIN | PING, b"", random.key()))?;
        expect(&mut publisher, PONG, b"")?;
        published += 1;
        counts.pings += 1;
        for (index, member) in members.iter_mut().enumerate() {
            if index >= SLOW || published - member.next > BEHIND {
                counts.news += member.read_until(published)?;
            }
        }
        if random.below(50) == 0 {
            let index = random.below(MEMBERS);
            members[index] = Member::join(port, FIRST + 1 + index, published)?;
            counts.deaths += 1;
        }
    }
    for mut member in members {
        counts.news += member.read_until(published)?;
        close(&mut member.client, &mut random)?;
    }
    close(&mut publisher, &mut random)?;
    Ok(counts)
}

impl Member {
    /// Joins; the first message is the next that is published.
    fn join(port: u16, index: usize, next: u64) -> io::Result<Self> {
        let mut client = open(port, index, "/room")?;
        // Once this is answered, it is in the room.
        client.stream.write_all(&frame_of(FIN | PING, b"", Some([0; 4])))?;
        expect(&mut client, PONG, b"")?;
        Ok(Self { client, next })
    }

    /// Reads what was published, all of it in order.
    fn read_until(&mut self, published: u64) -> io::Result<u64> {
        let before = self.next;
        while self.next < published {
            expect(&mut self.client, BINARY, &news(self.next))?;
            self.next += 1;
        }
        Ok(self.next - before)
    }
}
