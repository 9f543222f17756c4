//! The mongoose crate with WebSocket, as a peer of the bench: `peer-ours-websocket PORT`.

use std::cell::RefCell;
use std::rc::Rc;

use mongoose::http::{Reply, Request};
use mongoose::{ConnectionId, Error, Manager, ws};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: peer-ours-websocket PORT")?;
    let mut manager = Manager::new()?;
    let room = Rc::new(RefCell::new(Vec::<ConnectionId>::new()));
    manager.http(
        &format!("http://127.0.0.1:{port}"),
        move |request: Request<'_>, reply: Reply<'_>| -> Result<(), Error> {
            let room = Rc::clone(&room);
            let (path, id) = (request.path(), request.connection().id());
            let upgrade = ws::upgrade(request, reply);
            match path {
                "/room" => {
                    upgrade.accept(|_: &ws::Connection<'_>, _: ws::Event<'_>| Ok(()))?;
                    room.borrow_mut().push(id);
                    Ok(())
                }
                "/publish" => upgrade.accept(move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
                    if let ws::Event::Message(message) = event {
                        let message = ws::SharedMessage::from(message);
                        room.borrow_mut().retain(|id| match peer.registry().websocket(*id) {
                            Ok(member) => member.send_shared(&message).is_ok(),
                            Err(_) => false,
                        });
                    }
                    Ok(())
                }),
                _ => upgrade.accept(|peer: &ws::Connection<'_>, event: ws::Event<'_>| match event {
                    ws::Event::Message(message) => peer.send(message),
                    _ => Ok(()),
                }),
            }
        },
    )?;
    Ok(manager.run()?)
}
