//! Running wrk, and reading what it says.

use super::cases::{Load, Script};
use super::peers::{Peers, Program, folder};
use super::{Fallible, tools};

/// What wrk measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    pub requests: f64,
    pub rate: f64,
    /// Connections that the server ended, or that failed.
    pub errors: f64,
    /// Replies other than 2xx and 3xx.
    pub refused: f64,
}

/// Loads the server on the peers' port, from these cores.
pub fn run(peers: &Peers, load: &Load, cores: &str, threads: usize, seconds: u32) -> Fallible<Report> {
    let mut command = tools::pinned(cores, "wrk");
    command.arg(format!("-t{threads}")).arg(format!("-c{}", load.connections)).arg(format!("-d{seconds}"));
    for header in load.headers {
        command.args(["-H", header]);
    }
    let script = match load.script {
        Script::None => None,
        Script::Pipeline(number) => Some(("pipeline.lua", number)),
        Script::Post(bytes) => Some(("post.lua", bytes)),
    };
    if let Some((name, _)) = script {
        command.arg("-s").arg(folder().join("wrk").join(name));
    }
    let scheme = if load.program == Program::Secure { "https" } else { "http" };
    command.arg(format!("{scheme}://127.0.0.1:{}{}", peers.port, load.path));
    if let Some((_, argument)) = script {
        command.arg("--").arg(argument.to_string());
    }
    let report = parse(&tools::output(&mut command)?);
    if report.refused > 0.0 {
        return Err(format!("{} replies were refusals", report.refused).into());
    }
    if report.requests < 1.0 { Err("wrk got no reply".into()) } else { Ok(report) }
}

fn parse(text: &str) -> Report {
    let mut report = Report::default();
    for line in text.lines().map(str::trim) {
        let first = || line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let last = || line.split_whitespace().last().and_then(|word| word.parse().ok()).unwrap_or_default();
        if line.contains(" requests in ") {
            report.requests = first();
        } else if line.starts_with("Requests/sec:") {
            report.rate = last();
        } else if line.starts_with("Non-2xx") {
            report.refused = last();
        } else if let Some(errors) = line.strip_prefix("Socket errors:") {
            report.errors = super::server::numbers(&errors.replace(',', " ")).iter().sum();
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::{Report, parse};

    #[test]
    fn reads_what_wrk_prints() {
        let text = "Running 1s test @ http://127.0.0.1:18080/hello\n  1 threads and 64 connections\n\
            \x20 13432 requests in 1.01s, 1.78MB read\n  Socket errors: connect 0, read 13369, write 1, timeout 0\n\
            \x20 Non-2xx or 3xx responses: 3\nRequests/sec:  13281.74\nTransfer/sec:      1.76MB\n";
        assert_eq!(parse(text), Report { requests: 13432.0, rate: 13281.74, errors: 13370.0, refused: 3.0 });
    }
}
