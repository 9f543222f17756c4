//! The handler: all routes, and a line of the log for each request.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use mongoose::http::{self, BodyMode, Files, Reply, Request};
use mongoose::{Connection, Error, Event};

use crate::counters::Counters;
use crate::options::Options;
use crate::ticker::Ticker;
use crate::{form, inspect, later, live, routes, streams, upload};

/// What all listeners of all workers serve.
#[derive(Clone)]
pub struct Content {
    pub counters: Counters,
    folder: Option<Folder>,
    max_body: Option<usize>,
    inspect: bool,
}

#[derive(Clone)]
struct Folder {
    files: Files,
    index: PathBuf,
    list: bool,
}

impl Content {
    pub fn new(options: &Options) -> Result<Self, Error> {
        let folder = match &options.root {
            Some(root) => Some(Folder {
                files: Files::new(root)?.listing(options.list),
                index: root.join("index.html"),
                list: options.list,
            }),
            None => None,
        };
        Ok(Self { counters: Counters::new(), folder, max_body: options.max_body, inspect: options.inspect })
    }
}

impl Folder {
    /// Whether there is something to show at `/`.
    fn has_front_page(&self) -> bool {
        self.list || self.index.exists()
    }
}

/// The content, on one event loop.
pub struct Site {
    pub content: Content,
    pub ticker: Rc<RefCell<Ticker>>,
}

impl http::Handler for Site {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let content = &self.content;
        content.counters.request();
        log(request.connection(), format_args!("{} {}", request.method(), request.target()));
        if content.inspect {
            return reply.json_text(inspect::to_json(&request));
        }
        match request.path() {
            "/" if !content.folder.as_ref().is_some_and(Folder::has_front_page) => routes::page(reply),
            "/hello" => reply.text("hello\n"),
            "/echo" => routes::echo(request, reply),
            "/query" => routes::query(request, reply),
            "/headers" => routes::headers(request, reply),
            "/defer" => later::defer(reply),
            "/slow" => later::slow(request, reply),
            "/chunked" => streams::chunked(reply),
            "/stream" => streams::long(request, reply),
            "/sse" => self.ticker.borrow_mut().subscribe(request, reply),
            "/ws" => live::echo(request, reply, &content.counters),
            "/upload" => upload::receive(request, reply, content.max_body),
            "/form" => form::answer(request, reply),
            "/stats" => reply.json_text(content.counters.to_json()),
            _ => match &content.folder {
                Some(folder) => folder.files.serve(&request, reply),
                None => reply.status(404).text("not found\n"),
            },
        }
    }

    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        match request.path() {
            "/upload" if !self.content.inspect => BodyMode::Streamed,
            _ => BodyMode::Buffered,
        }
    }

    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        match event {
            Event::Accept => self.content.counters.opened(),
            Event::Close => self.content.counters.closed(),
            Event::Error(error) => log(connection, error),
            _ => {}
        }
    }
}

/// Writes a line of the log, with the other end's address.
pub fn log(connection: &Connection<'_>, what: impl fmt::Display) {
    let peer = connection.remote_addr().map(|peer| peer.to_string()).unwrap_or_default();
    // Requests are answered, also when nobody reads the log any more; `eprintln` would panic.
    let _ = writeln!(io::stderr(), "{peer} {what}");
}
