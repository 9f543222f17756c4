//! A client that sends exactly the bytes it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::{PATIENCE, steadily};

/// A blocking connection whose every read ends in time.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    buffered: Vec<u8>,
}

/// A response, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The head as it came, the empty line included.
    pub head: String,
    /// The body: by its Content-Length, or its chunks put together.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }
}

impl From<TcpStream> for Client {
    /// Of a connection that is there already.
    fn from(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("to set a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("to set a time-out");
        stream.set_nodelay(true).expect("to set an option");
        Self { stream, buffered: Vec::new() }
    }
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// When that fails; so do all methods.
    pub fn connect(address: SocketAddr) -> Self {
        Self::from(TcpStream::connect(address).expect("to connect"))
    }

    /// The socket itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).expect("to send");
        self
    }

    /// Ends our direction.
    pub fn end(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).expect("to shut down");
        self
    }

    /// Closes with a reset: what was sent may be lost, and the server's next read or write fails.
    #[cfg(unix)]
    pub fn reset(self) {
        let at_once = Some(std::time::Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(&self.stream, at_once).expect("to set an option");
    }

    /// Sends a GET on a connection that stays.
    pub fn get(&mut self, target: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")).response()
    }

    /// Reads one response, whose body has the length it says (none after 1xx, 204 and 304).
    pub fn response(&mut self) -> Response {
        self.read_response(true)
    }

    /// Reads the response to a HEAD: no body comes, whatever the length says.
    pub fn response_to_head(&mut self) -> Response {
        self.read_response(false)
    }

    fn read_response(&mut self, has_body: bool) -> Response {
        let end = loop {
            if let Some(at) = self.buffered.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill() > 0, "closed in the head: {:?}", String::from_utf8_lossy(&self.buffered));
        };
        let head = String::from_utf8(self.buffered.drain(..end).collect()).expect("a head of text");
        let status = head.get(9..12).and_then(|code| code.parse().ok()).expect("a status code");
        let mut response = Response { status, head, body: Vec::new() };
        let length = response.header("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        if has_body && !matches!(status, 100..=199 | 204 | 304) {
            response.body = if response.header("Transfer-Encoding") == Some("chunked") {
                std::iter::from_fn(|| self.chunk()).flatten().collect()
            } else {
                self.exactly(length)
            };
        }
        response
    }

    /// Reads one chunk of a body; `None` for the last one, which ends it.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = self.line();
        let size =
            usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("{line:?} is not a chunk's size"));
        let data = self.exactly(size);
        assert_eq!(self.exactly(2), b"\r\n", "behind a chunk of {size} bytes");
        (size > 0).then_some(data)
    }

    /// Reads a line, and answers it without its end.
    pub fn line(&mut self) -> String {
        let end = loop {
            if let Some(at) = self.buffered.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            assert!(self.fill() > 0, "closed in a line: {:?}", String::from_utf8_lossy(&self.buffered));
        };
        let line = String::from_utf8(self.buffered.drain(..end).collect()).expect("a line of text");
        self.exactly(2);
        line
    }

    /// Reads exactly `count` bytes.
    pub fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffered.len() < count {
            assert!(self.fill() > 0, "closed after {} of {count} bytes", self.buffered.len());
        }
        self.buffered.drain(..count).collect()
    }

    /// Reads until the server closes; a reset counts as that.
    #[allow(clippy::wrong_self_convention, reason = "it reads to the end, and converts nothing")]
    pub fn to_end(&mut self) -> Vec<u8> {
        while self.fill() > 0 {}
        std::mem::take(&mut self.buffered)
    }

    fn fill(&mut self) -> usize {
        let mut bytes = [0; 65536];
        match steadily(|| self.stream.read(&mut bytes)) {
            Ok(count) => {
                self.buffered.extend_from_slice(&bytes[..count]);
                count
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("cannot read: {error}"),
        }
    }
}
