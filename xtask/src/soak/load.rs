//! What loads a server.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use super::{Fallible, Plan};
use crate::bench::server::{LOAD_CORE, numbers};
use crate::bench::tools;

/// Runs a client to its end, and answers the numbers that it prints.
pub fn run(program: impl AsRef<OsStr>, arguments: &[String]) -> Fallible<Vec<f64>> {
    let printed = tools::output(tools::pinned(LOAD_CORE, program).args(arguments))?;
    Ok(numbers(&printed))
}

/// The same of the load generator, whose first arguments are the mode and the port.
pub fn mode(plan: &Plan, mode: &str, arguments: &[usize]) -> Fallible<Vec<f64>> {
    let mut all = vec![mode.to_owned(), plan.peers.port.to_string()];
    all.extend(arguments.iter().map(usize::to_string));
    run(plan.peers.load(), &all)
}

/// Clients whose heads never end. Dropping it ends them.
#[derive(Debug)]
pub struct Dripping {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Dripping {
    /// Opens them.
    pub fn start(plan: &Plan, connections: usize) -> Fallible<Self> {
        let mut command = tools::pinned(LOAD_CORE, plan.peers.load());
        command.args(["drip".to_owned(), plan.peers.port.to_string(), connections.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut dripping = Self { child, output };
        dripping.read()?;
        Ok(dripping)
    }

    /// Ends them: how many there were, and how many of them were told that they take too long.
    pub fn end(mut self) -> Fallible<(usize, usize)> {
        drop(self.child.stdin.take());
        let [opened, late] = self.read()?[..] else { return Err("the slow clients failed".into()) };
        Ok((opened as usize, late as usize))
    }

    fn read(&mut self) -> Fallible<Vec<f64>> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let numbers = numbers(&line);
        if numbers.is_empty() { Err("the slow clients failed".into()) } else { Ok(numbers) }
    }
}

impl Drop for Dripping {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
