//! A body of any size, written to a file while it arrives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use mongoose::http::{self, Reply, Request};
use mongoose::{Connection, Error};

use crate::crc32::Crc32;
use crate::site::log;

const PAGE: &str = include_str!("upload.html");

/// A line of the log for each so many bytes.
const STEP: u64 = 10 << 20;

/// Takes the body of a request, if it is one.
pub fn receive(request: Request<'_>, reply: Reply<'_>, max: Option<usize>) -> Result<(), Error> {
    match request.method() {
        "GET" | "HEAD" => {
            return reply.header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        }
        "POST" | "PUT" => {}
        _ => return reply.status(405).header("Allow", "GET, HEAD, POST, PUT").text("method not allowed\n"),
    }
    let announced = request.header("Content-Length").and_then(|length| length.to_str().ok()?.parse().ok());
    let max = max.map_or(u64::MAX, |max| max as u64);
    if announced.is_some_and(|length: u64| length > max) {
        // Before the body is asked for: a peer that expects 100 does not send it.
        return reply.status(413).text("too large\n");
    }
    let file = TemporaryFile::new().map_err(Error::handler)?;
    reply.receive(Upload { file, announced, max, received: 0, sum: Crc32::new() })
}

struct Upload {
    file: TemporaryFile,
    announced: Option<u64>,
    max: u64,
    received: u64,
    sum: Crc32,
}

impl http::Upload for Upload {
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        let before = self.received;
        self.received += piece.len() as u64;
        if self.received > self.max {
            return Err(Error::Refused { status: 413, reason: "the body is too large" });
        }
        self.file.file.write_all(piece).map_err(Error::handler)?;
        self.sum.update(piece);
        if self.received / STEP > before / STEP {
            let of = self.announced.map_or(String::new(), |all| format!(" of {all}"));
            log(connection, format_args!("/upload: {}{of} bytes", self.received));
        }
        Ok(())
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        // Here an application would give the file its name.
        reply.json_text(format!("{{\"bytes\":{},\"crc32\":\"{:08x}\"}}\n", self.received, self.sum.value()))
    }
}

/// A file that others cannot read, and that is gone when this is.
struct TemporaryFile {
    file: File,
    path: PathBuf,
}

impl TemporaryFile {
    fn new() -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("http_server-{}-{number}", std::process::id()));
        // Never a file, or a link, that somebody else put there.
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path })
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Who removed it before did what has to be done.
        let _ = fs::remove_file(&self.path);
    }
}
