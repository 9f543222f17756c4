//! Clients of MQTT, all of one mosquitto: what it costs them to publish a message and to receive it.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::cases::Case;
use super::metric::Metric;
use super::peers::{Peer, Program, target};
use super::results::Results;
use super::server::{LOAD_CORE, SERVER_CORE, Server, cpu_of};
use super::{Fallible, Peers, Plan, tools};
use crate::Outcome;

/// What the clients of mosquitto's own are told: the others know it.
const TOPIC: &str = "bench";
const PAYLOAD: usize = 64;

/// After which nothing more is expected to come.
const SILENCE: Duration = Duration::from_secs(5);

pub fn run(
    case: &'static Case,
    qos: u8,
    plan: &Plan,
    peers: &Peers,
    peer: Peer,
    results: &mut Results,
) -> Outcome {
    let count: usize = if plan.quick { 20_000 } else { 500_000 };
    let (broker, port) = broker()?;
    let begun = Instant::now();
    let done = match peer {
        Peer::Libmosquitto => tools_of_mosquitto(port, qos, count)?,
        _ => {
            let program = peers.program(peer, Program::Mqtt)?;
            let mut command = tools::pinned(SERVER_CORE, &program[0]);
            command.args([port.to_string(), qos.to_string(), count.to_string()]);
            Done { nanoseconds: finish(command.stdin(Stdio::null()).spawn()?)?, count, at: Instant::now() }
        }
    };
    drop(broker);
    let (nanoseconds, count) = (done.nanoseconds as f64, done.count as f64);
    results.add(case, peer, Metric::Cpu, nanoseconds / 1000.0 / count);
    results.add(case, peer, Metric::Rate, count / (done.at - begun).as_secs_f64());
    Ok(())
}

/// What clients cost, how many messages came, and when the last one did.
struct Done {
    nanoseconds: u64,
    count: usize,
    at: Instant,
}

/// One client receives what another publishes. At QoS 1 fewer may come than were published: mosquitto loses count of
/// so many that are on their way at once, and the receiver would wait for ever.
fn tools_of_mosquitto(port: u16, qos: u8, count: usize) -> Fallible<Done> {
    const MARK: &str = "mark";
    let tool = |core, name: &str| {
        let mut command = tools::pinned(core, name);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", &qos.to_string()]);
        command
    };
    // What comes as soon as the other is subscribed.
    tools::output(tool(SERVER_CORE, "mosquitto_pub").args(["-t", MARK, "-m", MARK, "-r"]))?;
    let lines = target().join("mqtt-lines");
    fs::write(&lines, format!("{}\n", "x".repeat(PAYLOAD)).repeat(count))?;
    let mut receiver = tool(SERVER_CORE, "mosquitto_sub")
        .args(["-t", TOPIC, "-t", MARK, "-C", &(count + 1).to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut printed = BufReader::new(receiver.stdout.take().ok_or("no output")?);
    printed.read_line(&mut String::new())?;
    let (tell, came) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // Until it ends, or is ended.
        for _ in printed.lines().map_while(Result::ok) {
            let _ = tell.send(Instant::now());
        }
    });
    let publisher = tool(SERVER_CORE, "mosquitto_pub")
        .args(["-t", TOPIC, "-l"])
        .stdin(fs::File::open(&lines)?)
        .spawn()?;
    let mut done = Done { nanoseconds: finish(publisher)?, count: 0, at: Instant::now() };
    while let Ok(at) = came.recv_timeout(SILENCE) {
        (done.count, done.at) = (done.count + 1, at);
    }
    done.nanoseconds += cpu_of(receiver.id())?.total;
    receiver.kill()?;
    receiver.wait()?;
    reader.join().map_err(|_| "the reader of its output panicked")?;
    Ok(done)
}

/// Waits for a process and answers what it cost, in nanoseconds.
fn finish(mut child: Child) -> Fallible<u64> {
    // It is looked at when it is over, and before it is forgotten.
    let id = Pid::from_child(&child);
    waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    let cost = cpu_of(child.id())?.total;
    let status = child.wait()?;
    if status.success() { Ok(cost) } else { Err(format!("the client ended with {status}").into()) }
}

/// A mosquitto that keeps up, on the other core.
fn broker() -> Fallible<(Server, u16)> {
    let program = tools::find("mosquitto").ok_or("mosquitto is not there: apt-get install mosquitto")?;
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let file = target().join("mosquitto.conf");
    let configuration = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\nlog_type none\n"
    );
    fs::write(&file, configuration)?;
    let command: [OsString; 3] = [program.into(), "-c".into(), file.into()];
    Ok((Server::start(LOAD_CORE, &command, port)?, port))
}

/// Such as `2.0.11`.
pub fn version() -> String {
    let line = Command::new("mosquitto_pub").arg("--version").output();
    let text = line.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or("?")
        .to_owned()
}
