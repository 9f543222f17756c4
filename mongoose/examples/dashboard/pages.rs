//! The pages that are open: each is a WebSocket of somebody who is logged in.

use std::collections::BTreeMap;
use std::rc::Rc;

use mongoose::{ConnectionId, Error, Registry, http, ws};

use crate::Dashboard;

/// Bytes that wait for a page that does not read, such as one on a laptop that sleeps.
const BEHIND_MAX: usize = 1 << 20;

/// Bytes of a message from a page, which has nothing to say.
const MESSAGE_MAX: usize = 1024;

/// By the session that opened it.
#[derive(Default)]
pub struct Pages {
    open: BTreeMap<ConnectionId, String>,
}

impl Pages {
    /// Makes a request a page of a session.
    pub fn open(
        dashboard: &Rc<Dashboard>,
        request: http::Request<'_>,
        reply: http::Reply<'_>,
        session: String,
    ) -> Result<(), Error> {
        let mut limits = ws::Limits::default();
        (limits.message, limits.frame, limits.output) = (MESSAGE_MAX, MESSAGE_MAX, BEHIND_MAX);
        let dashboard = Rc::clone(dashboard);
        ws::upgrade(request, reply).limits(limits).accept(
            move |page: &ws::Connection<'_>, event: ws::Event<'_>| {
                match event {
                    ws::Event::Open => {
                        dashboard.pages.borrow_mut().open.insert(page.id(), session.clone());
                        page.send_text(dashboard.device.borrow().everything())?;
                    }
                    ws::Event::Close(_) => {
                        dashboard.pages.borrow_mut().open.remove(&page.id());
                    }
                    _ => {}
                }
                Ok(())
            },
        )
    }

    /// Sends all of them the same; those whose session is over are closed instead.
    pub fn tell(dashboard: &Dashboard, registry: &Registry, text: String) {
        let message = ws::SharedMessage::text(text);
        let mut sessions = dashboard.sessions.borrow_mut();
        for (id, session) in &dashboard.pages.borrow().open {
            let Ok(page) = registry.websocket(*id) else { continue };
            if !sessions.has(session) {
                // It may be closing already.
                let _ = page.close(ws::CloseCode::POLICY, "the session is over");
            } else if let Err(Error::OutputFull { .. }) = page.send_shared(&message) {
                // It comes back when it is awake, and gets everything then.
                page.connection().close();
            }
        }
    }
}
