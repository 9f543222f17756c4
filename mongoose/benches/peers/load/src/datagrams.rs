//! Datagrams that are sent back.

use std::error::Error;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// On their way at a time from each socket: few enough for the sockets' room.
const WINDOW: usize = 16;

/// After how long the rest of a window is given up: on loopback nothing takes that long but what is lost.
const LOST: Duration = Duration::from_millis(200);

pub fn run(port: u16, sockets: usize, bytes: usize, limit: Duration) -> Result<(), Box<dyn Error>> {
    let mut clients = Vec::new();
    for _ in 0..sockets {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(LOST))?;
        clients.push(socket);
    }
    let payload = vec![b'x'; bytes];
    let mut room = vec![0; bytes + 1];
    let begun = Instant::now();
    let mut returned = 0u64;
    while begun.elapsed() < limit {
        for client in &clients {
            for _ in 0..WINDOW {
                client.send(&payload)?;
            }
        }
        for client in &clients {
            for _ in 0..WINDOW {
                match client.recv(&mut room) {
                    Ok(count) if count == bytes => returned += 1,
                    Ok(count) => return Err(format!("{count} bytes came back").into()),
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    if returned == 0 {
        return Err("nothing came back".into());
    }
    println!("datagrams {returned} seconds {:.6}", begun.elapsed().as_secs_f64());
    Ok(())
}
