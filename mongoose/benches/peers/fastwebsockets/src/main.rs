//! fastwebsockets behind hyper on tokio's current-thread runtime, as a peer of the bench:
//! `peer-fastwebsockets-websocket PORT`.

use std::cell::RefCell;
use std::rc::Rc;

use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocketError};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

type Room = Rc<RefCell<Vec<mpsc::UnboundedSender<Bytes>>>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: peer-fastwebsockets-websocket PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let room = Room::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let room = Rc::clone(&room);
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let room = Rc::clone(&room);
                    async move { open(request, room) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
                // It ends when the client does.
                let _ = connection.await;
            });
        }
    })
}

fn open(mut request: Request<Incoming>, room: Room) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let path = request.uri().path().to_owned();
    let (response, upgraded) = upgrade(&mut request)?;
    tokio::task::spawn_local(async move {
        // As above.
        let _ = serve(upgraded, &path, room).await;
    });
    Ok(response)
}

async fn serve(upgraded: UpgradeFut, path: &str, room: Room) -> Result<(), WebSocketError> {
    let mut peer = FragmentCollector::new(upgraded.await?);
    match path {
        "/room" => {
            let (send, mut receive) = mpsc::unbounded_channel();
            room.borrow_mut().push(send);
            while let Some(message) = receive.recv().await {
                peer.write_frame(Frame::binary(Payload::Borrowed(&message))).await?;
            }
        }
        "/publish" => loop {
            let frame = peer.read_frame().await?;
            match frame.opcode {
                OpCode::Close => break,
                OpCode::Binary => {
                    let message = Bytes::copy_from_slice(&frame.payload);
                    room.borrow_mut().retain(|member| member.send(message.clone()).is_ok());
                }
                _ => {}
            }
        },
        _ => loop {
            let frame = peer.read_frame().await?;
            match frame.opcode {
                OpCode::Close => break,
                OpCode::Binary => peer.write_frame(frame).await?,
                _ => {}
            }
        },
    }
    Ok(())
}
