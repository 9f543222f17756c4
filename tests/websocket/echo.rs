//! A server that sends back what it receives, and says what it was told.

use std::sync::mpsc::{Receiver, Sender, channel};

use mongoose::{Error, http, ws};
use mongoose_tests::{PATIENCE, Server};

/// What a handler was told, in words.
pub struct Log(Receiver<String>);

impl Log {
    pub fn new() -> (Sender<String>, Self) {
        let (tell, told) = channel();
        (tell, Self(told))
    }

    /// The next line.
    pub fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("to be told")
    }

    /// The lines up to and including the one of the end.
    pub fn to_close(&self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next();
            lines.push(line);
            if lines.last().is_some_and(|line| line.starts_with("close")) {
                return lines;
            }
        }
    }
}

/// An event in words.
pub fn words(event: &ws::Event<'_>) -> String {
    match event {
        ws::Event::Open => "open".to_owned(),
        ws::Event::Message(ws::Message::Text(text)) => format!("text {text}"),
        ws::Event::Message(ws::Message::Binary(bytes)) => format!("binary {bytes:?}"),
        ws::Event::Ping(bytes) => format!("ping {bytes:?}"),
        ws::Event::Pong(bytes) => format!("pong {bytes:?}"),
        ws::Event::Error(error) => format!("error {error}"),
        ws::Event::Close(close) => format!("close {} {}", close.code, close.reason),
        other => format!("{other:?}"),
    }
}

/// Sends messages back, and says all events.
pub fn echo(tell: Sender<String>) -> impl FnMut(&ws::Connection<'_>, ws::Event<'_>) -> Result<(), Error> {
    move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
        // Nobody listens to large tests.
        let _ = tell.send(words(&event));
        match event {
            ws::Event::Message(message) => peer.send(message),
            _ => Ok(()),
        }
    }
}

/// An echo within limits of choice.
pub fn serve_within(limits: ws::Limits) -> (Server, Log) {
    let (tell, log) = Log::new();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            ws::upgrade(request, reply).limits(limits.clone()).accept(echo(tell.clone()))
        }
    });
    (server, log)
}

pub fn serve() -> (Server, Log) {
    serve_within(ws::Limits::default())
}
