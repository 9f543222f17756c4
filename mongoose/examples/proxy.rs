//! A streaming reverse proxy: `cargo run --release --example proxy -- http://127.0.0.1:8000 http://origin:80`.
//!
//! Bodies of any size pass as they come, at constant memory: whoever reads slowly holds up whoever sends.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{self, BodySender, Headers, Reply, Request, Response};
use mongoose::{Connection, Error, Manager};

/// Bytes that wait for one side before the other is paused.
const ROOM: usize = 256 << 10;

/// What is between two neighbours, or made anew for each.
const HOP_BY_HOP: &str = "connection,keep-alive,proxy-authenticate,proxy-authorization,proxy-connection,te,trailer,\
                          transfer-encoding,upgrade,content-length,expect,host";

struct Proxy {
    client: http::Client,
    origin: String,
}

impl http::Handler for Proxy {
    fn body_mode(&mut self, _: &Request<'_>) -> http::BodyMode {
        http::BodyMode::Streamed
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let mark = if request.query().is_empty() { "" } else { "?" };
        let url = format!("{}{}{mark}{}", self.origin, request.path(), request.query());
        let mut outbound = self.client.request(request.method(), &url).redirects(0);
        for (name, value) in end_to_end(request.headers()) {
            outbound = outbound.header(name, value.as_bytes());
        }
        let pipe = || http::channel(request.connection().handle(), ROOM);
        let ((up, question), (down, answer)) = (pipe(), pipe());
        let length = length(request.headers());
        if length.is_some_and(|length| length > 0) || request.header("Transfer-Encoding").is_some() {
            outbound = length.into_iter().fold(outbound.stream(question), http::RequestBuilder::length);
        }
        let meeting = Rc::<RefCell<Meeting>>::default();
        outbound.receive(Answer { down: Some(down), body: Some(answer), meeting: Rc::clone(&meeting) })?;
        reply.receive(Question { up: Some(up), meeting })
    }
}

/// Where a reply, here once all of the request has passed, meets what is to be sent, whichever is first.
#[derive(Default)]
struct Meeting {
    reply: Option<Reply<'static>>,
    /// The status, and how the reply begins.
    begin: Option<(u16, Begin)>,
}

type Begin = Box<dyn FnOnce(Reply<'static>) -> Result<(), Error>>;

impl Meeting {
    fn answer(&mut self) -> Result<(), Error> {
        let Some(reply) = self.reply.take_if(|_| self.begin.is_some()) else { return Ok(()) };
        self.begin.take().map_or(Ok(()), |(status, begin)| begin(reply.status(status)))
    }
}

/// A request's body on its way to the origin.
struct Question {
    up: Option<BodySender>,
    meeting: Rc<RefCell<Meeting>>,
}

impl http::Upload for Question {
    fn data(&mut self, client: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        let status = self.meeting.borrow().begin.as_ref().map_or(502, |begin| begin.0);
        let passed = self.up.as_ref().map_or(Ok(()), |up| up.forward(client, piece));
        passed.map_err(|_| Error::Refused { status, reason: "the origin wanted no more" })
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.up.take().into_iter().for_each(BodySender::finish);
        let mut meeting = self.meeting.borrow_mut();
        meeting.reply = Some(reply.defer().reply());
        meeting.answer()
    }
}

/// A response's body on its way to the client.
struct Answer {
    down: Option<BodySender>,
    body: Option<http::BodyReceiver>,
    meeting: Rc<RefCell<Meeting>>,
}

impl http::Download for Answer {
    fn head(&mut self, response: Response<'_>) -> Result<(), Error> {
        let Some(body) = self.body.take() else { return Ok(()) };
        let length = length(response.headers());
        let headers = end_to_end(response.headers());
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
        let begin = move |reply: Reply<'static>| {
            let reply = headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value));
            length.into_iter().fold(reply, Reply::length).stream(body)
        };
        let mut meeting = self.meeting.borrow_mut();
        meeting.begin = Some((response.status(), Box::new(begin)));
        meeting.answer()
    }

    fn data(&mut self, origin: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.down.as_ref().map_or(Ok(()), |down| down.forward(origin, piece))
    }

    fn end(&mut self, _: &Connection<'_>) {
        self.down.take().into_iter().for_each(BodySender::finish);
    }

    fn failed(&mut self, error: &Error) {
        // A client that has the head sees that the body is cut: its sender is dropped unfinished.
        if self.body.is_some() {
            let status = if matches!(error, Error::Deadline { .. }) { 504 } else { 502 };
            let mut meeting = self.meeting.borrow_mut();
            meeting.begin = Some((status, Box::new(Reply::empty)));
            // The client may be gone too.
            let _ = meeting.answer();
        }
    }
}

fn length(headers: Headers<'_>) -> Option<u64> {
    headers.get("Content-Length")?.to_str().ok()?.parse().ok()
}

/// The headers that are not about the connection (RFC 9110 section 7.6.1).
fn end_to_end<'r>(headers: Headers<'r>) -> impl Iterator<Item = (&'r str, http::HeaderValue<'r>)> {
    let named = headers.get_all("Connection").filter_map(|value| value.to_str().ok());
    let dropped = named.fold(HOP_BY_HOP.to_owned(), |all, names| all + "," + names);
    let is_dropped = move |name: &str| dropped.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
    headers.iter().filter(move |(name, _)| !is_dropped(name))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>().try_into();
    let [listen, origin]: [String; 2] = arguments.map_err(|_| "usage: proxy http://HERE http://ORIGIN")?;
    let mut manager = Manager::new()?;
    let origin = origin.trim_end_matches('/').to_owned();
    let listener = manager.http(&listen, Proxy { client: http::Client::new(&manager), origin })?;
    eprintln!("listening on http://{}", listener.local_addr());
    Ok(manager.run_until_signal()?)
}
