//! tungstenite, a thread a connection, as a peer of the bench: `peer-tungstenite-websocket PORT`.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Error, Message, accept_hdr};

type Room = Arc<Mutex<Vec<mpsc::Sender<Message>>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-tungstenite-websocket PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let room = Room::default();
    for stream in listener.incoming() {
        let (stream, room) = (stream?, Arc::clone(&room));
        stream.set_nodelay(true)?;
        thread::spawn(move || {
            // It ends when the client does.
            let _ = serve(stream, &room);
        });
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "the library's own")]
fn serve(stream: TcpStream, room: &Room) -> Result<(), Error> {
    let mut path = String::new();
    let look = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let Ok(mut peer) = accept_hdr(stream, look) else { return Ok(()) };
    match path.as_str() {
        "/room" => {
            let (send, receive) = mpsc::channel();
            room.lock().expect("no panic").push(send);
            for message in receive {
                peer.send(message)?;
            }
        }
        "/publish" => loop {
            let message = peer.read()?;
            if message.is_binary() {
                room.lock().expect("no panic").retain(|member| member.send(message.clone()).is_ok());
            }
        },
        _ => loop {
            let message = peer.read()?;
            if message.is_binary() {
                peer.send(message)?;
            }
        },
    }
    Ok(())
}
