//! What is measured.

use super::Fallible;
use super::peers::{Peer, Program};
use super::transfers::Transfer;

/// A case: its name on the command line, a line about it, how it is measured, and who takes part.
#[derive(Debug, PartialEq)]
pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Kind,
    pub peers: &'static [Peer],
}

/// How a case is measured.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// By wrk.
    Load(Load),
    /// As many connections, with one request each, all held.
    Storm(usize),
    /// The same over TLS.
    SecureStorm(usize),
    /// As many held connections, closed by the client.
    Closing(usize),
    /// From thread to thread.
    Messages,
    /// As many event loops.
    Workers(usize),
    /// By our own load.
    Transfer(Transfer),
    /// As a client of MQTT, at a QoS.
    Mqtt(u8),
    /// Size, crates and build time.
    Footprint,
    /// Under callgrind.
    Instructions,
}

/// What wrk does.
#[derive(Debug, PartialEq)]
pub struct Load {
    pub path: &'static str,
    pub connections: usize,
    pub headers: &'static [&'static str],
    pub script: Script,
    /// Held connections besides.
    pub idle: usize,
    pub program: Program,
}

/// A script for wrk, with its argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Script {
    None,
    /// Requests in one write.
    Pipeline(usize),
    /// Bytes of body.
    Post(usize),
}

impl Load {
    /// Whether each request has a connection of its own.
    pub fn closes(&self) -> bool {
        self.headers.contains(&CLOSE)
    }
}

impl Kind {
    /// Whether thousands of connections are opened.
    pub fn is_crowded(&self) -> bool {
        match self {
            Self::Load(load) => load.idle > 0,
            Self::Storm(_) | Self::SecureStorm(_) | Self::Closing(_) => true,
            _ => false,
        }
    }

    /// What a figure is one of.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Load(load) if load.program == Program::Secure && load.closes() => "handshake",
            Self::Transfer(Transfer::Upload(_)) => "upload",
            Self::Transfer(Transfer::Events(_)) => "event",
            Self::Transfer(Transfer::Echo { .. } | Transfer::Broadcast(_)) => "message",
            Self::Transfer(Transfer::Datagrams { .. }) => "datagram",
            Self::Mqtt(_) => "message",
            _ => "request",
        }
    }
}

impl Case {
    /// Which servers are measured.
    pub fn programs(&self) -> &'static [Program] {
        match &self.kind {
            Kind::Load(load) if load.program == Program::Transfers => &[Program::Transfers],
            Kind::Load(load) if load.program == Program::Secure => &[Program::Secure],
            Kind::Load(load) if load.program == Program::Router => &[Program::Router],
            Kind::SecureStorm(_) => &[Program::Secure],
            Kind::Transfer(Transfer::Echo { .. } | Transfer::Broadcast(_)) => &[Program::WebSocket],
            Kind::Transfer(Transfer::Datagrams { .. }) => &[Program::Datagrams],
            Kind::Transfer(_) => &[Program::Transfers],
            Kind::Mqtt(_) => &[Program::Mqtt],
            Kind::Instructions => &[Program::Hello, Program::Transfers, Program::Router],
            _ => &[Program::Hello],
        }
    }
}

pub const HELLO: Load = Load {
    path: "/hello",
    connections: 64,
    headers: &[],
    script: Script::None,
    idle: 0,
    program: Program::Hello,
};

const SECURE: Load = Load { program: Program::Secure, ..HELLO };

const CLOSE: &str = "Connection: close";

const ROUTER: Load = Load { program: Program::Router, ..HELLO };

const TRANSFERS: Load = Load { program: Program::Transfers, ..HELLO };

/// With the request line and `Host`, the 464 bytes of a browser.
pub const BROWSER: &[&str] = &[
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Connection: keep-alive",
    "Cookie: session=5f0c2b9ad1e84f7c8a31d09b4e; theme=dark; consent=all; visits=17; visited=2026-11-22T13:30:00Z",
    "Upgrade-Insecure-Requests: 1",
];

const WEB: &[Peer] =
    &[Peer::Ours, Peer::C, Peer::Floor, Peer::Hyper, Peer::Actix, Peer::Axum, Peer::MayMinihttp];

/// Both by rustls and graviola, and ours over the built-in TLS.
const SECURED: &[Peer] = &[Peer::Ours, Peer::Builtin, Peer::Hyper];

const MQTT: &[Peer] = &[Peer::Ours, Peer::Rumqttc, Peer::Libmosquitto];

/// Where more of them would say nothing new.
const FEWER: &[Peer] = &[Peer::Ours, Peer::C, Peer::Floor, Peer::Hyper, Peer::Actix];

pub const CASES: &[Case] = &[
    load("hello-1", "13-byte reply, 1 keep-alive connection", Load { connections: 1, ..HELLO }),
    Case {
        name: "hello-64",
        about: "13-byte reply, 64 keep-alive connections",
        kind: Kind::Load(HELLO),
        peers: &Peer::ALL,
    },
    Case {
        name: "hello-512",
        about: "13-byte reply, 512 keep-alive connections",
        kind: Kind::Load(Load { connections: 512, ..HELLO }),
        peers: &[Peer::Ours, Peer::C, Peer::Hyper],
    },
    Case {
        name: "pipelined",
        about: "16 pipelined requests a write, 64 connections",
        kind: Kind::Load(Load { script: Script::Pipeline(16), ..HELLO }),
        peers: WEB,
    },
    load(
        "browser",
        "a browser's head: 8 headers, 464 bytes; 64 connections",
        Load { headers: BROWSER, ..HELLO },
    ),
    load("reply-10k", "10 KB reply, 64 connections", Load { path: "/10k", ..HELLO }),
    load("reply-100k", "100 KB reply, 64 connections", Load { path: "/100k", ..HELLO }),
    load("reply-1m", "1 MB reply, 16 connections", Load { path: "/1m", connections: 16, ..HELLO }),
    load(
        "post-1k",
        "POST of 1 KB, 64 connections",
        Load { path: "/post", script: Script::Post(1 << 10), ..HELLO },
    ),
    load(
        "post-100k",
        "POST of 100 KB, 64 connections",
        Load { path: "/post", script: Script::Post(100 << 10), ..HELLO },
    ),
    Case {
        name: "file-1k",
        about: "a file of 1 KB, 64 connections",
        kind: Kind::Load(Load { path: "/1k.txt", ..TRANSFERS }),
        peers: &[Peer::Ours, Peer::Nginx, Peer::Hyper],
    },
    Case {
        name: "file-10m",
        about: "a file of 10 MB, 16 connections",
        kind: Kind::Load(Load { path: "/10m.txt", connections: 16, ..TRANSFERS }),
        peers: &[Peer::Ours, Peer::Nginx, Peer::Hyper],
    },
    Case {
        name: "chunked",
        about: "a reply of 16 chunks of 1 KB, made on demand, 64 connections",
        kind: Kind::Load(Load { path: "/chunked", ..TRANSFERS }),
        peers: &[Peer::Ours, Peer::Hyper],
    },
    Case {
        name: "upload-1g",
        about: "a body of 1 GB, taken in pieces; 1 connection",
        kind: Kind::Transfer(Transfer::Upload(1 << 30)),
        peers: &[Peer::Ours, Peer::Hyper],
    },
    Case {
        name: "sse-1000",
        about: "server-sent events, 96 bytes to each of 1,000 subscribers, one event at a time",
        kind: Kind::Transfer(Transfer::Events(1000)),
        peers: &[Peer::Ours, Peer::Hyper],
    },
    router("router-text", "an axum router with two layers: a text of 13 bytes, 64 connections", "/hello"),
    router("router-json", "the same router: JSON, 64 connections", "/json"),
    router("router-path", "the same router: JSON by a number in the path, 64 connections", "/users/42"),
    websocket("ws-64", "WebSocket echo of 64 bytes, 64 connections", echo(64, 64)),
    websocket("ws-1k", "WebSocket echo of 1 KB, 64 connections", echo(64, 1 << 10)),
    websocket("ws-64k", "WebSocket echo of 64 KB, 16 connections", echo(16, 64 << 10)),
    // More of them at a time would wait for each other: the load sends a message before it reads one.
    websocket("ws-1m", "WebSocket echo of 1 MB, 1 connection", echo(1, 1 << 20)),
    websocket(
        "ws-room",
        "a WebSocket message of 1 KB to each of 1,000 in a room, one at a time",
        Transfer::Broadcast(1000),
    ),
    Case {
        name: "close",
        about: "one request a connection, 64 at a time",
        kind: Kind::Load(Load { headers: &[CLOSE], ..HELLO }),
        // The others do not close when they are asked to.
        peers: &[Peer::Ours, Peer::C, Peer::Hyper, Peer::Actix, Peer::Axum],
    },
    load("idle", "13-byte reply, 64 connections, 9,000 idle ones besides", Load { idle: 9000, ..HELLO }),
    Case {
        name: "storm",
        about: "8,000 connections, one request each, all held: speed, and memory a connection",
        kind: Kind::Storm(8000),
        peers: WEB,
    },
    Case {
        name: "closing-1000",
        about: "1,000 held connections, closed by the client, the oldest first",
        kind: Kind::Closing(1000),
        peers: FEWER,
    },
    Case {
        name: "closing-19000",
        about: "19,000 held connections, closed by the client, the oldest first",
        kind: Kind::Closing(19_000),
        peers: FEWER,
    },
    Case {
        name: "tls-handshakes",
        about: "one request a connection over TLS 1.3, P-256, nothing resumed; 64 at a time",
        kind: Kind::Load(Load { headers: &[CLOSE], ..SECURE }),
        peers: SECURED,
    },
    Case {
        name: "tls-hello-64",
        about: "13-byte reply over TLS, 64 keep-alive connections",
        kind: Kind::Load(SECURE),
        peers: SECURED,
    },
    Case {
        name: "tls-reply-1m",
        about: "1 MB reply over TLS, 16 connections: a request is a megabyte",
        kind: Kind::Load(Load { path: "/1m", connections: 16, ..SECURE }),
        peers: SECURED,
    },
    Case {
        name: "tls-idle",
        about: "2,000 connections over TLS, one request each, all held: memory a connection",
        kind: Kind::SecureStorm(2000),
        peers: SECURED,
    },
    Case {
        name: "udp-64",
        about: "datagrams of 64 bytes sent back, from 16 sockets, 16 at a time on each",
        kind: Kind::Transfer(Transfer::Datagrams { sockets: 16, bytes: 64 }),
        peers: &[Peer::Ours, Peer::Floor],
    },
    Case {
        name: "mqtt-0",
        about: "MQTT clients of one mosquitto: 64 bytes at QoS 0, published and received",
        kind: Kind::Mqtt(0),
        peers: MQTT,
    },
    Case { name: "mqtt-1", about: "the same at QoS 1", kind: Kind::Mqtt(1), peers: MQTT },
    Case {
        name: "messages",
        about: "messages from 4 threads to the loop's: mg_wakeup in C, Handle::post here",
        kind: Kind::Messages,
        peers: &[Peer::Ours, Peer::C],
    },
    Case {
        name: "workers-1",
        about: "13-byte reply, 64 connections, 1 worker; server and load share all cores",
        kind: Kind::Workers(1),
        peers: &[Peer::Ours],
    },
    Case {
        name: "workers-2",
        about: "13-byte reply, 64 connections, 2 workers; server and load share all cores",
        kind: Kind::Workers(2),
        peers: &[Peer::Ours],
    },
    Case {
        name: "footprint",
        about: "the hello server: stripped size, crates, clean build",
        kind: Kind::Footprint,
        peers: &[
            Peer::Ours,
            Peer::C,
            Peer::Hyper,
            Peer::Actix,
            Peer::Axum,
            Peer::MayMinihttp,
            Peer::TinyHttp,
        ],
    },
    Case {
        name: "instructions",
        about: "instructions in user space a request, under callgrind",
        kind: Kind::Instructions,
        peers: &[Peer::Ours, Peer::C, Peer::Hyper, Peer::Axum, Peer::Nginx],
    },
];

const fn load(name: &'static str, about: &'static str, load: Load) -> Case {
    Case { name, about, kind: Kind::Load(load), peers: FEWER }
}

/// On axum's own server and on ours.
const fn router(name: &'static str, about: &'static str, path: &'static str) -> Case {
    Case { name, about, kind: Kind::Load(Load { path, ..ROUTER }), peers: &[Peer::Ours, Peer::Axum] }
}

const fn echo(connections: usize, bytes: usize) -> Transfer {
    Transfer::Echo { connections, bytes }
}

const fn websocket(name: &'static str, about: &'static str, transfer: Transfer) -> Case {
    const PEERS: &[Peer] =
        &[Peer::Ours, Peer::C, Peer::Tungstenite, Peer::TokioTungstenite, Peer::Fastwebsockets];
    Case { name, about, kind: Kind::Transfer(transfer), peers: PEERS }
}

pub fn named(name: &str) -> Fallible<&'static Case> {
    let unknown = || format!("no case is called {name:?}; `cargo xtask bench --help` lists them");
    Ok(CASES.iter().find(|case| case.name == name).ok_or_else(unknown)?)
}

#[cfg(test)]
mod tests {
    use super::BROWSER;

    #[test]
    fn a_browsers_head_is_464_bytes_in_8_headers() {
        let headers: usize = BROWSER.iter().map(|header| header.len() + 2).sum();
        let rest = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n";
        assert_eq!(rest.len() + headers, 464);
        assert_eq!(1 + BROWSER.len(), 8);
    }
}
