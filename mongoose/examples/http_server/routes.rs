//! What is answered at once.

use std::fmt::Write;

use mongoose::Error;
use mongoose::http::{Reply, Request};

use crate::json;

const LINKS: &[&str] = &[
    "/hello",
    "/echo",
    "/query?name=W%C3%B6rld",
    "/headers",
    "/defer",
    "/slow?seconds=2",
    "/chunked",
    "/stream?lines=100000",
    "/sse",
    "/upload",
    "/form",
    "/stats",
];

/// What there is.
pub fn page(reply: Reply<'_>) -> Result<(), Error> {
    let links: String =
        LINKS.iter().map(|path| format!("<li><a href=\"{path}\">{path}</a></li>\n")).collect();
    reply.header("Content-Type", "text/html; charset=utf-8").body(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>mongoose</title>\n\
         <h1>mongoose {version}</h1>\n<p>On Mongoose {upstream}. Try:</p>\n<ul>\n{links}</ul>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
        upstream = mongoose::MONGOOSE_VERSION,
    ))
}

/// The body, back.
pub fn echo(request: Request<'_>, mut reply: Reply<'_>) -> Result<(), Error> {
    if let Some(kind) = request.header("Content-Type") {
        reply = reply.header("Content-Type", kind.as_bytes());
    }
    reply.body(request.body())
}

/// The variable `name` of the query.
pub fn query(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.query_bytes("name") {
        Ok(Some(name)) => reply.text(name),
        Ok(None) => reply.status(400).text("no variable \"name\" in the query\n"),
        Err(error) => reply.status(400).text(format!("{error}\n")),
    }
}

/// All headers in order, as `[["name","value"],...]`; what is not UTF-8 is shown as U+FFFD.
pub fn headers(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    let mut text = String::from("[");
    for (index, (name, value)) in request.headers().iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let value = String::from_utf8_lossy(value.as_bytes());
        // Writing to a String does not fail.
        let _ = write!(text, "{comma}\n[{},{}]", json::string(name), json::string(&value));
    }
    reply.json_text(text + "\n]\n")
}

/// A number in the query; `None` when it is there and is not one.
pub fn number<T: std::str::FromStr>(
    request: &Request<'_>,
    name: &str,
    default: T,
) -> Result<Option<T>, Error> {
    Ok(match request.query_value(name)? {
        Some(text) => text.parse().ok(),
        None => Some(default),
    })
}
