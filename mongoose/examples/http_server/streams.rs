//! Bodies that are made while they are sent.

use std::io::{self, BufWriter, Write};
use std::thread;

use mongoose::Error;
use mongoose::http::{BodySender, Piece, Reply, Request};

use crate::routes::number;

/// Bytes of a body that wait to be sent, at most.
const ROOM: usize = 256 << 10;

/// Five lines, a chunk each: the loop asks for the next whenever there is room.
pub fn chunked(reply: Reply<'_>) -> Result<(), Error> {
    let mut lines = (1..=5).map(|number| format!("line {number}\n"));
    reply
        .header("Content-Type", "text/plain")
        .stream(move || Ok(lines.next().map_or(Piece::End, |line| Piece::Data(line.into()))))
}

/// As many lines as `?lines=` says, from a thread of their own. It waits while the peer does not read.
pub fn long(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let Some(lines) = number(&request, "lines", 1_000_000)? else {
        return reply.status(400).text("\"lines\" is not a number of lines\n");
    };
    let body = reply.header("Content-Type", "text/plain").channel(ROOM)?;
    let write = move || {
        // It fails when the peer is gone: then nobody waits for the rest.
        let _ = write_lines(body, lines);
    };
    // Where the system has no more threads, the body is dropped, and the peer sees that it is not whole.
    thread::Builder::new().spawn(write).map(drop).map_err(Error::handler)
}

fn write_lines(body: BodySender, lines: u64) -> io::Result<()> {
    // Each write of a sender is a chunk.
    let mut body = BufWriter::with_capacity(16 << 10, body);
    for number in 1..=lines {
        writeln!(body, "line {number}")?;
    }
    body.into_inner()?.finish();
    Ok(())
}
