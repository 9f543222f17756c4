//! The mongoose crate with files, streamed bodies and events, as a peer of the bench: `peer-ours-transfers PORT FOLDER`.

use mongoose::http::{
    BodyMode, Files, Handler, Piece, Reply, Request, ServerEvent, SlowSubscriber, Subscribers, Upload,
};
use mongoose::{Connection, Error, Manager};

/// How many bytes may wait for one subscriber.
const QUEUE: usize = 64 << 10;

const EVENT: &str =
    "Four score and seven years ago our fathers brought forth on this continent a new nation!";

struct Site {
    files: Files,
    subscribers: Subscribers,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, folder] = &arguments[..] else { return Err("usage: peer-ours-transfers PORT FOLDER".into()) };
    let mut manager = Manager::new()?;
    // As nginx has it: nobody looks for a compressed twin.
    let files = Files::new(folder)?.gzip(false);
    let site = Site { files, subscribers: Subscribers::new(SlowSubscriber::Drop) };
    manager.http(&format!("http://127.0.0.1:{port}"), site)?;
    Ok(manager.run()?)
}

impl Handler for Site {
    fn body_mode(&mut self, _: &Request<'_>) -> BodyMode {
        BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        match request.path() {
            "/hello" => reply.text("Hello, World!"),
            "/chunked" => chunked(reply),
            "/upload" => reply.receive(Counter(0)),
            "/events" => {
                self.subscribers.add(reply.events(QUEUE)?);
                Ok(())
            }
            "/publish" => {
                self.subscribers.send(&ServerEvent::new(EVENT))?;
                reply.text("Hello, World!")
            }
            _ => self.files.serve(&request, reply),
        }
    }
}

/// 16 pieces of 1 KB, each made when there is room for it.
fn chunked(reply: Reply<'_>) -> Result<(), Error> {
    let mut left = 16;
    reply.header("Content-Type", "text/plain; charset=utf-8").stream(move || -> Result<Piece, Error> {
        if left == 0 {
            return Ok(Piece::End);
        }
        left -= 1;
        Ok(Piece::Data(vec![b'x'; 1 << 10].into()))
    })
}

/// Answers how many bytes came.
struct Counter(u64);

impl Upload for Counter {
    fn data(&mut self, _: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.0 += piece.len() as u64;
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        reply.text(self.0.to_string())
    }
}
