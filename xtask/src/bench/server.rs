//! A server that is being measured, and the client that holds connections to it.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::peers::Program;
use super::tools::{pinned, proc_value};
use super::{Fallible, Peers};
use crate::Outcome;

/// Where servers are pinned.
pub const SERVER_CORE: &str = "0";
/// Where what loads them is pinned.
pub const LOAD_CORE: &str = "1";
/// No pinning.
pub const ALL_CORES: &str = "0-1";

/// A clock tick, in nanoseconds.
const TICK: u64 = 10_000_000;

/// How long a server may take to listen: callgrind is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
}

/// Processor time of a process so far.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// All of it, in nanoseconds: exact.
    pub total: u64,
    /// In user space, in clock ticks: sampled.
    user: u64,
    /// In the kernel, in clock ticks: sampled.
    system: u64,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start(cores: &str, command: &[OsString], port: u16) -> Fallible<Self> {
        Self::start_until(cores, command, || Ok(TcpStream::connect(("127.0.0.1", port)).is_ok()))
    }

    /// Starts a server of datagrams and waits until it sends one back.
    pub fn start_datagrams(cores: &str, command: &[OsString], port: u16) -> Fallible<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        // Nobody is there yet: the system says so at the next call.
        Self::start_until(cores, command, || {
            Ok(socket.send(b"?").is_ok() && socket.recv(&mut [0; 16]).is_ok())
        })
    }

    fn start_until(
        cores: &str,
        command: &[OsString],
        mut is_there: impl FnMut() -> Fallible<bool>,
    ) -> Fallible<Self> {
        let mut pinned = pinned(cores, &command[0]);
        pinned.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = pinned.spawn().map_err(|error| format!("cannot start {pinned:?}: {error}"))?;
        let mut server = Self { child };
        let begun = Instant::now();
        while !is_there()? {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended with {status} before it listened").into());
            }
            if begun.elapsed() > PATIENCE {
                return Err("the server does not listen".into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// Its processor time, of all its threads.
    pub fn cpu(&self) -> Fallible<Cpu> {
        cpu_of(self.child.id())
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> Fallible<f64> {
        self.proc_bytes("status", "VmRSS")
    }

    /// What it has written of its memory, in bytes: no part of its program, nothing that others share.
    pub fn private_memory(&self) -> Fallible<f64> {
        self.proc_bytes("smaps_rollup", "Private_Dirty")
    }

    /// The most resident memory that it had since [`forget_peak`](Self::forget_peak), in bytes.
    pub fn peak_memory(&self) -> Fallible<f64> {
        self.proc_bytes("status", "VmHWM")
    }

    /// Has the peak begin at what it has now.
    pub fn forget_peak(&self) -> Outcome {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    fn proc_bytes(&self, file: &str, key: &str) -> Fallible<f64> {
        let text = proc_value(format!("/proc/{}/{file}", self.child.id()), key).ok_or(key)?;
        Ok(text.trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> Fallible<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// The same once the connection that showed that it listens is gone.
    pub fn settled_descriptors(&self) -> Fallible<usize> {
        let (begun, before) = (Instant::now(), self.descriptors()?);
        while self.descriptors()? >= before && begun.elapsed() < Duration::from_secs(1) {
            sleep(Duration::from_millis(20));
        }
        self.descriptors()
    }

    /// Waits until it has at most as many descriptors open.
    pub fn wait_for_descriptors(&self, most: usize) -> Outcome {
        let begun = Instant::now();
        while self.descriptors()? > most {
            if begun.elapsed() > PATIENCE {
                return Err("the server does not close what its clients closed".into());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks it to end, and waits: for servers under callgrind, which then write down what they counted.
    pub fn terminate(mut self) -> Outcome {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process, of all its threads, also of one that has just ended.
pub fn cpu_of(process: u32) -> Fallible<Cpu> {
    let process = format!("/proc/{process}");
    let stat = fs::read_to_string(format!("{process}/stat"))?;
    // The name before it may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let (user, system) = (fields[11].parse()?, fields[12].parse()?);
    // The same sum as in `stat`, not rounded to ticks of 10 ms.
    let mut total = 0;
    for thread in fs::read_dir(format!("{process}/task"))? {
        // A thread may end meanwhile.
        let Ok(schedstat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        total += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    // Of threads that are gone only the ticks are left.
    let ticks: u64 = (user + system) * TICK;
    Ok(Cpu { total: total.max(ticks), user, system })
}

impl Cpu {
    /// Microseconds since an earlier reading.
    pub fn micros_since(self, earlier: Self) -> f64 {
        (self.total - earlier.total) as f64 / 1000.0
    }

    /// The share of user space since an earlier reading. Each tick is one sample.
    pub fn user_share_since(self, earlier: Self) -> f64 {
        let (user, system) = (self.user - earlier.user, self.system - earlier.system);
        user as f64 / (user + system).max(1) as f64
    }
}

/// Connections that stay open. Dropping it resets them.
#[derive(Debug)]
pub struct Holder {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// How many there are.
    pub held: usize,
    /// How long it took to open them and to get a reply on each.
    pub seconds: f64,
}

impl Holder {
    /// Opens connections, for at most `limit` seconds, and has one request answered on each.
    pub fn open(peers: &Peers, program: Program, connections: usize, limit: u32) -> Fallible<Self> {
        let mut command = pinned(LOAD_CORE, peers.load());
        command.arg(if program == Program::Secure { "hold-tls" } else { "hold" });
        command.args([peers.port.to_string(), connections.to_string(), limit.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut holder = Self { child, input, output, held: 0, seconds: 0.0 };
        let numbers = holder.read_numbers()?;
        (holder.held, holder.seconds) = (numbers[0] as usize, numbers[1]);
        Ok(holder)
    }

    /// Has each get one more reply, and answers how many did.
    pub fn ask(&mut self) -> Fallible<usize> {
        self.input.as_ref().ok_or("closed before")?.write_all(b"ask\n")?;
        Ok(self.read_numbers()?[0] as usize)
    }

    /// Closes them all, the oldest first.
    pub fn close(mut self) -> Fallible<usize> {
        self.input.as_ref().ok_or("closed before")?.write_all(b"close\n")?;
        Ok(self.read_numbers()?[0] as usize)
    }

    /// Reads a line such as `held 3 seconds 0.5`.
    fn read_numbers(&mut self) -> Fallible<Vec<f64>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let numbers = numbers(&line);
        if numbers.len() < 2 { Err("the holder of connections failed".into()) } else { Ok(numbers) }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The numbers among the words of a line.
pub fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Sends an exact number of requests over keep-alive connections.
pub fn send_requests(
    peers: &Peers,
    connections: usize,
    requests: usize,
    path: &str,
    headers: &[&str],
) -> Outcome {
    let mut command: Command = pinned(LOAD_CORE, peers.load());
    let arguments = [peers.port.to_string(), connections.to_string(), requests.to_string()];
    command.arg("requests").args(arguments).arg(path).args(headers);
    super::tools::output(&mut command)?;
    Ok(())
}
