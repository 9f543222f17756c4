//! Invariant 3: a response's body is a view of the receive buffer.

use mongoose::Error;
use mongoose::http::{Client, Response};

fn main() {
    let manager = mongoose::Manager::new().unwrap();
    let client = Client::new(&manager);
    let mut kept: Vec<&[u8]> = Vec::new();
    let handler = move |result: Result<Response<'_>, Error>| {
        kept.push(result.unwrap().body());
    };
    client.get("http://127.0.0.1:1/").send(handler).unwrap();
}
