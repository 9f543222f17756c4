//! Any call, in any order, from any handler, with a panic at any moment: what no one thought of.
//!
//! What comes of each connection is left open. What has to hold: no panic but the test's own comes out, every handler is
//! dropped once, and the manager works in the end.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use mongoose::http::{self, Deferred, Reply, Request};
use mongoose::{Connection, Error, Event, Handler, Limits, Listener, Manager, Registry, Timer};
use mongoose_tests::{Random, scaled};

use crate::harness::{Peer, assert_usable, blast, blast_of, fire};

/// At most this many listeners and clients a run: each costs descriptors.
const MANY: usize = 40;

/// What the handlers of one run share.
struct Monkey {
    random: RefCell<Random>,
    timers: RefCell<Vec<Timer>>,
    tokens: RefCell<Vec<Deferred>>,
    listeners: RefCell<Vec<Listener>>,
    made: Cell<usize>,
    alive: Cell<usize>,
}

impl Monkey {
    fn below(&self, bound: usize) -> usize {
        self.random.borrow_mut().below(bound)
    }

    fn one_in(&self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// Something that may be made a limited number of times.
    fn may_make(&self) -> bool {
        self.made.replace(self.made.get() + 1) < MANY
    }
}

/// A handler of every kind, whose `Drop` may panic too.
struct Pest(Rc<Monkey>);

impl Pest {
    fn new(monkey: &Rc<Monkey>) -> Self {
        monkey.alive.set(monkey.alive.get() + 1);
        Self(Rc::clone(monkey))
    }
}

impl Drop for Pest {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
        if self.0.one_in(20) && !std::thread::panicking() {
            blast(1);
        }
    }
}

impl Handler for Pest {
    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) -> Result<(), Error> {
        let view = connection.received();
        let before = view.to_vec();
        for _ in 0..self.0.below(4) {
            mischief(&self.0, connection.registry(), Some(connection));
        }
        if let Event::Read = event
            && self.0.one_in(2)
        {
            connection.consume(self.0.below(200));
        }
        assert!(view == before, "a view changed under its handler");
        if self.0.one_in(15) { Err(Error::handler("a whim")) } else { Ok(()) }
    }
}

impl http::Handler for Pest {
    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        let monkey = &self.0;
        let (head, body) = (request.head().to_vec(), request.body().to_vec());
        let connection = request.connection();
        mischief(monkey, connection.registry(), Some(connection));
        let result = match monkey.below(9) {
            0 => reply.body(request.body()),
            1 => {
                monkey.tokens.borrow_mut().push(reply.defer());
                Ok(())
            }
            2 => reply.upgrade("pest", Pest::new(monkey)),
            3 => Ok(()),
            4 => reply.close().text("bye"),
            5 => reply.header("Bad\r\n", "").empty(),
            6 => reply.body(vec![b'x'; 100_000].as_slice()),
            7 => reply.defer().reply().text("at once"),
            _ => reply.text("fine"),
        };
        mischief(monkey, connection.registry(), Some(connection));
        assert!(request.head() == head && request.body() == body, "a view changed under its handler");
        result
    }

    fn event(&mut self, connection: &Connection<'_>, _: Event<'_>) {
        mischief(&self.0, connection.registry(), Some(connection));
    }
}

/// Does one thing, to a connection of its choice.
fn mischief(monkey: &Rc<Monkey>, registry: &Registry, own: Option<&Connection<'_>>) {
    let ids = registry.connections();
    let other = ids.get(monkey.below(ids.len().max(1))).and_then(|id| registry.connection(*id).ok());
    let Some(target) = (if monkey.one_in(2) { own.cloned().or(other) } else { other }) else { return };
    // Most of these fail now and then, which is their right.
    match monkey.below(26) {
        0 => drop(target.send("mischief")),
        1 => drop(target.send(vec![b'm'; 300_000])),
        2 => drop(target.send([b'm'; 30_000].as_slice())),
        3 => target.consume(monkey.below(100)),
        4 if monkey.one_in(3) => target.close(),
        5 if monkey.one_in(3) => target.drain(),
        6 if monkey.one_in(3) => target.fail("mischief"),
        7 => target.pause(),
        8 | 9 => target.resume(),
        10 => drop(target.set_handler(Pest::new(monkey))),
        11 if monkey.may_make() => {
            drop(registry.tcp("tcp://127.0.0.1:0", Pest::new(monkey)));
        }
        12 if monkey.may_make() => {
            let port = monkey.listeners.borrow().first().map_or(1, |it| it.local_addr().port());
            let port = if monkey.one_in(4) { 1 } else { port };
            drop(registry.connect(&format!("tcp://127.0.0.1:{port}"), Pest::new(monkey)));
        }
        13 | 14 => {
            let inner = Rc::clone(monkey);
            let due = Duration::from_micros(monkey.below(3000) as u64);
            let pest = Pest::new(monkey);
            let timer = registry.every(due, move |registry| {
                let _keep = &pest;
                mischief(&inner, registry, None);
            });
            if let Ok(timer) = timer {
                monkey.timers.borrow_mut().push(timer);
            }
        }
        15 | 16 => {
            let count = monkey.timers.borrow().len();
            let at = monkey.below(count.max(1));
            let timer = (at < count).then(|| monkey.timers.borrow_mut().swap_remove(at));
            drop(timer);
        }
        17 => drop(registry.handle().post(|registry| {
            if let Some(id) = registry.connections().last() {
                registry.connection(*id).expect("just listed").resume();
            }
        })),
        18 => drop(registry.handle().wakeup(target.id(), vec![b'w'; 1000])),
        19 => drop(registry.handle().send_then(target.id(), "late", |_| {})),
        20 => fire(&target, monkey.below(100) as u32),
        21 => {
            let token = monkey.tokens.borrow_mut().pop();
            if let Some(token) = token {
                drop(token.reply().text("late"));
            }
        }
        22 => drop(monkey.tokens.borrow_mut().pop()),
        23 if monkey.one_in(10) => {
            if let Some(listener) = monkey.listeners.borrow().last() {
                listener.close();
            }
        }
        24 if monkey.one_in(2) => blast(2),
        _ => drop((target.queued_bytes(), target.state(), target.local_addr())),
    }
}

/// Bytes of a peer: requests whole and in parts, and nonsense.
fn bytes(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n".repeat(1 + random.below(5)),
        1 => {
            b"POST /b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()
        }
        2 => b"POST /c HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab".to_vec(),
        3 => b"cde".to_vec(),
        4 => {
            let count = random.below(3000);
            random.bytes(count)
        }
        _ => b"5\r\nhel".to_vec(),
    }
}

fn run(seed: u64) {
    let monkey = Rc::new(Monkey {
        random: RefCell::new(Random::new(seed)),
        timers: RefCell::default(),
        tokens: RefCell::default(),
        listeners: RefCell::default(),
        made: Cell::new(0),
        alive: Cell::new(0),
    });
    let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9) | 1);
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    (limits.received, limits.output, limits.body) = (5000, 200_000, 2000);
    let factory = Rc::clone(&monkey);
    let each = move || {
        if factory.one_in(20) {
            blast(3);
        }
        Pest::new(&factory)
    };
    let listen = |url| manager.listener(url).limits(limits.clone());
    let made = [
        listen("tcp://127.0.0.1:0").tcp(Pest::new(&monkey)),
        listen("tcp://127.0.0.1:0").tcp_each(each.clone()),
        listen("http://127.0.0.1:0").http(Pest::new(&monkey)),
        listen("http://127.0.0.1:0").http_each(each),
    ];
    let addresses = made.map(|listener| {
        let listener = listener.expect("to listen");
        let address = listener.local_addr();
        monkey.listeners.borrow_mut().push(listener);
        address
    });
    let mut peers: Vec<Peer> = Vec::new();
    for _ in 0..60 {
        match random.below(8) {
            0 | 1 => {
                if let Ok(stream) = std::net::TcpStream::connect(addresses[random.below(4)]) {
                    peers.push(Peer::adopt(stream));
                }
            }
            2..=4 if !peers.is_empty() => {
                let at = random.below(peers.len());
                // It may be closed by now.
                let _ = peers[at].stream().write(&bytes(&mut random));
                peers[at].arrived();
            }
            5 if !peers.is_empty() => {
                let peer = peers.swap_remove(random.below(peers.len()));
                if random.below(2) == 0 {
                    peer.reset();
                }
            }
            6 if !peers.is_empty() => {
                let at = random.below(peers.len());
                let _ = peers[at].stream().shutdown(std::net::Shutdown::Write);
            }
            _ => {}
        }
        // A panic that is not the test's own fails it here.
        let _ = blast_of(|| manager.poll(Duration::ZERO).expect("to poll"));
    }
    if random.below(2) == 0 {
        // Half of the runs end orderly, the others in the middle of all.
        for timer in monkey.timers.take() {
            let _ = blast_of(|| drop(timer));
        }
        for token in monkey.tokens.take() {
            let _ = blast_of(|| drop(token));
        }
        for id in manager.connections() {
            manager.connection(id).expect("just listed").close();
        }
        for _ in 0..200 {
            let _ = blast_of(|| manager.poll(Duration::ZERO).expect("to poll"));
        }
    }
    let _ = blast_of(|| drop(manager));
    for timer in monkey.timers.take() {
        let _ = blast_of(|| drop(timer));
    }
    assert_eq!(monkey.alive.get(), 0, "every handler is dropped, seed {seed}");
}

#[test]
fn any_call_in_any_order_from_any_handler_with_a_panic_at_any_moment() {
    let seeds = scaled(300).max(10) as u64;
    for seed in 1..=seeds {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
    let mut manager = Manager::new().expect("a manager");
    assert_usable(&mut manager);
}
