//! The servers that are compared: how each is built and started.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Fallible, files, nginx, progress, tools};
use crate::build::defines::Features;
use crate::build::include;
use crate::build::upstream::Upstream;
use crate::workspace;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Ours,
    /// Ours, over `tls-builtin`.
    Builtin,
    C,
    Floor,
    Hyper,
    Actix,
    Axum,
    MayMinihttp,
    TinyHttp,
    Cymongoose,
    Nginx,
    Tungstenite,
    TokioTungstenite,
    Fastwebsockets,
    Rumqttc,
    Libmosquitto,
}

/// The servers that a peer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Small replies. Kept apart from the rest, because its size is measured too.
    Hello,
    /// Files, streamed bodies, events.
    Transfers,
    /// Small replies over TLS.
    Secure,
    /// An axum router with layers.
    Router,
    /// Echoes and a room.
    WebSocket,
    /// Echoes by UDP.
    Datagrams,
    /// A client of MQTT that sends to itself.
    Mqtt,
    /// A loop that other threads post to: for the soak alone.
    Posts,
    /// Clients of MQTT that lose their connections: for the soak alone.
    MqttSoak,
    /// The example of a broker: for the soak alone.
    Broker,
}

impl Program {
    /// Those that are measured.
    pub const ALL: [Self; 7] = [
        Self::Hello,
        Self::Transfers,
        Self::Secure,
        Self::Router,
        Self::WebSocket,
        Self::Datagrams,
        Self::Mqtt,
    ];
}

impl Peer {
    pub const ALL: [Self; 16] = [
        Self::Ours,
        Self::Builtin,
        Self::C,
        Self::Floor,
        Self::Hyper,
        Self::Actix,
        Self::Axum,
        Self::MayMinihttp,
        Self::TinyHttp,
        Self::Cymongoose,
        Self::Nginx,
        Self::Tungstenite,
        Self::TokioTungstenite,
        Self::Fastwebsockets,
        Self::Rumqttc,
        Self::Libmosquitto,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Builtin => "builtin",
            Self::C => "c",
            Self::Floor => "floor",
            Self::Hyper => "hyper",
            Self::Actix => "actix",
            Self::Axum => "axum",
            Self::MayMinihttp => "may_minihttp",
            Self::TinyHttp => "tiny_http",
            Self::Cymongoose => "cymongoose",
            Self::Nginx => "nginx",
            Self::Tungstenite => "tungstenite",
            Self::TokioTungstenite => "tokio_tungstenite",
            Self::Fastwebsockets => "fastwebsockets",
            Self::Rumqttc => "rumqttc",
            Self::Libmosquitto => "libmosquitto",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::Ours => "the mongoose crate, one manager",
            Self::Builtin => "the same over tls-builtin instead of rustls",
            Self::C => "the C library on its own loop, compiled with the same settings, -O3",
            Self::Floor => "epoll in C that only receives and sends",
            Self::Hyper => "hyper on tokio's current-thread runtime",
            Self::Actix => "actix-web, one worker",
            Self::Axum => "axum on tokio's current-thread runtime",
            Self::MayMinihttp => "may_minihttp, one worker",
            Self::TinyHttp => "tiny_http, its threads on one core",
            Self::Cymongoose => "the C library under Python",
            Self::Nginx => "nginx, one process, sendfile",
            Self::Tungstenite => "tungstenite, a thread a connection on one core",
            Self::TokioTungstenite => "tokio-tungstenite on tokio's current-thread runtime",
            Self::Fastwebsockets => "fastwebsockets behind hyper on tokio's current-thread runtime",
            Self::Rumqttc => "rumqttc on tokio's current-thread runtime",
            Self::Libmosquitto => "mosquitto_pub -l and mosquitto_sub, which cost what both do",
        }
    }

    pub fn named(name: &str) -> Fallible<Self> {
        let unknown = || {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no peer is called {name:?}; there are {names}")
        };
        Ok(Self::ALL.into_iter().find(|peer| peer.name() == name).ok_or_else(unknown)?)
    }

    /// Whether there is such a server of it.
    pub fn has(self, program: Program) -> bool {
        match program {
            Program::Hello => {
                let other = matches!(self, Self::Builtin | Self::Nginx | Self::Rumqttc | Self::Libmosquitto);
                !other && !self.is_websocket_alone()
            }
            Program::WebSocket => self.is_websocket_alone() || matches!(self, Self::Ours | Self::C),
            Program::Transfers => matches!(self, Self::Ours | Self::Hyper | Self::Nginx),
            Program::Secure => matches!(self, Self::Ours | Self::Builtin | Self::Hyper),
            Program::Router => matches!(self, Self::Ours | Self::Axum),
            Program::Datagrams => matches!(self, Self::Ours | Self::Floor),
            Program::Mqtt => matches!(self, Self::Ours | Self::Rumqttc | Self::Libmosquitto),
            Program::Posts | Program::MqttSoak | Program::Broker => self == Self::Ours,
        }
    }

    fn is_websocket_alone(self) -> bool {
        matches!(self, Self::Tungstenite | Self::TokioTungstenite | Self::Fastwebsockets)
    }

    /// Whether a quick run has time for it.
    pub fn is_quick(self) -> bool {
        let http = matches!(self, Self::Floor | Self::Hyper | Self::Actix | Self::Nginx);
        http || self.has(Program::WebSocket) || self.has(Program::Mqtt)
    }

    /// The crate that is measured, where cargo builds the peer.
    pub fn crate_name(self) -> Option<&'static str> {
        match self {
            Self::Ours => Some("mongoose"),
            Self::Hyper => Some("hyper"),
            Self::Actix => Some("actix-web"),
            Self::Axum => Some("axum"),
            Self::MayMinihttp => Some("may_minihttp"),
            Self::TinyHttp => Some("tiny_http"),
            Self::Tungstenite => Some("tungstenite"),
            Self::TokioTungstenite => Some("tokio-tungstenite"),
            Self::Fastwebsockets => Some("fastwebsockets"),
            Self::Rumqttc => Some("rumqttc"),
            Self::Builtin | Self::C | Self::Floor | Self::Cymongoose | Self::Nginx | Self::Libmosquitto => {
                None
            }
        }
    }
}

/// The peers that could be built.
#[derive(Debug)]
pub struct Peers {
    /// Where all of them listen, in turn.
    pub port: u16,
    pub load: PathBuf,
    built: Vec<(Peer, Program, Vec<OsString>)>,
    /// Why one is missing.
    pub missing: Vec<(Peer, String)>,
}

impl Peers {
    /// Builds what is needed. One that does not build is left out, but for ours and the load generator.
    pub fn build(needed: &[(Peer, Program)]) -> Fallible<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        eprintln!("building the peers into {}", target().display());
        let load = cargo_build("load", Program::Hello)?;
        files::make()?;
        let mut peers = Self { port, load, built: Vec::new(), missing: Vec::new() };
        for &(peer, program) in needed {
            progress::show(&format!("  {}", peer.name()));
            match build(peer, program, port) {
                Ok(command) => peers.built.push((peer, program, command)),
                Err(error) if peer == Peer::Ours => return Err(error),
                Err(error) => {
                    progress::clear();
                    eprintln!("  {} is left out: {error}", peer.name());
                    peers.missing.push((peer, error.to_string()));
                }
            }
        }
        progress::clear();
        Ok(peers)
    }

    pub fn built(&self, program: Program) -> impl Iterator<Item = Peer> {
        self.built.iter().filter(move |built| built.1 == program).map(|built| built.0)
    }

    pub fn load(&self) -> &Path {
        &self.load
    }

    /// The program of a peer and its first arguments.
    pub fn program(&self, peer: Peer, program: Program) -> Fallible<&[OsString]> {
        let found = self.built.iter().find(|built| built.0 == peer && built.1 == program);
        Ok(&found.ok_or_else(|| format!("{} was not built", peer.name()))?.2)
    }

    /// The command that serves.
    pub fn serve(&self, peer: Peer, program: Program) -> Fallible<Vec<OsString>> {
        let mut command = self.program(peer, program)?.to_vec();
        // It reads all that in its configuration.
        if peer != Peer::Nginx {
            command.push(self.port.to_string().into());
            let reads = matches!(program, Program::Transfers | Program::Secure);
            command.extend(reads.then(|| files::folder().into()));
        }
        Ok(command)
    }
}

/// Where the sources of the peers are.
pub fn folder() -> PathBuf {
    workspace::root().join("mongoose/benches/peers")
}

/// Where the peers are built.
pub fn target() -> PathBuf {
    workspace::root().join("target/peers")
}

fn build(peer: Peer, program: Program, port: u16) -> Fallible<Vec<OsString>> {
    fs::create_dir_all(target())?;
    Ok(match peer {
        Peer::C => vec![build_c(&target())?.into()],
        Peer::Floor => {
            let (name, source) = match program {
                Program::Datagrams => ("peer-floor-datagrams", "floor/datagrams.c"),
                _ => ("peer-floor", "floor/server.c"),
            };
            let program = target().join(name);
            cc(&["-O3"], &[&folder().join(source)], &program)?;
            vec![program.into()]
        }
        Peer::Cymongoose => vec![virtual_environment()?.into(), folder().join("cymongoose/server.py").into()],
        Peer::Nginx => nginx::command(port)?,
        Peer::Libmosquitto => {
            let missing = "mosquitto_pub is not there: apt-get install mosquitto-clients";
            vec![tools::find("mosquitto_pub").ok_or(missing)?.into()]
        }
        Peer::Builtin => {
            let program = "peer-ours-builtin";
            vec![build_program("ours", program, &["--features", "builtin"], &target(), &[])?.into()]
        }
        _ => vec![cargo_build(peer.name(), program)?.into()],
    })
}

fn cargo_build(name: &str, program: Program) -> Fallible<PathBuf> {
    cargo_build_into(name, program, &target(), &[])
}

/// Builds the crate in a peer's folder as a user would: with cargo's own settings and what its Cargo.toml says.
pub fn cargo_build_into(name: &str, program: Program, target: &Path, more: &[&str]) -> Fallible<PathBuf> {
    const SOAK: &[&str] = &["--features", "soak"];
    let (suffix, features): (_, &[&str]) = match program {
        Program::Posts => return build_program(name, "peer-ours-posts", SOAK, target, more),
        Program::Broker => return build_program(name, "peer-ours-broker", SOAK, target, more),
        Program::MqttSoak => return build_program(name, "peer-ours-mqtt-soak", SOAK, target, more),
        Program::Hello => ("", &[]),
        Program::Transfers => ("-transfers", &["--features", "transfers"]),
        Program::Secure => ("-secure", &["--features", "secure"]),
        Program::Router => ("-router", &["--features", "router"]),
        Program::WebSocket => ("-websocket", &["--features", "websocket"]),
        Program::Datagrams => ("-datagrams", &["--features", "datagrams"]),
        Program::Mqtt => ("-mqtt", &["--features", "mqtt"]),
    };
    build_program(name, &format!("peer-{name}{suffix}"), features, target, more)
}

fn build_program(
    name: &str,
    file: &str,
    features: &[&str],
    target: &Path,
    more: &[&str],
) -> Fallible<PathBuf> {
    let mut command = cargo(name, "build");
    command.args(["--release", "--quiet", "--bin", file, "--target-dir"]).arg(target);
    tools::output(command.args(features).args(more))?;
    Ok(target.join("release").join(file))
}

pub fn cargo(name: &str, command: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // In its folder, away from the settings of this workspace.
    cargo.arg(command).current_dir(folder().join(name));
    cargo
}

/// The same unit, settings and options that mongoose-sys builds with.
pub fn build_c(target: &Path) -> Fallible<PathBuf> {
    let search = workspace::search();
    let source = search.locate(&Upstream::read(&search.manifest_dir)?)?;
    let csrc = workspace::mongoose_sys().join("csrc");
    let headers = target.join("c-include");
    include::write(&headers, &source, &csrc, Features::default())?;
    let include = |folder: &Path| format!("-I{}", folder.display());
    let program = target.join("peer-c");
    let options = [
        "-O3",
        "-w",
        "-fno-strict-aliasing",
        "-pthread",
        &include(&headers),
        &include(&source),
        &include(&csrc),
    ];
    cc(&options, &[&folder().join("mongoose_loop/server.c"), &csrc.join("unit.c")], &program)?;
    Ok(program)
}

fn cc(options: &[&str], sources: &[&Path], program: &Path) -> Fallible<String> {
    tools::output(Command::new("cc").args(options).arg("-o").arg(program).args(sources))
}

/// Python with cymongoose, installed by pip into a folder of its own.
fn virtual_environment() -> Fallible<PathBuf> {
    let folder = target().join("venv");
    let python = folder.join("bin/python");
    if !python.exists() {
        tools::output(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    if tools::output(Command::new(&python).args(["-c", "import cymongoose"])).is_err() {
        const PACKAGE: &[&str] = &["-m", "pip", "install", "--quiet", "cymongoose==0.2.5"];
        tools::output(Command::new(&python).args(PACKAGE))
            .map_err(|error| format!("pip cannot install it: {error}"))?;
    }
    Ok(python)
}
