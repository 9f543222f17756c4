//! A layer that makes what axum's own `WebSocketUpgrade` asks for, out of our `Upgrade`.
//!
//! hyper lets nobody make a `hyper::upgrade::OnUpgrade`. But its client makes one of any response of status 101: here of
//! one that it gets at once, over a stream in memory. What axum then writes to and reads from that stream is carried to
//! the connection and back, once the route's own response of status 101 has been sent there.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::middleware::Next;
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mongoose::tower::Upgrade;
use mongoose::{Connection, ConnectionId, Error, Event, Handle};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

/// Bytes that may wait in each direction.
const ROOM: usize = 64 << 10;

/// For `axum::middleware::from_fn`.
pub async fn with_on_upgrade(mut request: Request, next: Next) -> Response {
    if let Some(upgrade) = request.extensions_mut().remove::<Upgrade>()
        && let Ok((on_upgrade, stream)) = make().await
    {
        request.extensions_mut().insert(on_upgrade);
        upgrade.take_over(move |handle, id| carry(stream, handle, id));
    }
    next.run(request).await
}

/// An `OnUpgrade`, and the far end of its stream.
async fn make() -> Result<(OnUpgrade, DuplexStream), Box<dyn std::error::Error>> {
    let (near, mut far) = duplex(ROOM);
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
    tokio::spawn(connection.with_upgrades());
    let asked = hyper::Request::get("/").header(CONNECTION, "upgrade").header(UPGRADE, "stream");
    let answered = client.send_request(asked.body(Body::empty())?);
    let answer = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(far.read_u8().await?);
        }
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: stream\r\n\r\n")
            .await
    };
    let (response, answer) = futures_util::future::join(answered, answer).await;
    answer?;
    Ok((hyper::upgrade::on(response?), far))
}

/// Carries bytes both ways, and holds each side back while the other does not take them.
fn carry(
    stream: DuplexStream,
    handle: Handle,
    id: ConnectionId,
) -> impl FnMut(&Connection<'_>, Event<'_>) -> Result<(), Error> {
    let (reader, writer) = split(stream);
    let (received, pieces) = unbounded_channel();
    let room = Arc::new(Notify::new());
    tokio::spawn(inwards(pieces, writer, handle.clone(), id));
    tokio::spawn(outwards(reader, Arc::clone(&room), handle, id));
    let mut received = Some(received);
    move |connection: &Connection<'_>, event: Event<'_>| {
        match event {
            Event::Read => {
                let bytes = connection.received();
                connection.consume(bytes.len());
                // Until it has been taken.
                connection.pause();
                if let Some(received) = &received {
                    // Nobody reads any more: neither does anybody need it.
                    let _ = received.send(bytes.to_vec());
                }
            }
            Event::Write => room.notify_one(),
            Event::End => {
                connection.keep_open();
                received = None;
            }
            Event::Close => {
                received = None;
                room.notify_one();
            }
            _ => {}
        }
        Ok(())
    }
}

async fn inwards(
    mut pieces: UnboundedReceiver<Vec<u8>>,
    mut writer: WriteHalf<DuplexStream>,
    handle: Handle,
    id: ConnectionId,
) {
    while let Some(piece) = pieces.recv().await {
        // Where nobody reads, bytes are of no use, and the connection ends with the other direction.
        let _ = writer.write_all(&piece).await;
        let resumed = handle.post(move |registry| {
            if let Ok(connection) = registry.connection(id) {
                connection.resume();
            }
        });
        if resumed.is_err() {
            break;
        }
    }
    // It does not fail.
    let _ = writer.shutdown().await;
}

async fn outwards(mut reader: ReadHalf<DuplexStream>, room: Arc<Notify>, handle: Handle, id: ConnectionId) {
    let mut buffer = vec![0; ROOM];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        let bytes = buffer[..count].to_vec();
        let (told, sent) = oneshot::channel();
        let posted = handle.post(move |registry| {
            let connection = registry.connection(id);
            let sent = connection.and_then(|connection| connection.send(bytes).map(|()| connection.queued()));
            // Dropped with the runtime.
            let _ = told.send(sent);
        });
        match (posted, sent.await) {
            (Ok(()), Ok(Ok(queued))) if queued > ROOM => room.notified().await,
            (Ok(()), Ok(Ok(_))) => {}
            _ => break,
        }
    }
    let _ = handle.post(move |registry| {
        if let Ok(connection) = registry.connection(id) {
            connection.drain();
        }
    });
}
