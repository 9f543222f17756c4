//! Handlers, bodies and their ends that do anything they can at any time: nothing may nest, nothing may hang, and no
//! panic comes out that was not theirs.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mongoose::http::{
    self, BodyMode, BodySender, Client, Deferred, Handler, Pending, Piece, Reply, Request, Upload,
};
use mongoose::{Connection, ConnectionId, Error, Event, Handle, Limits, Manager, Timer};
use mongoose_tests::{Client as Peer, Random, in_own_process, scaled, steadily};

const OURS: &str = "one of the test's panics";

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// What code reaches that was handed nothing: in `Drop`, in sources.
struct World {
    random: Random,
    client: Client,
    address: String,
    handle: Handle,
    ids: Vec<ConnectionId>,
    pending: Vec<Pending>,
    senders: Vec<BodySender>,
    deferred: Vec<Deferred>,
    timers: Vec<Timer>,
    running: bool,
}

/// So often out of 1000.
fn chance(of: usize) -> bool {
    WORLD.with_borrow_mut(|world| world.as_mut().is_some_and(|world| world.random.below(1000) < of))
}

fn below(bound: usize) -> usize {
    WORLD.with_borrow_mut(|world| world.as_mut().map_or(0, |world| world.random.below(bound)))
}

/// What needs nothing at hand.
fn anything() {
    // Taken out first: dropping runs code that looks here, too.
    match below(12) {
        0 => {
            let (client, url) = WORLD.with_borrow(|world| {
                let world = world.as_ref().expect("it is there");
                (world.client.clone(), world.address.clone())
            });
            let guard = Guard;
            let sent = client.get(&url).send(move |result: Result<http::Response<'_>, Error>| {
                let _guard = &guard;
                if let Ok(response) = result {
                    act(response.connection());
                }
            });
            if let Ok(pending) = sent {
                WORLD.with_borrow_mut(|world| world.as_mut().expect("it is there").pending.push(pending));
            }
        }
        1 => {
            let pending = WORLD.with_borrow_mut(|world| world.as_mut().and_then(|world| world.pending.pop()));
            if let Some(pending) = pending {
                pending.cancel();
            }
        }
        2 | 3 => {
            let sender = WORLD.with_borrow_mut(|world| world.as_mut().and_then(|world| world.senders.pop()));
            if let Some(sender) = sender {
                let _ = sender.send(vec![b'c'; below(100_000)]);
                match below(3) {
                    0 => sender.finish(),
                    1 => drop(sender),
                    _ => WORLD.with_borrow_mut(|world| world.as_mut().expect("there").senders.push(sender)),
                }
            }
        }
        4 => {
            let deferred =
                WORLD.with_borrow_mut(|world| world.as_mut().and_then(|world| world.deferred.pop()));
            if let Some(deferred) = deferred {
                answer(deferred.reply());
            }
        }
        5 => {
            let timer = WORLD.with_borrow_mut(|world| world.as_mut().and_then(|world| world.timers.pop()));
            drop(timer);
        }
        6 | 7 => {
            let found = WORLD.with_borrow_mut(|world| {
                let world = world.as_mut()?;
                let id = *world.ids.get(world.random.below(world.ids.len().max(1)))?;
                Some((world.handle.clone(), id))
            });
            if let Some((handle, id)) = found {
                let guard = Guard;
                let _ = match below(4) {
                    0 => handle.nudge(id),
                    1 => handle.send(id, vec![b'h'; below(10_000)]),
                    2 => handle.wakeup(id, vec![1]),
                    _ => handle.post(move |registry| {
                        let _guard = &guard;
                        if let Ok(connection) = registry.connection(id) {
                            act(&connection);
                        }
                        if below(4) == 0 {
                            let guard = Guard;
                            let timer =
                                registry.once(Duration::from_millis(1), move |_: &mongoose::Registry| {
                                    let _guard = &guard;
                                    anything();
                                });
                            WORLD.with_borrow_mut(|world| {
                                if let (Some(world), Ok(timer)) = (world.as_mut(), timer) {
                                    world.timers.push(timer);
                                }
                            });
                        }
                    }),
                };
            }
        }
        8 if chance(100) => panic!("{OURS}"),
        _ => {}
    }
}

/// What may be done with a connection.
fn act(connection: &Connection<'_>) {
    match below(20) {
        0 if chance(200) => connection.close(),
        1 if chance(200) => connection.drain(),
        2 => connection.pause(),
        3 | 4 => connection.resume(),
        5 => {
            let _ = connection.send(vec![b's'; below(200_000)]);
        }
        6 if chance(300) => {
            let guard = Guard;
            let _ = connection.set_handler(move |connection: &Connection<'_>, _: Event<'_>| {
                let _guard = &guard;
                connection.consume(usize::MAX);
                act(connection);
                Ok(())
            });
        }
        7 if chance(200) => connection.fail("on purpose"),
        8 => connection.consume(below(100)),
        _ => anything(),
    }
}

fn answer(reply: Reply<'_>) {
    let guard = Guard;
    let result = match below(9) {
        0 => reply.text("text"),
        1 => reply.body(vec![b'b'; below(1 << 20)]),
        2 => {
            let mut left = below(20);
            reply.stream(move || {
                let _guard = &guard;
                anything();
                left = left.saturating_sub(1);
                Ok(match below(6) {
                    _ if left == 0 => Piece::End,
                    0 => Piece::Wait,
                    1 => return Err(Error::Body("broken")),
                    _ => Piece::Data(vec![b'd'; below(50_000)].into()),
                })
            })
        }
        3 => reply.channel(50_000).map(|sender| {
            WORLD.with_borrow_mut(|world| {
                if let Some(world) = world.as_mut() {
                    world.senders.push(sender);
                }
            });
        }),
        4 => reply.events(1000).map(drop),
        5 => {
            let deferred = reply.defer();
            WORLD.with_borrow_mut(|world| {
                if let Some(world) = world.as_mut() {
                    world.deferred.push(deferred);
                }
            });
            Ok(())
        }
        6 => reply.receive(Anything(guard)),
        7 if chance(200) => reply.upgrade("raw", move |connection: &Connection<'_>, _: Event<'_>| {
            let _guard = &guard;
            act(connection);
            Ok(())
        }),
        _ => reply.length(3).text("too long"),
    };
    drop(result);
}

/// Does anything when it is dropped, but panic while another does.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            anything();
        }
    }
}

struct Anything(Guard);

impl Anything {
    /// No two run at once.
    fn alone<R>(&self, call: impl FnOnce() -> R) -> R {
        struct Running;
        impl Drop for Running {
            fn drop(&mut self) {
                WORLD.with_borrow_mut(|world| world.iter_mut().for_each(|world| world.running = false));
            }
        }
        WORLD.with_borrow_mut(|world| {
            if let Some(world) = world.as_mut() {
                assert!(!world.running, "two at once");
                world.running = true;
            }
        });
        let _running = Running;
        call()
    }
}

impl Handler for Anything {
    fn body_mode(&mut self, request: &Request<'_>) -> BodyMode {
        self.alone(|| {
            act(request.connection());
            match below(3) {
                0 => BodyMode::Buffered,
                1 => BodyMode::UpTo(usize::MAX),
                _ => BodyMode::Streamed,
            }
        })
    }

    fn request(&mut self, request: Request<'_>, reply: Reply<'_>) -> Result<(), Error> {
        self.alone(|| {
            act(request.connection());
            answer(reply);
            act(request.connection());
            if chance(50) { Err(Error::Body("on purpose")) } else { Ok(()) }
        })
    }

    fn event(&mut self, connection: &Connection<'_>, event: Event<'_>) {
        self.alone(|| {
            if let Event::Accept = event {
                WORLD.with_borrow_mut(|world| {
                    if let Some(world) = world.as_mut() {
                        world.ids.push(connection.id());
                    }
                });
            }
            act(connection);
        });
    }
}

impl Upload for Anything {
    fn data(&mut self, connection: &Connection<'_>, piece: &[u8]) -> Result<(), Error> {
        self.alone(|| {
            assert!(!piece.is_empty());
            act(connection);
            // Still there, and unchanged.
            assert!(piece.iter().all(|&byte| byte == b'u'), "{:?}", &piece[..piece.len().min(100)]);
            if chance(30) { Err(Error::Body("on purpose")) } else { Ok(()) }
        })
    }

    fn end(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        self.alone(|| answer(reply));
        Ok(())
    }

    fn failed(&mut self, _: &Error) {
        self.alone(anything);
    }
}

/// Requests of all kinds, sent in one go; then reads, or not, and goes.
fn peer(address: std::net::SocketAddr, mut random: Random, done: &Mutex<usize>) {
    let mut all = Vec::new();
    for _ in 0..1 + random.below(5) {
        let body = vec![b'u'; random.below(100_000)];
        match random.below(4) {
            0 => all.extend(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"),
            1 => all.extend(b"HEAD / HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n"),
            2 => {
                let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
                all.extend(head.bytes());
                all.extend(&body);
            }
            _ => {
                all.extend(b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(1 + random.below(30_000)) {
                    all.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    all.extend(chunk);
                    all.extend(b"\r\n");
                }
                all.extend(b"0\r\n\r\n");
            }
        }
    }
    let peer = Peer::connect(address);
    let mut stream = peer.stream();
    stream.set_write_timeout(Some(Duration::from_millis(50))).expect("an option");
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("an option");
    for piece in random.split(&all, 20_000) {
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    if random.below(2) == 0 {
        // It is closed already, perhaps.
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    if random.below(4) > 0 {
        let mut buffer = vec![0; 100_000];
        while matches!(steadily(|| stream.read(&mut buffer)), Ok(count) if count > 0) {}
    }
    if random.below(2) == 0 {
        peer.reset();
    }
    *done.lock().expect("nobody panics with it") += 1;
}

fn run(seed: u64) {
    let mut manager = Manager::new().expect("a manager");
    let mut limits = Limits::default();
    let moment = Duration::from_millis(20);
    (limits.head_time, limits.body_time, limits.idle_time) = (moment, moment, moment);
    (limits.reply_time, limits.write_time, limits.output) = (moment, moment, 100_000);
    let listener = manager
        .listener("http://127.0.0.1:0")
        .limits(limits)
        .http_each(|| Anything(Guard))
        .expect("to listen");
    WORLD.set(Some(World {
        random: Random::new(seed),
        client: Client::new(&manager),
        address: format!("http://{}/", listener.local_addr()),
        handle: manager.handle(),
        ids: Vec::new(),
        pending: Vec::new(),
        senders: Vec::new(),
        deferred: Vec::new(),
        timers: Vec::new(),
        running: false,
    }));
    let done = Arc::new(Mutex::new(0));
    let count = scaled(200).max(5);
    let address = listener.local_addr();
    let all = Arc::clone(&done);
    let peers = std::thread::spawn(move || {
        for number in 0..count {
            peer(address, Random::new(seed * 1000 + number as u64), &all);
        }
    });
    let poll = |manager: &mut Manager| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| manager.poll(Duration::from_millis(5)))) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            assert_eq!(text, Some(OURS));
        }
    };
    while !peers.is_finished() {
        poll(&mut manager);
    }
    peers.join().expect("the peers");
    if seed.is_multiple_of(2) {
        for _ in 0..100 {
            poll(&mut manager);
        }
    }
    drop(manager);
    // With what needs the manager, which is gone.
    let world = WORLD.take();
    drop(world);
}

#[test]
fn whatever_is_called_at_whatever_time_nothing_nests_and_nothing_breaks() {
    in_own_process(
        "anything::whatever_is_called_at_whatever_time_nothing_nests_and_nothing_breaks",
        |_| {},
        || {
            std::panic::set_hook(Box::new(|info| {
                if !info.to_string().contains(OURS) {
                    eprintln!("{info}\n{}", std::backtrace::Backtrace::force_capture());
                }
            }));
            let from: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
            (from..from + scaled(3).max(1) as u64).for_each(run);
        },
    );
}
