//! A request as it is to be sent.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use super::destination::Trust;
use super::url::Url;
use crate::Limits;
use crate::engine::{BodySource, Payload};
use crate::http::reply_head::Transfer;

/// Everything about a request but who gets the response. Redirects change it.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) method: Cow<'static, str>,
    pub(super) url: Url,
    /// Whole lines, checked.
    pub(super) headers: Vec<u8>,
    /// What the Host header says, where it is not the URL's.
    pub(super) host: Option<Vec<u8>>,
    pub(super) body: Body,
    /// Waits for the server to want the body.
    pub(super) expect_continue: bool,
    /// The connection is not to be kept.
    pub(super) close: bool,
    /// A body may come compressed.
    pub(super) gzip: bool,
    /// 101 is welcome.
    pub(super) upgrade: bool,
    /// How many redirects may still be followed. `None`: they are responses like others.
    pub(super) redirects: Option<usize>,
    pub(super) limits: Rc<Limits>,
    /// By whom `https` URLs are secured.
    pub(super) trust: Trust,
}

/// A request's body.
pub(super) enum Body {
    Empty,
    Whole(Payload<'static>),
    /// Taken when it is sent: once.
    Streamed {
        source: Option<Box<dyn BodySource>>,
        length: Option<u64>,
    },
}

/// What every request says that does not say it itself.
const USER_AGENT: &str = concat!("User-Agent: mongoose-rust/", env!("CARGO_PKG_VERSION"), "\r\n");

impl Outbound {
    /// How the body is delimited. A method that means to send one says so also where there is none.
    pub(super) fn transfer(&self) -> Transfer {
        match &self.body {
            Body::Empty if matches!(&*self.method, "POST" | "PUT" | "PATCH") => Transfer::Length(0),
            Body::Empty => Transfer::Unsaid,
            Body::Whole(payload) => Transfer::Length(payload.len() as u64),
            Body::Streamed { length: Some(length), .. } => Transfer::Length(*length),
            Body::Streamed { length: None, .. } => Transfer::Chunked,
        }
    }

    /// About how many bytes the head has.
    pub(super) fn size_hint(&self) -> usize {
        200 + self.method.len() + self.url.as_str().len() + self.headers.len()
    }

    /// Appends the head, the empty line included.
    pub(super) fn write_head(&self, out: &mut Vec<u8>) {
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        put(&[self.method.as_bytes(), b" ", self.url.target().as_bytes(), b" HTTP/1.1\r\nHost: "]);
        put(&[self.host.as_deref().unwrap_or(self.url.authority().as_bytes()), b"\r\n", &self.headers]);
        if let Some(value) = self.url.authorization()
            && !has_header(&self.headers, "authorization")
        {
            put(&[b"Authorization: ", value.as_bytes(), b"\r\n"]);
        }
        if !has_header(&self.headers, "user-agent") {
            put(&[USER_AGENT.as_bytes()]);
        }
        if self.gzip && !has_header(&self.headers, "accept-encoding") {
            put(&[b"Accept-Encoding: gzip\r\n"]);
        }
        match self.transfer() {
            Transfer::Length(length) => put(&[b"Content-Length: ", length.to_string().as_bytes(), b"\r\n"]),
            Transfer::Chunked => put(&[b"Transfer-Encoding: chunked\r\n"]),
            Transfer::Unsaid => {}
        }
        if self.holds_body() {
            put(&[b"Expect: 100-continue\r\n"]);
        }
        if self.upgrade {
            put(&[b"Connection: Upgrade\r\n"]);
        } else if self.close {
            put(&[b"Connection: close\r\n"]);
        }
        put(&[b"\r\n"]);
    }

    /// Whether the body waits for the server's 100.
    pub(super) fn holds_body(&self) -> bool {
        self.expect_continue
            && match &self.body {
                Body::Empty => false,
                Body::Whole(payload) => !payload.is_empty(),
                Body::Streamed { .. } => true,
            }
    }

    /// Whether it may be sent once more without anybody asking: sending it twice does what sending it once does
    /// (RFC 9110 section 9.2.2), and the body is still there.
    pub(super) fn may_be_repeated(&self) -> bool {
        is_idempotent(&self.method) && !matches!(self.body, Body::Streamed { .. })
    }
}

pub(super) fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
}

/// Whether a header is among whole lines.
pub(super) fn has_header(lines: &[u8], name: &str) -> bool {
    lines.split_inclusive(|&byte| byte == b'\n').any(|line| is_header(line, name))
}

/// Whether a line is a header of that name.
pub(super) fn is_header(line: &[u8], name: &str) -> bool {
    line.len() > name.len()
        && line[name.len()] == b':'
        && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Whole(payload) => f.debug_tuple("Whole").field(payload).finish(),
            Self::Streamed { length, .. } => {
                f.debug_struct("Streamed").field("length", length).finish_non_exhaustive()
            }
        }
    }
}
