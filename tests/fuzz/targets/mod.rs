//! What is fuzzed: each target takes any bytes, and panics where the library is wrong.
//!
//! Where the first bytes choose something, such as where the rest is cut, the seeds have digits there. Properties of
//! private parsers are in `mongoose::fuzzing`, those of what is public are here.

mod clients;
mod exchange;
mod forms;
mod globs;
mod json;
mod jsonrpc;
mod mqtt;
mod replies;
mod servers;
mod text;
mod tls;

use mongoose::fuzzing;

/// A name, which is that of the folder of its seeds, and what runs it.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

pub const TARGETS: &[Target] = &[
    target("http_request", fuzzing::request_head),
    target("http_response", fuzzing::response_head),
    target("http_chunked", fuzzing::chunked),
    target("http_range", fuzzing::range),
    target("http_cookies", fuzzing::cookies),
    target("http_redirect", fuzzing::redirect),
    target("http_file_path", fuzzing::file_path),
    target("http_server", servers::http_server),
    target("http_client", clients::http_client),
    target("multipart", forms::multipart),
    target("url", text::url),
    target("percent", text::percent),
    target("base64", text::base64),
    target("glob", globs::glob),
    target("json", json::json),
    target("jsonrpc", jsonrpc::jsonrpc),
    target("websocket_frames", fuzzing::frames),
    target("websocket_stream", fuzzing::stream),
    target("websocket_handshake", fuzzing::handshake),
    target("websocket_server", servers::websocket_server),
    target("websocket_client", clients::websocket_client),
    target("mqtt_packets", mqtt::packets),
    target("mqtt_topics", mqtt::topics),
    target("mqtt_server", servers::mqtt_server),
    target("mqtt_client", clients::mqtt_client),
    target("tls_server", tls::tls_server),
    target("tls_client", tls::tls_client),
    target("dns", fuzzing::dns),
    target("sntp", fuzzing::sntp),
];
