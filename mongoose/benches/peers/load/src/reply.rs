//! Replies, read as cheaply as it goes.

use std::io::{self, Read};

/// Reads replies that are all as long as the first.
pub struct Replies {
    buffer: Vec<u8>,
    /// 0 before the first.
    size: usize,
}

impl Replies {
    pub fn new() -> Self {
        Self { buffer: vec![0; 64 << 10], size: 0 }
    }

    /// Reads one, and answers its beginning: all of it, where it fits into half of the buffer.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<&[u8]> {
        let mut got = 0;
        while self.size == 0 || got < self.size {
            let at = got.min(self.buffer.len() / 2);
            let n = stream.read(&mut self.buffer[at..])?;
            if n == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed"));
            }
            got += n;
            if self.size == 0 {
                self.size = measure(&self.buffer[..got])?;
            }
        }
        Ok(&self.buffer[..got.min(self.buffer.len() / 2)])
    }
}

/// The length of a reply, 0 while that cannot be known yet.
fn measure(reply: &[u8]) -> io::Result<usize> {
    let text = String::from_utf8_lossy(reply);
    let Some(end) = text.find("\r\n\r\n") else { return Ok(0) };
    let head = text[..end].to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| Some(line.strip_prefix(name)?.trim()));
    let length = field("content-length:").and_then(|length| length.parse::<usize>().ok());
    match length {
        _ if !head.starts_with("http/1.1 200") => Err(unexpected(&text)),
        Some(length) => Ok(end + 4 + length),
        // No body here has a line end.
        None if field("transfer-encoding:") == Some("chunked") => {
            Ok(if text.ends_with("\r\n0\r\n\r\n") { text.len() } else { 0 })
        }
        None => Err(unexpected(&text)),
    }
}

/// Another reply than the one that was asked for.
pub fn unexpected(reply: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not the reply that was expected: {reply:?}"))
}
