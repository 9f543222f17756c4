//! Static files, embedded files, and what peers may ask of them: the row 38 of the hazard table in full, conditions and
//! ranges as RFC 9110 has them, large files at constant memory, and curl's word on it.

mod c_beside;
mod conditions;
#[path = "../programs/curl.rs"]
mod curl;
mod embedded;
mod encodings;
mod folder;
mod kinds;
mod large;
mod listing;
mod options;
mod paths;
mod peers;
mod properties;
mod ranges;

use mongoose_tests::{Client, Response};

/// Sends a request with headers, and reads the response to it.
fn ask(client: &mut Client, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    client.send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{lines}\r\n"));
    if method == "HEAD" { client.response_to_head() } else { client.response() }
}
