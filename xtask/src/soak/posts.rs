//! A loop that other threads post to while it serves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::memory::Flat;
use super::{Fallible, Plan, Summary};
use crate::bench::peers::{Peer, Program};
use crate::bench::progress;
use crate::bench::server::{SERVER_CORE, Server, numbers, send_requests};

const CLIENTS: usize = 64;
const REQUESTS: usize = 5_000;

pub fn run(plan: &Plan) -> Fallible<Summary> {
    let server = Server::start(SERVER_CORE, &plan.peers.serve(Peer::Ours, Program::Posts)?, plan.peers.port)?;
    let (mut memory, mut requests, begun) = (Flat::default(), 0, Instant::now());
    let open = server.settled_descriptors()?;
    while begun.elapsed() < plan.time().0 {
        for path in ["/hello", "/later"] {
            send_requests(&plan.peers, CLIENTS, REQUESTS, path, &[])?;
            requests += REQUESTS;
        }
        server.wait_for_descriptors(open)?;
        memory.add(server.private_memory()?);
        progress::show(&format!("  posts: {requests} requests, {memory}"));
    }
    let [posted, ran, errors] = account(plan.peers.port)?[..] else {
        return Err("the server gave no account".into());
    };
    if errors > 0.0 || posted < ran || ran == 0.0 {
        return Err(format!("of {posted} closures {ran} ran, {errors} of them wrong").into());
    }
    let what = format!(
        "{requests} requests, half of them answered by other threads, while two threads posted: {ran} closures ran, each \
         once and in its thread's order"
    );
    Ok(Summary { what, memory })
}

fn account(port: u16) -> Fallible<Vec<f64>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /account HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(numbers(reply.split("\r\n\r\n").nth(1).unwrap_or_default()))
}
