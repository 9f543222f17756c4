//! Messages that are taken in pieces.

use std::sync::mpsc::{Receiver, channel};

use mongoose::{Error, http, ws};
use mongoose_tests::{PATIENCE, Random, Server, scaled};

use crate::peer::{BINARY, FIN, PONG, Peer, TEXT};

/// A piece, as the handler got it.
type Got = (Vec<u8>, bool, bool);

fn serve() -> (Server, Receiver<Got>) {
    let (tell, told) = channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            let mut limits = ws::Limits::default();
            limits.message = 10;
            limits.frame = 10;
            ws::upgrade(request, reply).limits(limits).pieces().accept(
                move |_: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Piece(piece) = event {
                        let _ = tell.send((piece.data.as_bytes().to_vec(), piece.first, piece.last));
                    }
                    Ok(())
                },
            )
        }
    });
    (server, told)
}

/// Puts a message together.
fn whole(told: &Receiver<Got>) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let (data, first, last) = told.recv_timeout(PATIENCE).expect("a piece");
        assert_eq!(first, message.is_empty(), "after {} bytes", message.len());
        message.extend(data);
        if last {
            return message;
        }
    }
}

#[test]
fn a_message_past_any_limit_comes_in_pieces_as_it_is_sent() {
    let (server, told) = serve();
    let mut peer = Peer::connect(server.address);
    let message = Random::new(1).bytes(scaled(6 << 20));
    let frames = peer.encode(FIN | BINARY, &message);
    peer.client.send(&frames);
    assert!(whole(&told) == message);
    // Before all of a frame has come.
    let frame = peer.encode(FIN | BINARY, b"first and last");
    peer.client.send(&frame[..frame.len() - 4]);
    let mut begun = Vec::new();
    while begun.len() < 10 {
        let (data, _, last) = told.recv_timeout(PATIENCE).expect("a piece");
        assert!(!last);
        begun.extend(data);
    }
    peer.client.send(&frame[frame.len() - 4..]);
    assert_eq!(told.recv_timeout(PATIENCE).expect("a piece"), (b"last".to_vec(), false, true));
}

#[test]
fn text_is_cut_between_characters() {
    let (server, told) = serve();
    let mut peer = Peer::connect(server.address);
    let text = "h\u{e9}llo \u{20ac} \u{1f600}".repeat(3);
    let bytes = peer.encode(FIN | TEXT, text.as_bytes());
    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
    server.feed(&mut peer.client, pieces);
    let mut message = String::new();
    loop {
        let (data, _, last) = told.recv_timeout(PATIENCE).expect("a piece");
        message.push_str(std::str::from_utf8(&data).expect("whole characters"));
        if last {
            break;
        }
    }
    assert_eq!(message, text);
}

#[test]
fn fragments_pings_and_empty_messages() {
    let (server, told) = serve();
    let mut peer = Peer::connect(server.address);
    peer.send(BINARY, "one ").send(FIN | 9, "ping").send(0, "").send(FIN, "two").send(FIN | TEXT, "");
    peer.expect(FIN | PONG, "ping");
    assert_eq!(whole(&told), b"one two");
    assert_eq!(told.recv_timeout(PATIENCE).expect("a piece"), (Vec::new(), true, true));
}

#[test]
fn section_8_1_text_that_is_cut_short_or_wrong_is_1007() {
    let (server, _told) = serve();
    for (first, bytes) in [(FIN | TEXT, b"ok \xe2\x82".as_slice()), (TEXT, b"ok \xff"), (FIN | TEXT, b"\xe2")]
    {
        let mut peer = Peer::connect(server.address);
        peer.send(first, bytes);
        assert_eq!(peer.expect_close(), 1007);
    }
}

#[test]
fn a_handler_that_pauses_holds_the_peer_back() {
    let (tell, told) = channel();
    let server = Server::http(move || {
        move |request: http::Request<'_>, reply: http::Reply<'_>| {
            let tell = tell.clone();
            ws::upgrade(request, reply).pieces().accept(
                move |peer: &ws::Connection<'_>, event: ws::Event<'_>| -> Result<(), Error> {
                    if let ws::Event::Piece(piece) = event {
                        peer.pause();
                        tell.send((peer.id(), piece.data.as_bytes().len(), piece.last)).expect("the test");
                    }
                    Ok(())
                },
            )
        }
    });
    let peer = Peer::connect(server.address);
    let total = scaled(2 << 20);
    let frame = peer.encode(FIN | BINARY, &vec![1; total]);
    let mut stream = peer.client.stream().try_clone().expect("a copy");
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stream, &frame).expect("to send"));
    let mut received = 0;
    loop {
        let (id, len, last) = told.recv_timeout(PATIENCE).expect("a piece");
        received += len;
        assert!(told.try_recv().is_err(), "nothing comes while it is paused");
        if last {
            break;
        }
        server.ask(move |registry| registry.websocket(id).expect("open").resume());
    }
    assert_eq!(received, total);
    writer.join().expect("the writer");
}
