//! A chat in the browser: `cargo run --release --example ws_chat`, then open <http://127.0.0.1:8000> twice.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mongoose::{ConnectionId, Error, Manager, Registry, http, ws};

/// Bytes in a message.
const MESSAGE_MAX: usize = 4096;

/// Bytes that wait for somebody who does not read.
const BEHIND_MAX: usize = 256 << 10;

/// Everybody who is here, by name once they have said it.
#[derive(Default)]
struct Room {
    members: BTreeMap<ConnectionId, Option<String>>,
}

impl Room {
    /// Tells all who have a name. One frame is made, and all share it.
    fn tell(&self, registry: &Registry, line: &str) {
        let message = ws::SharedMessage::text(line.to_owned());
        for (id, _) in self.members.iter().filter(|(_, name)| name.is_some()) {
            let Ok(member) = registry.websocket(*id) else { continue };
            if let Err(Error::OutputFull { .. }) = member.send_shared(&message) {
                // The others are not to wait for one that does not read.
                member.connection().close();
            }
        }
    }

    fn say(&mut self, peer: &ws::Connection<'_>, text: &str) -> Result<(), Error> {
        let text: String = text.trim().replace(char::is_control, " ");
        if let Some(Some(name)) = self.members.get(&peer.id()) {
            self.tell(peer.registry(), &format!("{name}: {text}"));
            return Ok(());
        }
        if text.is_empty() || self.members.values().flatten().any(|name| *name == text) {
            return peer.send_text("* that name will not do, another?");
        }
        self.members.insert(peer.id(), Some(text.clone()));
        let names: Vec<_> = self.members.values().flatten().map(String::as_str).collect();
        peer.send_text(format!("* here are: {}", names.join(", ")))?;
        self.tell(peer.registry(), &format!("* {text} has come"));
        Ok(())
    }

    fn leave(&mut self, peer: &ws::Connection<'_>) {
        if let Some(Some(name)) = self.members.remove(&peer.id()) {
            self.tell(peer.registry(), &format!("* {name} has gone"));
        }
    }
}

fn join(request: http::Request<'_>, reply: http::Reply<'_>, room: &Rc<RefCell<Room>>) -> Result<(), Error> {
    let mut limits = ws::Limits::default();
    limits.message = MESSAGE_MAX;
    limits.frame = MESSAGE_MAX;
    limits.output = BEHIND_MAX;
    let room = Rc::clone(room);
    ws::upgrade(request, reply).limits(limits).accept(
        move |peer: &ws::Connection<'_>, event: ws::Event<'_>| {
            let mut room = room.borrow_mut();
            match event {
                ws::Event::Open => {
                    room.members.insert(peer.id(), None);
                    peer.send_text("* your name?")
                }
                ws::Event::Message(ws::Message::Text(text)) => room.say(peer, text),
                ws::Event::Message(ws::Message::Binary(_)) => {
                    peer.close(ws::CloseCode::UNSUPPORTED, "text only")
                }
                ws::Event::Close(_) => {
                    room.leave(peer);
                    Ok(())
                }
                _ => Ok(()),
            }
        },
    )
}

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or("http://127.0.0.1:8000".to_owned());
    let mut manager = Manager::new()?;
    let room = Rc::new(RefCell::new(Room::default()));
    let listener =
        manager.http(&url, move |request: http::Request<'_>, reply: http::Reply<'_>| {
            match request.path() {
                "/" => {
                    reply.header("Content-Type", "text/html; charset=utf-8").body(include_str!("chat.html"))
                }
                "/ws" => join(request, reply, &room),
                _ => reply.status(404).text("not found\n"),
            }
        })?;
    eprintln!("listening on http://{}", listener.local_addr());
    manager.run_until_signal()
}
