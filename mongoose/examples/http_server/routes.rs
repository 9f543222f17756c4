//! What is served where.

use std::fmt::Write;
use std::time::Duration;

use mongoose::Error;
use mongoose::http::{Reply, Request};

use crate::counters::Counters;

/// Answers one request.
pub fn answer(request: Request<'_>, reply: Reply<'_>, counters: &Counters) -> Result<(), Error> {
    match request.path() {
        "/" => reply.header("Content-Type", "text/html; charset=utf-8").body(page()),
        "/hello" => reply.text("hello\n"),
        "/echo" => echo(request, reply),
        "/query" => query(request, reply),
        "/headers" => reply.json_text(headers(request)),
        "/defer" => defer(reply),
        "/stats" => reply.json_text(counters.to_json()),
        _ => reply.status(404).text("not found\n"),
    }
}

fn page() -> String {
    let links: String = ["/hello", "/echo", "/query?name=W%C3%B6rld", "/headers", "/defer", "/stats"]
        .iter()
        .map(|path| format!("<li><a href=\"{path}\">{path}</a></li>\n"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>mongoose</title>\n\
         <h1>mongoose {version}</h1>\n<p>On Mongoose {upstream}. Try:</p>\n<ul>\n{links}</ul>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
        upstream = mongoose::MONGOOSE_VERSION,
    )
}

fn echo(request: Request<'_>, mut reply: Reply<'_>) -> Result<(), Error> {
    if let Some(kind) = request.header("Content-Type") {
        reply = reply.header("Content-Type", kind.as_bytes());
    }
    reply.body(request.body())
}

fn query(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.query_bytes("name") {
        Ok(Some(name)) => reply.text(name),
        Ok(None) => reply.status(400).text("no variable \"name\" in the query\n"),
        Err(error) => reply.status(400).text(format!("{error}\n")),
    }
}

/// All headers in order, as `[["name","value"],...]`; what is not UTF-8 is shown as U+FFFD.
fn headers(request: Request<'_>) -> String {
    let mut json = String::from("[");
    for (index, (name, value)) in request.headers().iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let value = String::from_utf8_lossy(value.as_bytes());
        let _ = write!(json, "{comma}\n[{},{}]", json_string(name), json_string(&value));
    }
    json + "\n]\n"
}

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                let _ = write!(quoted, "\\u{:04x}", character as u32);
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// Answers from another thread, a little later.
fn defer(reply: Reply<'_>) -> Result<(), Error> {
    let deferred = reply.defer();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        // The server may have ended meanwhile: then nobody waits.
        let _ = deferred.reply().text("deferred\n");
    });
    Ok(())
}
