//! tokio-tungstenite on tokio's current-thread runtime, as a peer of the bench: `peer-tokio_tungstenite-websocket PORT`.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

type Room = Rc<RefCell<Vec<mpsc::UnboundedSender<Message>>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-tokio_tungstenite-websocket PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let room = Room::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let room = Rc::clone(&room);
            tokio::task::spawn_local(async move {
                // It ends when the client does.
                let _ = serve(stream, room).await;
            });
        }
    })
}

async fn serve(stream: TcpStream, room: Room) -> Result<(), Error> {
    let mut path = String::new();
    #[allow(clippy::result_large_err, reason = "the library's own")]
    let look = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let mut peer = accept_hdr_async(stream, look).await?;
    match path.as_str() {
        "/room" => {
            let (send, mut receive) = mpsc::unbounded_channel();
            room.borrow_mut().push(send);
            while let Some(message) = receive.recv().await {
                peer.send(message).await?;
            }
        }
        "/publish" => {
            while let Some(message) = peer.next().await.transpose()? {
                if message.is_binary() {
                    room.borrow_mut().retain(|member| member.send(message.clone()).is_ok());
                }
            }
        }
        _ => {
            while let Some(message) = peer.next().await.transpose()? {
                if message.is_binary() {
                    peer.send(message).await?;
                }
            }
        }
    }
    Ok(())
}
