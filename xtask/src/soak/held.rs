//! Good clients among thousands that only hold the server up.

use std::time::{Duration, Instant};

use super::load::Dripping;
use super::memory::Flat;
use super::{Fallible, Plan, Summary};
use crate::bench::peers::{Peer, Program};
use crate::bench::server::{Holder, SERVER_CORE, Server, send_requests};
use crate::bench::{progress, tools};

const HELD: usize = 10_000;
const SLOW: usize = 2_000;
const REQUESTS: usize = 1_000_000;
const CLIENTS: usize = 64;

/// In how many parts the requests are sent: the memory is looked at after each.
const PARTS: usize = 50;

/// The server lets nobody drip for longer than 30 s: all of them are to see that.
const AT_LEAST: Duration = Duration::from_secs(45);

/// Those who are held ask again within the 75 s that the server keeps a connection without a request.
const ASKING: Duration = Duration::from_secs(25);

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let (held, slow, requests) = (plan.scaled(HELD), plan.scaled(SLOW), plan.scaled(REQUESTS));
    let sockets = held + slow + CLIENTS;
    if tools::affordable(sockets) < sockets {
        return Err(
            format!("the system does not let a process have {sockets} sockets: see `ulimit -Hn`").into()
        );
    }
    let server = Server::start(SERVER_CORE, &plan.peers.serve(Peer::Ours, Program::Hello)?, plan.peers.port)?;
    let mut holder = Holder::open(&plan.peers, Program::Hello, held, 120)?;
    let dripping = Dripping::start(plan, slow)?;
    let (mut memory, begun, mut asked) = (Flat::default(), Instant::now(), Instant::now());
    let (mut sent, mut asks) = (0, 1);
    while sent < requests || (!plan.quick && begun.elapsed() < AT_LEAST) {
        send_requests(&plan.peers, CLIENTS, requests / PARTS, "/hello", &[])?;
        sent += requests / PARTS;
        if asked.elapsed() > ASKING {
            all(held, holder.ask()?)?;
            (asked, asks) = (Instant::now(), asks + 1);
        }
        memory.add(server.private_memory()?);
        progress::show(&format!("  held: {sent} of {requests} requests, {memory}"));
    }
    all(held, holder.ask()?)?;
    let (dripped, late) = dripping.end()?;
    let what = format!(
        "{sent} requests on {CLIENTS} connections while {held} were held, each with {} replies, and {slow} dripped a \
         byte of their head a second ({dripped} in all, {late} had their 408)",
        asks + 1
    );
    Ok(Summary { what, memory })
}

fn all(held: usize, answered: usize) -> Fallible<()> {
    if held == answered {
        Ok(())
    } else {
        Err(format!("of {held} held connections {answered} answer").into())
    }
}
