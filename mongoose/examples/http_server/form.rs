//! A form with a file, and what came of it.

use mongoose::Error;
use mongoose::http::{Reply, Request};

use crate::json;

const PAGE: &str = include_str!("form.html");

pub fn answer(request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
    match request.method() {
        "GET" | "HEAD" => reply.header("Content-Type", "text/html; charset=utf-8").body(PAGE),
        // What is no form, or a malformed one, is answered with 415 or 400 by itself.
        "POST" => reply.json_text(parts(&request)?),
        _ => reply.status(405).header("Allow", "GET, HEAD, POST").text("method not allowed\n"),
    }
}

/// The parts in their order, as `[{"name":"...","filename":"...","size":1},...]`.
fn parts(request: &Request<'_>) -> Result<String, Error> {
    let mut parts = Vec::new();
    for part in request.multipart()? {
        let part = part?;
        let name = json::string(part.name());
        let filename = part.filename().map_or("null".to_owned(), json::string);
        parts.push(format!("\n{{\"name\":{name},\"filename\":{filename},\"size\":{}}}", part.body().len()));
    }
    Ok(format!("[{}\n]\n", parts.join(",")))
}
